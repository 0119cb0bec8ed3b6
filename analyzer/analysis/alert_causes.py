"""Finds the cause of a failure behind a fatal alert (RFC 9846 section 6, RFC 5246 section 7.2, and the RFCs of extensions).

An alert says what its sender did not like, and often only that something was: handshake_failure stands for half a dozen
causes. What both sides have said before tells more: what the client offers, what the server chose, which certificates were
asked for and sent. Where the alert is about the server's certificates, the verdict on them decides (`chain_outcome`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from analyzer.analysis.offer_causes import refused_offer
from analyzer.analysis.outcome_facts import CERTAIN, LIKELY, POSSIBLE
from analyzer.codec.registry import registry
from analyzer.tls.events import Alert
from analyzer.tls.messages.numbers import PRE_SHARED_KEY
from analyzer.tls.session import Session
from analyzer.tls.session_log import FATAL

CLIENT, SERVER = 0, 1

DESCRIPTIONS = registry("alert_descriptions").names
VERSIONS = registry("versions").names

SHORT_PRIME_BITS = 1024
"""Bits of a Diffie-Hellman prime up to which clients of today refuse it (RFC 9325 section 4.5)."""

CERTIFICATE_ALERTS = frozenset(
    {
        "bad_certificate", "unsupported_certificate", "certificate_revoked", "certificate_expired", "certificate_unknown",
        "unknown_ca", "bad_certificate_status_response", "bad_certificate_hash_value",
    }
)  # fmt: skip
"""Alerts about certificates."""

_OF_KEY_EXCHANGE = frozenset({"handshake_failure", "illegal_parameter", "insufficient_security", "internal_error"})
"""Alerts with which clients refuse a weak key exchange."""

_VAGUE = frozenset({"handshake_failure", "internal_error", "general_error"})
"""Alerts with which clients refuse a certificate too, although they do not say so."""


class Cause(NamedTuple):
    """A cause: its code, how sure it is, what both sides have said, and whether the verdict on the chain decides."""

    code: str
    certainty: str = CERTAIN
    reason: str = ""
    asks_chain: bool = False


def is_error(alert: Alert, tls13: bool) -> bool:
    """Return whether an alert says that something is wrong: in TLS 1.3 all but two do, whatever their level (section 6.2)."""
    name = DESCRIPTIONS[alert.description]
    if alert.injected or alert.level < 0 or name == "close_notify":
        return False
    return alert.level == FATAL or (tls13 and name not in ("user_canceled", "unrecognized_name"))


def alert_cause(session: Session, alert: Alert) -> Cause:
    """Return the cause behind an alert with which a side gave up."""
    hellos = session.handshake.hellos
    if sum(message.name == "hello_retry_request" for message in session.log.messages) > 1:
        return Cause("hello_retry_loop", LIKELY, "the server asked for another ClientHello twice")
    name = DESCRIPTIONS[alert.description]
    found = _SAID.get(name)
    if found is not None:
        return found(session, alert)
    if alert.role == CLIENT:
        return _of_client(session, name)
    if name == "illegal_parameter" and not hellos.server_seen and _offers_psk(session):
        return Cause("binder_wrong", LIKELY, WRONG_BINDER)
    refused = refused_client(session, name)
    if refused is not None:
        return refused
    if name == "handshake_failure" and hellos.client_seen and not hellos.server_seen:
        code, certainty, reason = refused_offer(hellos.offer)
        return Cause(code, certainty, reason)
    return _plain(name)


def _plain(name: str) -> Cause:
    return Cause(name if name in ("illegal_parameter", "internal_error") else "other_alert")


def refused_client(session: Session, name: str) -> Cause | None:
    """Return the cause of a server that refuses a client's certificate, or the want of one; None if that is not it.

    name: of its alert, "" where that cannot be read.
    """
    sent = session.handshake.certificates[CLIENT]
    said = name in CERTIFICATE_ALERTS or name in ("access_denied", "certificate_required")
    if sent is None and any(message.name == "certificate" and message.role == CLIENT for message in session.log.messages):
        sent = []
    if sent is None:
        asked = any(message.name == "certificate_request" for message in session.log.messages)
        if said and name != "access_denied" and asked:
            return Cause("client_certificate_missing", LIKELY, ASKED_NOT_SEEN)
        return Cause("client_certificate_refused", LIKELY) if name in CERTIFICATE_ALERTS else None
    if not sent:
        return Cause("client_certificate_missing", CERTAIN if said or name == "handshake_failure" else LIKELY, NONE_SENT)
    if said:
        return Cause("client_certificate_refused", CERTAIN, SENT_ONE)
    return Cause("client_certificate_refused", POSSIBLE, SENT_ONE) if name in ("", "handshake_failure") else None


NONE_SENT = "the server asked for a certificate, and the client sent none"
ASKED_NOT_SEEN = "the server asked for a certificate, and the capture shows none of the client"
SENT_ONE = "the client had sent its certificate"


def _of_client(session: Session, name: str) -> Cause:
    """Return the cause behind an alert of a client."""
    handshake = session.handshake
    if name in _OF_KEY_EXCHANGE:
        bits = 8 * len(handshake.parameters.dh_prime.lstrip(b"\0"))
        if 0 < bits <= SHORT_PRIME_BITS:
            return Cause("weak_parameters", LIKELY, f"the server's Diffie-Hellman prime has {bits} bits")
    unoffered = next((one for one in session.log.findings if one.code == "not_offered"), None)
    if unoffered is not None and name in ("handshake_failure", "illegal_parameter"):
        return Cause("illegal_parameter", CERTAIN, unoffered.detail)
    if name in CERTIFICATE_ALERTS:
        return Cause(_CERTIFICATE.get(name, "certificate_refused"), CERTAIN, "", True)
    if handshake.certificates[SERVER] and name in _VAGUE:
        return Cause(_plain(name).code, CERTAIN, "", True)
    return _plain(name)


_CERTIFICATE = {
    "certificate_revoked": "certificate_revoked", "certificate_expired": "certificate_expired",
    "unknown_ca": "certificate_unknown_issuer",
}  # fmt: skip


def _version(session: Session, alert: Alert) -> Cause:
    hellos, parameters = session.handshake.hellos, session.handshake.parameters
    if alert.role == CLIENT:
        chosen = VERSIONS[session.log.version] if parameters.version else "another version"
        return Cause("no_common_version", CERTAIN, f"the server chose {chosen}, which the client does not accept")
    offer = hellos.offer
    if offer is None:
        return Cause("no_common_version")
    numbers = offer.versions or (offer.legacy_version,)
    return Cause("no_common_version", CERTAIN, f"the client offers {', '.join(VERSIONS[number] for number in numbers[:8])}")


def _security(session: Session, alert: Alert) -> Cause:
    if alert.role == CLIENT:
        bits = 8 * len(session.handshake.parameters.dh_prime.lstrip(b"\0"))
        reason = f"the server's Diffie-Hellman prime has {bits} bits" if bits else ""
        return Cause("weak_parameters", CERTAIN, reason)
    return Cause("no_common_cipher_suite", CERTAIN, "the server wants stronger cipher suites than the client offers")


def _decryption(session: Session, alert: Alert) -> Cause:
    if alert.role == SERVER and not session.handshake.hellos.server_seen and _offers_psk(session):
        return Cause("binder_wrong", CERTAIN, WRONG_BINDER)
    return Cause("decrypt_error")


def _offers_psk(session: Session) -> bool:
    """Return whether the ClientHello offers a pre-shared key of TLS 1.3."""
    known: Any = session.handshake.hellos.fingerprint_input
    return known is not None and PRE_SHARED_KEY in known[2]


WRONG_BINDER = "the client offers a pre-shared key, and its binder does not fit"


def _alpn(session: Session, alert: Alert) -> Cause:
    offer = session.handshake.hellos.offer
    if offer is None or not offer.protocols:
        return Cause("no_common_alpn")
    names = ", ".join(ascii(name.decode("latin-1"))[1:-1] for name in offer.protocols[:8])
    return Cause("no_common_alpn", CERTAIN, f"the client offers the protocols {names}")


def _name(session: Session, alert: Alert) -> Cause:
    name = session.handshake.hellos.server_name
    if name is None:
        return Cause("unrecognized_name", CERTAIN, "the client names no server")
    return Cause("unrecognized_name", CERTAIN, f"the client asks for {ascii(name.decode('latin-1'))[1:-1]}")


def _always(code: str, reason: str = "") -> Callable[[Session, Alert], Cause]:
    return lambda session, alert: Cause(code, CERTAIN, reason)


def _required(session: Session, alert: Alert) -> Cause:
    return refused_client(session, "certificate_required") or Cause("client_certificate_missing")


_SAID: dict[str, Callable[[Session, Alert], Cause]] = {
    "unexpected_message": _always("unexpected_message"),
    "bad_record_mac": _always("bad_record_mac"),
    "decryption_failed": _always("bad_record_mac"),
    "no_certificate": _always("client_certificate_missing", "the client said that it has no certificate"),
    "decrypt_error": _decryption,
    "protocol_version": _version,
    "insufficient_security": _security,
    "inappropriate_fallback": _always("fallback_refused", "the client says that it has tried a higher version before"),
    "user_canceled": _always("user_canceled"),
    "no_renegotiation": _always("renegotiation_refused"),
    "unrecognized_name": _name,
    "unknown_psk_identity": _always("psk_unknown"),
    "certificate_required": _required,
    "no_application_protocol": _alpn,
}
"""Alerts whose meaning is clear."""
