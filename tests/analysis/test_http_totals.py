"""The HTTP of session records, added up."""

from typing import Any

import pytest

from analyzer.analysis import http_totals
from analyzer.analysis.http_totals import HttpTotals


def exchange(path: str, received: int = 0, sent: int = 0, kind: str | None = "text/html") -> dict[str, Any]:
    """An exchange with bodies of these sizes, as a record has it."""
    request = {
        "method": "POST" if sent else "GET", "scheme": "https", "authority": "a.example", "path": path, "headers": [],
        "frame": 7,
        "body_sha256": "s" * 64, "body_length": sent,
    }  # fmt: skip
    headers = [] if kind is None else [["Content-Type", kind]]
    response = {"status": 200, "headers": headers, "frame": 9, "body_sha256": "r" * 64, "body_length": received}
    return {"request": request, "response": response}


def totals_of(*exchanges: dict[str, Any]) -> HttpTotals:
    """The totals of one session."""
    totals = HttpTotals()
    totals.take({"id": 3, "http": list(exchanges)})
    totals.take({"id": 4, "http": []})
    return totals


def test_bodies_are_counted_by_type():
    totals = totals_of(
        exchange("/", 10, kind="Text/HTML; charset=utf-8"), exchange("/2", 5), exchange("/3", 1, kind=None), exchange("/4")
    )
    assert (totals.n_exchanges, totals.n_requests, totals.n_sessions, totals.received) == (4, 4, 1, 16)
    assert totals.types.first(9) == [("text/html", 2)]
    assert totals.type_bytes["text/html"] == 15
    assert totals.types.unknown == 1
    assert totals.hosts.first(9) == [("a.example", 4)]
    assert totals.statuses.first(9) == [("200", 4)]


def test_the_largest_come_first_and_equal_ones_as_they_came():
    totals = totals_of(exchange("/a", 5), exchange("/b", 9), exchange("/c", 5), exchange("/up", 0, 30))
    assert [(one.url, one.size, one.session, one.frame) for one in totals.downloads(9)] == [
        ("https://a.example/b", 9, 3, 9), ("https://a.example/a", 5, 3, 9), ("https://a.example/c", 5, 3, 9),
    ]  # fmt: skip
    (upload,) = totals.uploads(9)
    assert (upload.method, upload.size, upload.frame, upload.sha256) == ("POST", 30, 7, "s" * 64)
    assert totals.sent == 30


def test_only_the_largest_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_totals, "KEPT_BODIES", 2)
    totals = totals_of(*(exchange(f"/{size}", size) for size in (3, 1, 4, 1, 5, 9, 2, 6)))
    assert [one.size for one in totals.downloads(9)] == [9, 6]
    assert totals.received == 31


def test_half_an_exchange_has_no_other_half():
    whole = exchange("/x", 8)
    totals = totals_of({"request": None, "response": whole["response"]}, {"request": whole["request"], "response": None})
    assert (totals.n_exchanges, totals.n_requests) == (2, 1)
    assert [(one.method, one.url) for one in totals.downloads(9)] == [(None, None)]
