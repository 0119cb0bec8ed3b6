"""Tells from acknowledgements and times whether a peer said nothing, or never got what was sent to it (RFC 9293 section 3.8).

A side whose bytes are acknowledged and that gets no answer speaks to a host that is there and to a program that is silent. A
side that sends the same bytes again and again, without an acknowledgement, speaks to nobody. If only its large segments are
lost, while small ones arrive, the path does not carry packets of that size, and does not say so: an MTU black hole (RFC
2923).
"""

from dataclasses import dataclass

from analyzer.analysis.outcome_facts import CERTAIN, LIKELY, ROLES
from analyzer.analysis.outcome_steps import last_word
from analyzer.flows.ending import NEITHER, Ending
from analyzer.flows.flow import Flow
from analyzer.flows.path_errors import TOO_BIG, PathError
from analyzer.tls.session import Session

SILENT = 3_000_000_000
"""Nanoseconds without an answer after which a side that leaves has given up waiting."""

SILENT_AT_END = 10_000_000_000
"""The same where nobody leaves, and only the capture ends: an answer may be late."""

LARGE_SEGMENT = 1000
"""Bytes of a segment that a path can lose because of its size alone; 1,220 bytes go through any path of IPv6 (RFC 8200)."""

LEAST_RESENT = 2
"""Times that a segment came again, and was not acknowledged, from which it did not arrive."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What shows that segments were lost on the path: how sure that is, the sentence, the frames."""

    certainty: str
    detail: str
    frames: list[int]


def silence(session: Session, until: int, closer: int) -> str | None:
    """Return the sentence about a side that owed the next word, acknowledged the last one, and said nothing for long; or None.

    until: when somebody closed the connection, or the capture ended. closer: who closed it, NEITHER for nobody.
    """
    at, spoke = last_word(session)
    if at < 0 or until < 0 or until - at < (SILENT_AT_END if closer == NEITHER else SILENT):
        return None
    if closer == 1 - spoke:  # it had nothing more to say
        return None
    ending: Ending = session.flow.ending
    if not 0 <= ending.unanswered[spoke] <= (1 if ending.fins[spoke] else 0):
        return None  # it would have been sent again: the capture has not everything
    who, other = ROLES[1 - spoke], ROLES[spoke]
    return f"the {who} acknowledged what the {other} had sent, and said nothing for {(until - at) / 1e9:,.1f} s"


def reported(error: PathError) -> str:
    """Return the sentence about an ICMP error."""
    said = f"{error.sender} answered with the ICMP error {error.name}"
    if error.kind == TOO_BIG and error.mtu:
        said = f"{said}: packets of more than {error.mtu:,} bytes do not go through"
    return f"{said} (frame {error.frame})"


def is_gone(ending: Ending, role: int, end: int) -> bool:
    """Return whether bytes of a role are without an acknowledgement only because its peer has left.

    end: the frame in which the peer left. It waited in vain if the segments came again before that, and are no mere farewell.
    """
    waited = ending.resent[role] > LEAST_RESENT and ending.resent_frames[role] < end
    return not waited or ending.unanswered[role] < LARGE_SEGMENT


def lost_segments(flow: Flow, ending: Ending) -> Lost | None:
    """Return what shows that segments of a side never arrived; None if nothing does.

    Bytes that the capture lacks and that the receiver never acknowledged were lost before the place of the capture; bytes that
    came again without an acknowledgement, behind it.
    """
    for role in (1, 0):
        if ending.lacks_end(1 - role):  # the capture lacks the last packets of the receiver, and so what they acknowledge
            continue
        who, other = ROLES[role], ROLES[1 - role]
        n_lost = flow.unacknowledged[role]
        error = next(iter(ending.path_errors[role]), None)
        if n_lost:
            detail = f"{n_lost:,} bytes of the {who} are not in the capture, and the {other} did not acknowledge them"
            return Lost(CERTAIN, f"{detail}: they were lost on the path", [])
        open_bytes, n_resent = ending.unanswered[role], ending.resent[role]
        if open_bytes <= 0 or n_resent < (LEAST_RESENT if error is None else 1) or (ending.fins[role] and open_bytes == 1):
            continue
        largest, frames = ending.largest[role], [ending.resent_frames[role]]
        if error is not None:
            detail = (
                f"the {who} sent a segment of {largest:,} bytes again, and the {other} never acknowledged {open_bytes:,} bytes"
            )
            sure = CERTAIN if n_resent >= LEAST_RESENT else LIKELY
            return Lost(sure, f"{detail}; {reported(error)}", [error.frame, *frames])
        again = f"the {who} sent a segment again {n_resent} times, and the {other} never acknowledged {open_bytes:,} bytes"
        if largest >= LARGE_SEGMENT:
            detail = (
                f"{again}; the largest segment has {largest:,} bytes, and smaller ones arrived: packets of this size are lost"
            )
            return Lost(CERTAIN if n_resent > LEAST_RESENT else LIKELY, detail, frames)
        return Lost(LIKELY, f"{again}: they did not arrive, or the answers were lost", frames)
    return None
