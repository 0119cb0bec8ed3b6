import gzip
import random
from hashlib import sha256
from typing import Any

import pytest
from http3_peers import CLIENT, SERVER, Peers, Piece, by_stream, encoded, frame, read_streams
from http_reading import codes, facts, outline

from analyzer.application import http3
from analyzer.application.conversation import Conversation
from analyzer.application.http3_frames import DATA, HEADERS, PUSH_PROMISE, SETTINGS
from analyzer.codec.varint import write_varint

ENCODER = {CLIENT: 6, SERVER: 7}
CONTROL = {CLIENT: 2, SERVER: 3}


def get(path: str, *fields: tuple[str, str]) -> bytes:
    """A request without the dynamic table."""
    section = b"\0\0\xd1\xd7\x50\x0cexample.test" + b"\x51" + bytes([len(path)]) + path.encode()
    for name, value in fields:
        section += bytes([0x27, len(name) - 7]) + name.encode() + bytes([len(value)]) + value.encode()
    return frame(HEADERS, section)


OK = frame(HEADERS, b"\0\0\xd9")


def conversation() -> Peers:
    """Requests that use the dynamic table, with a body, codings, an interim response and trailers."""
    peers = Peers()
    for n in range(24):
        number = peers.ask(f"/page/{n % 5}", ("cookie", f"a={n // 6}"), ("user-agent", "test/1"))
        peers.answer(number, 200, ("content-type", "text/html"), ("server", f"test/{n // 8}"), body=b"answer %d" % n)
    number = peers.ask("/upload", ("content-length", "5"), method="POST", body=b"12345")
    peers.server.send_headers(number, encoded((":status", "103"), ("link", "</a>")))
    coded = gzip.compress(b"coded body")
    peers.answer(number, 200, ("content-encoding", "gzip"), ("content-length", str(len(coded))), body=coded, end=False)
    peers.server.send_headers(number, encoded(("checksum", "1")), end_stream=True)
    peers.deliver()
    return peers


SENT = conversation().sent
WHOLE = facts(read_streams(SENT))


def mixed(sent: list[Piece], seed: int) -> list[Piece]:
    """Return the same bytes in other pieces, and with another order of the streams."""
    choice = random.Random(seed)
    cut: dict[tuple[int, int], list[Piece]] = {}
    for (stream, role), (data, end) in by_stream(sent).items():
        pieces = cut[stream, role] = []
        while data:
            n = choice.choice((1, 3, 50, 1000))
            pieces.append(Piece(stream, role, data[:n]))
            data = data[n:]
        if end:
            pieces.append(Piece(stream, role, b"", True))
    found = []
    while cut:
        key = choice.choice(list(cut))
        found.append(cut[key].pop(0))
        if not cut[key]:
            del cut[key]
    return found


def by_path(found: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, found))


def test_requests_are_read_with_their_responses() -> None:
    read = read_streams(SENT)
    assert read.kind == "h3"
    assert codes(read) == []
    assert len(read.exchanges) == 25
    assert outline(read)[3] == ("GET", "/page/3", 200, 8, True)
    last = read.exchanges[-1]
    assert last.request is not None
    assert last.response is not None
    assert (last.request.method, last.request.authority, last.request.version) == ("POST", "example.test", "3")
    assert last.request.body.sha256 == sha256(b"12345").hexdigest()
    assert last.response.body.sha256 == sha256(b"coded body").hexdigest()
    assert last.response.trailers == [("checksum", "1")]
    assert [interim.status for interim in last.interim] == [103]
    assert [exchange.stream for exchange in read.exchanges] == list(range(0, 100, 4))
    assert sum(len(piece.data) for piece in SENT if piece.stream in ENCODER.values() and isinstance(piece.data, bytes)) > 100


def test_a_message_belongs_to_the_frame_of_its_headers_also_where_they_were_blocked() -> None:
    late = [piece for piece in SENT if piece.stream in (*ENCODER.values(), *CONTROL.values())]
    early = [piece for piece in SENT if piece not in late]
    read = read_streams(early + late)
    assert facts(read) == WHOLE
    for exchange in read.exchanges:
        assert exchange.request is not None
        piece = early[exchange.request.frame - 1]
        assert (piece.stream, piece.role) == (exchange.stream, CLIENT)
        assert exchange.request.at == exchange.request.frame


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_the_streams_does_not_matter(seed: int) -> None:
    read = read_streams(mixed(SENT, seed))
    assert by_path(facts(read)) == by_path(WHOLE)
    assert codes(read) == []


def test_without_alpn_the_control_streams_tell() -> None:
    assert facts(read_streams(SENT, None)) == WHOLE
    assert read_streams(SENT, None).kind == "h3"
    assert read_streams(SENT, "h3-29").kind == "h3"


def test_a_gap_in_one_stream_affects_no_other() -> None:
    number = 8
    cut = [Piece(piece.stream, piece.role, 1) if piece.stream == number and piece.role == SERVER else piece for piece in SENT]
    read = read_streams(cut)
    found = facts(read)
    assert found[2][2] is None
    assert found[2][0] == WHOLE[2][0]
    assert [*found[:2], *found[3:]] == [*WHOLE[:2], *WHOLE[3:]]
    assert codes(read) == []


@pytest.mark.parametrize("length", [0, 5])
def test_what_refers_to_a_lost_encoder_stream_is_unknown_and_not_wrong(length: int) -> None:
    places = [n for n, piece in enumerate(SENT) if piece.stream == ENCODER[CLIENT]]
    for lost in places[1:]:
        read = read_streams([*SENT[:lost], Piece(ENCODER[CLIENT], CLIENT, length), *SENT[lost + 1 :]])
        assert len(read.exchanges) == len(WHOLE)
        unknown = 0
        for found, whole in zip(facts(read), WHOLE, strict=True):
            assert found[2:] == whole[2:]
            if found[0][0] is None:
                unknown += 1
                assert found[0] == (None, None, None, None, None, [])
            else:
                assert found[:2] == whole[:2]
        assert codes(read) == ["header_table_lost"]
        assert unknown > 0 or lost > places[-3]


@pytest.mark.parametrize("lost", ["all", "first bytes"])
def test_without_the_settings_of_the_other_side_the_table_of_the_encoder_is_enough(lost: str) -> None:
    """The insert counts of a small table are the same for any greater one."""
    rest = [piece for piece in SENT if piece.stream != CONTROL[SERVER]]
    if lost == "first bytes":
        rest[:0] = [Piece(CONTROL[SERVER], SERVER, b"\0"), Piece(CONTROL[SERVER], SERVER, 9)]
    read = read_streams(rest)
    assert facts(read) == WHOLE
    assert codes(read) == []


def test_a_gap_within_a_body_leaves_it_without_hash() -> None:
    body = frame(DATA, b"12345")
    read = read_streams([
        Piece(0, CLIENT, get("/"), True), Piece(0, SERVER, OK + body[:4]), Piece(0, SERVER, 2), Piece(0, SERVER, b"5"),
        Piece(0, SERVER, frame(DATA, b"678"), True),
    ])  # fmt: skip
    response = read.exchanges[0].response
    assert response is not None
    assert (response.body.length, response.body.complete, response.body.sha256) == (6, False, None)


def test_a_reset_is_named() -> None:
    read = Conversation("h3")
    read.feed_stream(0, CLIENT, get("/"), True, 1, 1)
    read.feed_stream(0, SERVER, OK + frame(DATA, b"12"), False, 2, 2)
    read.stop_stream(0, CLIENT, 0x10C, 3, 3)
    read.reset_stream(0, SERVER, 0x10B, 4, 4)
    read.feed_stream(4, CLIENT, get("/b"), True, 5, 5)
    read.reset_stream(4, SERVER, 0x10B, 6, 6)
    read.reset_stream(8, SERVER, 0x10B, 6, 6)
    read.close(7)
    assert [exchange.reset for exchange in read.exchanges] == ["H3_REQUEST_CANCELLED", "H3_REQUEST_REJECTED"]
    assert outline(read)[0] == ("GET", "/", 200, 2, False)


def test_a_push_is_one_exchange() -> None:
    promise = frame(PUSH_PROMISE, b"\x05" + get("/style.css")[2:])
    push = b"\x01\x05" + OK + frame(DATA, b"body")
    asked = Piece(0, CLIENT, get("/"), True)
    answered = Piece(0, SERVER, promise + OK, True)
    for pieces in (
        [asked, answered, Piece(15, SERVER, push, True)],
        [asked, Piece(15, SERVER, push[:1]), Piece(15, SERVER, push[1:], True), answered],
    ):
        read = read_streams(pieces)
        assert codes(read) == []
        assert [exchange.pushed for exchange in read.exchanges] == [False, True]
        assert outline(read)[1] == ("GET", "/style.css", 200, 4, True)
        assert read.exchanges[1].stream == 15


def test_what_an_extended_connect_asks_for_is_named() -> None:
    peers = Peers(webtransport=True)
    number = peers.transport.get_next_available_stream_id()
    connect = ((":method", "CONNECT"), (":scheme", "https"), (":authority", "example.test"), (":path", "/wt"))
    peers.client.send_headers(number, encoded(*connect, (":protocol", "webtransport")))
    peers.deliver()
    peers.server.send_headers(number, encoded((":status", "200")))
    peers.client.send_datagram(number, b"datagram")
    peers.server.send_datagram(number, b"datagram")
    peers.server.send_datagram(number, b"datagram")
    peers.client.send_data(number, bytes.fromhex("00 03 616263 6843 04 00000000"), end_stream=False)
    peers.server.send_data(number, bytes.fromhex("00 01 61"), end_stream=False)
    peers.client.create_webtransport_stream(number)
    peers.client.create_webtransport_stream(number, is_unidirectional=True)
    other = peers.ask("/")
    peers.answer(other, 200, body=b"page")
    read = read_streams([*peers.sent, Piece(4, CLIENT, b"\x00\x05words"), Piece(4, SERVER, b"\x01\xff")])
    assert [exchange.protocol for exchange in read.exchanges] == ["webtransport", None]
    assert read.exchanges[0].datagrams == [1, 2]
    assert read.exchanges[0].capsules == {"DATAGRAM": [1, 1], "WT_CLOSE_SESSION": [1, 0]}
    assert outline(read)[1] == ("GET", "/", 200, 4, True)
    assert codes(read) == []


def test_a_websocket_is_read() -> None:
    peers = Peers()
    number = peers.transport.get_next_available_stream_id()
    connect = ((":method", "CONNECT"), (":scheme", "https"), (":authority", "example.test"), (":path", "/chat"))
    peers.client.send_headers(number, encoded(*connect, (":protocol", "websocket")))
    peers.deliver()
    peers.answer(number, 200, end=False)
    peers.sent.append(Piece(number, CLIENT, frame(DATA, b"\x81\x85\0\0\0\0hello")))
    peers.sent.append(Piece(number, SERVER, frame(DATA, b"\x81\x02hi"), True))
    read = read_streams(peers.sent)
    assert [(message.side, message.length, message.frame) for message in read.messages] == [
        (CLIENT, 5, len(peers.sent) - 1), (SERVER, 2, len(peers.sent)),
    ]  # fmt: skip


def test_grease_is_ignored() -> None:
    grease = frame(0x21, b"grease")
    settings = b"\x00" + frame(SETTINGS, b"\x21\x07") + grease
    read = read_streams([
        Piece(2, CLIENT, settings), Piece(3, SERVER, settings),
        Piece(10, CLIENT, write_varint(0x21 + 31 * 7) + b"grease", True),
        Piece(0, CLIENT, grease + get("/") + grease, True), Piece(0, SERVER, OK + grease + frame(DATA, b"body") + grease, True),
    ])  # fmt: skip
    assert outline(read) == [("GET", "/", 200, 4, True)]
    assert codes(read) == []


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([Piece(0, CLIENT, frame(DATA, b"x") + get("/"), True)], "unexpected_frame"),
        ([Piece(0, CLIENT, get("/") + frame(SETTINGS, b""), True)], "unexpected_frame"),
        ([Piece(0, CLIENT, get("/") + frame(0x06, b""), True)], "unexpected_frame"),
        ([Piece(0, CLIENT, get("/") + frame(PUSH_PROMISE, b"\0\0\0"), True)], "unexpected_frame"),
        ([Piece(0, CLIENT, get("/")), Piece(0, SERVER, frame(PUSH_PROMISE, b""))], "bad_push_promise"),
        ([Piece(2, CLIENT, b"\0" + frame(SETTINGS, b""), True)], "closed_critical_stream"),
        ([Piece(2, CLIENT, b"\2"), Piece(2, CLIENT, b"", True)], "closed_critical_stream"),
        ([Piece(2, CLIENT, b"\0"), Piece(6, CLIENT, b"\0")], "bad_stream_type"),
        ([Piece(2, CLIENT, b"\1\0")], "bad_stream_type"),
        ([Piece(None, CLIENT, b"")], "bad_datagram"),
        ([Piece(0, CLIENT, get("/")[:9], True)], "truncated_frame"),
        ([Piece(0, CLIENT, frame(HEADERS, b"\0\0\xd1"), True)], "bad_pseudo_fields"),
        ([Piece(0, CLIENT, get("/", ("content-length", "7")) + frame(DATA, b"x"), True)], "wrong_content_length"),
    ],
)
def test_what_breaks_the_protocol_is_reported_and_reading_goes_on(pieces: list[Piece], code: str) -> None:
    read = read_streams([*pieces, Piece(400, CLIENT, get("/next"), True), Piece(400, SERVER, OK, True)])
    assert code in codes(read)
    assert outline(read)[-1] == ("GET", "/next", 200, 0, True)


def test_the_number_of_open_streams_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http3, "STREAMS_MAX", 4)
    streams = range(0, 40, 4)
    read = read_streams([
        *[Piece(stream, CLIENT, get("/")) for stream in streams], *[Piece(stream, SERVER, OK, True) for stream in streams],
        *[Piece(2 + stream, CLIENT, b"\x21") for stream in streams],
    ])  # fmt: skip
    assert [status for _, _, status, _, _ in outline(read)] == [None] * 6 + [200] * 4
    assert codes(read) == ["too_many_streams"] * 12


def test_blocked_sections_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http3, "BLOCKED_MAX", 3)
    settings = Piece(3, SERVER, b"\0" + frame(SETTINGS, b"\1\x50\0"))
    blocked = frame(HEADERS, b"\5\0\x80")
    read = read_streams([settings, *[Piece(4 * n, CLIENT, blocked, True) for n in range(8)], Piece(32, CLIENT, get("/"), True)])
    assert [method for method, *_ in outline(read)] == [None] * 8 + ["GET"]
    assert codes(read) == ["header_table_lost"]


def test_bytes_behind_blocked_sections_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http3, "HELD_MAX", 10_000)
    pieces = [Piece(0, CLIENT, frame(HEADERS, b"\5\0\x80")), *[Piece(0, CLIENT, frame(DATA, bytes(100)))] * 99]
    read = read_streams([*pieces, Piece(0, CLIENT, b"", True)])
    request = read.exchanges[0].request
    assert request is not None
    assert (request.method, request.body.length, request.body.complete, request.body.sha256) == (None, 9900, True, None)
    assert request.frame == 1
    assert codes(read) == ["header_table_lost"]


def test_bytes_of_any_kind_raise_no_exception() -> None:
    for seed in range(60):
        choice = random.Random(seed)
        pieces = []
        for piece in mixed(SENT, seed)[:400]:
            data = piece.data
            assert isinstance(data, bytes)
            if choice.random() < 0.03:
                pieces.append(Piece(piece.stream, piece.role, choice.choice((0, 1, len(data)))))
                continue
            if choice.random() < 0.05:
                data = bytes(byte ^ 1 << choice.randrange(8) for byte in data)
            pieces.append(Piece(piece.stream, piece.role, data, piece.end))
        read = read_streams(pieces)
        assert len(read.exchanges) <= 60
        for exchange in read.exchanges:
            assert exchange.record().keys() == {"request", "response"}
