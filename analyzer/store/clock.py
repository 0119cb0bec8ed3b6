"""Writes times of a capture as text: RFC 3339 in UTC, with nine digits of a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython

REMEMBERED_SECONDS = 64
"""The most seconds whose text is kept. The sessions that end together began in few of them."""


class Clock:
    """Writes times. It keeps the last text, and the text of its seconds, because close times come one after the other.

    quote: what is written on both sides of a time. unknown: what is returned if the capture has no time.
    """

    __slots__ = ("at", "prefix", "quote", "second", "seconds", "text", "unknown")

    def __init__(self, quote: str = "", unknown: str | None = None) -> None:
        self.quote = quote
        self.unknown = unknown
        self.at = -1
        self.text: str | None = unknown
        self.second = -1
        self.prefix = ""
        self.seconds: dict[int, str] = {}

    def write(self, at: cython.longlong) -> str | None:
        """Return a time in nanoseconds since 1970 as text; `unknown` if it is below 0."""
        if at == self.at:
            return self.text
        if at < 0:
            return self.unknown
        second: cython.longlong = at // 1_000_000_000
        if second != self.second:
            self.prefix = self.begin(second)
            self.second = second
        rest: cython.longlong = at - second * 1_000_000_000
        self.at = at
        self.text = f"{self.prefix}{rest:09d}Z{self.quote}"
        return self.text

    def begin(self, second: cython.longlong) -> str:
        """Return the text of a second."""
        prefix: str | None = self.seconds.get(second)
        if prefix is None:
            if len(self.seconds) >= REMEMBERED_SECONDS:
                self.seconds.clear()
            prefix = self.quote + time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self.seconds[second] = prefix
        return prefix


CLOCK: Clock = Clock()


def rfc3339(at: cython.longlong) -> str | None:
    """Return a time in nanoseconds since 1970 as RFC 3339 text in UTC; None if the capture has no time."""
    return CLOCK.write(at)
