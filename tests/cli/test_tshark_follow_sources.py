"""`-z follow` of datagrams, of sessions over UDP, and of streams of HTTP/2: the pieces are those of tshark 4.6."""

import gzip
from collections.abc import Sequence

import hpack
import pytest

from analyzer.application.http2_frames import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, PUSH_PROMISE
from analyzer.cli import tshark_follow_sources
from analyzer.cli.output import Output
from analyzer.cli.tshark_follow import Node, Pieces
from analyzer.cli.tshark_follow_sources import Http2Pieces
from analyzer.packet.addresses import reverse_key

from .compare_taps import keys_beside, ours
from .test_tshark_taps import CAPTURES


def followed(capture: str, tap: str) -> list[str]:
    """The lines behind the border, without the last one."""
    (path,) = (CAPTURES / capture).parent.glob(f"{capture.rpartition('/')[2]}.pcap*")
    out, err = ours(path, [tap], keys_beside(path))
    assert err == ""
    return out.decode().splitlines()[2:-1]


def test_datagrams_of_a_stream():
    head = followed("demo", "follow,udp,raw,1")[:4]
    assert head == ["Follow: udp,raw", "Filter: udp.stream eq 1", "Node 0: 192.0.2.10:60319", "Node 1: 192.0.2.53:53"]
    question, answer = followed("demo", "follow,udp,raw,1")[4:]
    assert question.endswith("03777777" + b"\x04shop\x07example\0\0\1\0\1".hex())
    assert answer.startswith("\t" + question[:4] + "8")


def test_who_answered_first_in_dtls_is_node_0():
    whole = followed("dtls13-key-update/dtls13-key-update", "follow,dtls,ascii,0")
    assert whole[1:6] == [
        "Filter: dtls.stream eq 0", "Node 0: 198.51.100.20:4433", "Node 1: 192.0.2.10:49202", "\t17", "What is the time?",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [1, 99])
def test_other_sessions_of_dtls_are_not_there(number: int):
    assert followed("dtls12-psk/dtls12-psk", f"follow,dtls,ascii,{number}")[2:] == ["Node 0: :0", "Node 1: :0"]


def test_streams_of_quic_have_numbers_of_their_own():
    whole = followed("quic-http3/quic-http3", "follow,quic,raw,0,0")
    assert whole[1:4] == [
        "Filter: quic.connection.number eq 0 and quic.stream.stream_id eq 0",
        "Node 0: 192.0.2.10:49202",
        "Node 1: 198.51.100.20:443",
    ]
    asked, answered = whole[4:]
    assert asked.startswith("012f")
    assert answered.startswith("\t01")
    assert followed("quic-http3/quic-http3", "follow,tls,raw,0")[2:] == ["Node 0: :0", "Node 1: :0"]


def test_header_sections_of_http2_are_text():
    assert followed("curl-nginx-http2/curl-nginx-http2", "follow,http2,ascii,0,1") == [
        "Follow: http2,ascii",
        "Filter: tcp.stream eq 0 and http2.streamid eq 1",
        "Node 0: 127.0.0.1:55918",
        "Node 1: 127.0.0.1:33483",
        "149",
        ":method: GET",
        ":path: /index.html",
        ":scheme: https",
        ":authority: www.example",
        "user-agent: curl/7.88.1",
        "accept: */*",
        "accept-encoding: deflate, gzip, br, zstd",
        "",
        "",
        "\t193",
        ":status: 200",
        "server: nginx",
        "date: Mon, 23 Nov 2026 12:10:05 GMT",
        "content-type: text/html",
        "content-length: 86",
        "last-modified: Mon, 23 Nov 2026 12:10:05 GMT",
        'etag: "6b042d1d-56"',
        "accept-ranges: bytes",
        "",
        "",
        "\t86",
        "<!doctype html><title>Example</title><link rel=stylesheet href=style.css><p>It works.",
        "",
    ]


def test_other_frames_of_http2_have_their_headers():
    found = followed("curl-nginx-http2/curl-nginx-http2", "follow,http2,raw,0,0")[4:]
    assert [(len(line.strip()) // 2, line.startswith("\t")) for line in found] == [
        (27, False), (13, False), (27, True), (13, True), (9, False), (9, True),
    ]  # fmt: skip
    assert found[0].startswith("000012" + "04")


class Recorded(Pieces):
    """Keeps the pieces, each with its node, instead of writing them."""

    def __init__(self) -> None:
        super().__init__(Output(None, (), "never"), "http2", "raw", (0, 1))
        self.found: list[tuple[int, bytes]] = []

    def begin(self, nodes: Sequence[Node]) -> None:
        self.begun = True

    def add(self, node: int, data: bytes, frame: int, at: int) -> None:
        self.found.append((node, data))


def http2_of(pieces: Pieces) -> Http2Pieces:
    """A connection of HTTP/2 without TLS, behind the preface."""
    key = bytes((192, 0, 2, 1, 198, 51, 100, 7)) + (40000).to_bytes(2) + (80).to_bytes(2)
    reader = Http2Pieces(pieces, 1)
    reader.begin((key, reverse_key(key)), 1)
    reader.feed(0, PREFACE, 1, 0)
    return reader


def data_frame(payload: bytes, flags: int = END_STREAM) -> bytes:
    return len(payload).to_bytes(3) + bytes((DATA, flags, 0, 0, 0, 1)) + payload


def headers_frame(*fields: tuple[str, str]) -> bytes:
    section = hpack.Encoder().encode(fields)
    return len(section).to_bytes(3) + bytes((HEADERS, END_HEADERS, 0, 0, 0, 1)) + section


def test_frames_of_http2_of_both_sides_do_not_mix():
    pieces = Recorded()
    reader = http2_of(pieces)
    asked = data_frame(b"abcdef")
    reader.feed(0, asked[:12], 2, 0)
    reader.feed(1, data_frame(b"xyz"), 3, 0)
    reader.feed(0, asked[12:], 4, 0)
    assert pieces.found == [(0, b"xyz"), (1, b"abcdef")]


def test_a_body_of_http2_is_one_piece():
    pieces = Recorded()
    reader = http2_of(pieces)
    reader.feed(0, data_frame(b"abc", 0) + data_frame(b"def", 0), 2, 0)
    assert pieces.found == []
    reader.feed(0, data_frame(b""), 3, 0)
    assert pieces.found == [(0, b"abcdef")]


def test_a_body_of_http2_with_a_hole_is_none():
    pieces = Recorded()
    reader = http2_of(pieces)
    reader.feed(0, data_frame(b"abc", 0) + data_frame(b"def", 0)[:9], 2, 0)
    reader.lose(0, 3)
    reader.feed(0, data_frame(b"ghi"), 3, 0)
    assert pieces.found == []


def test_a_content_coding_of_http2_is_removed_if_it_can_be():
    pieces = Recorded()
    reader = http2_of(pieces)
    packed = gzip.compress(b"the page")
    reader.feed(1, headers_frame((":status", "200"), ("content-encoding", "gzip")) + data_frame(packed), 2, 0)
    reader.feed(1, headers_frame((":status", "200"), ("content-encoding", "gzip")) + data_frame(packed[:12]), 3, 0)
    reader.feed(1, headers_frame((":status", "200"), ("content-encoding", "unheard-of")) + data_frame(b"???"), 4, 0)
    assert [data for _, data in pieces.found[1::2]] == [b"the page", packed[:12], b"???"]


def test_a_body_of_http2_is_not_held_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tshark_follow_sources, "MAX_BODY", 8)
    pieces = Recorded()
    reader = http2_of(pieces)
    reader.feed(0, data_frame(b"0123456789", 0) + data_frame(b"end"), 2, 0)
    assert pieces.found == [(0, b"0123456789"), (0, b"end")]


def test_a_body_of_http2_that_becomes_too_long_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tshark_follow_sources, "MAX_BODY", 100)
    pieces = Recorded()
    reader = http2_of(pieces)
    long, short = gzip.compress(bytes(1000)), gzip.compress(bytes(100))
    reader.feed(1, headers_frame((":status", "200"), ("content-encoding", "gzip")) + data_frame(long), 2, 0)
    reader.feed(1, headers_frame((":status", "200"), ("content-encoding", "gzip")) + data_frame(short), 3, 0)
    assert [data for _, data in pieces.found[1::2]] == [long, bytes(100)]


def test_a_part_of_a_coded_body_of_http2_is_left_as_it_is():
    pieces = Recorded()
    reader = http2_of(pieces)
    part = gzip.compress(b"a part")
    reader.feed(1, headers_frame((":status", "206"), ("content-encoding", "gzip")) + data_frame(part), 2, 0)
    assert pieces.found[1] == (0, part)


def test_a_promise_within_a_body_of_http2_does_not_end_it():
    pieces = Recorded()
    reader = http2_of(pieces)
    packed = gzip.compress(b"the page")
    promise = (2).to_bytes(4) + hpack.Encoder().encode([(":method", "GET"), (":path", "/pushed")])
    frames = headers_frame((":status", "200"), ("content-encoding", "gzip")) + data_frame(packed[:9], 0)
    frames += len(promise).to_bytes(3) + bytes((PUSH_PROMISE, END_HEADERS, 0, 0, 0, 1)) + promise
    reader.feed(1, frames + data_frame(packed[9:]), 2, 0)
    assert [data for _, data in pieces.found][1:] == [b":method: GET\n:path: /pushed\n\n", b"the page"]
