"""Tells whether an RST came from the endpoint whose address it has, or from somebody on the path (RFC 9293, RFC 5961).

Firewalls and censors end connections with an RST in the name of an endpoint. It has another distance: its time to live differs
from that of the endpoint's own packets, which is the same for all of them as long as the path is. It can come sooner than the
endpoint can know of what it answers. And the endpoint itself goes on, because it has sent nothing. Where an endpoint counts
the identifications of its packets, an RST that is far off that count is hardly its own, and one that fits into it hardly
somebody else's; alone that proves nothing, because a system can have several counters.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.analysis.outcome_facts import CERTAIN, LIKELY, POSSIBLE, ROLES
from analyzer.flows.ending import Ending

FIRST_HOPS = (32, 64, 128, 255)
"""Times to live with which systems begin."""

SLOW_PATH = 10_000_000
"""Nanoseconds of a round trip from which an RST that comes within a quarter of it is too early."""

SENT_AGAIN = 1_000_000_000
"""Nanoseconds after which a SYN without an answer is sent again (RFC 6298): a longer time to the answer is no round trip."""

NEXT, FAR = 256, 4096
"""How far the identification of an RST is ahead of the last one, at most, if it belongs to the same count; and from where on
it does not."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """What shows that an RST was sent by somebody on the path: how sure that is, the sentence, the frame of the RST."""

    certainty: str
    detail: str
    frame: int


def inserted_reset(ending: Ending, role: int, asked_at: int = -1, begin: int = -1, quickest: int = -1) -> Insertion | None:
    """Return what shows that the first RST of a role is not its own; None if nothing does.

    asked_at: time of the last packet with data of the other role, and begin: of its SYN; -1 if unknown. quickest: the least
    time in which the role has answered later, -1 if it has not: a path can be slow for the first packet only.
    """
    forged = ending.forged
    if forged is not None:
        who = ROLES[role]
        detail = f"an RST as if of the {who} came in frame {forged.frame}, and its sender went on: somebody on the path sent it"
        return Insertion(CERTAIN, detail, forged.frame)
    reset = ending.resets[role]
    if reset is None:
        return None
    own = ending.hops[role]
    who = ROLES[role]
    if own >= 0 and reset.hops >= 0 and reset.hops != own:
        certainty = LIKELY if _distance(own) != _distance(reset.hops) else POSSIBLE
        certainty = LIKELY if _is_off(reset) else POSSIBLE if _is_next(reset) else certainty
        detail = (
            f"the RST in frame {reset.frame} has the time to live {reset.hops}, and other packets of the {who} have {own}: "
            f"it came from somebody on the path{_further(reset)}"
        )
        return Insertion(certainty, detail, reset.frame)
    trip = _round_trip(ending, begin, quickest)
    if not _is_next(reset) and role and trip >= SLOW_PATH and 0 <= reset.at - asked_at < trip // 4 and asked_at >= 0:
        after, way = (reset.at - asked_at) / 1e6, trip / 1e6
        detail = (
            f"the RST in frame {reset.frame} came {after:,.1f} ms after what it answers, and a round trip takes {way:,.1f} ms: "
            f"it seems to come from somebody on the path{_further(reset)}"
        )
        return Insertion(LIKELY if _is_off(reset) else POSSIBLE, detail, reset.frame)
    return None


def _round_trip(ending: Ending, begin: int, quickest: int) -> int:
    """Return how long an answer takes, -1 if that is not known."""
    first = ending.answered_at - begin if ending.answered_at >= 0 and begin >= 0 else -1
    if not 0 <= first < SENT_AGAIN:
        return -1
    return first if quickest < 0 else min(first, quickest)


def _is_next(reset: Any) -> bool:
    """Return whether the identification of an RST is the next one of its sender, or nearly."""
    return bool(0 < reset.jump <= NEXT)


def _is_off(reset: Any) -> bool:
    """Return whether the identification of an RST is far from the count of its sender."""
    return bool(FAR <= reset.jump <= 0x10000 - FAR)


def _distance(hops: int) -> int:
    return next((first for first in FIRST_HOPS if first >= hops), 255) - hops


def _further(reset: Any) -> str:
    number = f"; its number is {reset.ahead:,} bytes off" if reset.ahead not in (0, 1) else ""
    if _is_next(reset):
        number += f"; but its IP identification 0x{reset.identification:04x} is the next one of that sender"
    elif _is_off(reset):
        number += f"; its IP identification 0x{reset.identification:04x} is not in the count of that sender"
    elif reset.identification >= 0:
        number += f"; its IP identification is 0x{reset.identification:04x}"
    return number + (f"; {reset.count} of them came" if reset.count > 1 else "")
