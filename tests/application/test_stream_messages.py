import gzip
import struct

import hpack
import pytest

from analyzer.application.http2_frames import PREFACE
from analyzer.application.message_framing import MessageBody
from analyzer.application.stream_messages import StreamMessages

CLIENT, SERVER = 0, 1
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


class Taken:
    """What was passed on, one after the other: side, stream, text of a head; side, stream, bytes of a body, whether it ends."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []
        self.reader = StreamMessages("h2", self, lambda stream, error: self.all.append((stream, error)))

    def __call__(self, side: int, data: bytes, body: MessageBody | None, ends: bool, stream: int | None = None) -> None:
        self.all.append((side, stream, data.decode().splitlines()) if body is None else (side, stream, data, ends))


def test_streams_are_mixed_as_their_frames_are():
    taken, client, server = Taken(), hpack.Encoder(), hpack.Encoder()
    pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "example.test")]
    for stream, path in ((1, "/a"), (3, "/b")):
        ask = frame(HEADERS, END_HEADERS | END_STREAM, stream, client.encode([*pseudo, (":path", path), ("x", f"{stream}")]))
        taken.reader.feed(CLIENT, (PREFACE + frame(SETTINGS, 0, 0) if stream == 1 else b"") + ask, 1, 1)
    coded = gzip.compress(b"coded")
    heads = [[(":status", "200"), ("content-encoding", "gzip")], [(":status", "404"), ("content-type", "text/plain")]]
    answers = [frame(HEADERS, END_HEADERS, stream, server.encode(head)) for stream, head in zip((1, 3), heads, strict=True)]
    taken.reader.feed(SERVER, frame(SETTINGS, 0, 0) + answers[0] + frame(DATA, 0, 1, coded[:9]) + answers[1], 2, 2)
    taken.reader.feed(SERVER, frame(DATA, 0, 3, b"go") + frame(DATA, END_STREAM, 1, coded[9:]), 3, 3)
    taken.reader.feed(SERVER, frame(DATA, END_STREAM, 3, b"ne"), 4, 4)
    taken.reader.close()
    bodies = [one for one in taken.all if one[2] != b"" or one[3:] == (True,)]
    assert bodies == [
        (CLIENT, 1, ["GET /a HTTP/2", ":authority: example.test", "x: 1", ""]),
        (CLIENT, 1, b"", True),
        (CLIENT, 3, ["GET /b HTTP/2", ":authority: example.test", "x: 3", ""]),
        (CLIENT, 3, b"", True),
        (SERVER, 1, ["HTTP/2 200", "content-encoding: gzip", ""]),
        (SERVER, 3, ["HTTP/2 404", "content-type: text/plain", ""]),
        (SERVER, 3, b"go", False),
        (SERVER, 1, b"coded", False),
        (SERVER, 1, b"", True),
        (SERVER, 3, b"ne", False),
        (SERVER, 3, b"", True),
    ]


def test_a_reset_is_said_once():
    taken, client = Taken(), hpack.Encoder()
    pseudo = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    ask = frame(HEADERS, END_HEADERS | END_STREAM, 1, client.encode(pseudo))
    taken.reader.feed(CLIENT, PREFACE + frame(SETTINGS, 0, 0) + ask, 1, 1)
    taken.reader.feed(SERVER, frame(SETTINGS, 0, 0) + frame(RST_STREAM, 0, 1, struct.pack(">I", 8)), 2, 2)
    taken.reader.feed(SERVER, frame(SETTINGS, 1, 0), 3, 3)
    assert taken.all[-1] == (1, "CANCEL")
    assert sum(len(one) == 2 for one in taken.all) == 1


def test_exchanges_that_never_end_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.application.stream_messages.OPEN_MAX", 3)
    taken, client = Taken(), hpack.Encoder()
    pseudo = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    taken.reader.feed(CLIENT, PREFACE + frame(SETTINGS, 0, 0), 1, 1)
    for stream in range(1, 41, 2):
        taken.reader.feed(CLIENT, frame(HEADERS, END_HEADERS, stream, client.encode(pseudo)), 2, 2)
    assert [one[1] for one in taken.all] == list(range(1, 41, 2)), "each head comes once"


def test_a_head_says_what_an_extended_connect_asks_for():
    taken, client = Taken(), hpack.Encoder()
    pseudo = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    ask = frame(HEADERS, END_HEADERS, 1, client.encode(pseudo))
    taken.reader.feed(CLIENT, PREFACE + frame(SETTINGS, 0, 0) + ask, 1, 1)
    assert taken.all == [(CLIENT, 1, ["CONNECT / HTTP/2", ":protocol: websocket", ":authority: a", ""])]
