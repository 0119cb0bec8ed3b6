"""Derives what a QUIC session came to from its transport, where no alert of TLS tells it.

QUIC has no FIN and no RST. A side closes with CONNECTION_CLOSE and a code (RFC 9000 section 10.2), or says with a stateless
reset that it does not know the connection (section 10.3); else both fall silent. A server that does not speak the client's
version answers with Version Negotiation (section 6).
"""

from typing import Any

from analyzer.analysis.outcome_facts import ABANDONED, CERTAIN, ESTABLISHED, FAILED, LIKELY, NOBODY, ROLES, Outcome
from analyzer.analysis.refused_datagrams import refused_datagrams
from analyzer.codec.registry import registry
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1

NO_ERROR, APPLICATION_ERROR = 0x00, 0x0C

UNANSWERED = 1_000_000_000
"""Nanoseconds after which a client that got no packet at all has tried again more than once (RFC 9002 section 6.2)."""

_CAUSES = {
    0x01: "internal_error",
    0x02: "connection_refused",
    0x08: "illegal_parameter",
    0x11: "no_common_version",
}
"""The causes that codes of the transport name (registry `quic_transport_error_codes`)."""


def quic_outcome(known: Outcome, session: Session, after: str) -> None:
    """Fill in what a session came to. after: the last step that it reached, in words."""
    facts: Any = session.transport
    established = session.established
    if established is True:
        known.result = ESTABLISHED
    if facts.reset is not None:
        role, frame = facts.reset
        known.result, known.cause, known.certainty, known.ended_by = FAILED, "reset_by_peer", CERTAIN, ROLES[role]
        known.detail = f"the {ROLES[role]} sent a stateless reset after {after}: it did not know the connection any more"
        known.frames = [frame]
    elif facts.close is not None:
        _take_close(known, facts.close, established is True, after)
    elif refused_datagrams(known, session, after, _has_answered(facts)):
        pass
    elif established is not True and not session.handshake.hellos.server_seen:
        _take_silence(known, session, facts)


def _has_answered(facts: Any) -> bool:
    """Return whether anything came from the server."""
    return bool(facts.retries) or facts.offered is not None or any(facts.n_packets(SERVER, level) for level in range(4))


def _take_close(known: Outcome, close: Any, established: bool, after: str) -> None:
    """Fill in the end by a CONNECTION_CLOSE."""
    who = known.ended_by = ROLES[close.role]
    known.frames = [close.frame]
    error = not close.application and close.code not in (NO_ERROR, APPLICATION_ERROR)
    if established and not error:
        return
    known.result, known.certainty = FAILED, CERTAIN
    known.cause = _CAUSES.get(close.code, "other_alert") if error else "closed_without_alert"
    name = registry("quic_transport_error_codes").name(close.code) if not close.application else f"0x{close.code:x}"
    known.detail = f"the {who} closed the connection after {after} with the code {name}"
    if close.reason:
        said = close.reason[:80].decode("utf-8", "backslashreplace")
        known.detail = f'the {who} closed the connection after {after} with the code {name}: "{said}"'


def _take_silence(known: Outcome, session: Session, facts: Any) -> None:
    """Fill in the end of a session to whose client no server said anything but Version Negotiation."""
    if facts.offered is not None:
        versions = registry("quic_versions")
        offered = ", ".join(map(versions.name, facts.offered[:8]))
        known.result, known.cause, known.certainty, known.ended_by = FAILED, "no_common_version", CERTAIN, ROLES[CLIENT]
        known.detail = f"the client spoke {versions.name(facts.versions[0])}, and the server offered {offered}"
        known.frames = [session.flow.first_frame, facts.negotiated]
        return
    tried, took = facts.n_packets(CLIENT, 0), session.flow.end - session.flow.start
    if tried > 1 and took >= UNANSWERED and not _has_answered(facts):
        known.result, known.cause, known.certainty, known.ended_by = ABANDONED, "no_answer", LIKELY, NOBODY
        known.detail = f"the client sent {tried} Initial packets in {took / 1e9:,.1f} s, and no packet came back"
        known.frames = [session.flow.first_frame, session.flow.last_frame]
