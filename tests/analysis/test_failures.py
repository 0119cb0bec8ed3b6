"""Failures by cause and server: those of several processes together."""

from typing import Any

import orjson
import pytest

from analyzer.analysis import failures
from analyzer.analysis.failures import Failures


def failed(client: int, server: int = 1, cause: str = "no_answer", frame: int = 1) -> dict[str, Any]:
    ends = {
        "client": {"address": f"192.0.2.{client}", "port": 50_000}, "server": {"address": f"198.51.100.{server}", "port": 443},
    }  # fmt: skip
    outcome = {"result": "failed", "cause": cause}
    return {**ends, "server_name": None, "first_frame": frame, "last_frame": frame, "id": frame, "outcome": outcome}


def of(*records: dict[str, Any]) -> Failures:
    found = Failures()
    for record in records:
        found.take_record(record)
    return found


def sent(found: Failures) -> dict[str, Any]:
    """What another process reads."""
    record: dict[str, Any] = orjson.loads(orjson.dumps(found.record()))
    return record


def test_two_processes_together():
    together = Failures()
    together.add_record(sent(of(failed(1), failed(1, frame=2), failed(2, server=2, cause="decrypt_error"))))
    together.add_record(sent(of(failed(2, frame=7))))
    assert (together.count, together.causes, together.ungrouped) == (4, {"no_answer": 3, "decrypt_error": 1}, 0)
    worst = together.worst()
    assert [(key, group.count) for key, group in worst] == [
        (("no_answer", "198.51.100.1", 443), 3), (("decrypt_error", "198.51.100.2", 443), 1),
    ]  # fmt: skip
    assert worst[0][1].clients == {"192.0.2.1", "192.0.2.2"}
    assert worst[0][1].first["client"]["address"] == "192.0.2.1"


def test_many_groups_stay_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(failures, "MAX_SENT", 3)
    monkeypatch.setattr(failures, "MAX_GROUPS", 4)
    one = sent(of(*(failed(1, server) for server in range(1, 5)), failed(1, 1)))
    assert (len(one["groups"]), one["ungrouped"]) == (3, 1)
    assert one["groups"][0][:4] == ["no_answer", "198.51.100.1", 443, 2]
    together = Failures()
    together.add_record(one)
    together.add_record(sent(of(*(failed(1, server) for server in range(11, 14)))))
    assert (together.count, len(together.groups), together.ungrouped) == (8, 4, 3)
    assert sum(group.count for group in together.groups.values()) + together.ungrouped == together.count


def test_clients_of_a_group_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(failures, "MAX_CLIENTS", 2)
    together = Failures()
    for client in range(1, 5):
        together.add_record(sent(of(failed(client))))
    assert {name for group in together.groups.values() for name in group.clients} == {"192.0.2.1", "192.0.2.2"}
