"""The values of an outcome: what a session or a connection came to, who ended it, at which step, and why.

`outcome` derives them for a session, `connection_outcome` for a connection that never became one. Causes are codes of the list
`outcome_causes`, which has their meaning and what to do next.
"""

from dataclasses import dataclass, field
from typing import Any

from analyzer.codec.codes import codes

ROLES = ("client", "server")

ESTABLISHED, FAILED, ABANDONED, UNKNOWN = "established", "failed", "abandoned", "unknown"
"""Results."""

BETWEEN, NOBODY = "between", "nobody"
"""Who else can end a connection: somebody on the path, and nobody."""

CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"
"""How sure a cause is."""

STEPS = (
    "tcp", "before_tls", "client_hello", "hello_retry_request", "server_hello", "certificate", "key_exchange",
    "client_certificate", "finished", "application_data",
)  # fmt: skip
"""The steps, in the order in which they are reached."""

DURATIONS: dict[str, float | None] = {"tcp": None, "hello": None, "handshake": None, "total": None}

_SECOND = 1_000_000_000


@dataclass(slots=True)
class Outcome:
    """What a session or a connection came to; the values are those of the session record.

    frames: those that show it. durations: seconds, None where they are not known. asks_chain: whether the verdict on the
    server's certificates decides about the cause (`chain_outcome`).
    """

    result: str
    ended_by: str | None
    step: str
    cause: str | None = None
    certainty: str = CERTAIN
    detail: str | None = None
    frames: list[int] = field(default_factory=list)
    durations: dict[str, float | None] = field(default_factory=DURATIONS.copy)
    asks_chain: bool = False

    def record(self) -> dict[str, Any]:
        """Return the entry `outcome` of the session record."""
        return {
            "result": self.result,
            "ended_by": self.ended_by,
            "step": self.step,
            "cause": self.cause,
            "certainty": self.certainty,
            "detail": self.detail,
            "advice": advice_of(self.cause),
            "frames": self.frames,
            "durations": self.durations,
        }


def advice_of(cause: str | None) -> str | None:
    """Return what to do about a cause; None for no cause."""
    return None if cause is None else codes("outcome_causes")[cause].advice or None


def seconds(begin: int, end: int) -> float | None:
    """Return the seconds between two times in nanoseconds; None where one is not known, or the clock was set back."""
    return (end - begin) / _SECOND if 0 <= begin <= end else None
