import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from http_reading import Pieces, drip, facts, read

from analyzer.application.conversation import Conversation
from analyzer.application.http2_frames import PREFACE


@pytest.mark.parametrize("server", ["plain", "h2"])
def test_what_nginx_serves_is_what_is_read(server: str, ask: Callable[..., Pieces], peers: Any) -> None:
    pieces = ask(server, "--compressed", "/text", "/small", "/random", "/empty", "/moved", "/missing")
    conversation = read(pieces)
    assert conversation.kind == {"plain": "http/1.1", "h2": "h2"}[server]
    record = conversation.record()
    assert [(e["request"]["method"], e["request"]["path"], e["response"]["status"]) for e in record] == [
        ("GET", "/text", 200), ("GET", "/small", 200), ("GET", "/random", 200), ("GET", "/empty", 200), ("GET", "/moved", 301),
        ("GET", "/missing", 404),
    ]  # fmt: skip
    for entry, name in zip(record, ("text", "small", "random", "empty"), strict=False):
        assert entry["response"]["body_sha256"] == peers.sha256(name)
        assert entry["response"]["body_length"] == len(peers.files[name])
        assert entry["request"]["frame"] < entry["response"]["frame"]
        assert entry["request"]["authority"].startswith("127.0.0.1:")
    assert ("content-encoding", "gzip") in [(name.lower(), value) for name, value in record[0]["response"]["headers"]]
    assert conversation.findings == []


@pytest.mark.parametrize("server", ["plain", "h2"])
def test_the_split_of_the_stream_makes_no_difference(server: str, ask: Callable[..., Pieces]) -> None:
    pieces = ask(server, "--compressed", "/text", "/small", "/empty", "/moved", "-H", "X-Long: " + "x" * 3000)
    whole = read(pieces)
    assert whole.exchanges
    dripped = read(drip(pieces))
    assert facts(dripped) == facts(whole)
    assert dripped.findings == whole.findings == []


@pytest.mark.parametrize(("server", "alpn"), [("plain", "http/1.1"), ("h2", "h2")])
def test_alpn_names_the_protocol(server: str, alpn: str, ask: Callable[..., Pieces]) -> None:
    pieces = ask(server, "/small")
    assert facts(read(pieces, alpn)) == facts(read(pieces))
    assert read(pieces, "imap").kind == "bytes"
    assert read(pieces, "imap").record() == []


def test_body_pieces_are_passed_on(ask: Callable[..., Pieces], peers: Any) -> None:
    got: dict[str, bytes] = {}

    def keep(exchange: Any, side: int, piece: bytes) -> None:
        assert side == 1
        got[exchange.request.path] = got.get(exchange.request.path, b"") + piece

    read(ask("h2", "--compressed", "/text", "/random"), on_body=keep, hashing=False)
    assert got == {"/text": peers.files["text"], "/random": peers.files["random"]}


def test_a_dripped_preface_is_recognized() -> None:
    conversation = Conversation()
    for n, byte in enumerate(PREFACE):
        assert conversation.kind == "bytes"
        conversation.feed(0, bytes([byte]), n, n)
    assert conversation.kind == "h2"


@pytest.mark.parametrize(
    ("side", "data", "kind"),
    [
        (0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "http/1.1"),
        (0, b"\r\nREPORT /x HTTP/1.0\r\n", "http/1.1"),
        (0, b"EHLO example\r\n", "bytes"),
        (0, b"\x00\x01\x02", "bytes"),
        (0, b"GET / SPDY/3\r\n", "bytes"),
        (1, b"SSH-2.0-OpenSSH_9.2\r\n", "bytes"),
        (1, b"HTTP/1.1 408 Request Timeout\r\n\r\n", "http/1.1"),
        (1, b"\0\0\x06\x04\0\0\0\0\0\0\3\0\0\0\x64", "h2"),
    ],
)
def test_content_names_the_protocol(side: int, data: bytes, kind: str) -> None:
    assert read([(side, data)]).kind == kind


def test_the_server_may_speak_first_where_the_client_is_missing() -> None:
    conversation = Conversation()
    conversation.gap(0, None)
    conversation.feed(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 5, 5)
    assert conversation.kind == "http/1.1"
    assert conversation.record() == [
        {
            "request": None,
            "response": {
                "status": 200,
                "headers": [("Content-Length", "2")],
                "frame": 5,
                "body_sha256": hashlib.sha256(b"ok").hexdigest(),
                "body_length": 2,
            },
        }
    ]


def test_what_is_held_while_undecided_is_bounded() -> None:
    conversation = Conversation()
    for n in range(5):
        conversation.feed(0, b"A" * 8192, n, n)
    assert conversation.kind == "bytes"
    slow = Conversation()
    for _ in range(100_000):
        slow.gap(1, 1)
    assert len(slow._held) < 5000
