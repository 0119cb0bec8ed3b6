"""Plain HTTP is found by its first bytes, ends where TLS begins, and changes nothing for the search for TLS."""

import pytest
from conversations import CLIENT, SERVER, Flight, Segment, Tap, packetise, talk
from keyed import page, without

from analyzer.engine import Engine
from analyzer.engine.capture_events import PlainHttp
from analyzer.engine.plain_http import EXCHANGE_COST, PlainHttpStream
from analyzer.store.session_record import session_record
from analyzer.tls.events import SessionEnded

ASKED, ANSWERED = page("/one", b"1" * 5000)


def watched(*parts: list[Segment], shard: tuple[int, int] = (0, 1)) -> Tap:
    """A run over segments that also reads plain HTTP."""
    tap = Tap()
    tap.engine = Engine(watches_http=True)
    if shard[1] > 1:
        tap.engine.dispatcher.share(*shard)
    for part in parts:
        tap.feed(*part)
    tap.close()
    return tap


def paths(tap: Tap) -> list[list[str | None]]:
    """The paths that each connection with plain HTTP asked for."""
    return [
        [None if one.request is None else one.request.path or one.request.authority for one in event.exchanges]
        for event in tap.events
        if isinstance(event, PlainHttp)
    ]


def test_it_is_not_read_unless_asked_for():
    tap = Tap()
    tap.feed(*packetise([ASKED, ANSWERED]))
    tap.close()
    assert tap.events == []


def test_exchanges_come_when_the_connection_ends():
    tap = watched(packetise([ASKED, ANSWERED, ASKED, ANSWERED]))
    (event,) = tap.events
    assert isinstance(event, PlainHttp)
    assert paths(tap) == [["/one", "/one"]]
    assert event.exchanges[1].response.body.length == 5000


def test_it_is_read_behind_the_part_that_is_searched_for_tls():
    """That search ends after 16 KiB; a later request is read all the same."""
    large = page("/large", b"2" * 200_000)
    assert paths(watched(packetise([*large, ASKED, ANSWERED]))) == [["/large", "/one"]]


@pytest.mark.parametrize(
    "flights",
    [
        [(SERVER, b"220 mail.example ESMTP\r\n"), (CLIENT, b"EHLO GET /\r\n")],
        [(CLIENT, b"USER anonymous\r\n" * 5000)],
        [(CLIENT, b"\x00\x01" * 3000)],
    ],
)
def test_other_protocols_are_not_http(flights: list[Flight]):
    assert paths(watched(packetise(flights))) == []


def test_other_connections_get_their_own_reader_back():
    tap = Tap()
    tap.engine = Engine(watches_http=True)
    tap.feed(*packetise([(CLIENT, b"\x00\x01" * 100)], fin=False))
    (connection,) = {id(one.connection): one.connection for one in tap.engine.connections.endpoints.values()}.values()
    assert not isinstance(connection.sink, PlainHttpStream)


def test_it_ends_where_tls_begins():
    """Behind CONNECT, the session is the same as without reading HTTP."""
    tunnel: list[Flight] = [
        (CLIENT, b"CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n"),
        (SERVER, b"HTTP/1.1 200 OK\r\n\r\n"),
    ]
    segments = packetise([*tunnel, *talk()])
    tap = watched(segments)
    assert paths(tap) == [["example.test:443"]]
    assert [type(event) for event in tap.events] == [PlainHttp, SessionEnded]
    plain = Tap()
    plain.feed(*segments)
    assert [session_record(one.ended, True) for one in tap.events if isinstance(one, SessionEnded)] == plain.records()


def test_sessions_are_those_of_a_run_without_it():
    segments = [*packetise(talk(), ports=(50001, 443)), *packetise([ASKED, ANSWERED], ports=(50002, 80))]
    tap, plain = watched(segments), Tap()
    plain.feed(*segments)
    assert [session_record(one.ended, True) for one in tap.events if isinstance(one, SessionEnded)] == plain.records()


def test_lost_bytes_are_said():
    lost = watched(without(packetise([ASKED, ANSWERED]), SERVER, 3))
    (event,) = lost.events
    assert event.exchanges[0].response.body.sha256 is None
    assert not event.exchanges[0].response.body.complete


def test_what_begins_in_the_middle_is_read_from_the_next_request_on():
    segments = packetise([(SERVER, b"rest of a body" * 20), ASKED, ANSWERED], syn=False)
    assert paths(watched(segments)) == [["/one"]]


def test_each_connection_is_read_by_one_process():
    parts = [packetise(page(f"/{n}", b""), ports=(50000 + n, 80)) for n in range(9)]
    halves = [paths(watched(*parts, shard=(shard, 2))) for shard in range(2)]
    assert all(halves)
    assert sorted(halves[0] + halves[1]) == [[f"/{n}"] for n in range(9)]


def test_exchanges_count_as_memory_until_the_connection_ends():
    tap = Tap()
    tap.engine = Engine(watches_http=True)
    before = tap.engine.dispatcher.held
    tap.feed(*packetise([ASKED, ANSWERED, ASKED, ANSWERED], fin=False))
    assert tap.engine.dispatcher.held == before + 2 * EXCHANGE_COST
    tap.close()
    assert tap.engine.dispatcher.held == before
