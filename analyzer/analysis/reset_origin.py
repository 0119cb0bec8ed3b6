"""Tells whether an RST came from the endpoint whose address it has, or from somebody on the path (RFC 9293, RFC 5961).

Firewalls and censors end connections with an RST in the name of an endpoint. It has another distance: its time to live differs
from that of the endpoint's own packets, which is the same for all of them as long as the path is. It can come sooner than the
endpoint can know of what it answers. And the endpoint itself goes on, because it has sent nothing.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.analysis.outcome_facts import CERTAIN, LIKELY, POSSIBLE, ROLES
from analyzer.flows.ending import Ending

FIRST_HOPS = (32, 64, 128, 255)
"""Times to live with which systems begin."""

SLOW_PATH = 10_000_000
"""Nanoseconds of a round trip from which an RST that comes within a quarter of it is too early."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """What shows that an RST was sent by somebody on the path: how sure that is, the sentence, the frame of the RST."""

    certainty: str
    detail: str
    frame: int


def inserted_reset(ending: Ending, role: int, asked_at: int = -1, begin: int = -1) -> Insertion | None:
    """Return what shows that the first RST of a role is not its own; None if nothing does.

    asked_at: time of the last packet with data of the other role, and begin: of its SYN; -1 if unknown.
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
        detail = (
            f"the RST in frame {reset.frame} has the time to live {reset.hops}, and other packets of the {who} have {own}: "
            f"it came from somebody on the path{_further(reset)}"
        )
        return Insertion(certainty, detail, reset.frame)
    trip = ending.answered_at - begin if ending.answered_at >= 0 and begin >= 0 else -1
    if role and trip >= SLOW_PATH and 0 <= reset.at - asked_at < trip // 4 and asked_at >= 0:
        after, way = (reset.at - asked_at) / 1e6, trip / 1e6
        detail = (
            f"the RST in frame {reset.frame} came {after:,.1f} ms after what it answers, and a round trip takes {way:,.1f} ms: "
            "it seems to come from somebody on the path"
        )
        return Insertion(POSSIBLE, detail, reset.frame)
    return None


def _distance(hops: int) -> int:
    return next((first for first in FIRST_HOPS if first >= hops), 255) - hops


def _further(reset: Any) -> str:
    number = f"; its number is {reset.ahead:,} bytes off" if reset.ahead not in (0, 1) else ""
    if reset.identification >= 0:
        number += f"; its IP identification is 0x{reset.identification:04x}"
    return number + (f"; {reset.count} of them came" if reset.count > 1 else "")
