"""The table of resumable sessions: what is found, to which server it must belong, and what is dropped."""

import os

import pytest

from analyzer.flows.flow import TCP, Flow
from analyzer.tls import limits
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions, TwoGenerationCache, copied_ticket

SERVER, OTHER = b"\x0a\0\0\1\x01\xbb", b"\x0a\0\0\2\x01\xbb"


def test_a_session_id_counts_at_its_own_server_only():
    table = Resumptions()
    origin = ResumableSession(3, SERVER, b"a.example")
    table.ids.keep(b"s" * 32, origin)
    assert table.by_id(b"s" * 32, SERVER, None) is origin
    assert table.by_id(b"s" * 32, SERVER, b"b.example") is origin
    assert table.by_id(b"s" * 32, OTHER, b"a.example") is origin
    assert table.by_id(b"s" * 32, OTHER, b"b.example") is None
    assert table.by_id(b"s" * 32, OTHER, None) is None
    assert table.by_id(b"t" * 32, SERVER, b"a.example") is None


def test_two_servers_without_a_name_are_two():
    table = Resumptions()
    table.ids.keep(b"id", ResumableSession(0, SERVER, None))
    assert table.by_id(b"id", OTHER, None) is None


def test_only_client_server_and_name_together_are_the_same_parties():
    origin = ResumableSession(3, SERVER, b"a.example", client=b"\x0a\0\0\x09")
    assert origin.is_between(b"\x0a\0\0\x09", SERVER, b"A.example")
    assert not origin.is_between(b"\x0a\0\0\x08", SERVER, b"a.example")
    assert not origin.is_between(b"\x0a\0\0\x09", OTHER, b"a.example")
    assert not origin.is_between(b"\x0a\0\0\x09", SERVER, b"b.example")
    assert not origin.is_between(b"\x0a\0\0\x09", SERVER, None)
    assert ResumableSession(3, SERVER, None, client=b"c").is_between(b"c", SERVER, None)
    found = copied_ticket(origin.number)
    assert (found.code, found.severity) == ("copied_ticket", "info")
    assert "session 3" in found.detail


@pytest.mark.parametrize("n_bytes", [1, 32, 33, 256, 65535])
def test_a_ticket_of_any_length_is_found(n_bytes: int):
    table = TwoGenerationCache()
    ticket = os.urandom(n_bytes)
    table.keep(ticket, ResumableSession(7, SERVER, None))
    found = table.find(ticket)
    assert found is not None
    assert found.number == 7
    assert table.find(ticket + b"!") is None
    assert max(map(len, table.younger)) <= limits.LONGEST_TICKET


def test_the_last_session_with_a_name_counts():
    table = TwoGenerationCache()
    for number in range(3):
        table.keep(b"same", ResumableSession(number, SERVER, None))
    found = table.find(b"same")
    assert found is not None
    assert found.number == 2


def test_the_oldest_are_dropped_first():
    table = TwoGenerationCache()
    most = 2 * limits.MAX_RESUMABLE
    for number in range(most + 1):
        table.keep(number.to_bytes(4, "big"), ResumableSession(number, SERVER, None))
    assert len(table.younger) + len(table.older) <= most
    assert table.find((0).to_bytes(4, "big")) is None
    for number in (limits.MAX_RESUMABLE, most):
        found = table.find(number.to_bytes(4, "big"))
        assert found is not None
        assert found.number == number


def test_long_tickets_do_not_outgrow_the_limit():
    table = TwoGenerationCache()
    table.most = 100
    origin = ResumableSession(0, SERVER, None)
    for number in range(1000):
        table.keep(number.to_bytes(256, "big"), origin)
    assert len(table.younger) + len(table.older) <= 200
    assert {len(name) for half in (table.younger, table.older) for name in half} == {32}
    assert table.find((999).to_bytes(256, "big")) is origin


@pytest.mark.parametrize("width", [4, 16])
def test_the_server_of_a_flow(width: int):
    client, server = b"c" * width, b"s" * width
    assert Flow(TCP, client + server + b"\xc3\x50\x01\xbb", 1, 0).server_key() == server + b"\x01\xbb"
    assert Flow(TCP, server + client + b"\x01\xbb\xc3\x50", 1, 0).server_key() == client + b"\xc3\x50"
