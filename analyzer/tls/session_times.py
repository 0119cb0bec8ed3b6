"""Finds times of a session that cannot be: those that go back, and those of two sides that do not fit to each other.

Frames stand in a capture in the order in which they were captured, and what a session sends follows from what came before. So
times that fall show that the clock of the capturing system was set, or that frames of two systems with different clocks were
joined. If the times of each side rise, and fall only from one side to the other, then it is two clocks. Packets that were
captured on several queues can be out of order by some microseconds, which says nothing.
"""

from operator import attrgetter
from typing import Any

from analyzer.tls.events import Alert, HandshakeMessage

TOLERANCE = 1_000_000
"""Nanoseconds by which times may fall: queues of a network card, and the resolution of the clock."""

_SECOND = 1_000_000_000
_DOUBT = "durations of this session are not known, and the time for which its certificates are judged is in doubt"
_FRAME = attrgetter("frame")
_ROLES = ("client", "server")

Found = tuple[str, str, str, int]
"""A finding: code, severity, sentence, frame."""


def time_finding(
    messages: list[HandshakeMessage], alerts: list[Alert], start: int, first: int, end: int, last: int
) -> Found | None:
    """Return the finding about the times of a session; None if they can be.

    start, end: of its flow in nanoseconds since the epoch, -1 if the capture has no times. first, last: the frames of these.
    A frame may have no time of its own (a Simple Packet Block of pcapng); it says nothing.
    """
    if start < 0 or end < 0:
        return None
    facts: list[Any] = sorted((fact for fact in (*messages, *alerts) if fact.at >= 0), key=_FRAME)
    frame, at, role = first, start, -1
    own = [(first, start), (first, start)]
    crossed: tuple[int, int, int, int] | None = None
    for fact in facts:
        if own[fact.role][1] - fact.at > TOLERANCE and (fact.role == 0 or own[1][0] != first):
            return _goes_back(own[fact.role][0], fact.frame, own[fact.role][1] - fact.at)
        if crossed is None and at - fact.at > TOLERANCE and fact.role != role:
            crossed = (fact.role, frame, fact.frame, at - fact.at)
        frame, at, role = fact.frame, fact.at, fact.role
        own[role] = frame, at
    if crossed is not None:
        return _differ(*crossed)
    return _goes_back(frame, last, at - end) if at - end > TOLERANCE else None


def _goes_back(frame: int, later: int, fall: int) -> Found:
    detail = f"times go back by {fall / _SECOND:,.3f} s from frame {frame} to frame {later}: the clock was set back; {_DOUBT}"
    return "time_goes_back", "low", detail, later


def _differ(role: int, frame: int, later: int, fall: int) -> Found:
    detail = (
        f"frame {later} of the {_ROLES[role]} has a time {fall / _SECOND:,.3f} s before that of frame {frame}, which came "
        f"earlier: the clocks of two capturing systems differ; {_DOUBT}"
    )
    return "clocks_differ", "low", detail, later
