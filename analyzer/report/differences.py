"""Says where two files differ: JSON by the path of a key, lines of JSON by line and key, text by line, others by byte.

One of the files may be hostile, so how much is read and named is limited. Values are not shown, only where they stand.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

LARGEST = 1 << 27
"""Bytes of a file that is looked into, at most. Of a larger one, only the first byte that differs is named."""

MOST = 20
"""Places that are named, at most."""

_LONGEST_KEY = 60
_LINES = (".jsonl", ".ndjson")
_JSON = (".json", ".jsonld")
_TEXT = (".csv", ".html", ".md", ".txt", ".xml")


def differences(name: str, old: bytes, new: bytes) -> list[str]:
    """Return the places where two files differ, at most MOST and one that says that there are more; none for equal files."""
    if old == new:
        return []
    found = list(islice(_places(name, old, new), MOST + 1))
    if not found:  # the same values in another form
        found = [_byte(old, new)]
    return [*found[:MOST], "and further places"] if len(found) > MOST else found


def value_differences(old: Any, new: Any) -> list[str]:
    """Return the key paths at which two JSON values differ, at most MOST and one that says that there are more."""
    found = list(islice(_paths("", old, new), MOST + 1))
    return [*found[:MOST], "and further places"] if len(found) > MOST else found


def _places(name: str, old: bytes, new: bytes) -> Iterator[str]:
    if max(len(old), len(new)) > LARGEST:
        yield _byte(old, new)
        return
    try:
        if name.endswith(_JSON):
            yield from _paths("", json.loads(old), json.loads(new))
            return
        if name.endswith(_LINES):
            yield from _lines(old, new, as_json=True)
            return
    except (ValueError, RecursionError):  # no JSON, which was to be compared as such
        yield _byte(old, new)
        return
    if name.endswith(_TEXT):
        yield from _lines(old, new, as_json=False)
    else:
        yield _byte(old, new)


def _lines(old: bytes, new: bytes, as_json: bool) -> Iterator[str]:
    before, after = old.split(b"\n"), new.split(b"\n")
    for number, (first, second) in enumerate(zip(before, after, strict=False), 1):
        if first == second:
            continue
        if as_json and first and second:
            for path in _paths("", json.loads(first), json.loads(second)):
                yield f"line {number}: {path}"
        else:
            yield f"line {number}"
    if len(before) != len(after):
        yield f"{len(before) - 1} lines, now {len(after) - 1}"


def _paths(path: str, old: Any, new: Any) -> Iterator[str]:
    if type(old) is not type(new):
        yield path or "the whole"
    elif isinstance(old, dict):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key[:_LONGEST_KEY]}".lstrip(".")
            if key not in new:
                yield f"{inner} is missing now"
            elif key not in old:
                yield f"{inner} is new"
            else:
                yield from _paths(inner, old[key], new[key])
    elif isinstance(old, list):
        for number, (first, second) in enumerate(zip(old, new, strict=False)):
            yield from _paths(f"{path}[{number}]", first, second)
        if len(old) != len(new):
            yield f"{path or 'the whole'} has {len(new)} items, not {len(old)}"
    elif old != new:
        yield path or "the whole"


def _byte(old: bytes, new: bytes) -> str:
    n_same = 0
    step = 1 << 16
    while n_same < min(len(old), len(new)) and old[n_same : n_same + step] == new[n_same : n_same + step]:
        n_same += step
    while n_same < min(len(old), len(new)) and old[n_same] == new[n_same]:
        n_same += 1
    return f"from byte {min(n_same, len(old), len(new)):,} on ({len(old):,} bytes, now {len(new):,})"
