"""The totals of session records."""

from typing import Any

from conversations import packetise, records, talk

from analyzer.analysis import session_totals
from analyzer.analysis.session_totals import SessionTotals


def record_of(**changes: Any) -> dict[str, Any]:
    """The record of a session, with other values."""
    (record,) = records(packetise(talk(), ports=(50001, 443)))
    return {**record, **changes}


def test_what_sessions_agreed_on_is_counted():
    totals = SessionTotals()
    first = record_of(server_name="a.example")
    totals.take(first)
    totals.take({**first, "version": None, "established": None, "resumed": True, "resumption": "psk"})
    assert (totals.n_sessions, totals.established) == (2, {True: 1, False: 0, None: 1})
    assert totals.tallies["versions"].first(5) == [("TLS 1.3", 1)]
    assert totals.tallies["versions"].unknown == 1
    assert totals.tallies["servers"].first(5) == [("10.0.0.2:443", 2)]
    assert totals.tallies["clients"].first(5) == [("10.0.0.1", 2)]
    assert totals.tallies["resumptions"].first(5) == [("psk", 1)]
    assert totals.names == {"10.0.0.2": {"a.example": None}}


def test_an_ipv6_server_is_in_brackets():
    totals = SessionTotals()
    totals.take(record_of(server={"address": "2001:db8::1", "port": 443}))
    assert totals.tallies["servers"].first(1) == [("[2001:db8::1]:443", 1)]


def test_names_of_servers_are_bounded(monkeypatch: Any):
    monkeypatch.setattr(session_totals, "MOST_ADDRESSES", 1)
    totals, record = SessionTotals(), record_of()
    for n in range(9):
        totals.take({**record, "server_name": f"{n}.example"})
    totals.take({**record, "server": {"address": "192.0.2.9", "port": 443}, "server_name": "x.example"})
    assert list(totals.names) == ["10.0.0.2"]
    assert len(totals.names["10.0.0.2"]) == session_totals.MOST_NAMES


def test_values_are_bounded():
    totals, record = SessionTotals(most=2), record_of()
    for n in range(5):
        totals.take({**record, "server_name": f"{n}.example"})
    assert len(totals.tallies["server_names"]) == 2
    assert totals.tallies["server_names"].beyond == 3
