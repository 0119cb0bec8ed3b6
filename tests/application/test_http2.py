import gzip
import json
import random
import struct
from collections.abc import Callable
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import hpack
import pytest
from accounting import Account
from http_reading import CLIENT, SERVER, Pieces, codes, drip, facts, outline, read

from analyzer.application.conversation import Conversation
from analyzer.application.exchange import ConversationLog
from analyzer.application.http2 import STREAMS_MAX, Http2
from analyzer.application.http2_frames import PREFACE

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED = 1, 4, 8, 32


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


START: Pieces = [(CLIENT, PREFACE + frame(SETTINGS, 0, 0)), (SERVER, frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))]


class Endpoint:
    """Writes field sections with its own header table."""

    def __init__(self) -> None:
        self.encoder = hpack.Encoder()

    def section(self, *fields: tuple[str, str]) -> bytes:
        return self.encoder.encode(list(fields))

    def get(self, stream: int, path: str, *fields: tuple[str, str], method: str = "GET", end: bool = True) -> bytes:
        pseudo = ((":method", method), (":scheme", "https"), (":authority", "example.test"), (":path", path))
        return frame(HEADERS, END_HEADERS | end, stream, self.section(*pseudo, *fields))

    def answer(self, stream: int, status: int, *fields: tuple[str, str], end: bool = False) -> bytes:
        return frame(HEADERS, END_HEADERS | end, stream, self.section((":status", str(status)), *fields))


def mixed() -> Pieces:
    """Two interleaved streams, with trailers, padding, priority, continuation, an interim response and a push."""
    client, server = Endpoint(), Endpoint()
    coded = gzip.compress(b"coded body")
    pieces = [*START, (CLIENT, client.get(1, "/a", ("cookie", "a=1")) + client.get(3, "/b", ("cookie", "a=1")))]
    coding = (("content-encoding", "gzip"), ("content-length", str(len(coded))))
    pieces.append((SERVER, server.answer(3, 103) + server.answer(3, 200, *coding)))
    pieces.append((SERVER, frame(DATA, 0, 3, coded[:5]) + server.answer(1, 200) + frame(DATA, PADDED, 1, b"\4body" + bytes(4))))
    post = ((":method", "POST"), (":scheme", "https"), (":authority", "example.test"), (":path", "/long"))
    long = client.section(*post, ("x", "y" * 500))
    pieces.append((CLIENT, frame(HEADERS, PADDED | PRIORITIZED, 5, b"\3" + bytes(5) + long[:20] + bytes(3))))
    pieces.append((CLIENT, frame(CONTINUATION, 0, 5, long[20:90]) + frame(CONTINUATION, END_HEADERS, 5, long[90:])))
    posted = frame(DATA, 0, 5, b"posted ") + frame(PING, 0, 0, bytes(8)) + frame(DATA, END_STREAM, 5, b"data")
    pieces.append((CLIENT, posted))
    push = server.section((":method", "GET"), (":scheme", "https"), (":authority", "example.test"), (":path", "/pushed"))
    promise = frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + push)
    pieces.append((SERVER, promise + frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")))
    pieces.append((SERVER, frame(0x2A, 255, 7, b"unknown type") + frame(DATA, END_STREAM, 3, coded[5:])))
    pieces.append((SERVER, frame(HEADERS, END_HEADERS | END_STREAM, 1, server.section(("grpc-status", "0")))))
    pieces.append(
        (SERVER, server.answer(5, 204, end=True) + server.answer(2, 200) + frame(DATA, END_STREAM, 2, b"pushed body"))
    )
    pieces.append((CLIENT, frame(PRIORITY, 0, 9, bytes(5)) + frame(GOAWAY, 0, 0, bytes(8))))
    return pieces


def test_interleaved_streams_are_separated() -> None:
    conversation = read(mixed())
    assert conversation.kind == "h2"
    assert outline(conversation) == [
        ("GET", "/a", 200, 4, True),
        ("GET", "/b", 200, 10, True),
        ("POST", "/long", 204, 0, True),
        ("GET", "/pushed", 200, 11, True),
    ]
    first, second, third, pushed = conversation.exchanges
    assert first.response is not None
    assert second.response is not None
    assert third.request is not None
    assert first.response.trailers == [("grpc-status", "0")]
    assert second.response.body.sha256 == sha256(b"coded body").hexdigest()
    assert [interim.status for interim in second.interim] == [103]
    assert (third.request.frame, third.request.headers) == (7, [("x", "y" * 500)])
    assert third.request.body.sha256 == sha256(b"posted data").hexdigest()
    assert (pushed.pushed, pushed.stream) == (True, 2)
    assert conversation.findings == []


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_any_split_gives_the_same(n: int) -> None:
    assert facts(read(drip(mixed(), n))) == facts(read(mixed()))
    assert read(drip(mixed(), n)).findings == []


def test_every_truncation_keeps_what_came_before() -> None:
    pieces = mixed()
    whole = outline(read(pieces))
    for n_pieces in range(len(START), len(pieces)):
        side, data = pieces[n_pieces]
        for n in range(len(data)):
            found = outline(read([*pieces[:n_pieces], (side, data[:n])]))
            assert [f[:2] for f in found] == [w[:2] for w in whole[: len(found)]]
            assert all(f == w for f, w in zip(found, whole, strict=False) if f[4])


class CheckedHttp2(Http2):
    """Compares every frame that is reported with the bytes of the stream, and counts content."""

    def __init__(self) -> None:
        super().__init__(ConversationLog("https", False, None))
        self.streams: tuple[list[int | None], list[int | None]] = ([], [])
        self.accounts = (Account(len(PREFACE)), Account())
        self.begun = [0, 0]
        self.contents: list[list[int | None] | None] = [None, None]
        # Bytes of DATA on open streams, and on other streams, which are not counted in bodies.
        self.n_open = self.n_other = 0
        self.n_truncated = 0

    def take(self, side: int, data: bytes | int, n: int) -> None:
        self.begun[side] = len(self.streams[side])
        if isinstance(data, int):
            # A gap of unknown length is three bytes here; the reader is not given the number.
            self.streams[side].extend([None] * (data or 3))
            self.gap(side, data or None)
        else:
            self.streams[side].extend(data)
            self.feed(side, data, n, n)

    def _frame(self, side: int, kind: int, flags: int, stream: int, fits: Callable[[list[int | None]], bool]) -> None:
        sent = self.streams[side]

        def end_at(start: int) -> int | None:
            header = bytes(byte for byte in sent[start : start + 9] if byte is not None)
            if len(header) < 9 or (header[3], header[4]) != (kind, flags):
                return None
            end = start + 9 + int.from_bytes(header[:3], "big")
            number = int.from_bytes(header[5:], "big") & 0x7FFFFFFF
            return end if number == stream and fits(sent[start + 9 : end]) else None

        self.accounts[side].unit(end_at, len(sent))

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        self.contents[side] = []
        super().begin_data(side, flags, stream, length)

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        content = self.contents[side]
        assert content is not None
        content.extend(data)
        found = self._streams.get(stream)
        if found is not None and not found.ended[side]:
            self.n_open += len(data)
        else:
            self.n_other += len(data)
        super().read_data(side, stream, data)

    def lose_data(self, side: int, stream: int, length: int) -> None:
        content = self.contents[side]
        assert content is not None
        content.extend([None] * length)
        super().lose_data(side, stream, length)

    def end_data(self, side: int, flags: int, stream: int) -> None:
        content, self.contents[side] = self.contents[side], None
        assert content is not None

        def fits(payload: list[int | None]) -> bool:
            if flags & PADDED:
                n_padding = payload[0] or 0 if payload else 0
                payload = payload[1 : max(1, len(payload) - n_padding)]
            return payload == content

        self._frame(side, DATA, flags, stream, fits)
        super().end_data(side, flags, stream)

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        # The contents of an unknown frame are not passed on.
        self._frame(side, kind, flags, stream, lambda held: kind > CONTINUATION or held == [*payload])
        super().read_frame(side, kind, flags, stream, payload)

    def lose_frames(self, side: int, why: str) -> None:
        self.accounts[side].lose(self.begun[side])
        super().lose_frames(side, why)

    def note(self, side: int, code: str, detail: str) -> None:
        if code == "no_preface":
            self.accounts[side].places = {0}
        elif code == "frame_too_large":
            self.accounts[side].lose(self.begun[side])
        self.n_truncated += code == "truncated_frame"
        super().note(side, code, detail)


def test_mutations_lose_no_byte_without_a_report() -> None:
    """Each frame is reported where it is, or skipped after a reported loss. Content is in a body, or on a stream that is not
    open."""
    rng = random.Random(5)
    base = mixed()
    n_frames = n_content = n_other = 0
    for _ in range(2000):
        pieces: list[tuple[int, Any]] = [base[0]]
        for side, data in base[1:]:
            changed = bytearray(data)
            for _ in range(rng.choice([0, 0, 1, 2])):
                at = rng.randrange(len(changed))
                if rng.random() < 0.7:
                    changed[at] = rng.randrange(256)
                else:
                    del changed[at : at + rng.randrange(1, 12)]
                    changed = changed or bytearray(1)
            if rng.random() < 0.05:
                pieces.append((side, rng.choice([0, 4, 5000])))
            pieces.append((side, bytes(changed)))
        read(pieces)
        log = CheckedHttp2()
        for n, (side, data) in enumerate(pieces, 1):
            log.take(side, data, n)
        log.close()
        rests = [account.rests(len(sent)) for account, sent in zip(log.accounts, log.streams, strict=True)]
        assert sum(bool(rest) and 0 not in rest for rest in rests) <= log.n_truncated <= sum(rest != {0} for rest in rests)
        messages = [m for exchange in log._log.exchanges for m in (exchange.request, exchange.response) if m is not None]
        assert sum(message.body.n_wire for message in messages) == log.n_open
        n_frames += sum(account.n_units for account in log.accounts)
        n_content += log.n_open
        n_other += log.n_other
    assert n_frames > 25_000
    assert n_content > 40_000
    assert n_other > 500


def test_field_sections_of_rfc_7541() -> None:
    """Appendices C.3 to C.6: three requests and three responses with one header table, plain and with Huffman."""
    requests = {
        "plain": [
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ],
        "huffman": [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ],
    }
    for sections in requests.values():
        pieces = START + [(CLIENT, frame(HEADERS, 5, 1 + 2 * n, bytes.fromhex(text))) for n, text in enumerate(sections)]
        found = [entry["request"] for entry in read(pieces).record()]
        assert [(r["method"], r["scheme"], r["authority"], r["path"], r["headers"]) for r in found] == [
            ("GET", "http", "www.example.com", "/", []),
            ("GET", "http", "www.example.com", "/", [("cache-control", "no-cache")]),
            ("GET", "https", "www.example.com", "/index.html", [("custom-key", "custom-value")]),
        ]


def test_real_requests_of_curl(ask: Callable[..., Pieces], peers: Any) -> None:
    pieces = ask("h2", "/small", "-I")
    assert outline(read(pieces)) == [("HEAD", "/small", 200, 0, True)]
    pieces = ask("h2", "/pushing", "/small")
    conversation = read(pieces)
    assert outline(conversation)[0][:3] == ("GET", "/pushing", 200)
    pieces = ask("h2", "/text", "/random", "/small", "/empty", "--compressed", "-H", "Cookie: " + "c" * 3000)
    conversation = read(pieces)
    by_path = {entry["request"]["path"][1:]: entry["response"]["body_sha256"] for entry in conversation.record()}
    assert by_path == {name: peers.sha256(name) for name in ("text", "random", "small", "empty")}
    assert conversation.findings == []


def test_the_same_bytes_are_decoded_with_the_current_table() -> None:
    client, newest = Endpoint(), b"\xbe"
    pseudo = client.section((":method", "GET"), (":scheme", "https"), (":path", "/"))
    added = [client.section(("x", value)) for value in ("first", "second")]
    sections = [pseudo + added[0], *[pseudo + newest] * 3, pseudo + added[1], *[pseudo + newest] * 3]
    requests = [frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * n, section) for n, section in enumerate(sections)]
    conversation = read([*START, (CLIENT, b"".join(requests))])
    assert conversation.findings == []
    said = [exchange.request.headers for exchange in conversation.exchanges if exchange.request is not None]
    assert said == [[("x", "first")]] * 4 + [[("x", "second")]] * 4


def test_a_gap_within_data_keeps_the_table() -> None:
    client, server = Endpoint(), Endpoint()
    data = frame(DATA, END_STREAM, 1, bytes(1000))
    pieces: list[tuple[int, Any]] = [
        *START,
        (CLIENT, client.get(1, "/a") + client.get(3, "/b")),
        (SERVER, server.answer(1, 200, ("x", "y")) + data[:300]),
        (SERVER, 500),
        (SERVER, data[800:] + server.answer(3, 200, ("x", "y")) + frame(DATA, END_STREAM, 3, b"ok")),
    ]
    conversation = read(pieces)
    assert outline(conversation) == [("GET", "/a", 200, 500, False), ("GET", "/b", 200, 2, True)]
    assert conversation.findings == []


@pytest.mark.parametrize("length", [0, 3000])
def test_after_other_gaps_frames_are_reported_without_fields(length: int) -> None:
    client, server = Endpoint(), Endpoint()
    pieces: list[tuple[int, Any]] = [
        *START,
        (CLIENT, client.get(1, "/a") + client.get(3, "/b") + client.get(5, "/c")),
        (SERVER, server.answer(1, 200) + frame(DATA, 0, 1, bytes(1000))[:700]),
        (SERVER, length),
        (SERVER, random.Random(6).randbytes(400) + frame(DATA, END_STREAM, 1, b"1" * 100) + server.answer(3, 200, ("x", "y"))),
        (SERVER, frame(DATA, END_STREAM, 3, b"ok") + server.answer(5, 200) + frame(DATA, END_STREAM, 5, b"five")),
    ]
    for cut in (pieces, [piece for p in pieces for piece in (drip([p], 50) if isinstance(p[1], bytes) else [p])]):
        conversation = read(cut)
        assert outline(conversation) == [
            ("GET", "/a", 200, 791, False),
            ("GET", "/b", None, 2, True),
            ("GET", "/c", None, 4, True),
        ]
        assert codes(conversation) == ["header_table_lost"]
        assert conversation.record()[1]["response"]["headers"] is None
        assert conversation.record()[1]["response"]["body_sha256"] is None


def with_losses() -> Pieces:
    """Requests with and without content, a push, a reset and a tunnel, each frame in a piece of its own."""
    client, server = Endpoint(), Endpoint()
    push = server.section((":method", "GET"), (":scheme", "https"), (":authority", "example.test"), (":path", "/pushed"))
    asked = client.section((":method", "CONNECT"), (":authority", "a:1"))
    return [
        *START,
        (CLIENT, frame(HEADERS, END_HEADERS, 1, asked)),
        (CLIENT, frame(DATA, 0, 1, b"early")),
        (SERVER, server.answer(1, 200)),
        (SERVER, frame(DATA, 0, 1, b"back")),
        (CLIENT, client.get(3, "/post", ("content-length", "10"), method="POST", end=False)),
        (CLIENT, frame(DATA, 0, 3, b"first")),
        (CLIENT, frame(DATA, END_STREAM, 3, b"other")),
        (SERVER, frame(PUSH_PROMISE, END_HEADERS, 3, struct.pack(">I", 2) + push)),
        (SERVER, server.answer(2, 200)),
        (SERVER, frame(DATA, END_STREAM, 2, b"pushed")),
        (SERVER, server.answer(3, 200, ("content-length", "12"))),
        (SERVER, frame(DATA, 0, 3, b"answer")),
        (SERVER, frame(DATA, 0, 3, b"answer")),
        (SERVER, frame(HEADERS, END_HEADERS | END_STREAM, 3, server.section(("grpc-status", "0")))),
        (CLIENT, client.get(5, "/reset")),
        (SERVER, frame(RST_STREAM, 0, 5, bytes(4))),
        (CLIENT, frame(DATA, END_STREAM, 1, b"x")),
        (SERVER, frame(DATA, END_STREAM, 1, b"x")),
    ]


@pytest.mark.parametrize("n_lost", [1, 2])
def test_missing_frames_are_nobodys_fault(n_lost: int) -> None:
    """Neither an unopened stream, nor a wrong length; and what is left of a body is not all of it."""
    pieces = with_losses()
    assert read(pieces).findings == []
    hashes = {one[name]["body_sha256"] for one in read(pieces).record() for name in ("request", "response") if one[name]}
    for lost in combinations(range(len(START), len(pieces)), n_lost):
        damaged = [(side, 0 if number in lost else data) for number, (side, data) in enumerate(pieces)]
        conversation = read(damaged)
        assert set(codes(conversation)) <= {"header_table_lost"}, lost
        found = {one[name]["body_sha256"] for one in conversation.record() for name in ("request", "response") if one[name]}
        assert found - {None} <= hashes, lost


def test_a_reset_that_is_captured_before_its_request_blames_nobody() -> None:
    client = Endpoint()
    reset = (SERVER, frame(RST_STREAM, 0, 1, bytes(4)))
    assert codes(read([*START, reset])) == ["bad_stream"]
    conversation = read([*START, reset, (CLIENT, client.get(1, "/a"))])
    assert codes(conversation) == []
    assert [one[:3] for one in outline(conversation)] == [("GET", "/a", None)]
    assert [exchange.reset for exchange in conversation.exchanges] == ["NO_ERROR"]


def test_a_client_that_is_lost_leaves_responses_without_requests() -> None:
    client, server = Endpoint(), Endpoint()
    pieces: list[tuple[int, Any]] = [
        *START,
        (CLIENT, client.get(1, "/a")),
        (CLIENT, 0),
        (SERVER, server.answer(1, 200, end=True)),
        (SERVER, server.answer(3, 404, end=True)),
        (CLIENT, client.get(5, "/c")),
        (SERVER, server.answer(5, 200, end=True)),
    ]
    conversation = read(pieces)
    assert outline(conversation) == [("GET", "/a", 200, 0, True), (None, None, 404, 0, True), (None, None, 200, 0, True)]
    assert [exchange.request is None for exchange in conversation.exchanges] == [False, True, False]
    assert conversation.record()[2]["request"]["headers"] is None


def test_a_reset_ends_a_stream() -> None:
    client, server = Endpoint(), Endpoint()
    pieces = [
        *START,
        (CLIENT, client.get(1, "/a")),
        (SERVER, server.answer(1, 200) + frame(DATA, 0, 1, b"part")),
        (CLIENT, frame(RST_STREAM, 0, 1, struct.pack(">I", 8))),
        (SERVER, frame(DATA, END_STREAM, 1, b"late")),
    ]
    conversation = read(pieces)
    assert outline(conversation) == [("GET", "/a", 200, 4, False)]
    assert conversation.exchanges[0].reset == "CANCEL"
    assert conversation.findings == []


def test_one_side_before_the_other_blames_nobody() -> None:
    """A capture of two taps can have all of the server before the client."""
    for pieces in (mixed(), [*START, (CLIENT, Endpoint().get(1, "/a")), (SERVER, Endpoint().answer(1, 204, end=True))]):
        asked, answered = ([piece for piece in pieces if piece[0] == side] for side in (CLIENT, SERVER))
        conversation = read([*answered, *asked])
        assert {"bad_stream", "frame_after_end"}.isdisjoint(codes(conversation))
        assert sorted(map(str, outline(conversation))) == sorted(map(str, outline(read(pieces))))


def test_a_response_without_a_request() -> None:
    for end in (True, False):
        conversation = read([*START, (SERVER, Endpoint().answer(7, 200, end=end))])
        assert codes(conversation) == ["bad_stream"]
        assert conversation.exchanges[0].response is not None


BAD: list[tuple[bytes, str]] = [
    (frame(DATA, 0, 0, b"x"), "bad_stream"),
    (frame(DATA, 0, 77, b"x"), "bad_stream"),
    (frame(DATA, PADDED, 1, b"\x09x"), "bad_padding"),
    (frame(DATA, PADDED, 1), "bad_padding"),
    (frame(HEADERS, 4, 0, b"\x88"), "bad_headers"),
    (frame(HEADERS, 4 | PADDED, 1, b"\x09\x88"), "bad_headers"),
    (frame(HEADERS, 4 | PRIORITIZED, 1, b"\x88"), "bad_headers"),
    (frame(HEADERS, 4, 1, b"\xff\xff\xff\xff\x7f"), "malformed_field_section"),
    (frame(HEADERS, 4, 1, b"\x80"), "malformed_field_section"),
    (frame(HEADERS, 4, 1, b"\x88\x88"), "bad_pseudo_fields"),
    (frame(HEADERS, 0, 1, b"\x88") + frame(PING, 0, 0, bytes(8)), "broken_field_section"),
    (frame(HEADERS, 0, 1, b"\x88") + frame(DATA, 0, 1), "broken_field_section"),
    (frame(HEADERS, 0, 1, b"\x88") + frame(99, 0, 1), "broken_field_section"),
    (frame(CONTINUATION, 4, 1, b"\x88"), "bad_continuation"),
    (frame(SETTINGS, 0, 0, b"\0\1"), "bad_settings"),
    (frame(SETTINGS, 1, 0, bytes(6)), "bad_settings"),
    (frame(SETTINGS, 0, 0, b"\0\2\0\0\0\2"), "bad_settings"),
    (frame(SETTINGS, 0, 0, b"\0\5\0\0\0\2"), "bad_settings"),
    (frame(RST_STREAM, 0, 1, b"\0"), "bad_reset"),
    (frame(RST_STREAM, 0, 55, bytes(4)), "bad_stream"),
    (frame(PUSH_PROMISE, 4, 1, b"\0\0"), "bad_push_promise"),
    (frame(PING, 0, 0, b"x"), "bad_ping"),
    (frame(PRIORITY, 0, 1, b"x"), "bad_priority"),
    (frame(WINDOW_UPDATE, 0, 1, bytes(4)), "bad_window_update"),
    (frame(WINDOW_UPDATE, 0, 1, bytes(3)), "bad_frame_size"),
    (frame(GOAWAY, 0, 0, b"x"), "bad_goaway"),
    (frame(GOAWAY, 0, 0, bytes(4) + struct.pack(">I", 11) + b"too much"), "goaway"),
    (frame(PING, 0, 0, bytes(20_000)), "frame_too_large"),
]


@pytest.mark.parametrize(("bad", "code"), BAD)
def test_a_bad_frame_is_found_and_costs_itself(bad: bytes, code: str) -> None:
    client, server = Endpoint(), Endpoint()
    asked: Pieces = [*START, (CLIENT, client.get(1, "/a") + client.get(3, "/b"))]
    for cut in (lambda p: p, drip):
        conversation = read(
            [*asked, *cut([(SERVER, bad)]), (SERVER, server.answer(3, 200) + frame(DATA, END_STREAM, 3, b"hello"))]
        )
        assert code in codes(conversation)
        response = conversation.exchanges[1].response
        assert response is not None
        assert (response.body.length, response.body.complete) == (5, True)
        assert response.status == (None if "header_table_lost" in codes(conversation) else 200)


def test_bad_requests_are_reported_and_kept() -> None:
    client = Endpoint()
    for fields in (
        [(":method", "GET"), (":path", "/")],
        [(":method", "GET"), (":scheme", "https"), ("x", "y"), (":path", "/")],
    ):
        conversation = read([*START, (CLIENT, frame(HEADERS, 5, 1, client.section(*fields)))])
        assert set(codes(conversation)) == {"bad_pseudo_fields"}
        assert conversation.record()[0]["request"]["method"] == "GET"
    conversation = read(
        [*START, (CLIENT, client.get(1, "/", ("content-length", "9"), end=False) + frame(DATA, END_STREAM, 1, b"x"))]
    )
    assert codes(conversation) == ["wrong_content_length"]


def test_frames_are_read_without_the_preface() -> None:
    client = Endpoint()
    conversation = read([(CLIENT, frame(SETTINGS, 0, 0) + client.get(1, "/a"))], "h2")
    assert (outline(conversation)[0][:2], codes(conversation)) == (("GET", "/a"), ["no_preface"])
    conversation = read([(CLIENT, b"GET / HTTP/1.1\r\n\r\n" + client.get(3, "/b"))], "h2")
    assert conversation.exchanges[0].request is not None
    assert codes(conversation) == ["no_preface", "header_table_lost"]


def test_a_larger_table_needs_no_announcement_but_is_reported() -> None:
    client = Endpoint()
    client.encoder.header_table_size = 65536
    conversation = read([*START, (CLIENT, client.get(1, "/a"))])
    assert (outline(conversation)[0][:2], codes(conversation)) == (("GET", "/a"), ["large_header_table"])
    client.encoder.header_table_size = 4096
    allowed = [(CLIENT, PREFACE), (SERVER, frame(SETTINGS, 0, 0, struct.pack(">HI", 1, 65536)))]
    client = Endpoint()
    client.encoder.header_table_size = 65536
    assert read([*allowed, (CLIENT, client.get(1, "/a"))]).findings == []


def test_what_a_sender_can_fill_is_bounded() -> None:
    client = Endpoint()
    many = read([*START, *((CLIENT, client.get(1 + 2 * n, "/", end=False)) for n in range(STREAMS_MAX + 10))])
    assert len(many.exchanges) == STREAMS_MAX + 10
    assert codes(many) == ["too_many_streams"] * 10
    flood = frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, b"") * 5000
    assert codes(read([*START, (CLIENT, flood)])) == ["long_field_section", "header_table_lost"]
    flood = frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, bytes(16000)) * 20
    assert codes(read([*START, (CLIENT, flood)])) == ["long_field_section", "header_table_lost"]
    value = Endpoint().section(("x", "v" * 3000))
    bomb = frame(HEADERS, 5, 1, value + b"\xbe" * 2000)
    assert codes(read([*START, (CLIENT, bomb)])) == ["malformed_field_section", "header_table_lost"]


def test_h2c_by_upgrade() -> None:
    server = Endpoint()
    upgrade = b"GET /up HTTP/1.1\r\nHost: example.test\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
    client = Endpoint()
    pieces = [
        (CLIENT, upgrade),
        (SERVER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + frame(SETTINGS, 0, 0)),
        (CLIENT, PREFACE + frame(SETTINGS, 0, 0)),
        (SERVER, server.answer(1, 200) + frame(DATA, END_STREAM, 1, b"up")),
        (CLIENT, client.get(3, "/next")),
        (SERVER, server.answer(3, 204, end=True)),
    ]
    conversation = read(pieces)
    assert conversation.kind == "h2"
    assert outline(conversation) == [("GET", "/up", 200, 2, True), ("GET", "/next", 204, 0, True)]
    assert [interim.status for interim in conversation.exchanges[0].interim] == [101]
    assert conversation.findings == []


def test_websocket_over_http2() -> None:
    """RFC 8441 section 5.1."""
    client, server = Endpoint(), Endpoint()
    connect = client.section(
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "example.test"),
    )
    pieces = [
        *START,
        (CLIENT, frame(HEADERS, END_HEADERS, 1, connect)),
        (SERVER, server.answer(1, 200)),
        (CLIENT, frame(DATA, 0, 1, bytes.fromhex("818537fa213d7f9f"))),
        (CLIENT, frame(DATA, 0, 1, bytes.fromhex("4d5158"))),
        (SERVER, frame(DATA, END_STREAM, 1, bytes.fromhex("810548656c6c6f"))),
        (CLIENT, frame(DATA, END_STREAM, 1)),
    ]
    conversation = read(pieces)
    assert [(m.side, m.opcode, m.length, m.frame) for m in conversation.messages] == [(CLIENT, 1, 5, 6), (SERVER, 1, 5, 7)]
    assert outline(conversation)[0][:3] == ("CONNECT", "/chat", 200)
    assert conversation.findings == []


def test_frames_of_the_largest_size_pass_in_pieces() -> None:
    client, server = Endpoint(), Endpoint()
    conversation = Conversation("h2", hashing=False)
    conversation.feed(
        CLIENT, START[0][1] + frame(SETTINGS, 0, 0, struct.pack(">HI", 5, (1 << 24) - 1)) + client.get(1, "/"), 1, 1
    )
    conversation.feed(SERVER, START[1][1] + server.answer(1, 200) + b"\xff\xff\xff\0\1\0\0\0\1", 2, 2)
    for n in range(1024):
        conversation.feed(SERVER, bytes(16384 if n < 1023 else 16383), n, n)
    assert outline(conversation) == [("GET", "/", 200, (1 << 24) - 1, True)]
    assert conversation.findings == []


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", ["curl-nginx-http1", "curl-nginx-http2"])
def test_the_captures_of_this_repository(name: str, repository: Path, follow: Callable[..., Pieces]) -> None:
    folder = repository / "captures" / name
    session = json.loads((folder / "expected.json").read_text("utf-8"))["sessions"][0]
    expected = session["when_decrypted"]["http"]
    conversation = read(follow(folder / f"{name}.pcap", folder / f"{name}.keys"))
    found = conversation.record()
    assert [(f["request"]["method"], f["request"]["authority"], f["request"]["path"]) for f in found] == [
        tuple(e["request"][key] for key in ("method", "authority", "path")) for e in expected
    ]
    assert [f["response"]["status"] for f in found] == [e["response"]["status"] for e in expected]
    assert all(f["response"]["body_sha256"] for f in found)
    assert conversation.findings == []
