"""The log of what was done for a bundle: lines of JSON in which every line has the hash of the one before it.

Who changes, removes or moves one line has to change all lines after it, and the manifest, which has the hash of the last one.
So one signature over the manifest vouches for the whole log. There is no clock in it: the same work gives the same log.

A line is canonical JSON: keys in the order of their names, no spaces, ASCII only. The hash of a line is SHA-256 of its bytes
without the line end. The first line has null instead of the hash of the one before.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAME = "actions.jsonl"

LONGEST_LINE = 1 << 20
"""Bytes of a line that are read, at most."""

_KEYS = ("action", "arguments", "number", "previous", "sha256")


@dataclass(frozen=True, slots=True)
class Action:
    """One action. arguments: JSON values. sha256: of what it concerns, such as the file that was read; None for nothing."""

    action: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sha256: str | None = None


@dataclass(slots=True)
class ActionLog:
    """Collects actions in their order. head: the hash of the last line, None for an empty log."""

    head: str | None = None
    lines: list[bytes] = field(default_factory=list)

    def add(self, action: Action) -> None:
        """Add an action to the chain."""
        entry = {
            "number": len(self.lines) + 1,
            "action": action.action,
            "arguments": action.arguments,
            "sha256": action.sha256,
            "previous": self.head,
        }
        line = canonical(entry)
        self.head = hashlib.sha256(line).hexdigest()
        self.lines.append(line)

    def content(self) -> bytes:
        """Return the bytes of the file."""
        return b"".join(line + b"\n" for line in self.lines)


class ChainError(Exception):
    """The log is not as it was written. The text says where and why; it has nothing of the log itself."""


def canonical(value: Any) -> bytes:
    """Return a JSON value in its canonical form. Raises ValueError for numbers that JSON does not have."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def read_chain(content: bytes) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """Read a log that may be hostile, and return its entries and the hash of its last line. Raises ChainError."""
    if content and not content.endswith(b"\n"):
        raise ChainError("the last line is cut short")
    entries = []
    head: str | None = None
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        entry = _entry(line, number)
        if entry["number"] != number:
            raise ChainError(f"line {number} has another number")
        if entry["previous"] != head:
            raise ChainError(f"line {number} does not have the hash of the line before it")
        head = hashlib.sha256(line).hexdigest()
        entries.append(entry)
    return entries, head


def _entry(line: bytes, number: int) -> Mapping[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ChainError(f"line {number} is longer than {LONGEST_LINE:,} bytes")
    try:
        entry = json.loads(line)
        same = isinstance(entry, dict) and canonical(entry) == line
    except (ValueError, RecursionError) as error:
        raise ChainError(f"line {number} is no JSON") from error
    if not same or tuple(sorted(entry)) != _KEYS:
        raise ChainError(f"line {number} is not in the form of this log")
    if not isinstance(entry["action"], str) or not isinstance(entry["arguments"], dict):
        raise ChainError(f"line {number} is not in the form of this log")
    return dict(entry)
