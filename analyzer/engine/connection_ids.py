"""Finds the session of a record of DTLS by the connection ID in it (RFC 9146 section 4, RFC 9147 section 4).

No header says how long its connection ID is. So the longest ID that is known and that stands where one can stand is meant.
"""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from analyzer.tls.dtls.hello_ids import place_of_id

MAX_IDS = 1 << 16
"""Connection IDs of a run that are known on other flows than their own."""

LONGEST_ID = 32
"""Bytes of the longest connection ID that is looked up; they can have 255, and have eight or so."""

Owner = TypeVar("Owner", bound=tuple[Any, ...])
"""To whom an ID belongs: the session, and what else is known of it."""


class KnownIds(Generic[Owner]):
    """To whom connection IDs belong, at most MAX_IDS of them. Of two owners of one ID the later one is meant.

    server: address and port of the server for which an ID is known, empty where it is known everywhere.
    """

    __slots__ = ("_owners",)

    def __init__(self) -> None:
        self._owners: dict[tuple[bytes, bytes], Owner] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, known: bytes, owner: Owner, server: bytes = b"") -> None:
        """Note an ID that is not empty."""
        if (server, known) in self._owners or len(self._owners) < MAX_IDS:
            self._owners[server, known] = owner

    def has(self, known: bytes, server: bytes = b"") -> bool:
        """Return whether an ID is known."""
        return (server, known) in self._owners

    def forget(self, ids: Iterable[bytes], session: object, server: bytes = b"") -> None:
        """Forget IDs, which need not be known, where the owner is this session."""
        for known in ids:
            if session in self._owners.get((server, known), ()):
                del self._owners[server, known]

    def find(self, data: bytes, start: int, end: int, server: bytes = b"") -> Owner | None:
        """Return the owner of the connection ID of the record at `start`; None if it has none that is known."""
        if not self._owners:
            return None
        at = place_of_id(data[start])
        if at == 0:
            return None
        at += start
        for length in range(min(LONGEST_ID, end - at), 0, -1):
            found = self._owners.get((server, data[at : at + length]))
            if found is not None:
                return found
        return None
