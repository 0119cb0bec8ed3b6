"""The whole pipeline: sessions leave when they end, and the same frames give the same bytes, in whatever pieces they come."""

import struct

from conversations import CLIENT, SECOND, Tap, packetise, records, talk, timeless

from analyzer.capture.frame import Frame
from analyzer.capture.reader import CaptureReader
from analyzer.capture.walker import Walker
from analyzer.engine import Engine, read_sessions
from analyzer.store.record import json_line, session_record
from analyzer.tls.facts import Alert, HandshakeMessage


def pcap(segments):
    """A capture file of these segments."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for number, segment in enumerate(segments):
        data = segment.frame()
        parts.append(struct.pack("<IIII", 1_700_000_000 + number, 0, len(data), len(data)) + data)
    return b"".join(parts)


def lines_of(engine, walker):
    engine.run(walker)
    return [json_line(session_record(session, True)) for session in engine.drain()]


def read(data, step):
    """The JSON lines of a capture that comes in pieces."""
    engine = Engine()
    walker = Walker(Frame())
    lines = []
    for pos in range(0, len(data), step):
        walker.feed(data[pos : pos + step])
        lines += lines_of(engine, walker)
    engine.close()
    return lines + lines_of(engine, walker)


def test_the_same_frames_give_the_same_bytes_in_whatever_pieces():
    segments = packetise(talk("TLSv1_2")) + packetise(talk(), ports=(50001, 8443))
    data = pcap(segments)
    whole = read(data, len(data))
    assert len(whole) == 2
    for step in (1 << 20, 1000, 77):
        assert read(data, step) == whole


def test_sessions_leave_when_their_connections_end():
    tap = Tap()
    tap.feed(*packetise(talk()))
    assert tap.engine.drain() == []
    tap.at += 60 * SECOND
    tap.feed(*packetise(talk("TLSv1_2"), ports=(50001, 443), fin=False))
    assert [session.version for session in tap.engine.drain()] == [0x0304]
    assert [record["version"] for record in tap.records()] == ["TLS 1.2"]


def test_the_trace_tells_every_message_as_it_comes():
    tap = Tap(trace=True)
    frames = []
    for segment in packetise(talk("TLSv1_2")):
        tap.feed(segment)
        assert tap.engine.packet.source_port == segment.ports[segment.side]
        frames += [(tap.engine.frame, what) for _, what in tap.engine.trace]
        tap.engine.trace.clear()
    [session] = tap.close()
    assert [what for _, what in frames if isinstance(what, HandshakeMessage)] == session.messages
    assert [what for _, what in frames if isinstance(what, Alert)] == session.alerts
    assert all(number == what.frame for number, what in frames)
    assert tap.engine.frames == len(packetise(talk("TLSv1_2")))


def test_a_session_in_fragments_of_ip():
    segments = packetise(talk("TLSv1_2"), mss=1400)
    tap = Tap()
    for number, segment in enumerate(segments):
        data = segment.frame()
        ip, payload = data[:34], data[34:]
        pieces = [payload[pos : pos + 248] for pos in range(0, len(payload), 248)]
        for index, piece in enumerate(pieces):
            header = bytearray(ip)
            more = 0x2000 if index + 1 < len(pieces) else 0
            header[16:18] = struct.pack(">H", 20 + len(piece))
            header[18:22] = struct.pack(">HH", number + 1, more | index * 31)
            tap.feed_bytes(bytes(header) + piece)
    assert [timeless(record) for record in tap.records()] == [timeless(record) for record in records(segments)]


def test_closing_an_engine_without_frames():
    engine = Engine()
    engine.close()
    assert engine.drain() == []


def test_captures_one_after_the_other_are_one_run(tmp_path):
    segments = packetise(talk("TLSv1_2"))
    for number, part in enumerate((segments[:7], segments[7:])):
        (tmp_path / f"{number}.pcap").write_bytes(pcap(part))
    reader = CaptureReader([str(tmp_path / "0.pcap"), str(tmp_path / "1.pcap")])
    [session] = read_sessions(reader, Engine())
    assert timeless(session_record(session, True)) == timeless(records(segments)[0])
    assert session.last_frame == len(segments)


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
