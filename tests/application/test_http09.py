from hashlib import sha256

import pytest
from http3_peers import CLIENT, SERVER, Piece, read_streams
from http_reading import codes, outline

from analyzer.application import http09
from analyzer.application.conversation import Conversation

SENT = [
    Piece(0, CLIENT, b"GET /fi"), Piece(0, CLIENT, b"le\r\n", True), Piece(4, CLIENT, b"GET /b\n", True),
    Piece(4, SERVER, b"second", True), Piece(0, SERVER, b"fi"), Piece(0, SERVER, b"rst"), Piece(0, SERVER, b"", True),
]  # fmt: skip


@pytest.mark.parametrize("alpn", ["hq-interop", "hq-29"])
def test_a_request_is_a_line_and_its_answer_a_file(alpn: str) -> None:
    read = read_streams(SENT, alpn)
    assert read.kind == "http/0.9"
    assert outline(read) == [("GET", "/file", None, 5, True), ("GET", "/b", None, 6, True)]
    first = read.exchanges[0]
    assert first.request is not None
    assert first.response is not None
    assert (first.request.version, first.request.headers, first.request.frame, first.stream) == ("0.9", [], 2, 0)
    assert (first.response.frame, first.response.body.sha256) == (5, sha256(b"first").hexdigest())
    assert codes(read) == []


def test_missing_bytes_leave_what_they_belong_to_unknown() -> None:
    read = read_streams([Piece(0, CLIENT, 4), *SENT[1:4], Piece(0, SERVER, 2), *SENT[5:]], "hq-interop")
    assert outline(read) == [(None, None, None, 3, False), ("GET", "/b", None, 6, True)]
    response = read.exchanges[0].response
    assert response is not None
    assert (response.frame, response.body.sha256) == (6, None)


def test_a_reset_is_named() -> None:
    read = Conversation("hq-interop")
    read.feed_stream(0, CLIENT, b"GET /\r\n", True, 1, 1)
    read.feed_stream(0, SERVER, b"half", False, 2, 2)
    read.reset_stream(0, SERVER, 0x10B, 3, 3)
    read.close(4)
    assert read.exchanges[0].reset == "H3_REQUEST_REJECTED"
    assert outline(read) == [("GET", "/", None, 4, False)]


def test_streams_and_lines_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http09, "STREAMS_MAX", 4)
    read = read_streams([Piece(4 * n, CLIENT, b"G") for n in range(10)], "hq-interop")
    assert codes(read) == ["too_many_streams"] * 6
    read = read_streams([Piece(0, CLIENT, b"GET /" + b"a" * 1000)] * 20, "hq-interop")
    request = read.exchanges[0].request
    assert request is not None
    assert len(request.path or "") < http09.LINE_MAX
