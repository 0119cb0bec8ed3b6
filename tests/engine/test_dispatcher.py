"""Which flow goes to which decoder, and which side of a connection gets which role."""

import struct

import pytest
from conversations import ADDRESSES, CLIENT, PORTS, SERVER, Segment, Tap, handshake_types, packetise, records, stream, talk

from analyzer.engine import Engine
from analyzer.engine.capture_events import RevocationSeen
from analyzer.flows.sink import DatagramSink
from analyzer.tls.events import (
    Conflict,
    Event,
    Finding,
    Gap,
    HandshakeMessage,
    RecordRead,
    SessionBegan,
    SessionEnded,
)

MAX_EARLY = 64
"""Gaps before a hello that are kept; in the compiled module it is a constant of C."""

GREETING = [(SERVER, b"220 mail.example ESMTP\r\n"), (CLIENT, b"STARTTLS\r\n"), (SERVER, b"220 go ahead\r\n")]
HTTP = [(CLIENT, b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")]
BODY = bytes(range(256)) * 20
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
FETCHED = [HTTP[0], (SERVER, RESPONSE)]


def events_of(segments, **options) -> list[Event]:
    """Return all events of an engine for a capture."""
    tap = Tap()
    tap.engine = Engine(detailed=True, **options)
    tap.feed(*segments)
    tap.close()
    return tap.events


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def exchanged(flights):
    """Return the same flights with the sides exchanged: the originator of the connection is the server."""
    return [(1 - side, data) for side, data in flights]


# Connections.


def test_each_connection_has_its_own_decoder():
    plain = packetise(HTTP, ports=(50001, 80))
    first, second = packetise(talk()), packetise([*GREETING, *talk("TLSv1_2")], ports=(50002, 25))
    woven = [segment for three in zip(first, second, strict=False) for segment in three]
    rest = [*first[len(second) :], *second[len(first) :]]
    events = events_of([*plain[:4], *woven, *rest, *plain[4:]])
    flows = [event.flow for event in of_kind(events, SessionBegan)]
    assert [(flow.client, flow.server) for flow in flows] == [
        (("10.0.0.1", 50000), ("10.0.0.2", 443)),
        (("10.0.0.1", 50002), ("10.0.0.2", 25)),
    ]
    versions = {event.session: event.version for event in of_kind(events, SessionEnded)}
    assert versions == {0: 0x0304, 1: 0x0303}


def test_a_connection_without_tls_is_no_event():
    assert events_of(packetise(HTTP)) == []


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_client_need_not_have_opened_the_connection(version):
    """As with FTP in active mode, where the server opens the connection for data."""
    flights = talk(version)
    straight, other = events_of(packetise(flights)), events_of(packetise(exchanged(flights)))
    assert [(type(event), event.role) for event in other] == [(type(event), event.role) for event in straight]
    assert {event.role for event in of_kind(other, HandshakeMessage) if event.name == "client_hello"} == {0}
    (flow,) = [event.flow for event in of_kind(other, SessionBegan)]
    assert (flow.client, flow.server) == (("10.0.0.2", 443), ("10.0.0.1", 50000))
    assert flow.key == ADDRESSES[1] + ADDRESSES[0] + struct.pack(">HH", PORTS[1], PORTS[0])
    for role in (0, 1):
        bytes_of_records = sum(event.header + event.length for event in of_kind(other, RecordRead) if event.role == role)
        assert bytes_of_records == len(stream(flights, role))


@pytest.mark.parametrize("turn", [False, True])
def test_gaps_and_conflicts_before_the_hello_are_emitted_when_the_session_begins(turn):
    lines = [(SERVER, b"220-line %03d\r\n" % number) for number in range(100)]
    flights = [*lines, *GREETING, *talk()]
    segments = packetise(exchanged(flights) if turn else flights, acks=True)
    data = [segment for segment in segments if segment.payload]
    lost, changed = data[1], data[90]
    again = Segment(changed.side, changed.sequence, changed.acknowledgement, changed.flags, b"220-LINE 090\r\n")
    after = segments.index(data[99])
    frames = [segment for segment in [*segments[:after], again, *segments[after:]] if segment is not lost]
    events = events_of(frames)
    assert type(events[0]) is SessionBegan
    assert [type(event) for event in events[1:5]] == [Gap, Conflict, Finding, RecordRead]
    gap, conflict = events[1:3]
    assert (gap.session, gap.role, gap.offset, gap.length, gap.frame) == (0, 1, 14, 14, frames.index(data[0]) + 1)
    assert (conflict.role, conflict.first, conflict.second) == (1, changed.payload, again.payload)
    assert (conflict.offset, conflict.frame) == (90 * 14, frames.index(again) + 1)
    assert len(of_kind(events, Gap)) == len(of_kind(events, Conflict)) == 1


@pytest.mark.parametrize("turn", [False, True])
def test_gaps_within_a_session_have_the_role_that_sent(turn):
    flights = talk("TLSv1_2", (300, 20_000))
    segments = packetise(exchanged(flights) if turn else flights)
    server = SERVER ^ turn
    lost = [segment for segment in segments if segment.side == server and len(segment.payload) == 700][-3]
    events = events_of([segment for segment in segments if segment is not lost])
    (gap,) = of_kind(events, Gap)
    first = segments[1 if server == SERVER else 0].sequence + 1
    assert (gap.role, gap.offset, gap.length) == (1, lost.sequence - first, 700)


def test_what_is_kept_before_a_hello_is_limited():
    """In a connection that loses bytes again and again before TLS begins."""
    lines = [(SERVER, b"220-line %03d\r\n" % number) for number in range(4 * MAX_EARLY)]
    segments = packetise([*lines, *talk()], acks=True)
    data = [segment for segment in segments if segment.payload]
    lost = data[1 : 3 * MAX_EARLY : 2]
    (session,) = of_kind(events_of([segment for segment in segments if segment not in lost]), SessionEnded)
    assert len(lost) > MAX_EARLY
    assert [gap.offset for gap in session.ended.log.gaps] == [14 * (2 * number + 1) for number in range(MAX_EARLY)]


def test_a_capture_that_begins_late_has_its_client_by_the_ports():
    for ports, client in (((50000, 443), "10.0.0.1"), ((443, 50000), "10.0.0.2")):
        segments = packetise(talk("TLSv1_2", (300, 5000, 5000)), mss=60_000, ports=ports, fin=False)
        data = [number for number, segment in enumerate(segments) if segment.payload]
        (began,) = of_kind(events_of(segments[data[6] :]), SessionBegan)
        assert began.flow.mid_stream
        assert began.flow.client == (client, 50000)


@pytest.mark.parametrize("detailed", [False, True])
def test_without_details_only_the_ends_are_emitted(detailed):
    tap = Tap(detailed=detailed)
    tap.feed(*packetise(talk()))
    tap.close()
    assert ({type(event) for event in tap.events} == {SessionEnded}) is not detailed
    ended = tap.events[-1]
    assert (ended.session, ended.frame, ended.version) == (0, len(packetise(talk())), 0x0304)
    assert ended.at == ended.ended.flow.end > 0


# Memory.


def test_memory_that_is_held_goes_back_to_zero():
    tap = Tap()
    tap.engine = Engine(watches_revocation=True)
    endpoint = packetise(talk("TLSv1_2"), mss=100)
    fetched = packetise(FETCHED, ports=(50001, 80))
    tap.feed(*endpoint[:8])
    in_session = tap.engine.dispatcher.held
    assert in_session > 0
    tap.feed(*fetched[:6])
    assert tap.engine.dispatcher.held > in_session
    tap.feed(*fetched[6:])
    assert tap.engine.dispatcher.held == in_session
    tap.feed(*endpoint[8:])
    tap.close()
    assert tap.engine.dispatcher.held == 0


@pytest.mark.parametrize("n_segments", range(4, 40, 5))
def test_memory_that_is_held_goes_back_for_any_end_of_the_capture(n_segments):
    tap = Tap()
    tap.engine = Engine(watches_revocation=True)
    tap.feed(*packetise(talk("TLSv1_2"), mss=100)[:n_segments], *packetise(FETCHED, mss=300, ports=(50001, 80))[:n_segments])
    tap.close()
    assert tap.engine.dispatcher.held == 0


# Revocation data in plain HTTP.


def test_revocation_data_in_plain_http_is_emitted_in_order():
    tls = packetise(talk())
    events = events_of([*tls[:8], *packetise(FETCHED, ports=(50001, 80)), *tls[8:]], watches_revocation=True)
    (seen,) = of_kind(events, RevocationSeen)
    assert (seen.content_type, seen.body) == ("application/ocsp-response", BODY)
    assert 0 < events.index(seen) < len(events) - 1
    assert (seen.session, seen.role) == (-1, -1)
    assert of_kind(events_of(packetise(FETCHED)), RevocationSeen) == []


@pytest.mark.parametrize("begins_late", [False, True])
def test_the_watch_knows_which_side_responds(begins_late):
    """It knows by the request that begins the connection, or by a response; not by the originator."""
    flights = FETCHED[begins_late:]
    for said in (flights, exchanged(flights)):
        events = events_of(packetise(said, syn=not begins_late), watches_revocation=True)
        assert [event.body for event in of_kind(events, RevocationSeen)] == [BODY]


def test_the_watch_ends_where_tls_begins():
    tunnel = [(CLIENT, b"GET /x HTTP/1.1\r\n\r\n"), *talk(), (SERVER, RESPONSE)]
    tap = Tap(detailed=True)
    tap.engine = Engine(detailed=True, watches_revocation=True)
    segments = packetise(tunnel, fin=False)
    tap.feed(*segments[:4])
    (endpoint,) = {id(one.connection): one for one in tap.engine.connections.endpoints.values()}.values()
    assert endpoint.connection.sink.watch is not None
    tap.feed(*segments[4:7])
    assert endpoint.connection.sink.session is not None
    assert endpoint.connection.sink.watch is None
    tap.feed(*segments[7:])
    tap.close()
    assert of_kind(tap.events, RevocationSeen) == []


# Datagrams.


def datagram(side: int, payload: bytes, ports: tuple[int, int]) -> bytes:
    """An Ethernet frame with one UDP datagram."""
    udp = struct.pack(">HHHH", ports[side], ports[1 - side], 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ADDRESSES[side] + ADDRESSES[1 - side]
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\x00" + head + udp


class Echo(DatagramSink):
    """The reader of a flow of the protocol on port 7."""

    def __init__(self):
        super().__init__()
        self.preceding = []
        self.closed = []

    def feed(self, side, data, start, end, missing, frame, at):
        self.preceding.append((side, data[start:end], frame))

    def close(self, reason, frame, at):
        self.closed.append((reason, frame))


class EchoProtocol:
    """A protocol over UDP: takes the flows to port 7, and keeps all flows that it was offered."""

    def __init__(self):
        self.offered = []
        self.readers = []

    def __call__(self, flow):
        ports = struct.unpack(">HH", flow.originator.key[-4:])
        self.offered.append(ports)
        if 7 not in ports:
            return None
        self.readers.append(Echo())
        return self.readers[-1]


def test_every_udp_flow_is_offered_and_those_wanted_are_read():
    echo = EchoProtocol()
    tap = Tap()
    tap.engine = Engine(datagram_protocols=[echo])
    tap.feed_bytes(datagram(CLIENT, b"query", (5000, 53)))
    tap.feed_bytes(datagram(CLIENT, b"one", (5001, 7)))
    tap.feed_bytes(datagram(SERVER, b"answer", (5000, 53)))
    tap.feed_bytes(datagram(SERVER, b"ONE", (5001, 7)))
    tap.feed_bytes(datagram(CLIENT, b"other", (5002, 7)))
    tap.feed(*packetise(talk()))
    tap.feed_bytes(datagram(CLIENT, b"two", (5001, 7)))
    assert len(tap.close()) == 1
    assert echo.offered == [(5000, 53), (5001, 7), (5002, 7)]
    last = 6 + len(packetise(talk()))
    assert [reader.preceding for reader in echo.readers] == [
        [(0, b"one", 2), (1, b"ONE", 4), (0, b"two", last)],
        [(0, b"other", 5)],
    ]
    assert [reader.closed for reader in echo.readers] == [[("end", last)], [("end", 5)]]


def test_protocols_are_asked_in_order_and_the_first_that_wants_a_flow_has_it():
    first, second = EchoProtocol(), EchoProtocol()
    tap = Tap()
    tap.engine = Engine(datagram_protocols=[first, second])
    tap.feed_bytes(datagram(CLIENT, b"query", (5000, 53)))
    tap.feed_bytes(datagram(CLIENT, b"one", (5001, 7)))
    assert (first.offered, second.offered) == ([(5000, 53), (5001, 7)], [(5000, 53)])
    assert [len(first.readers), len(second.readers)] == [1, 0]


def test_time_alone_ends_a_udp_flow():
    echo = EchoProtocol()
    tap = Tap()
    tap.engine = Engine(datagram_protocols=[echo])
    tap.feed_bytes(datagram(CLIENT, b"one", (5001, 7)))
    tap.engine.tick(tap.at + 301 * 10**9)
    assert echo.readers[0].closed == [("idle", 1)]


def test_without_another_protocol_udp_flows_are_searched_for_quic():
    tap = Tap()
    tap.feed_bytes(datagram(CLIENT, b"one", (5001, 7)))
    assert tap.engine.datagrams.n_open == 1
    assert tap.engine.packet.protocol == 17
    assert tap.close() == []


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("requests", [(), (300,)])
def test_a_second_session_on_a_connection(version: str, requests: tuple[int, ...]) -> None:
    once = talk(version, requests)
    [alone] = records(packetise(once))
    first, second = records(packetise([*once, *once]))
    assert [record["id"] for record in (first, second)] == [0, 1]
    for record in (first, second):
        assert handshake_types(record) == handshake_types(alone)
        assert len(record["alerts"]) == len(alone["alerts"])
        assert record["established"] is True
        assert record["gaps"] == []
        assert record["before"] == []
    assert first["first_frame"] == alone["first_frame"]
    assert first["last_frame"] == second["first_frame"] - 1
    assert second["handshake"][0]["frame"] - second["first_frame"] in (0, 2)  # a hybrid hello fills two segments


def test_a_hello_on_a_connection_that_nobody_closed_is_no_second_session() -> None:
    once = talk("TLSv1_3", (300,), False)
    [record] = records(packetise([*once, *once]))
    assert record["first_frame"] == 1
