"""Makes the steps of the ladder that are no TLS: how a connection opened and ended, what came again, what was said instead.

They come from what TCP shows of a session that has ended (`flows.ending`), and from the bytes before TLS and in its place.
Passwords can be among the bytes before TLS, so only their protocol and length are shown.
"""

from analyzer.analysis.before_tls import UNKNOWN, before_of
from analyzer.analysis.foreign_answer import excerpt, protocol_of
from analyzer.flows.ending import Ending
from analyzer.text.formatting import count_text, duration_text
from analyzer.text.handshake_steps import Step
from analyzer.text.language import say
from analyzer.text.punctuation import beside, clauses
from analyzer.tls.session import Session

WIRE = "wire"
"""The kind of these steps; their item is the text on the arrow."""

CLIENT, SERVER = 0, 1


def wire_steps(session: Session) -> list[Step]:
    """Return the steps of a session that has ended which are no TLS, in the order of their frames."""
    flow = session.flow
    ending: Ending | None = flow.ending
    steps = _before(session)
    if ending is None:
        return steps
    if ending.asked:
        answered = ending.answered_at - flow.start if ending.answered and 0 <= flow.start <= ending.answered_at else -1
        text = "SYN" if answered < 0 else beside("SYN", say("answered after {time}", time=duration_text(answered)))
        steps.append(_step(CLIENT, flow.first_frame, flow.start, text))
    for role in range(2):
        if ending.fins[role]:
            first = ending.closed_by() == role
            steps.append(_step(role, ending.fins[role], ending.fin_at if first else -1, say("FIN: closes its side")))
        reset = ending.resets[role]
        if reset is not None:
            hops = (
                "" if reset.hops in (-1, ending.hops[role]) or ending.hops[role] < 0 else say("time to live {n}", n=reset.hops)
            )
            steps.append(_step(role, reset.frame, reset.at, beside(say("RST: breaks the connection off"), hops)))
        if ending.resent[role]:
            again = say("{segments} sent again", segments=count_text(ending.resent[role], "segment"))
            lost = ending.unanswered[role]
            never = say("{bytes} never acknowledged", bytes=count_text(lost, "byte")) if lost > 1 else ""
            steps.append(_step(role, ending.resent_frames[role], -1, clauses(again, never)))
    if ending.forged is not None:
        steps.append(_step(SERVER, ending.forged.frame, ending.forged.at, say("RST, after which its sender went on")))
    return sorted(steps, key=_frame)


def _before(session: Session) -> list[Step]:
    """Return a step for each protocol before TLS, and one for an answer that is no TLS."""
    kept = session.flow.before
    if kept is None:
        return []
    steps = []
    for side, frame in zip((side for side, _ in kept.pieces), kept.frames, strict=True):
        data = next(data for (sender, data), at in zip(kept.pieces, kept.frames, strict=True) if at == frame and sender == side)
        known = [one["protocol"] for one in before_of(session.flow) or () if one["protocol"] != UNKNOWN]
        name = protocol_of(data) or (known[0] if known else say("bytes that are no TLS"))
        text = say("before TLS: {protocol}, {size}", protocol=name, size=count_text(len(data), "byte"))
        steps.append(_step(side ^ kept.client, frame or session.flow.first_frame, -1, text))
    server = 1 - kept.client
    said = kept.answered(server)
    if said:
        text = say('no TLS: {protocol}, "{line}"', protocol=protocol_of(said) or say("unknown"), line=excerpt(said))
        steps.append(_step(SERVER, kept.answer_frames[server], -1, text))
    return steps


def _step(side: int, frame: int, at: int, text: str) -> Step:
    return Step(WIRE, side, frame, at, text, [0, 0], [0, 0], frame)


def _frame(step: Step) -> int:
    return step.frame
