"""The whole pipeline: sessions are emitted when they end. The same frames give the same bytes, for any size of the chunks."""

import struct

import pytest
from conversations import CLIENT, SECOND, START, Segment, Tap, ended, packetise, pcap, read_sessions, records, talk, timeless
from keyed import MILLISECOND, page, talk_of

from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine import Engine
from analyzer.flows.limits import IDLE, LINGER
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import json_line, session_record
from analyzer.tls.events import Alert, Data, HandshakeMessage, SessionBegan, SessionEnded
from analyzer.tls.limits import MAX_PENDING_TIME


def lines_of(engine, packet_reader):
    engine.run(packet_reader)
    return [json_line(session_record(session, True)) for session in ended(engine.take())]


def read(data, step):
    """Return the JSON lines of a capture that comes in pieces."""
    engine = Engine()
    packet_reader = PacketReader(Frame())
    lines = []
    for pos in range(0, len(data), step):
        packet_reader.feed(data[pos : pos + step])
        lines += lines_of(engine, packet_reader)
    engine.close()
    return lines + lines_of(engine, packet_reader)


def test_the_same_frames_give_the_same_bytes_in_any_pieces():
    segments = packetise(talk("TLSv1_2")) + packetise(talk(), ports=(50001, 8443))
    data = pcap(segments)
    whole = read(data, len(data))
    assert len(whole) == 2
    for step in (1 << 20, 1000, 77):
        assert read(data, step) == whole


def test_sessions_are_emitted_when_their_connections_end():
    tap = Tap()
    tap.feed(*packetise(talk()))
    assert ended(tap.take()) == []
    tap.at += 60 * SECOND
    tap.feed(*packetise(talk("TLSv1_2"), ports=(50001, 443), fin=False))
    assert [session.handshake.parameters.version for session in ended(tap.take())] == [0x0304]
    assert [record["version"] for record in tap.records()] == ["TLS 1.3", "TLS 1.2"]


def test_every_message_is_an_event_when_it_comes():
    tap = Tap(detailed=True)
    frames = []
    for segment in packetise(talk("TLSv1_2")):
        tap.feed(segment)
        assert tap.engine.packet.source_port == segment.ports[segment.side]
        frames += [(tap.engine.frame, what) for what in tap.take() if not isinstance(what, SessionBegan)]
    [session] = tap.close()
    assert [what for _, what in frames if isinstance(what, HandshakeMessage)] == session.log.messages
    assert [what for _, what in frames if isinstance(what, Alert)] == session.log.alerts
    assert all(number == what.frame for number, what in frames)
    assert tap.engine.frames == len(packetise(talk("TLSv1_2")))


def fragments(segment: Segment, number: int) -> list[bytes]:
    """The frames with the fragments of a segment, of 248 bytes each."""
    data = segment.frame()
    ip, payload = data[:34], data[34:]
    pieces = [payload[pos : pos + 248] for pos in range(0, len(payload), 248)]
    frames = []
    for index, piece in enumerate(pieces):
        header = bytearray(ip)
        more = 0x2000 if index + 1 < len(pieces) else 0
        header[16:18] = struct.pack(">H", 20 + len(piece))
        header[18:22] = struct.pack(">HH", number, more | index * 31)
        frames.append(bytes(header) + piece)
    return frames


def test_a_session_in_fragments_of_ip():
    segments = packetise(talk("TLSv1_2"), mss=1400)
    tap = Tap()
    for number, segment in enumerate(segments):
        for frame in fragments(segment, number + 1):
            tap.feed_bytes(frame)
    assert [timeless(record) for record in tap.records()] == [timeless(record) for record in records(segments)]


@pytest.mark.parametrize("other", [b"other", b""])
def test_fragments_that_disagree_are_a_finding_of_their_session(other: bytes):
    """A fragment comes again, with other bytes or with the same ones."""
    segments = packetise(talk("TLSv1_2"), mss=1400)
    tap = Tap()
    changed = False
    for number, segment in enumerate(segments):
        frames = fragments(segment, number + 1)
        if len(frames) > 1 and not changed:
            changed = True
            frames.insert(1, frames[0][: len(frames[0]) - len(other)] + other)
        for frame in frames:
            tap.feed_bytes(frame)
    (record,) = tap.records()
    found = [one for one in record["findings"] if one["code"] == "fragments_disagree"]
    assert [one["severity"] for one in found] == (["high"] if other else [])


def test_closing_an_engine_without_frames():
    engine = Engine()
    engine.close()
    assert engine.take() == []


def test_captures_one_after_the_other_are_one_run(tmp_path):
    segments = packetise(talk("TLSv1_2"))
    for number, part in enumerate((segments[:7], segments[7:])):
        (tmp_path / f"{number}.pcap").write_bytes(pcap(part))
    reader = CaptureReader([str(tmp_path / "0.pcap"), str(tmp_path / "1.pcap")])
    [session] = read_sessions(reader, Engine())
    assert timeless(session_record(session, True)) == timeless(records(segments)[0])
    assert session.flow.last_frame == len(segments)


def test_real_captures_read_twice_are_the_same(corpus):
    for name in ("zeek/tls/tls13_wolfssl.pcap", "zeek/starttls/socks-with-ssl.pcap", "zeek/tls/tls1.2.pcap"):
        data = (corpus / name).read_bytes()
        lines = read(data, len(data))
        assert lines
        assert read(data, 4096) == lines


def test_both_sides_of_one_engine_are_independent_of_another():
    first, second = Tap(), Tap()
    for segment in packetise(talk()):
        first.feed(segment)
        if segment.side == CLIENT:
            second.feed(segment)
    assert len(first.records()[0]["handshake"]) == 2
    assert {entry["from"] for entry in second.records()[0]["handshake"]} == {"client"}


# Time, and how often events are taken.


def test_time_alone_ends_a_connection_and_its_session():
    tap = Tap(detailed=True)
    segments = packetise(talk(), fin=False)
    tap.feed(*segments)
    last = tap.at - 1_000_000
    for at in (0, last, last + IDLE):
        tap.engine.tick(at)
        assert tap.engine.at >= last
        assert ended(tap.take()) == []
    tap.engine.tick(last + IDLE + 1)
    *_, end = tap.take()
    assert isinstance(end, SessionEnded)
    assert (end.ended.flow.closed, end.frame, end.at) == ("idle", len(segments), last)
    assert tap.engine.connections.n_open == 0
    assert tap.engine.frames == len(segments)
    tap.engine.tick(last + 2 * IDLE)
    assert tap.close() == [end.ended]


def test_time_alone_ends_a_connection_that_was_closed():
    tap = Tap()
    tap.feed(*packetise(talk()))
    last = tap.at - 1_000_000
    tap.engine.tick(last + LINGER - 1)
    assert ended(tap.take()) == []
    tap.engine.tick(last + LINGER)
    assert [session.flow.closed for session in ended(tap.take())] == ["fin"]


def pending_tap(keylog: KeyLog) -> Tap:
    """Return a tap whose sessions stay pending until their secrets come."""
    tap = Tap()
    tap.engine = Engine(detailed=True, keylog=keylog, may_grow=lambda: True)
    return tap


def test_a_session_whose_secrets_may_come_ends_by_time_alone():
    tap = pending_tap(KeyLog())
    tap.feed(*packetise(talk()))
    last = tap.at - 1_000_000
    tap.engine.tick(last + LINGER)
    assert tap.engine.connections.n_open == 0
    tap.engine.tick(last + MAX_PENDING_TIME)
    assert ended(tap.take()) == []
    tap.engine.tick(last + MAX_PENDING_TIME + 1)
    (session,) = ended(tap.take())
    assert session_record(session, False)["decryption"]["reason"] == "no_secret"
    assert tap.close() == [session]


def test_each_session_is_pending_for_its_own_time():
    tap = pending_tap(KeyLog())
    lasts = []
    for number in range(3):
        tap.feed(*packetise(talk(), ports=(50_000 + number, 443)))
        lasts.append(tap.at - 1_000_000)
        tap.at += 5 * SECOND
    tap.engine.tick(tap.at)
    for number, last in enumerate(lasts):
        tap.engine.tick(last + MAX_PENDING_TIME)
        assert ended(tap.take()) == []
        tap.engine.tick(last + MAX_PENDING_TIME + 1)
        assert [session.id for session in ended(tap.take())] == [number]


def test_a_pending_session_ends_as_soon_as_its_secrets_are_there():
    one = talk_of(page("/", b"one"))
    keylog = KeyLog()
    tap = pending_tap(keylog)
    tap.feed(*packetise(one.flights))
    tap.engine.tick(tap.at + LINGER)
    assert [type(event) for event in tap.take()] == [SessionBegan]
    keylog.feed(one.keylog.encode())
    assert isinstance(tap.take()[-1], SessionEnded)
    data = [event for event in tap.events if isinstance(event, Data)]
    assert (b"".join(event.data for event in data if event.role == 0), data[0].frame > 0) == (one.sent[0], True)


def attributes(events):
    """Return the attributes of events, without objects."""
    return [(type(event).__name__, event.session, event.role, event.frame, event.at, event.version) for event in events]


@pytest.mark.parametrize("waits", [False, True])
def test_events_do_not_depend_on_how_often_they_are_taken(waits):
    """One session is read directly. The pending sessions end without secrets, or get them."""
    talks = [talk_of(page(f"/{number}", b"%d" % number)) for number in range(4)]
    frames = [packetise(one.flights, ports=(50_000 + number, 443)) for number, one in enumerate(talks)]
    secrets = [(TLS_KEY_LOG, one.keylog.encode()) for one in (talks[3], talks[1])]

    def events_of(every: int) -> list[tuple[object, ...]]:
        tap = pending_tap(KeyLog()) if waits else Tap(detailed=True)
        steps = [lambda: tap.engine.add_secrets(secrets[:1])]
        for segments in frames:
            steps += [lambda segment=segment: tap.feed(segment) for segment in segments]
        # The time limit of the first session is reached with the sixth frame of the last one.
        begun = len(steps) - len(frames[3])
        last = START + len(frames[0]) * MILLISECOND
        steps.insert(begun, lambda: setattr(tap, "at", last + MAX_PENDING_TIME - 5 * MILLISECOND))
        steps.insert(begun + 10, lambda: tap.engine.add_secrets(secrets))
        steps.append(lambda: tap.engine.tick(tap.at + 100 * SECOND))
        for number, step in enumerate(steps, 1):
            step()
            if number % every == 0:
                tap.take()
        tap.close()
        return attributes(tap.events)

    whole = events_of(1 << 20)
    ends = [event[1] for event in whole if event[0] == "SessionEnded"]
    assert ends == ([0, 1, 2, 3] if not waits else [0, 1, 3, 2])
    for every in (1, 2, 7, 30):
        assert events_of(every) == whole


def test_a_clock_that_is_set_forward_ends_nothing():
    """The connection was silent for a moment, and not for the days by which the clock was set."""
    day = 86_400 * SECOND
    tap, segments = Tap(), packetise(talk())
    tap.feed(*segments[:8])
    tap.engine.set_clock(tap.at, tap.at + day)
    tap.at += day
    tap.engine.tick(tap.at)
    assert ended(tap.take()) == []
    tap.feed(*segments[8:])
    (session,) = tap.close()
    assert session.flow.closed == "fin"
    assert session.established


def test_a_clock_that_is_set_back_keeps_nothing_open():
    """Without it, the session would be shown when the clock has come to where it was: in a day."""
    day = 86_400 * SECOND
    for told in (True, False):
        tap, segments = Tap(), packetise(talk())
        tap.feed(*segments)
        before, tap.at = tap.at, tap.at - day
        if told:
            tap.engine.set_clock(before, tap.at)
        tap.engine.tick(tap.at + 2 * LINGER)
        assert len(ended(tap.take())) == told
    (session,) = tap.close()
    assert session.flow.end >= session.flow.start


def test_the_end_is_not_before_the_start_when_the_clock_is_set_back():
    tap, segments = Tap(), packetise(talk())
    tap.feed(*segments[:8])
    before, tap.at = tap.at, tap.at - 3600 * SECOND
    tap.engine.set_clock(before, tap.at)
    tap.feed(*segments[8:])
    (session,) = tap.close()
    assert session.flow.end == session.flow.start


def test_longest_wait_is_how_long_an_ended_connection_waits():
    tap = Tap()
    tap.engine.connections.longest_wait = LINGER // 4
    tap.feed(*packetise(talk()))
    last = tap.at - 1_000_000
    tap.engine.tick(last + LINGER // 4 - 1)
    assert ended(tap.take()) == []
    tap.engine.tick(last + LINGER // 4)
    assert len(ended(tap.take())) == 1
