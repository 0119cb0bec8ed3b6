"""Derives what a session in EAP came to where no alert tells it: EAP ends with success or failure (RFC 3748 section 4.2).

A server ends with failure when it refuses, and also when the supplicant does not answer any more (RFC 3748 section 4.3).
"""

from typing import Any

from analyzer.analysis.outcome_facts import CERTAIN, FAILED, LIKELY, ROLES, Outcome
from analyzer.tls.session import Session

_CLIENT, _SERVER = 0, 1


def eap_outcome(known: Outcome, session: Session, reached: str) -> None:
    """Fill in what a session came to whose TLS was not completed. reached: the name of its last step."""
    carrier: Any = session.flow.carrier
    if session.log.gaps or session.flow.late or carrier.before[0]["details"].get("result") != "failure":
        return
    known.result, known.frames = FAILED, [session.flow.last_frame]
    if carrier.silent:
        known.ended_by, known.cause, known.certainty = ROLES[_CLIENT], "peer_silent", LIKELY
        known.detail = f"the client did not answer after {reached}, and the server ended EAP with Failure"
    else:
        known.ended_by, known.cause, known.certainty = ROLES[_SERVER], "closed_without_alert", CERTAIN
        known.detail = f"the server ended EAP with Failure after {reached}, without an alert"
