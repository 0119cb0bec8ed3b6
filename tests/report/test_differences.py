"""Where two files differ: by key, by line, by byte, and not more places than people read."""

import pytest

from analyzer.report.differences import MOST, differences, value_differences


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("a.json", b'{"a": {"b": [1, 2]}}', b'{"a": {"b": [1, 3]}}', ["a.b[1]"]),
        ("a.json", b'{"a": 1}', b'{"b": 1}', ["a is missing now", "b is new"]),
        ("a.json", b'{"a": [1]}', b'{"a": [1, 2]}', ["a has 2 items, not 1"]),
        ("a.json", b'{"a": 1}', b'{"a": "1"}', ["a"]),
        ("a.json", b'{"a": 1}', b'{"a": true}', ["a"]),
        ("a.json", b"[]", b"{}", ["the whole"]),
        ("a.json", b'{"a": 1}', b'{"a":1}', ["from byte 5 on (8 bytes, now 7)"]),
        ("a.json", b'{"a": 1}', b"{", ["from byte 1 on (8 bytes, now 1)"]),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', b'{"a": 1}\n{"a": 3}\n', ["line 2: a"]),
        ("a.jsonl", b'{"a": 1}\n', b'{"a": 1}\n{"a": 3}\n', ["line 2", "1 lines, now 2"]),
        ("a.html", b"a\nb\nc\n", b"a\nB\nc\n", ["line 2"]),
        ("a.pdf", b"a" * 200_000 + b"b", b"a" * 200_000 + b"c", ["from byte 200,000 on (200,001 bytes, now 200,001)"]),
        ("a.pdf", b"ab", b"abc", ["from byte 2 on (2 bytes, now 3)"]),
        ("a.json", b"x", b"x", []),
    ],
)
def test_places(name: str, old: bytes, new: bytes, expected: list[str]):
    assert differences(name, old, new) == expected


def test_the_number_of_places_is_limited():
    found = value_differences(list(range(1000)), list(range(1, 1001)))
    assert (len(found), found[-1]) == (MOST + 1, "and further places")


def test_hostile_json_is_compared_as_bytes():
    assert differences("a.json", b"[" * 1_000_000, b"[]") == ["from byte 1 on (1,000,000 bytes, now 2)"]
    (place,) = differences("a.json", b'{"%s": 1}' % (b"k" * 10_000), b'{"%s": 2}' % (b"k" * 10_000))
    assert len(place) < 100
