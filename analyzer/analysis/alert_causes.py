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

CLOSE_NOTIFY, USER_CANCELED, UNRECOGNIZED_NAME, NO_RENEGOTIATION = 0, 90, 112, 100

DESCRIPTIONS = registry("alert_descriptions").names
VERSIONS = registry("versions").names

SHORT_PRIME_BITS = 1024
"""Bits of a Diffie-Hellman prime up to which clients of today refuse it (RFC 9325 section 4.5)."""

CERTIFICATE_ALERTS = frozenset({42, 43, 44, 45, 46, 48, 113, 114})
"""Alerts about certificates: bad, unsupported, revoked, expired, unknown, of an unknown authority, with a bad status."""

_VAGUE = frozenset({40, 42, 46, 47, 80, 117})
"""Alerts that clients send too when they do not accept a certificate, or a weak key exchange."""


class Cause(NamedTuple):
    """A cause: its code, how sure it is, what both sides have said, and whether the verdict on the chain decides."""

    code: str
    certainty: str = CERTAIN
    reason: str = ""
    asks_chain: bool = False


def is_error(alert: Alert, tls13: bool) -> bool:
    """Return whether an alert says that something is wrong: in TLS 1.3 all but two do, whatever their level (section 6.2)."""
    if alert.injected or alert.level < 0 or alert.description == CLOSE_NOTIFY:
        return False
    return (
        alert.description not in (USER_CANCELED, UNRECOGNIZED_NAME) or alert.level == FATAL if tls13 else alert.level == FATAL
    )


def alert_cause(session: Session, alert: Alert) -> Cause:
    """Return the cause behind an alert with which a side gave up."""
    hellos = session.handshake.hellos
    if sum(message.name == "hello_retry_request" for message in session.log.messages) > 1:
        return Cause("hello_retry_loop", LIKELY, "the server asked for another ClientHello twice")
    found = _SAID.get(alert.description)
    if found is not None:
        return found(session, alert)
    if alert.role == CLIENT:
        return _of_client(session, alert)
    if alert.description == 47 and not hellos.server_seen and _offers_psk(session):
        return Cause("binder_wrong", LIKELY, WRONG_BINDER)
    refused = refused_client(session, alert.description)
    if refused is not None:
        return refused
    if alert.description == 40 and hellos.client_seen and not hellos.server_seen:
        code, certainty, reason = refused_offer(hellos.offer)
        return Cause(code, certainty, reason)
    return _plain(alert)


def _plain(alert: Alert) -> Cause:
    return Cause({47: "illegal_parameter", 80: "internal_error"}.get(alert.description, "other_alert"))


def refused_client(session: Session, description: int) -> Cause | None:
    """Return the cause of a server that refuses a client's certificate, or the want of one; None if that is not it.

    description: of its alert, -1 where that cannot be read.
    """
    sent = session.handshake.certificates[CLIENT]
    said = description in CERTIFICATE_ALERTS or description in (49, 116)
    if sent is None and any(message.name == "certificate" and message.role == CLIENT for message in session.log.messages):
        sent = []
    if sent is None:
        asked = any(message.name == "certificate_request" for message in session.log.messages)
        if said and description != 49 and asked:
            return Cause("client_certificate_missing", LIKELY, ASKED_NOT_SEEN)
        return Cause("client_certificate_refused", LIKELY) if description in CERTIFICATE_ALERTS else None
    if not sent:
        return Cause("client_certificate_missing", CERTAIN if said or description == 40 else LIKELY, NONE_SENT)
    if said:
        return Cause("client_certificate_refused", CERTAIN, SENT_ONE)
    return Cause("client_certificate_refused", POSSIBLE, SENT_ONE) if description in (-1, 40) else None


NONE_SENT = "the server asked for a certificate, and the client sent none"
ASKED_NOT_SEEN = "the server asked for a certificate, and the capture shows none of the client"
SENT_ONE = "the client had sent its certificate"


def _of_client(session: Session, alert: Alert) -> Cause:
    handshake, description = session.handshake, alert.description
    parameters, certificates = handshake.parameters, handshake.certificates[SERVER]
    if description in (40, 47, 71, 80):
        bits = 8 * len(parameters.dh_prime.lstrip(b"\0"))
        if 0 < bits <= SHORT_PRIME_BITS:
            return Cause("weak_parameters", LIKELY, f"the server's Diffie-Hellman prime has {bits} bits")
    unoffered = next((one for one in session.log.findings if one.code == "not_offered"), None)
    if unoffered is not None and description in (40, 47, 10):
        return Cause("illegal_parameter", CERTAIN, unoffered.detail)
    if description in CERTIFICATE_ALERTS:
        return Cause(_CERTIFICATE.get(description, "certificate_refused"), CERTAIN, "", True)
    if certificates and description in _VAGUE and description != 47:
        return Cause(_plain(alert).code, CERTAIN, "", True)
    return _plain(alert)


_CERTIFICATE = {44: "certificate_revoked", 45: "certificate_expired", 48: "certificate_unknown_issuer"}


def _version(session: Session, alert: Alert) -> Cause:
    hellos, parameters = session.handshake.hellos, session.handshake.parameters
    if alert.role == CLIENT:
        chosen = VERSIONS[parameters.version] if parameters.version else "another version"
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
    return refused_client(session, 116) or Cause("client_certificate_missing")


_SAID: dict[int, Callable[[Session, Alert], Cause]] = {
    10: _always("unexpected_message"),
    20: _always("bad_record_mac"),
    21: _always("bad_record_mac"),
    41: _always("client_certificate_missing", "the client said that it has no certificate"),
    51: _decryption,
    70: _version,
    71: _security,
    86: _always("fallback_refused", "the client says that it has tried a higher version before"),
    90: _always("user_canceled"),
    100: _always("renegotiation_refused"),
    112: _name,
    115: _always("psk_unknown"),
    116: _required,
    120: _alpn,
}
"""Alerts whose meaning is clear, by number."""
