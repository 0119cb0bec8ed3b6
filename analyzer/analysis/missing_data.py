"""Collects which parts of a session's application data are missing, and why: gaps in the capture, records that did not decrypt.

`DataMissing` says only that something is missing. The sizes come from other places: gaps are events, and count encrypted bytes;
the number of records that did not decrypt is in the events of the data. This module combines them.
"""

from dataclasses import dataclass

from analyzer.secrets.decryption_error import MISSING_SEGMENT
from analyzer.tls.events import DataBegan, DataMissing, Gap


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing in the data of one role.

    role: 0 client, 1 server; None if the role is not known. n_bytes: missing bytes of the encrypted stream; None if missing
    bytes are not the cause, or if their number is not known. records: how many records did not decrypt, including those that
    the missing bytes truncated. reason: the cause, as in the session record's `decryption`; None if the stream left the
    protocol.
    """

    role: int | None
    n_bytes: int | None
    records: int
    reason: str | None


class MissingData:
    """Collects the missing parts of a session's application data, including what was lost before the data began."""

    __slots__ = ("_failed", "_has_news", "_left_protocol", "_missing", "_n_failed", "_n_truncated", "_new_gaps")

    def __init__(self) -> None:
        self._n_failed = 0
        self._new_gaps = [0, 0]
        self._missing = [0, 0]
        self._n_truncated = [0, 0]
        self._left_protocol = [False, False]
        self._failed: dict[tuple[int | None, str], int] = {}
        self._has_news = False

    def gap(self, event: Gap) -> None:
        """Add a gap in a role's stream."""
        self._new_gaps[event.role] += event.length

    def begin(self, event: DataBegan) -> None:
        """Handle the begin of the data."""
        self._n_failed = event.failed
        if event.failed:
            self._failed[None, event.reason or MISSING_SEGMENT] = event.failed
        for role in (0, 1):
            self._missing[role] = self._take_gaps(role)
        self._has_news = bool(self._failed) or self._missing != [0, 0]

    def miss(self, event: DataMissing) -> None:
        """Handle missing data of a role."""
        role, reason = event.role, event.reason
        self._has_news = True
        failed = event.failed - self._n_failed
        self._n_failed = event.failed
        self._missing[role] += self._take_gaps(role) + max(event.length, 0)
        if failed and reason == MISSING_SEGMENT and self._missing[role]:
            self._n_truncated[role] += failed
        elif failed:
            key = role, reason or MISSING_SEGMENT
            self._failed[key] = self._failed.get(key, 0) + failed
        elif not self._missing[role]:
            self._left_protocol[role] = True

    def take(self) -> list[Missing]:
        """Return what was lost since the last call."""
        if not self._has_news:
            return []
        self._has_news = False
        missing = [Missing(role, None, n, reason) for (role, reason), n in self._failed.items()]
        self._failed.clear()
        for role in (0, 1):
            if self._missing[role]:
                missing.append(Missing(role, self._missing[role], self._n_truncated[role], MISSING_SEGMENT))
            elif self._left_protocol[role] and not missing:
                missing.append(Missing(role, None, 0, None))
            self._missing[role] = self._n_truncated[role] = 0
            self._left_protocol[role] = False
        return missing

    def _take_gaps(self, role: int) -> int:
        """Return the number of bytes in a role's gaps since the last call."""
        n_bytes, self._new_gaps[role] = self._new_gaps[role], 0
        return n_bytes
