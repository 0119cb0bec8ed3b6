"""Remembers which session had a value first, with a limit.

Values are bytes that peers choose, so they are compared whole, or by a cryptographic hash. There are two generations: when the
younger one is full, the older one is dropped, and `forgotten` says that older values are not known any more.
"""

from typing import Any

MAX_VALUES = 1 << 15
"""Values of one generation; two are kept, with about 250 bytes each. A session has about five of them."""


class SeenValues:
    """The first place of each value. forgotten: whether values were dropped. most: values of one generation."""

    __slots__ = ("forgotten", "most", "older", "younger")

    def __init__(self) -> None:
        self.most = MAX_VALUES
        self.younger: dict[bytes, Any] = {}
        self.older: dict[bytes, Any] = {}
        self.forgotten = False

    def first(self, value: bytes, place: Any) -> Any:
        """Return the first place of a value, if it was seen before; else None, and keep this place."""
        found: Any = self.younger.setdefault(value, place)
        if found is not place:
            return found
        if len(self.older) > 0:
            found = self.older.get(value)
            if found is not None:
                self.younger[value] = found  # it lives on
                return found
        if len(self.younger) > self.most:
            self.forgotten = self.forgotten or len(self.older) > 0
            self.older = self.younger
            self.younger = {}
        return None
