"""Recognizes the sessions that did what they are for, which nearly all do, without looking for causes.

What `calm_outcome` returns is what `outcome` returns. A session is calm if its handshake was completed, nobody complained,
nothing was lost or sent again and again, and it ended with a FIN or not at all. All others are looked at closer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.outcome_facts import CERTAIN, ESTABLISHED, ROLES, STEPS, Outcome
from analyzer.analysis.outcome_steps import FINISHED_RECORDS, durations, step_reached
from analyzer.flows.ending import Ending
from analyzer.flows.flow import Flow
from analyzer.tls.events import Alert
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.record.sealed_sizes import SealedSizes
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.tls.session_log import SessionLog

if TYPE_CHECKING:
    import cython


def calm_outcome(session: Session) -> Any:
    """Return the outcome of a calm session (`Outcome`); None for any other."""
    known: tuple[Any, ...] | None = calm_end(session)
    if known is None:
        return None
    by, step, frame = known
    return Outcome(ESTABLISHED, by, step, None, CERTAIN, None, [frame] if frame else [], durations(session))


def calm_end(session: Session) -> tuple[Any, ...] | None:
    """Return who ended a calm session, the last step that it reached, and the frame of its first FIN, 0 without one.

    None for any other session. Who ended it is None if nobody did, or if the capture does not show who was first.
    """
    flow: Flow = session.flow
    log: SessionLog = session.log
    handshake: SessionHandshake = session.handshake
    parameters: Parameters = handshake.parameters
    if flow.ending is None or flow.before is not None or session.established is not True:
        return None
    ending: Ending = flow.ending
    alert: Alert
    for alert in log.alerts:
        if alert.level >= 0 and alert.description != 0:
            return None
    if len(log.gaps) > 0 or ending.forged is not None or flow.unacknowledged[0] or flow.unacknowledged[1]:
        return None
    if ending.resent[0] > 1 or ending.resent[1] > 1 or ending.resets[0] is not None or ending.resets[1] is not None:
        return None
    closer: cython.int = ending.closed_by()
    if parameters.tls13:
        sizes: SealedSizes = session.sizes[0]
        first: list[Any] = sizes.first
        if len(first) > 0 and first[0] not in FINISHED_RECORDS:
            return None
    by = None if closer < 0 or ending.may_be_first(1 - closer) else ROLES[closer]
    return by, STEPS[step_reached(session)], 0 if closer < 0 else ending.fins[closer]
