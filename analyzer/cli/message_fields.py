"""Prints the decoded fields of a message, from its JSON form, as indented text."""

from collections.abc import Iterator
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import wrap
from analyzer.text.escape import harmless
from analyzer.text.language import say
from analyzer.text.punctuation import listing

MAX_HEX = 128
"""The most hex digits that are shown of a value; JSON has them all."""

_STEP = 2


def print_fields(output: Output, fields: dict[str, Any], indent: int) -> None:
    """Print fields by name, with structures and lists below their names."""
    for depth, name, value in _lines(fields, 0):
        start = " " * (indent + depth * _STEP)
        label = f"{name}: " if value else name
        # A value that needs several lines is printed below its name, where there is more room.
        room = max(24, output.width - len(start) - len(label))
        lines = wrap(value, room)
        if len(lines) > 1:
            output.line(start + output.paint(label.rstrip(), "dim"))
            start += " " * _STEP
            label = ""
            lines = wrap(value, max(24, output.width - len(start)))
        for line in lines:
            output.line(start + (output.paint(label, "dim") if value else label) + line)


def _lines(value: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    """Yield depth, name and text of every line. The text is empty if further lines follow."""
    if isinstance(value, dict):
        if set(value) == {"type", "body"}:
            yield from _extension(value, depth)
            return
        for name, part in value.items():
            yield from _named(harmless(name), part, depth)


def _extension(value: dict[str, Any], depth: int) -> Iterator[tuple[int, str, str]]:
    name, body = harmless(str(value["type"])), value["body"]
    if isinstance(body, dict) and len(body) == 1 and not isinstance(next(iter(body.values())), dict):
        (inner, part) = next(iter(body.items()))
        if not isinstance(part, list) or not any(isinstance(one, dict) for one in part):
            yield from _named(f"{name}.{harmless(inner)}", part, depth)
            return
    yield from _named(name, body, depth)


def _named(name: str, part: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    if isinstance(part, dict):
        yield depth, name, "" if part else say("(empty)")
        yield from _lines(part, depth + 1)
    elif isinstance(part, list) and any(isinstance(one, dict) for one in part):
        yield depth, name, ""
        for number, one in enumerate(part):
            if isinstance(one, dict) and set(one) == {"type", "body"}:
                yield from _extension(one, depth + 1)
            else:
                yield from _named(f"[{number}]", one, depth + 1)
    elif isinstance(part, list):
        yield depth, name, listing(map(_text, part)) or say("(none)")
    else:
        yield depth, name, _text(part)


def _text(value: Any) -> str:
    if value is None:
        return say("(not there)")
    if value == "":
        return say("(empty)")
    text = harmless(str(value))
    if len(text) > MAX_HEX and not text.strip("0123456789abcdef"):
        return say("{hex}… ({n:,} bytes)", hex=text[:MAX_HEX], n=len(text) // 2)
    return text
