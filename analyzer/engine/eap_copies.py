"""Remembers the packets of an EAP conversation, so that they are known when they come again, also behind its end."""

from collections import deque
from typing import Any, Final

REMEMBERED: Final = 64
"""Packets that are remembered, the latest. Between one and its copy are some ten."""


class EapCopies:
    """The latest packets of a conversation, and those of the one before it on the same port, as numbers for their bytes.

    strange: a packet with its frame and time that can be of another conversation, until the next one tells; None without one.
    """

    __slots__ = ("_earlier", "_recent", "strange")

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=REMEMBERED)
        self._earlier: frozenset[int] = frozenset()
        self.strange: Any = None

    def begin(self) -> None:
        """Note that another conversation begins, which can have the same packets again."""
        self._earlier = frozenset(self._recent)
        self._recent.clear()

    def knows(self, mark: int) -> bool:
        """Return whether the conversation has had that packet."""
        return mark in self._recent

    def was_earlier(self, mark: int) -> bool:
        """Return whether the conversation before had that packet."""
        return mark in self._earlier

    def keep(self, mark: int) -> None:
        """Remember a packet."""
        self._recent.append(mark)
