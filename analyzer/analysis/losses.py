"""What of a session's application data does not come out, and why: holes in the capture, records that did not open.

Whoever takes the data of a session hears only that something is missing. The sizes stand elsewhere: of holes in the session's
gaps, which count bytes as encrypted, of refused records in the counts of its decryption. They are put together here.
"""

from dataclasses import dataclass

from analyzer.secrets.refused import MISSING_SEGMENT
from analyzer.tls.session import Session


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is missing in what one side sent.

    side: 0 client, 1 server; None where it is not known which. n_bytes: of the encrypted stream that the capture lacks; None
    if that is not the cause, or nobody knows how many. records: that did not open, those cut by the missing bytes among them.
    reason: why, as in the session record's `decryption`; None where the stream left the protocol.
    """

    side: int | None
    n_bytes: int | None
    records: int
    reason: str | None


class Losses:
    """Collects what is missing in the application data of a session; what was lost before it was made counts too."""

    __slots__ = ("_cut", "_failed", "_heard", "_missing", "_n_failed", "_n_gaps", "_strayed", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self._n_failed = session.decryption.failed
        self._n_gaps = [0, 0]
        self._missing = [0, 0]
        self._cut = [0, 0]
        self._strayed = [False, False]
        self._failed: dict[tuple[int | None, str], int] = {}
        if self._n_failed:
            self._failed[None, session.decryption.reason or MISSING_SEGMENT] = self._n_failed
        for side in (0, 1):
            self._missing[side] = self._new_gaps(side)
        self._heard = bool(self._failed) or self._missing != [0, 0]

    def hear(self, side: int, why: str | None) -> None:
        """Hear that data of a side, 0 the client, is missing: what `Application.gap` is told."""
        self._heard = True
        failed = self.session.decryption.failed - self._n_failed
        self._n_failed += failed
        missing = self._new_gaps(side)
        self._missing[side] += missing
        if failed and why == MISSING_SEGMENT and self._missing[side]:
            self._cut[side] += failed
        elif failed:
            key = side, why or MISSING_SEGMENT
            self._failed[key] = self._failed.get(key, 0) + failed
        elif not self._missing[side]:
            self._strayed[side] = True

    def take(self) -> list[Loss]:
        """What was lost since the last call."""
        if not self._heard:
            return []
        self._heard = False
        losses = [Loss(side, None, n, reason) for (side, reason), n in self._failed.items()]
        self._failed.clear()
        for side in (0, 1):
            if self._missing[side]:
                losses.append(Loss(side, self._missing[side], self._cut[side], MISSING_SEGMENT))
            elif self._strayed[side] and not losses:
                losses.append(Loss(side, None, 0, None))
            self._missing[side] = self._cut[side] = 0
            self._strayed[side] = False
        return losses

    def _new_gaps(self, side: int) -> int:
        """Bytes of the gaps of a side that came since the last call."""
        gaps = self.session.gaps
        found = gaps[self._n_gaps[side] :]
        self._n_gaps[side] = len(gaps)
        return sum(length for sender, _, length, _ in found if sender ^ self.session.client == side)
