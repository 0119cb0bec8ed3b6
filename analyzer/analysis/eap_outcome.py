"""Derives what a session in EAP came to where no alert tells it: EAP ends with success or failure (RFC 3748 section 4.2).

A server ends with failure when it refuses, and also when the supplicant does not answer any more (RFC 3748 section 4.3).
EAP does not protect them, so anybody can send a failure (section 7.1): what it says is likely.
"""

from typing import Any

from analyzer.analysis.outcome_facts import ABANDONED, FAILED, LIKELY, ROLES, Outcome
from analyzer.tls.session import Session

_CLIENT, _SERVER = 0, 1
_LEFT = ("idle", "closed")
"""How a flow ends (`Flow.closed`) to which nobody came back, or that began again."""


def eap_outcome(known: Outcome, session: Session, reached: str) -> None:
    """Fill in what a session came to whose TLS was not completed. reached: the name of its last step."""
    carrier: Any = session.flow.carrier
    result = carrier.before[0]["details"].get("result")
    if session.log.gaps or session.flow.late or carrier.cut:
        return
    who = ROLES[_CLIENT if carrier.silent else _SERVER]
    if result is None and session.flow.closed in _LEFT:
        known.result, known.cause, known.certainty = ABANDONED, "peer_silent", LIKELY
        known.detail = f"the {who} did not answer after {reached}"
    elif result == "failure" and carrier.silent:
        known.result, known.cause, known.certainty = FAILED, "peer_silent", LIKELY
        known.detail = f"the client did not answer after {reached}, and the server ended EAP with Failure"
    elif result == "failure":
        known.result, known.cause, known.certainty = FAILED, "closed_without_alert", LIKELY
        known.detail = f"the server ended EAP with Failure after {reached}, without an alert"
    else:
        return
    known.ended_by, known.frames = who, [session.flow.last_frame]
