"""The bytes of a source of secrets as UTF-8, in any pieces; and what a source is instead of a key log."""

import gzip
import random

import pytest

from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.keylog_source import KeyLogSource, fault_of

TEXT = f"# words\nECH_SECRET {'00' * 32} {'11' * 32}\n"


def read(data: bytes, size: int) -> tuple[bytes, KeyLogSource]:
    source = KeyLogSource()
    text = b"".join(source.read(data[pos : pos + size]) for pos in range(0, len(data), size))
    return text + source.end(), source


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("encoding", "mark", "converted"),
    [
        ("utf-8", b"", False),
        ("utf-8", b"\xef\xbb\xbf", False),
        ("utf-16-le", b"\xff\xfe", True),
        ("utf-16-be", b"\xfe\xff", True),
        ("utf-16-le", b"", True),
        ("utf-16-be", b"", True),
    ],
)
def test_every_encoding_in_any_pieces(encoding: str, mark: bytes, converted: bool, size: int):
    text, source = read(mark + TEXT.encode(encoding), size)
    assert text == (b"" if converted else mark) + TEXT.encode()
    assert source.converted == converted


def test_a_source_may_go_on_in_another_encoding():
    source = KeyLogSource()
    assert source.read(TEXT.encode("utf-16-le")) == TEXT.encode()
    assert source.end() == b""
    assert source.read(TEXT.encode()) == TEXT.encode()


def test_half_a_character_at_the_end_is_no_error():
    assert read("é".encode("utf-16") + b"\0\xd8", 1)[0] == "é".encode()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b"\n\n# words\n", "has no secret, only comments or empty lines"),
        (b"a\n\nb\r\n# c\nd", "has no line that can be read (3 of 3 lines bad)"),
        (f"NEW_LABEL {'00' * 32} {'11' * 32}\n".encode(), "has only labels that are not known (1 lines)"),
        (f"NEW_LABEL {'00' * 32} {'11' * 32}\nx\n".encode(), "has no line that can be read (1 of 2 lines bad)"),
        (
            b"Wireshark SSL debug log \r\n\r\nx\r\n",
            "has no line that can be read (2 of 2 lines bad): it is a debug log of Wireshark",
        ),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "has no line that can be read (2 of 2 lines bad): it is a PEM file"),
        (TEXT.encode(), ""),
    ],
)
def test_what_is_wrong_with_a_whole_key_log(data: bytes, fault: str):
    log = KeyLog()
    log.feed(data, "x")
    log.close("x")
    assert log.fault() == fault
    assert log.faults() == ({"x": fault} if fault else {})


def test_a_compressed_key_log_is_named():
    log = KeyLog()
    log.feed(gzip.compress(TEXT.encode()), "x")
    log.close("x")
    assert log.fault().endswith("it is a file compressed with gzip")


def test_of_two_sources_only_the_bad_one_has_a_fault():
    log = KeyLog()
    log.feed(TEXT.encode(), "good")
    log.feed(b"bad\n", "bad")
    assert log.fault() == ""
    assert log.faults() == {"bad": "has no line that can be read (1 of 1 lines bad)"}
    assert fault_of([]) == "is empty"


def test_rubbish_is_read_with_bounded_memory():
    rubbish = random.Random(7).randbytes(1 << 20)
    log = KeyLog()
    log.feed(rubbish, "x")
    log.close("x")
    assert log.n_kept == 0
    assert len(log.problems) <= 1000
    assert "lines bad" in log.fault()
