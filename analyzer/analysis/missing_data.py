"""What of a session's application data does not come out, and why: holes in the capture, records that did not open.

`DataMissing` tells only that something is missing. The sizes come otherwise: of holes as gaps, which count bytes as
encrypted, of records that did not open in the numbers that the events carry. They are put together here.
"""

from dataclasses import dataclass

from analyzer.secrets.decryption_error import MISSING_SEGMENT
from analyzer.tls.events import DataBegan, DataMissing, Gap


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing in what one role sent.

    role: 0 client, 1 server; None where it is not known which. n_bytes: of the encrypted stream that the capture lacks; None
    if that is not the cause, or nobody knows how many. records: that did not open, those cut by the missing bytes among them.
    reason: why, as in the session record's `decryption`; None where the stream left the protocol.
    """

    role: int | None
    n_bytes: int | None
    records: int
    reason: str | None


class MissingData:
    """Collects what is missing in the application data of a session; what was lost before its data began counts too."""

    __slots__ = ("_cut", "_failed", "_missing", "_n_failed", "_new_gaps", "_news", "_strayed")

    def __init__(self) -> None:
        self._n_failed = 0
        self._new_gaps = [0, 0]
        self._missing = [0, 0]
        self._cut = [0, 0]
        self._strayed = [False, False]
        self._failed: dict[tuple[int | None, str], int] = {}
        self._news = False

    def gap(self, event: Gap) -> None:
        """Take a gap in a role's stream."""
        self._new_gaps[event.role] += event.length

    def begin(self, event: DataBegan) -> None:
        """Take that the data begins."""
        self._n_failed = event.failed
        if event.failed:
            self._failed[None, event.reason or MISSING_SEGMENT] = event.failed
        for role in (0, 1):
            self._missing[role] = self._take_gaps(role)
        self._news = bool(self._failed) or self._missing != [0, 0]

    def miss(self, event: DataMissing) -> None:
        """Take that data of a role is missing."""
        role, reason = event.role, event.reason
        self._news = True
        failed = event.failed - self._n_failed
        self._n_failed = event.failed
        self._missing[role] += self._take_gaps(role)
        if failed and reason == MISSING_SEGMENT and self._missing[role]:
            self._cut[role] += failed
        elif failed:
            key = role, reason or MISSING_SEGMENT
            self._failed[key] = self._failed.get(key, 0) + failed
        elif not self._missing[role]:
            self._strayed[role] = True

    def take(self) -> list[Missing]:
        """What was lost since the last call."""
        if not self._news:
            return []
        self._news = False
        missing = [Missing(role, None, n, reason) for (role, reason), n in self._failed.items()]
        self._failed.clear()
        for role in (0, 1):
            if self._missing[role]:
                missing.append(Missing(role, self._missing[role], self._cut[role], MISSING_SEGMENT))
            elif self._strayed[role] and not missing:
                missing.append(Missing(role, None, 0, None))
            self._missing[role] = self._cut[role] = 0
            self._strayed[role] = False
        return missing

    def _take_gaps(self, role: int) -> int:
        """Bytes of the gaps of a role that came since the last call."""
        n_bytes, self._new_gaps[role] = self._new_gaps[role], 0
        return n_bytes
