import pytest

from analyzer.application.header_fields import (
    FIELDS_MAX,
    Framing,
    Problems,
    RequestLine,
    content_codings,
    index,
    read_fields,
    read_framing,
    read_request_line,
    read_status_line,
    read_text,
    shown,
    values,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET / HTTP/1.1", RequestLine("GET", None, None, "/", "1.1")),
        ("GET  /a?b#c  HTTP/1.0 ", RequestLine("GET", None, None, "/a?b#c", "1.0")),
        ("PROPFIND HTTPS://h:1?q HTTP/1.1", RequestLine("PROPFIND", "https", "h:1", "?q", "1.1")),
        ("GET http://h HTTP/1.1", RequestLine("GET", "http", "h", "/", "1.1")),
        ("OPTIONS http://h HTTP/1.1", RequestLine("OPTIONS", "http", "h", "*", "1.1")),
        ("CONNECT h:443 HTTP/1.1", RequestLine("CONNECT", None, "h:443", None, "1.1")),
        ("GET / HTTP/2.0", None),
        ("GET /", None),
        ("GET HTTP/1.1", None),
        (" GET / HTTP/1.1", None),
        ("GE(T / HTTP/1.1", None),
        ("", None),
    ],
)
def test_request_lines(line: str, expected: RequestLine | None) -> None:
    assert read_request_line(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("HTTP/1.1 200 OK", (200, "1.1")),
        ("HTTP/1.0 404", (404, "1.0")),
        ("HTTP/1.1 299 \xff\xfe", (299, "1.1")),
        ("HTTP/1.1 20 OK", None),
        ("HTTP/1.1 2000", None),
        ("HTTP/2 200", None),
        ("ICY 200 OK", None),
    ],
)
def test_status_lines(line: str, expected: tuple[int, str] | None) -> None:
    assert read_status_line(line) == expected


def test_hostile_lines_take_no_time() -> None:
    for line in ("A" * 200_000, "GET " + " " * 200_000, "GET " + "a " * 100_000, "GET a" + " HTTP/1." * 30_000):
        assert read_request_line(line) is None


def test_fields_keep_their_order_and_spelling() -> None:
    problems: Problems = []
    fields = read_fields("B: 2\r\na:1\r\nEmpty:\r\nB:\t3 \r", problems)
    assert fields == [("B", "2"), ("a", "1"), ("Empty", ""), ("B", "3")]
    assert index(fields) == {"b": ["2", "3"], "a": ["1"], "empty": [""]}
    assert values(index(fields), "b") == ["2", "3"]
    assert values(index([("X", "a, ,b"), ("x", "c")]), "x") == ["a", "b", "c"]
    assert problems == []


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("A: 1\n folded", "obsolete_line_folding"),
        (" first: 1", "malformed_field_line"),
        ("A : 1", "malformed_field_line"),
        ("A", "malformed_field_line"),
        (": 1", "malformed_field_line"),
        ("A: \0", "control_character"),
        ("A: 1\rB: 2", "control_character"),
        ("A: 1\n" * (FIELDS_MAX + 1), "too_many_fields"),
    ],
)
def test_errors_in_fields_are_reported(block: str, code: str) -> None:
    problems: Problems = []
    assert len(read_fields(block, problems)) <= FIELDS_MAX
    assert [found for found, _ in problems] == [code]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], Framing(False, None, [])),
        ([("Content-Length", "12")], Framing(False, 12, [])),
        ([("Content-Length", "12, 12")], Framing(False, 12, [])),
        ([("Content-Length", "")], Framing(False, None, [], sure=False)),
        ([("Content-Length", "-1")], Framing(False, None, [], sure=False)),
        ([("Content-Length", "\uff11")], Framing(False, None, [], sure=False)),
        ([("Transfer-Encoding", "Chunked")], Framing(True, None, [])),
        ([("Transfer-Encoding", "gzip"), ("transfer-encoding", "chunked")], Framing(True, None, ["gzip"])),
        ([("Transfer-Encoding", "gzip")], Framing(False, None, ["gzip"])),
        ([("Transfer-Encoding", "identity"), ("Content-Length", "3")], Framing(False, 3, [])),
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "x")], Framing(True, None, [])),
    ],
)
def test_where_a_body_ends(fields: list[tuple[str, str]], expected: Framing) -> None:
    assert read_framing(index(fields), []) == expected


def test_content_codings() -> None:
    fields = index([("Content-Encoding", "GZIP, identity"), ("content-encoding", "br")])
    assert content_codings(fields) == ["gzip", "br"]
    assert content_codings(fields, 206) == []


def test_text_is_utf_8_or_latin_1_and_is_shown_harmless() -> None:
    assert (read_text("ü".encode()), read_text(b"\xfc")) == ("ü", "ü")
    assert shown("\x1b[31m‮" + "x" * 100).isascii() is False  # only the ellipsis at the end
    assert shown("\x1b[31m‮") == r"'\x1b[31m\u202e'"
