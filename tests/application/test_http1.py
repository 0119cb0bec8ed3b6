import gzip
import random
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from http_reading import CLIENT, SERVER, Pieces, codes, drip, facts, outline, read

GET = b"GET /a HTTP/1.1\r\nHost: example.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def request(path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: example.test", *fields, "", ""]).encode() + body


def response(status: int, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Reason", *fields, "", ""]).encode() + body


MIXED: Pieces = [
    (CLIENT, request("/1") + request("/2", method="HEAD") + request("/3")),
    (SERVER, response(200, "Content-Length: 3", body=b"one") + response(200, "Content-Length: 1000")),
    (SERVER, response(304, "Content-Length: 77")),
    (CLIENT, request("/4", method="DELETE") + request("/5", "Content-Length: 4", method="POST", body=b"body")),
    (SERVER, response(204) + response(100) + response(103, "Link: </x>")),
    (SERVER, response(200, "Transfer-Encoding: chunked", body=b"5;a=b\r\nhello\r\n1 \r\n!\r\n0\r\nSum: 6\r\nX: y\r\n\r\n")),
    (CLIENT, request("/6", "Transfer-Encoding: chunked", method="PUT", body=b"3\r\nabc\r\n0\r\n\r\n") + request("/7")),
    (SERVER, response(201, "Content-Length: 0") + response(200, body=b"to the end of the connection")),
]


def test_requests_and_responses_are_paired() -> None:
    conversation = read(MIXED)
    assert outline(conversation) == [
        ("GET", "/1", 200, 3, True),
        ("HEAD", "/2", 200, 0, True),
        ("GET", "/3", 304, 0, True),
        ("DELETE", "/4", 204, 0, True),
        ("POST", "/5", 200, 6, True),
        ("PUT", "/6", 201, 0, True),
        ("GET", "/7", 200, 28, True),
    ]
    fifth, sixth = conversation.exchanges[4:6]
    assert fifth.request is not None
    assert fifth.response is not None
    assert sixth.request is not None
    assert [interim.status for interim in fifth.interim] == [100, 103]
    assert fifth.request.body.sha256 == sha256(b"body").hexdigest()
    assert fifth.response.trailers == [("Sum", "6"), ("X", "y")]
    assert fifth.response.body.sha256 == sha256(b"hello!").hexdigest()
    assert sixth.request.body.length == 3
    assert (fifth.request.frame, fifth.response.frame, fifth.response.at) == (4, 6, 6)
    assert conversation.findings == []


@pytest.mark.parametrize("n", [1, 2, 3, 7, 100])
def test_any_split_gives_the_same(n: int) -> None:
    assert facts(read(drip(MIXED, n))) == facts(read(MIXED))
    assert read(drip(MIXED, n)).findings == []


def test_one_piece_gives_the_same() -> None:
    joined = [(side, b"".join(data for of, data in MIXED if of == side)) for side in (CLIENT, SERVER)]
    whole, apart = facts(read(joined)), facts(read(MIXED))
    assert [f[:4] for f in whole] == [f[:4] for f in apart]


def test_every_truncation_keeps_what_came_before() -> None:
    whole = outline(read(MIXED))
    stream = [(side, data) for side, data in MIXED]
    for n_pieces in range(len(stream)):
        side, data = stream[n_pieces]
        for n in range(len(data)):
            conversation = read([*stream[:n_pieces], (side, data[:n])], "http/1.1")
            found = outline(conversation)
            assert [f[:2] for f in found] == [w[:2] for w in whole[: len(found)]]
            for exchange, expected in zip(conversation.exchanges, whole, strict=False):
                if exchange.response is not None and exchange.response.body.complete and expected[1] != "/7":
                    assert exchange.response.body.length == expected[3]


HEAD = re.compile(rb"(?:[^\s]+ [^\n]*HTTP/1\.\d|HTTP/1\.\d +\d[^\n]*)[ \t]*\r?\n(?:[^\r\n][^\n]*\n)*\r?\n")
INTERIM = re.compile(rb"HTTP/1\.\d +1")
CHUNKING = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(?:;[^\n]*)?\r?\n(?:(?:[^\r\n][^\n]*\n)+(?=\r?\n))?")
TOKEN = re.compile(b"(?:" + CHUNKING.pattern + b"|(" + HEAD.pattern + rb")|\r?\n)")
BETWEEN_BODIES = b"((?:" + CHUNKING.pattern + b"|" + HEAD.pattern + rb"|\r?\n)*)"


def account(sent: bytes, bodies: list[bytes]) -> int | None:
    """Return the number of messages in a stream between these pieces of bodies; None if there is anything else between them.

    Interim responses are not counted, because they are listed only if a request waits for a response.
    """
    found = re.fullmatch(BETWEEN_BODIES + b"".join(re.escape(piece) + BETWEEN_BODIES for piece in bodies), sent)
    if found is None:
        return None
    heads = [token[1] for between in found.groups() for token in TOKEN.finditer(between) if token[1]]
    return sum(INTERIM.match(head) is None for head in heads)


def test_mutations_lose_no_byte_without_a_report() -> None:
    """Bodies are pieces of the stream, in its order. The rest is reported messages and framing, or there is a finding."""
    rng = random.Random(1)
    n_accounts = 0
    for n in range(3000):
        pieces: list[tuple[int, Any]] = []
        # One change in two of three conversations; some of them have no finding.
        only = rng.randrange(len(MIXED)) if n % 3 else None
        for number, (side, data) in enumerate(MIXED):
            changed = bytearray(data)
            for _ in range(rng.choice([0, 0, 1, 1, 3]) if only is None else only == number):
                at = rng.randrange(len(changed))
                action = rng.randrange(3)
                if action == 0:
                    changed[at] = rng.randrange(256)
                elif action == 1:
                    del changed[at : at + rng.randrange(1, 30)]
                    changed = changed or bytearray(b"x")
                else:
                    changed[at:at] = rng.choice(
                        [b"\r\n\r\n", b"\n", b"HTTP/1.1 200 OK\r\n", b"GET / HTTP/1.1\r\n", b"\0", b"0\r\n\r\n"]
                    )
            if only is None and rng.random() < 0.1:
                pieces.append((side, rng.choice([0, 3, 10_000])))
            pieces.append((side, bytes(changed)))
        bodies: tuple[list[bytes], list[bytes]] = ([], [])
        conversation = read(pieces, "http/1.1", on_body=lambda _, side, piece, bodies=bodies: bodies[side].append(piece))
        sent = [b"".join(data for at, data in pieces if at == side and isinstance(data, bytes)) for side in (CLIENT, SERVER)]
        requests = [exchange.request for exchange in conversation.exchanges if exchange.request is not None]
        responses = [exchange.response for exchange in conversation.exchanges if exchange.response is not None]
        for side, messages in ((CLIENT, requests), (SERVER, responses)):
            pos = 0
            for piece in bodies[side]:
                pos = sent[side].index(piece, pos) + len(piece)
            n_wire = sum(message.body.n_wire for message in messages)
            assert sum(map(len, bodies[side])) <= n_wire <= len(sent[side])
            # The bytes of a body after a gap are not passed on.
            holes = any(not message.body.complete for message in messages)
            assert holes or n_wire == sum(map(len, bodies[side]))
        if conversation.findings or any(isinstance(data, int) for _, data in pieces):
            continue
        assert account(sent[CLIENT], bodies[CLIENT]) == len(requests)
        assert account(sent[SERVER], bodies[SERVER]) == len(responses)
        n_accounts += 1
    assert n_accounts > 400


def test_real_requests_of_curl(ask: Callable[..., Pieces], peers: Any) -> None:
    pieces = ask("plain", "/small", "-I")
    assert outline(read(pieces)) == [("HEAD", "/small", 200, 0, True)]
    pieces = ask("plain", "/text", "-r", "10-29")
    assert outline(read(pieces)) == [("GET", "/text", 206, 20, True)]
    pieces = ask("plain", "/upload", "-T", "-", "-H", "Expect: 100-continue", data=peers.files["random"])
    conversation = read(pieces)
    (exchange,) = conversation.exchanges
    assert exchange.request is not None
    assert exchange.request.body.sha256 == peers.sha256("random")
    assert ("Transfer-Encoding", "chunked") in (exchange.request.headers or [])
    assert [interim.status for interim in exchange.interim] == [100]
    pieces = ask("plain", "/small", "-0")
    assert outline(read(pieces)) == [("GET", "/small", 200, 6, True)]


def test_lenient_reading_is_reported() -> None:
    head = b"GET /a HTTP/1.1\nHost: example.test\nX-Folded: one\n\ttwo\nBad : value\nno colon here\n\n"
    conversation = read([(CLIENT, head), (SERVER, OK)])
    assert outline(conversation) == [("GET", "/a", 200, 5, True)]
    assert conversation.record()[0]["request"]["headers"] == [
        ("Host", "example.test"),
        ("X-Folded", "one two"),
        ("Bad", "value"),
    ]
    assert codes(conversation) == ["obsolete_line_folding", "malformed_field_line", "malformed_field_line", "bare_line_feed"]


@pytest.mark.parametrize("at", range(4))
def test_each_line_of_a_head_ends_with_cr_and_lf(at: int) -> None:
    lines = [b"GET /a HTTP/1.1", b"Host: example.test", b"Accept: */*", b""]
    whole = b"".join(line + b"\r\n" for line in lines)
    bare = b"".join(line + (b"\n" if number == at else b"\r\n") for number, line in enumerate(lines))
    assert codes(read([(CLIENT, whole), (SERVER, OK)])) == []
    conversation = read([(CLIENT, bare), (SERVER, OK)])
    assert codes(conversation) == ["bare_line_feed"]
    assert outline(conversation) == [("GET", "/a", 200, 5, True)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], "ambiguous_length"),
        (["Content-Length: 16", "Content-Length: 5"], "ambiguous_length"),
        (["Transfer-Encoding: chunked, chunked"], "bad_transfer_encoding"),
        (["Transfer-Encoding: gzip"], "bad_transfer_encoding"),
        (["Content-Length: +5"], "bad_content_length"),
        (["Content-Length: 99999999999999999999"], "bad_content_length"),
        (["Host: other.test"], "bad_host"),
    ],
)
def test_contradictions_are_found_and_the_next_request_too(fields: list[str], code: str) -> None:
    body = b"6\r\nhello!\r\n0\r\n\r\n" if "Host" not in fields[0] else b""
    conversation = read([(CLIENT, request("/a", *fields, method="POST", body=body) + request("/b"))], "http/1.1")
    assert [exchange.request and exchange.request.path for exchange in conversation.exchanges] == ["/a", "/b"]
    assert code in codes(conversation)


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01", b"rubbish\r\n", b"GET  /\r\n\r\n", b"\0" * 20_000, b"x" * 300_000]
)
def test_garbage_before_a_message_costs_only_itself(garbage: bytes) -> None:
    for pieces in ([(CLIENT, garbage + GET), (SERVER, OK)], [(CLIENT, GET), (SERVER, garbage + OK)]):
        conversation = read([*pieces, (CLIENT, request("/b")), (SERVER, OK)], "http/1.1")
        assert outline(conversation) == [("GET", "/a", 200, 5, True), ("GET", "/b", 200, 5, True)]
        assert codes(conversation)[0] == "bad_start_line"
        dripped = read(drip([*pieces, (CLIENT, request("/b")), (SERVER, OK)], 1000), "http/1.1")
        assert outline(dripped) == outline(conversation)


@pytest.mark.parametrize("body", [b"zz\r\nhello\r\n0\r\n\r\n", b"3\r\nhello\r\n0\r\n\r\n", b"3\r\nhel\rlo", b"1" * 9000])
def test_bad_chunks_are_found_and_the_next_response_too(body: bytes) -> None:
    pieces = [(CLIENT, GET), (SERVER, response(200, "Transfer-Encoding: chunked", body=body)), (CLIENT, GET), (SERVER, OK)]
    for cut in (pieces, drip(pieces)):
        conversation = read(cut)
        assert [(f[2], f[4]) for f in outline(conversation)] == [(200, False), (200, True)]
        assert codes(conversation)[0] in ("bad_chunk", "long_line")


def test_the_end_of_a_chunked_body_may_have_bare_line_feeds() -> None:
    conversation = read([(CLIENT, GET), (SERVER, response(200, "Transfer-Encoding: chunked", body=b"2\nab\n0\n\n") + OK)])
    assert outline(conversation)[0] == ("GET", "/a", 200, 2, True)
    assert codes(conversation)[0] == "bare_line_feed"


def test_transfer_codings_are_removed() -> None:
    coded = gzip.compress(b"hello")
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(coded), coded)
    conversation = read([(CLIENT, GET), (SERVER, response(200, "Transfer-Encoding: gzip, chunked", body=chunked))])
    assert conversation.record()[0]["response"]["body_sha256"] == sha256(b"hello").hexdigest()


def test_absolute_and_other_targets() -> None:
    heads = b"".join(
        [
            b"GET http://other.test:81/p?q HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        ]
    )
    requests = [entry["request"] for entry in read([(CLIENT, heads)]).record()]
    assert [(r["scheme"], r["authority"], r["path"]) for r in requests] == [
        ("http", "other.test:81", "/p?q"),
        ("https", "x", "*"),
        ("https", "x", "/a b"),
        ("https", "x", "/ü"),
        ("https", "x", "/ÿ"),
    ]


def test_a_granted_connect_is_a_tunnel_and_a_refused_one_is_not() -> None:
    connect = b"CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n"
    for later in ([(CLIENT, connect), (CLIENT, b"\x16\x03\x01")], [(CLIENT, connect + b"\x16\x03\x01")]):
        conversation = read([*later, (SERVER, response(200) + b"\x16\x03\x03"), (CLIENT, b"\x17")])
        assert outline(conversation) == [("CONNECT", None, 200, 0, True)]
        assert conversation.record()[0]["request"]["authority"] == "example.test:443"
        assert (conversation.kind, conversation.findings) == ("bytes", [])
    refused = read([(CLIENT, connect), (SERVER, response(407, "Content-Length: 2", body=b"no")), (CLIENT, GET), (SERVER, OK)])
    assert outline(refused) == [("CONNECT", None, 407, 2, True), ("GET", "/a", 200, 5, True)]
    assert refused.kind == "http/1.1"


def test_requests_after_an_upgrade_without_response_are_read_in_time() -> None:
    upgrading = request("/u", "Upgrade: h2c", "Connection: upgrade")
    conversation = read([(CLIENT, upgrading + GET), (SERVER, OK + OK)])
    assert outline(conversation) == [("GET", "/u", 200, 5, True), ("GET", "/a", 200, 5, True)]
    conversation = read([(CLIENT, upgrading * 5000)])
    assert len(conversation.exchanges) == 5000
    assert codes(conversation) == ["no_answer_to_upgrade"]


def test_a_gap_within_a_body_costs_only_that_body() -> None:
    first = response(200, "Content-Length: 100", body=b"x" * 30)
    conversation = read([(CLIENT, GET + GET), (SERVER, first), (SERVER, 50), (SERVER, b"y" * 20 + OK)])  # type: ignore[list-item]
    assert outline(conversation) == [("GET", "/a", 200, 50, False), ("GET", "/a", 200, 5, True)]
    assert conversation.record()[0]["response"]["body_sha256"] is None
    at_the_end = read([(CLIENT, GET + GET), (SERVER, first), (SERVER, 70), (SERVER, OK)])  # type: ignore[list-item]
    assert outline(at_the_end) == [("GET", "/a", 200, 30, False), ("GET", "/a", 200, 5, True)]


@pytest.mark.parametrize("length", [0, 200, 71])
def test_after_a_gap_of_unknown_length_the_next_response_is_found(length: int) -> None:
    pieces: list[tuple[int, Any]] = [
        (CLIENT, request("/1")),
        (SERVER, response(200, "Content-Length: 100", body=b"x" * 30)),
        (SERVER, length),
        (CLIENT, request("/2")),
        (CLIENT, request("/3")),
        (SERVER, b"tail of the second\r\n" + OK),
        (CLIENT, request("/4")),
        (SERVER, OK),
    ]
    conversation = read(pieces)
    assert outline(conversation) == [
        ("GET", "/1", 200, 30, False),
        ("GET", "/2", None, None, None),
        ("GET", "/3", 200, 5, True),
        ("GET", "/4", 200, 5, True),
    ]
    assert [exchange.guessed for exchange in conversation.exchanges] == [False, False, True, False]


def test_a_lost_request_leaves_its_response_alone() -> None:
    pieces: list[tuple[int, Any]] = [
        (CLIENT, request("/1")),
        (SERVER, OK),
        (CLIENT, 0),
        (SERVER, OK),
        (CLIENT, b"rest\r\n\r\n" + request("/3")),
        (SERVER, OK),
    ]
    assert outline(read(pieces)) == [("GET", "/1", 200, 5, True), (None, None, 200, 5, True), ("GET", "/3", 200, 5, True)]


def test_a_response_that_the_capture_has_first_finds_its_request() -> None:
    assert outline(read([(SERVER, OK), (CLIENT, GET)], "http/1.1")) == [("GET", "/a", 200, 5, True)]


def test_header_sections_and_held_bytes_are_bounded() -> None:
    endless = Pieces([(CLIENT, b"GET / HTTP/1.1\r\n")]) + [(CLIENT, b"X-%d: y\r\n" % n) for n in range(40_000)]
    conversation = read([*endless, (CLIENT, b"\r\n" + GET)])
    assert codes(conversation) == ["long_head"]
    assert outline(conversation) == [("GET", "/a", None, None, None)]
    trailers = [(SERVER, b"X-%d: y\r\n" % n) for n in range(40_000)]
    conversation = read([(CLIENT, GET), (SERVER, response(200, "Transfer-Encoding: chunked", body=b"0\r\n")), *trailers])
    assert codes(conversation) == ["long_line"]


def test_a_body_that_ends_with_the_stream_is_reported_as_truncated() -> None:
    conversation = read([(CLIENT, GET), (SERVER, OK[:-2])])
    assert (outline(conversation)[0][3:], codes(conversation)) == ((3, False), ["truncated_body"])
    conversation = read([(CLIENT, GET), (SERVER, OK[:20])])
    assert codes(conversation) == ["truncated_head"]


@pytest.mark.parametrize(
    ("method", "answer", "told"),
    [
        ("GET", response(204, "Content-Length: 9"), ["forbidden_framing"]),
        ("GET", response(204, "Transfer-Encoding: chunked"), ["forbidden_framing"]),
        ("GET", response(103, "Content-Length: 9") + OK, ["forbidden_framing"]),
        ("CONNECT", response(200, "Content-Length: 9"), ["forbidden_framing"]),
        ("GET", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["forbidden_framing"]),
        ("GET", response(204), []),
        ("GET", response(304, "Content-Length: 9"), []),
        ("HEAD", response(200, "Content-Length: 9"), []),
        ("CONNECT", response(200), []),
        ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", []),
    ],
)
def test_a_length_where_there_is_no_body(method: str, answer: bytes, told: list[str]) -> None:
    asked = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" if method == "CONNECT" else request("/", method=method)
    assert codes(read([(CLIENT, asked), (SERVER, answer)])) == told


def test_transfer_encoding_in_a_request_of_http_1_0() -> None:
    asked = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert codes(read([(CLIENT, asked), (SERVER, OK)])) == ["forbidden_framing"]
