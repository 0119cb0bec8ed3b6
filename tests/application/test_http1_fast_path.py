import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.application.header_fields import (
    FIELDS_MAX,
    index,
    read_fields,
    read_framing,
    read_request_line,
    read_status_line,
    read_text,
)
from analyzer.application.http1_fast_path import plain_request_line, read_plain_request, read_plain_response

GET = b"GET /a?b HTTP/1.1\r\nHost: h\r\nX-Empty:\r\ncontent-LENGTH:  12 \r\n\r\nrest"
OK = b"HTTP/1.1 200 Very well\r\nA: b c\r\n\r\nrest"


def test_an_ordinary_request() -> None:
    head = read_plain_request(GET, len(GET))
    assert head is not None
    assert (head.method, head.path, head.version) == ("GET", "/a?b", "1.1")
    assert head.fields == [("Host", "h"), ("X-Empty", ""), ("content-LENGTH", "12")]
    assert (head.host, head.n_hosts, head.length) == ("h", 1, 12)
    assert GET[head.end :] == b"rest"
    assert head.n_bytes == len("Host: h\r\nX-Empty:\r\ncontent-LENGTH:  12 \r")
    assert GET[: plain_request_line(GET, len(GET))] == b"GET /a?b HTTP/1.1\r\n"


def test_an_ordinary_response() -> None:
    head = read_plain_response(OK, len(OK))
    assert head is not None
    assert (head.status, head.version, head.fields, head.length) == (200, "1.1", [("A", "b c")], -1)
    assert OK[head.end :] == b"rest"
    bare = read_plain_response(b"HTTP/1.0 204\r\n\r\n", 16)
    assert bare is not None
    assert (bare.status, bare.version, bare.fields, bare.n_bytes, bare.end) == (204, "1.0", [], 0, 16)


@pytest.mark.parametrize("whole", [GET, OK])
def test_an_incomplete_header_section_is_none(whole: bytes) -> None:
    read = read_plain_request if whole is GET else read_plain_response
    n_head = whole.index(b"\r\n\r\n") + 4
    for n in range(n_head):
        assert read(whole[:n], n) is None
        assert read(whole, n) is None
    assert read(whole, n_head) is not None


@pytest.mark.parametrize(
    "line",
    [b"CONNECT h:1 HTTP/1.1", b"CONNECT / HTTP/1.1", b"GET  / HTTP/1.1", b"GET http://h/ HTTP/1.1", b"GET / HTTP/1.0",
     b"GET /\xfc HTTP/1.1", b" GET / HTTP/1.1", b"G(T / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /"],
)  # fmt: skip
def test_other_request_lines_are_left(line: bytes) -> None:
    assert read_plain_request(line + b"\r\nHost: h\r\n\r\n", len(line) + 13) is None


@pytest.mark.parametrize(
    "fields",
    [b"A: b\n", b" A: b\r\n", b"A : b\r\n", b"A\r\n", b": b\r\n", b"A: \tb\r\n", b"A: \xfc\r\n", b"A: b\rB: c\r\n",
     b"A: \0\r\n", b"Upgrade: x\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
     b"Content-Length: 1\r\ncontent-length: 1\r\n",
     b"Content-Length: 1, 1\r\n", b"Content-Length: -1\r\n", b"Content-Length: " + b"9" * 19 + b"\r\n", b"Content-Length:\r\n",
     b"A: b\r\n" * (FIELDS_MAX + 1)],
)  # fmt: skip
def test_other_fields_are_left(fields: bytes) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n"
    assert read_plain_response(data, len(data)) is None


PIECES = [
    b"GET",
    b"HTTP/1.1",
    b" ",
    b"/",
    b"200",
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"Host",
    b":",
    b"Content-Length",
    b": ",
    b"7",
    b"x",
    b"\t",
    b"\xfc",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
def test_what_is_read_is_what_the_grammar_reads(pieces: list[bytes], of_client: bool) -> None:
    data = (b"GET /x HTTP/1.1\r\n" if of_client else b"HTTP/1.1 200 ") + b"".join(pieces)
    head = (read_plain_request if of_client else read_plain_response)(data, len(data))
    if head is None:
        return
    block, _, _ = data[: head.end].partition(b"\n\r\n")
    line, _, rest = read_text(block).partition("\n")
    problems: list[tuple[str, str]] = []
    fields = read_fields(rest, problems)
    framing = read_framing(index(fields), problems)
    assert (head.fields, head.n_bytes, problems) == (fields, len(rest), [])
    assert (False, None if head.length < 0 else head.length, [], True) == framing
    if of_client:
        request = read_request_line(line.rstrip("\r"))
        assert request is not None
        assert (head.method, None, None, head.path, head.version) == request
        assert [head.host] * head.n_hosts == index(fields).get("host", [])[:1] * head.n_hosts
    else:
        assert (head.status, head.version) == read_status_line(line.rstrip("\r"))
