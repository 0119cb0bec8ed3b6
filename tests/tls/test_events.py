"""The events of whole captures: their order, and the stream positions that they contain."""

from collections.abc import Sequence

import pytest
from conversations import CLIENT, SERVER, Tap, packetise, stream, talk
from keyed import talk_of
from sessions_by_hand import HANDSHAKE, KEY, NAMES, START, capture_of, chunks_of, events_of, keylog_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.flows.connection import Connection
from analyzer.flows.flow import TCP, Flow
from analyzer.flows.listener import Listener
from analyzer.flows.sink import Sink
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.events import (
    NO_ROLE,
    Alert,
    Conflict,
    Data,
    DataBegan,
    DataMissing,
    Event,
    Finding,
    Gap,
    HandshakeMessage,
    KeysChanged,
    OutOfOrder,
    RecordEvent,
    RecordRead,
    SessionBegan,
    SessionEnded,
    handshake_message,
    record_event,
)

OF_A_ROLE = (Alert, Conflict, Data, DataMissing, Gap, HandshakeMessage, KeysChanged, OutOfOrder, RecordEvent, RecordRead)
OF_NOBODY = (DataBegan, Finding, SessionBegan, SessionEnded)
BOTH = pytest.mark.parametrize("keyed", [True, False])
EACH = pytest.mark.parametrize("name", NAMES)
OVER_TCP = pytest.mark.parametrize("name", [name for name in NAMES if "quic" not in name and not name.startswith("dtls")])
"""Captures with records. QUIC has none, its packets come in any order, and its messages are in pieces of CRYPTO frames."""
OUT_OF_TURN = {"tcp-trouble"}
"""Captures whose segments come late: events of bytes after a gap are emitted when the gap is closed."""


class Reassembled(Listener):
    """The streams of all connections, by the key of their first packet: bytes with the position of the first of them."""

    def __init__(self) -> None:
        self.held = 0
        self.streams: dict[bytes, list[bytearray]] = {}

    def open(self, connection: Connection) -> Sink:
        sides = [bytearray(), bytearray()]
        self.streams[connection.originator.key] = [sides[0], sides[1]]
        self.streams[connection.responder.key] = [sides[1], sides[0]]

        class Kept(Sink):
            def __init__(self) -> None:
                self.wanted = True

            def feed(self, side: int, data: bytes, start: int, end: int, offset: int, frame: int, at: int) -> None:
                assert offset == len(sides[side])
                sides[side] += data[start:end]

            def gap(self, side: int, offset: int, length: int, frame: int, at: int) -> None:
                sides[side].extend(bytes(length))

        return Kept()


def streams_of(name: str) -> dict[bytes, list[bytearray]]:
    """The streams of a capture's connections, of the sender of a packet with that key and of its receiver."""
    listener = Reassembled()
    connections, packet = Connections(listener), Packet()
    for packet_reader in CaptureReader([str(capture_of(name))]).packet_readers():
        while packet_reader.advance():
            frame = packet_reader.frame
            if read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length) and packet.protocol == TCP:
                connections.feed(packet, frame.number, frame.at)
    connections.close(0, 0)
    return listener.streams


def sessions(events: Sequence[Event]) -> list[int]:
    """The numbers of the sessions in the order in which they began."""
    return [event.session for event in events if isinstance(event, SessionBegan)]


# Order.


@BOTH
@EACH
def test_a_session_begins_once_first_and_ends_once_last(name: str, keyed: bool):
    events = events_of(name, keyed)
    numbers = sessions(events)
    assert numbers == list(range(len(numbers)))
    assert numbers
    for number in numbers:
        own = [event for event in events if event.session == number]
        assert isinstance(own[0], SessionBegan)
        assert isinstance(own[-1], SessionEnded)
        assert [event for event in own[1:-1] if isinstance(event, SessionBegan | SessionEnded)] == []
        assert own[-1].ended.id == number
        assert own[-1].ended.flow is own[0].flow
    assert len(events) == sum(event.session in numbers for event in events)


@BOTH
@OVER_TCP
def test_every_event_says_who_when_and_which_version(name: str, keyed: bool):
    for turn, events in enumerate(chunks_of(name, keyed), 1):
        for event in events:
            assert isinstance(event, OF_A_ROLE if event.role in (CLIENT, SERVER) else OF_NOBODY)
            assert event.role in (CLIENT, SERVER, NO_ROLE)
            assert 0 <= event.frame <= turn
            assert (event.at > 0) if not isinstance(event, Conflict | DataMissing | Finding | Gap) else event.at == -1
    for number in sessions(events_of(name, keyed)):
        versions = [event.version for event in events_of(name, keyed) if event.session == number]
        known = [version for version in versions if version]
        assert versions == [0] * (len(versions) - len(known)) + known[:1] * len(known)


@BOTH
@OVER_TCP
def test_frames_never_go_back(name: str, keyed: bool):
    """In a session, and so in a turn; except events without a frame, and events after a gap."""
    events = events_of(name, keyed)
    back = []
    for number in sessions(events):
        for role in (CLIENT, SERVER):
            frames = [
                (event.frame, event.at)
                for event in events
                if event.session == number and event.role in (role, NO_ROLE) and event.frame and event.at > 0
            ]
            assert frames == sorted(frames)
        both = [event.frame for event in events if event.session == number and event.frame]
        back += [number] if both != sorted(both) else []
    assert len(back) == (name in OUT_OF_TURN)


@BOTH
@EACH
def test_what_a_session_keeps_is_what_it_emitted(name: str, keyed: bool):
    events = events_of(name, keyed)
    for ended in [event.ended for event in events if isinstance(event, SessionEnded)]:
        for kind, kept in (
            (HandshakeMessage, ended.log.messages),
            (Alert, ended.log.alerts),
            (Gap, ended.log.gaps),
            (Conflict, ended.log.conflicts),
            (Finding, ended.log.findings),
        ):
            told = [event for event in events if isinstance(event, kind) and event.session == ended.id]
            assert {id(event) for event in told} == {id(event) for event in kept}


@EACH
def test_without_details_the_ends_of_the_same_sessions_are_emitted(name: str):
    engine = Engine(keylog=keylog_of(name))
    for packet_reader in CaptureReader([str(capture_of(name))]).packet_readers():
        engine.run(packet_reader)
    engine.close()
    brief = engine.take()
    full = [event for event in events_of(name) if isinstance(event, SessionEnded)]
    assert all(isinstance(event, SessionEnded) for event in brief)
    assert [(one.session, one.frame, one.at, one.version) for one in brief] == [
        (one.session, one.frame, one.at, one.version) for one in full
    ]


# Places.


@BOTH
@OVER_TCP
def test_the_bytes_at_the_pieces_of_a_message_are_the_message(name: str, keyed: bool):
    events = events_of(name, keyed)
    streams = streams_of(name)
    flows = {event.session: event.flow for event in events if isinstance(event, SessionBegan)}
    n_plain = 0
    for event in events:
        if not isinstance(event, HandshakeMessage):
            continue
        said = streams[flows[event.session].key][event.role]
        placed = b"".join(said[first : first + length] for first, length in event.pieces)
        if event.encrypted and event.body is not None:
            assert event.pieces == ()
        elif event.encrypted:
            assert len(placed) == event.length
        else:
            assert placed == event.raw
            n_plain += 1
    assert n_plain


@BOTH
@OVER_TCP
def test_the_header_of_a_record_is_at_its_offset_and_records_follow_each_other(name: str, keyed: bool):
    events = events_of(name, keyed)
    streams = streams_of(name)
    flows = {event.session: event.flow for event in events if isinstance(event, SessionBegan)}
    for number, flow in flows.items():
        gaps = [event for event in events if isinstance(event, Gap) and event.session == number]
        for role in (CLIENT, SERVER):
            records = [
                event for event in events if isinstance(event, RecordRead) and (event.session, event.role) == (number, role)
            ]
            said = streams[flow.key][role]
            for record in records:
                header = said[record.offset : record.offset + record.header]
                assert header[0] == record.content_type
                assert int.from_bytes(header[3:], "big") == record.length
            ends = [record.offset + record.header + record.length for record in records]
            begins = [record.offset for record in records][1:]
            if not gaps:
                assert begins == ends[:-1]
                assert ends[-1:] in ([], [len(said)])
            assert all(end <= begin for end, begin in zip(ends[:-1], begins, strict=True))


def test_a_message_over_records_and_segments_has_all_its_pieces():
    flights = list(talk("TLSv1_2"))
    side, data = flights[1]
    body = b""
    while data:
        length = int.from_bytes(data[3:5], "big")
        body, data = body + data[5 : 5 + length], data[5 + length :]
    cut = [body[pos : pos + 100] for pos in range(0, len(body), 100)]
    flights[1] = side, b"".join(b"\x16\3\3" + len(one).to_bytes(2, "big") + one for one in cut)
    for mss in (1, 64, 1400):
        tap = Tap(detailed=True)
        tap.feed(*packetise(flights, mss=mss))
        tap.close()
        said = stream(flights, SERVER)
        messages = [event for event in tap.events if isinstance(event, HandshakeMessage) and event.role == SERVER]
        plain = [event for event in messages if not event.encrypted]
        assert max(len(event.pieces) for event in plain) > 3
        for event in plain:
            assert b"".join(said[first : first + length] for first, length in event.pieces) == event.raw


# What each event contains.


def test_data_comes_in_order_and_is_all_that_was_sent():
    script = [(CLIENT, b"a question"), (SERVER, b"answer" * 5000), (CLIENT, b"thanks")]
    talked = talk_of(script, alpn="http/1.1")
    keylog = KeyLog()
    keylog.feed(talked.keylog.encode())
    tap = Tap(detailed=True)
    tap.engine = Engine(detailed=True, keylog=keylog)
    tap.feed(*packetise(talked.flights))
    tap.close()
    data = [event for event in tap.events if isinstance(event, Data)]
    assert b"".join(event.data for event in data) == b"".join(said for _, said in script)
    assert [event.role for event in data] == [CLIENT, SERVER, SERVER, CLIENT]
    began = [place for place, event in enumerate(tap.events) if isinstance(event, DataBegan)]
    assert len(began) == 1
    first = tap.events[began[0]]
    assert isinstance(first, DataBegan)
    assert (first.alpn, first.failed, first.reason) == (b"http/1.1", 0, None)
    assert tap.events[began[0] + 1] is data[0]
    assert (first.frame, first.at) == (data[0].frame, data[0].at)


def test_the_keys_of_tls_1_3_change_with_the_hello_each_finished_and_each_update():
    changes = [(event.role, event.epoch) for event in events_of("tls13-key-update") if isinstance(event, KeysChanged)]
    assert changes[:4] == [(CLIENT, "handshake"), (SERVER, "handshake"), (SERVER, "application"), (CLIENT, "application")]
    assert sorted(changes[4:]) == [(CLIENT, "updated"), (SERVER, "updated")]
    hidden = [(event.role, event.epoch) for event in events_of("tls13-key-update", False) if isinstance(event, KeysChanged)]
    assert hidden == [(CLIENT, "handshake"), (SERVER, "handshake")]


def test_keys_change_after_early_data_with_its_end_and_once_with_a_finished():
    events = events_of("tls13-early-data")
    last = max(event.session for event in events)
    changes = [(event.role, event.epoch) for event in events if isinstance(event, KeysChanged) and event.session == last]
    assert changes == [(SERVER, "handshake"), (SERVER, "application"), (CLIENT, "handshake"), (CLIENT, "application")]
    again = [event for event in events_of("tls13-post-handshake-authentication") if isinstance(event, KeysChanged)]
    assert [event.role for event in again if event.epoch == "application"] == [SERVER, CLIENT]


def test_the_keys_of_a_renegotiation_change_too():
    changes = [event.role for event in events_of("tls12-renegotiation") if isinstance(event, KeysChanged)]
    assert sorted(changes) == [CLIENT, CLIENT, SERVER, SERVER]


def test_the_keys_of_tls_1_2_change_with_each_change_of_ciphers():
    changes = [(event.role, event.epoch) for event in events_of("tls12-ecdhe-ecdsa") if isinstance(event, KeysChanged)]
    assert changes == [(CLIENT, "protected"), (SERVER, "protected")]


def test_the_two_makers_of_events_set_every_field():
    made = handshake_message(11, "certificate", 1, 2, 3, 4, b"raw", None, [], True)
    assert [made.type, made.name, made.role, made.frame, made.at, made.length] == [11, "certificate", 1, 2, 3, 4]
    assert [made.raw, made.body, made.problems, made.encrypted, made.pieces] == [b"raw", None, [], True, ()]
    line = record_event("heartbeat", 1, 2, 3, 4)
    assert [line.kind, line.role, line.length, line.frame, line.at] == ["heartbeat", 1, 2, 3, 4]
    same = RecordEvent("heartbeat", 1, 2, 3, 4)
    assert [same.kind, same.role, same.length, same.frame, same.at] == ["heartbeat", 1, 2, 3, 4]


def test_what_is_of_no_role_and_no_frame_says_so():
    began = SessionBegan(Flow(TCP, KEY, 7, START))
    assert (began.role, began.frame, began.at) == (NO_ROLE, 7, START)
    assert (Finding("code", "low", "why", []).frame, Finding("code", "low", "why", [4, 5]).frame) == (0, 4)
    missing = DataMissing(1, None, 3)
    assert (missing.role, missing.reason, missing.failed, missing.frame, missing.at) == (1, None, 3, 0, -1)
    assert Alert(-1, -1, 0, 1, 2).encrypted
    assert not Alert(2, 40, 0, 1, 2).encrypted


@BOTH
@OVER_TCP
def test_a_record_is_emitted_before_the_messages_that_end_in_it(name: str, keyed: bool):
    last: dict[tuple[int, int], RecordRead] = {}
    for event in events_of(name, keyed):
        if isinstance(event, RecordRead):
            last[event.session, event.role] = event
        elif isinstance(event, HandshakeMessage):
            record = last[event.session, event.role]
            assert (record.frame, record.at) == (event.frame, event.at)
            if event.pieces:
                assert record.content_type == HANDSHAKE
                first, length = event.pieces[-1]
                assert record.offset + record.header <= first
                assert first + length <= record.offset + record.header + record.length
