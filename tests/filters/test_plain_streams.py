"""HTTP/2, WebSocket and OCSP without TLS: what a first reading keeps for filters, and its bounds."""

from types import SimpleNamespace

import pytest

from analyzer.application.exchange import CLIENT, SERVER
from analyzer.filters import plain_streams
from analyzer.filters.http2_frame_reader import Http2FrameReader
from analyzer.filters.plain_streams import PlainStreams
from analyzer.filters.websocket_reader import WebsocketReader
from tests.filters.field_readings import facts_of, fields_of, readings
from tests.filters.made_packets import segment
from tests.filters.test_http2_fields import FRAMES, PREFACE
from tests.filters.test_websocket_fields import KEY, SWITCH, frame
from tests.packet.test_headers import ethernet, ipv4

FIN, SYN, ACK = 0x01, 0x02, 0x10


def capture(path, *turns, last=0):
    """Write a capture of one TCP connection to port 80. turns: role and bytes. last: more flags of the last segment."""
    ends = ((40000, 80), (80, 40000))
    sequences = [1000, 5000]
    frames = [(0, b"", SYN, 1000, 0), (1, b"", SYN | ACK, 5000, 1001)]
    sequences = [1001, 5001]
    for number, (role, data) in enumerate(turns, 1):
        flags = ACK | last if number == len(turns) else ACK
        frames.append((role, data, flags, sequences[role], sequences[1 - role]))
        sequences[role] += len(data)
    hosts = (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))
    octets = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    for second, (role, data, flags, sequence, acknowledgment) in enumerate(frames):
        packet = ipv4(segment(data, sequence, acknowledgment, flags, ends[role]))
        packet = ethernet(packet[:12] + hosts[role] + hosts[1 - role] + packet[20:])
        octets += second.to_bytes(4, "little") + bytes(4) + len(packet).to_bytes(4, "little") * 2 + packet
    path.write_bytes(octets)
    return path


def found_in(path, *names):
    return [one for one in readings(path, fields_of(*names), engine=True) if any(one)]


def test_frames_of_http2_with_prior_knowledge_have_their_fields(tmp_path):
    path = capture(tmp_path / "h2c.pcap", (CLIENT, PREFACE + FRAMES[:9]), (CLIENT, FRAMES[9:]), (SERVER, FRAMES))
    (asked,), (answered,) = found_in(path, "http2.type")
    assert asked == answered


def test_frames_of_websocket_behind_an_upgrade_have_their_fields(tmp_path):
    ask = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    path = capture(
        tmp_path / "ws.pcap", (CLIENT, ask), (SERVER, SWITCH), (CLIENT, frame(1, b"hello", KEY)), (SERVER, frame(9, b""))
    )
    assert found_in(path, "websocket.opcode", "websocket.payload.text") == [[[1], ["hello"]], [[9], []]]
    assert set(facts_of(path).plain.found) == {5, 6}


def streams():
    return PlainStreams(Http2FrameReader, WebsocketReader)


def test_a_gap_and_an_end_are_passed_on():
    plain, stream = streams(), object()
    plain.take_data(stream, CLIENT, PREFACE + FRAMES, 1)
    plain.take_gap(stream, CLIENT)
    plain.take_gap(object(), CLIENT)
    plain.end(stream, True)
    plain.end(stream, True)
    assert set(plain.found) == {1}


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(plain_streams, "MAX_OCCURRENCES", 0)
    plain = streams()
    plain.take_data(object(), CLIENT, PREFACE + FRAMES, 1)
    assert plain.found == {}


def test_messages_of_ocsp_are_kept_up_to_a_length(monkeypatch):
    monkeypatch.setattr(plain_streams, "MAX_MESSAGE", 4)
    answer = SimpleNamespace(headers=[("Content-Type", "application/ocsp-response; x=y")])
    exchange, other = SimpleNamespace(request=None, response=answer), SimpleNamespace(request=None, response=None)
    plain = streams()
    for piece in (b"ab", b"cd"):
        plain.take_body(exchange, SERVER, piece, 1, 0)
    plain.take_body(other, SERVER, b"ab", 1, 0)
    assert plain.message(exchange, SERVER) == b"abcd"
    assert plain.message(exchange, SERVER) is None
    assert plain.message(other, SERVER) is None
    plain.take_body(exchange, SERVER, b"abcde", 1, 0)
    assert plain.message(exchange, SERVER) is None


@pytest.mark.parametrize(("limit", "finished", "expected"), [(2, True, {2}), (3, True, {2, 3}), (3, False, {2})])
def test_the_last_body_of_a_connection_is_whole_or_not_there(monkeypatch, limit, finished, expected):
    """Bytes behind the limit are not read, and those that come without a FIN may not be the last."""
    monkeypatch.setattr(plain_streams, "MAX_BODIES", limit)
    plain, stream, other = streams(), object(), object()
    plain.keeps_bodies = True
    plain.take_data(stream, SERVER, b"HTTP/1.1 200 OK\r\n\r\nab", 1)
    plain.take_data(other, SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz", 2)
    plain.take_data(stream, SERVER, b"cd", 3)
    plain.end(stream, finished)
    assert {frame for frame, found in plain.found.items() if "http.file_data" in found} == expected


def test_bodies_up_to_the_end_of_their_connection_count_for_the_limit(monkeypatch):
    monkeypatch.setattr(plain_streams, "MAX_BODIES", 3)
    plain = streams()
    plain.keeps_bodies = True
    for number in range(1, 9):
        stream = object()
        plain.take_data(stream, SERVER, b"HTTP/1.1 200 OK\r\n\r\nab", number)
        plain.end(stream, True)
    assert {frame for frame, found in plain.found.items() if "http.file_data" in found} == {1, 2}
