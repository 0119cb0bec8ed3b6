"""Envoys: where a session goes, by what its handshake says in plaintext; what is told comes out again in `test_audience`."""

from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, Tap, packetise, talk

from analyzer.capture.reader import CaptureReader
from analyzer.engine import Engine
from analyzer.tls.envoy import Envoy, Router, offered_ticket
from analyzer.tls.limits import LONGEST_TOLD, MOST_HELD
from analyzer.tls.tidings import BEGIN, KINDS, TidingsReader

CAPTURES = Path(__file__).resolve().parents[2] / "captures"


def envoys(name: str, n_processes: int, opens: bool = False) -> tuple[list[Envoy], Router]:
    """The envoys of a demonstration capture by their numbers."""
    (path,) = (CAPTURES / name).glob("*.pcap*")
    engine = Engine()
    router = engine.sessions.router = Router(n_processes, opens)
    for walker in CaptureReader([str(path)]).walkers():
        engine.run(walker)
    engine.close()
    return sorted(engine.drain(), key=lambda envoy: int(envoy.id)), router


@pytest.mark.parametrize("name", ["tls12-session-id-resumption", "tls12-ticket-resumption"])
def test_a_resumed_session_goes_where_the_first_one_is(name: str) -> None:
    first, second = envoys(name, 5)[0]
    assert (first.id, second.id) == (0, 1)
    assert first.process == second.process == 0


def test_in_tls13_they_take_turns() -> None:
    found, _ = envoys("tls13-psk-resumption", 2)
    assert [envoy.process for envoy in found] == [number % 2 for number in range(len(found))]


def tap(opens: bool = False, n_processes: int = 3) -> tuple[Tap, Router]:
    reading = Tap()
    router = reading.engine.sessions.router = Router(n_processes, opens)
    return reading, router


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("opens", [False, True])
def test_application_data_is_told_only_where_it_may_be_opened(version: str, opens: bool) -> None:
    reading, router = tap(opens)
    reading.feed(*packetise(talk(version)))
    reading.close()
    assert (len(router.take()[0]) > 7000) == opens


def hello() -> bytes:
    """The body of a ClientHello that offers a ticket, from a client that was given one."""
    found, _ = envoys("tls12-ticket-resumption", 1)
    assert found[1].ticket
    engine = Engine()
    (path,) = (CAPTURES / "tls12-ticket-resumption").glob("*.pcap*")
    for walker in CaptureReader([str(path)]).walkers():
        engine.run(walker)
    engine.close()
    session = engine.drain()[1]
    raw: bytes = session.messages[0].raw
    assert offered_ticket(raw, 4, len(raw)) == found[1].ticket
    return raw[4:]


def test_every_truncation_of_a_hello_is_borne() -> None:
    body = hello()
    tickets = [offered_ticket(body[:n], 0, n) for n in range(len(body))]
    assert tickets[0] == b""
    assert {len(ticket) for ticket in tickets} == {0, len(offered_ticket(body, 0, len(body)))}


def test_a_hello_without_extensions_offers_none() -> None:
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    assert offered_ticket(body, 0, len(body)) == b""


def test_what_is_held_without_an_answer_is_little() -> None:
    reading, router = tap(opens=True)
    flights = [(CLIENT, data) for side, data in talk("TLSv1_3") if side == CLIENT]
    more = [(CLIENT, b"\x17\x03\x03\x00\x20" + bytes(32))] * (MOST_HELD >> 6)
    reading.feed(*packetise(flights + more, fin=False))
    [told] = [TidingsReader(bytearray(told)) for told in router.take() if told]
    assert told.advance()
    assert told.word & KINDS == BEGIN
    assert reading.engine.sessions.held == 0


def test_what_is_held_counts() -> None:
    reading, router = tap()
    reading.feed(*packetise(talk("TLSv1_2")[:1], fin=False))
    assert reading.engine.sessions.held > 200
    assert not any(router.take())
    reading.feed(*packetise(talk("TLSv1_2"), isns=(5, 5))[3:])
    reading.close()
    assert reading.engine.sessions.held == 0


def test_a_message_of_any_length_is_not_put_together() -> None:
    reading, _ = tap()
    huge = b"\x02" + (LONGEST_TOLD + 1).to_bytes(3, "big") + b"\x03\x03"
    answer = [(SERVER, b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part) for part in (huge, *[bytes(16000)] * 20)]
    reading.feed(*packetise([*talk("TLSv1_2")[:1], *answer], mss=1400))
    [envoy] = reading.close()
    assert envoy.settled[1]
    assert not envoy.parts[1]
