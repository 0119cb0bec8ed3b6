"""The chained log: what one line has of the line before, and that every change of it is noticed."""

import hashlib
import json

import pytest

from analyzer.report.action_log import Action, ActionLog, ChainError, canonical, read_chain


def log() -> ActionLog:
    made = ActionLog()
    made.add(Action("begin", {"tool": "x"}))
    made.add(Action("read", {"path": "a\u202e.pcap"}, "ab" * 32))
    made.add(Action("close"))
    return made


def test_each_line_has_the_hash_of_the_line_before():
    made = log()
    lines = made.content().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert [entry["previous"] for entry in entries] == [None, *(hashlib.sha256(line).hexdigest() for line in lines[:2])]
    assert made.head == hashlib.sha256(lines[2]).hexdigest()
    assert all(canonical(entry) == line for entry, line in zip(entries, lines, strict=True))
    assert read_chain(made.content()) == (entries, made.head)
    assert made.content().isascii()


def test_an_empty_log_has_no_head():
    assert read_chain(b"") == ([], None)


def test_every_flipped_bit_breaks_the_chain_or_its_head():
    made = log()
    content = made.content()
    for at in range(len(content)):
        for bit in (0, 5, 7):
            changed = bytearray(content)
            changed[at] ^= 1 << bit
            try:
                head = read_chain(bytes(changed))[1]
            except ChainError:
                continue
            assert head != made.head, (at, bit)


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2, 1], [0, 2], [1, 2], [0, 0, 1, 2]])
def test_lines_that_are_moved_removed_or_repeated_break_the_chain(order: list[int]):
    lines = log().content().splitlines(keepends=True)
    with pytest.raises(ChainError):
        read_chain(b"".join(lines[number] for number in order))


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b"{}",
        b"[]",
        b'{"action":1,"arguments":{},"number":1,"previous":null,"sha256":null}',
        b'{"action":"a","arguments":[],"number":1,"previous":null,"sha256":null}',
        b'{"action":"a","arguments":{},"number":NaN,"previous":null,"sha256":null}',
        b'{"action":"a","action":"a","arguments":{},"number":1,"previous":null,"sha256":null}',
        b'{"number":1,"action":"a","arguments":{},"previous":null,"sha256":null}',
        b'{"action":"' + b"a" * (1 << 20) + b'","arguments":{},"number":1,"previous":null,"sha256":null}',
        b"\xff",
        b"",
        b"9" * 5000,
    ],
    ids=lambda line: f"{line[:12]!r}",
)
def test_a_hostile_line_is_an_error(line: bytes):
    with pytest.raises(ChainError):
        read_chain(line + b"\n")


def test_a_last_line_without_its_end_is_an_error():
    with pytest.raises(ChainError, match="cut short"):
        read_chain(log().content()[:-1])
