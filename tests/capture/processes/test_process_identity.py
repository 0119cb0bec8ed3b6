"""The record of a process, and the texts in it that others choose."""

import pytest

from analyzer.capture.processes.process_identity import LONGEST_NAME, Process, text_of


def test_the_record_has_every_key():
    assert Process("curl", 7, "alice").record() == {"name": "curl", "pid": 7, "user": "alice", "container": None}
    assert set(Process().record().values()) == {None}


def test_ancestors_are_no_part_of_what_a_process_is():
    assert Process("curl", 7, ancestors=(1, 2)) == Process("curl", 7)
    assert "ancestors" not in Process("curl", 7, ancestors=(1, 2)).record()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b"curl\n", "curl"),
        (b"name\0\0", "name"),
        (b"", None),
        (b"\n", None),
        (b"a\xffb", "a\\xffb"),
        ("日本".encode(), "日本"),
        (b"x" * 1000, "x" * LONGEST_NAME),
    ],
)
def test_a_name_from_outside(value: bytes, wanted: str | None):
    assert text_of(value) == wanted
