"""Which expressions are filters: what Wireshark refuses is refused, at its place."""

import random
from pathlib import Path

import pytest
from filters.filter_oracle import NEWER, Sharkd, newer_accepts, version
from filters.made_packets import TABLE, Made
from filters.test_compiled_filter import EVERYTHING, FALSE, TRUE, lines

from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError

_EARLY, _LATE = (
    [line for line in part.splitlines() if line and not line.startswith("#")]
    for part in (Path(__file__).parent / "refused.txt").read_text(encoding="utf-8").split("\n# accepted by 4.0\n")
)

_UNKNOWN = {"foo", "tcp.foo", "tcp.prt", "TCP", "tcp-port", "tcp.port-1", "a", "true", "5", "len", "ip.src", "eth0"}
"""The words of these expressions that are no field; all others are refused for another reason."""


@pytest.mark.parametrize("text", _EARLY + _LATE)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(FilterError) as error:
        compile_filter(text, field_table())
    if "neither a field" in error.value.message:
        assert error.value.message.split()[0] in _UNKNOWN
    assert 0 <= error.value.at <= len(text)


@pytest.mark.peer("tshark", "sharkd")
def test_wireshark_refuses_the_same():
    program = Sharkd()
    texts = _EARLY if version() < (4, 6) else _EARLY + _LATE
    assert [text for text in texts if program.accepts(text)] == []
    program.close()


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
def test_the_newer_wireshark_refuses_the_same(repository):
    assert [text for text in _EARLY + _LATE if newer_accepts(text, repository / "captures" / "demo.pcapng")] == []


def test_a_changed_filter_is_one_or_is_refused():
    """Whatever the change, the only error is FilterError, its place is in the text, and a filter never fails on a packet."""
    chance = random.Random(20)
    kept, packets = lines(TRUE) + lines(FALSE) + _EARLY, (Made(EVERYTHING), Made({}))
    for _ in range(8000):
        text = chance.choice(kept)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text) + 1)
            other = chance.choice(kept)
            start = chance.randrange(len(other))
            text = text[:at] + other[start : start + chance.randint(0, 8)] + text[at + chance.randint(0, 2) :]
        found = compiled_or_place(text)
        if isinstance(found, int):
            assert 0 <= found <= len(text)
        else:
            assert all(found.matches(packet) in (True, False) for packet in packets)


def compiled_or_place(text):
    """The filter that a text is, or the place of its mistake."""
    try:
        return compile_filter(text, TABLE)
    except FilterError as error:
        return error.at


@pytest.mark.parametrize(
    ("text", "marked", "suggestions"),
    [
        ("tcp and tcp.prt == 1", "tcp.prt", ("tcp.port",)),
        ("tcp.port == 80 and HTTP.host", "HTTP.host", ("http.host",)),
        ("tcp.port = 80", "=", ("==",)),
        ("data[0] == fc", "fc", (":fc",)),
        ("tcp.port == 80 AND tcp", "AND", ("and",)),
        ('tls.type == "Client Helo"', '"Client Helo"', ("Client Hello",)),
        ('tls.type == "erver Hello"', '"erver Hello"', ("Server Hello",)),
        ('tls.type == "Ser"', '"Ser"', ("Server Hello",)),
        ("tcp.port in {80, 70000}", "70000", ()),
        ("ip.src == 10.0.0.0/33", "33", ()),
        ("tcp.port == ip.src", "ip.src", ()),
        ('http.host == "a\\q"', "\\q", ()),
        ("Len(data) == 1", "Len", ("len",)),
        ("data[1:2,3-1] == 1", "3-1", ()),
        ("upper(http.host) == 5", "5", ()),
        ('http.host == "é" and tcp.foo', "tcp.foo", ()),
    ],
)
def test_the_error_has_the_place_and_what_may_be_meant(text, marked, suggestions):
    with pytest.raises(FilterError) as error:
        compile_filter(text, TABLE)
    assert text[error.value.at :][: error.value.length] == marked
    assert error.value.suggestions[: len(suggestions)] == suggestions


@pytest.mark.parametrize(
    "text",
    ["(" * 400 + "tcp" + ")" * 400, "!" * 400 + "tcp", "tcp.len == " + "-" * 400 + "1", "tcp.len == 1" + " + 1" * 400,
     "upper(" * 400 + "http.host" + ")" * 400, "http.host" + "[0]" * 400, "tcp or " * 60_000 + "tcp"],
)  # fmt: skip
def test_depth_and_length_are_bounded(text):
    with pytest.raises(FilterError, match=r"too deeply|characters"):
        compile_filter(text, TABLE)


@pytest.mark.parametrize(
    "text",
    ["tcp.len == " + "9" * 5000, "tcp.delta == 1e999999", "tcp.delta > 1e400", 'frame.time > "' + "1" * 5000 + '"',
     "frame.time > " + "1" * 5000, "tcp.delta > 0x1p99999", "tcp.len == 0x1p99999", "data[" + "1" * 5000 + "] == 1",
     "ip.src == 10.0.0.0/" + "1" * 5000, "data[" + " " * 5000 + "::] == 1"],
)  # fmt: skip
def test_numbers_without_end_are_refused(text):
    with pytest.raises(FilterError):
        compile_filter(text, TABLE)


def test_a_long_filter_is_compiled_in_time():
    assert compile_filter("tcp.port == 1" + " and tcp" * 5000, TABLE)
    assert compile_filter('http.host == "' + "\\x41" * 20_000 + '"', TABLE)


def test_long_lists_are_no_nesting():
    assert compile_filter(" or ".join(["tcp.port == 1"] * 1000), TABLE)
    assert compile_filter("tcp.port in {" + ", ".join(map(str, range(1000))) + "}", TABLE)
