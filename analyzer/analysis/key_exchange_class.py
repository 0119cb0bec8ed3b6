"""Sorts sessions by what protects their keys from quantum computers, and says what the server made of an offer of that.

Who records traffic today can open it when a quantum computer breaks its key exchange: Diffie-Hellman, on curves or not, and
RSA. ML-KEM resists that (FIPS 203), alone or beside a curve (RFC 10024); so does a secret that both sides had before. A
session of TLS 1.3 that mixes a pre-shared key with a curve (RFC 9846 section 2.2) is as open as the session that gave the key.
That is mostly one before it, but it can be a key from elsewhere, and the wire does not show which. The same holds for a
session that is resumed up to TLS 1.2: it has no key exchange of its own (RFC 5246 section 7.3), and may resume one that nobody
recorded. Nothing is said of sessions whose hellos the capture lacks.
"""

from analyzer.analysis.hello_offers import post_quantum_groups
from analyzer.codec.registry import registry
from analyzer.tls.session import Session

HYBRID, POST_QUANTUM, CLASSICAL, CLASSICAL_WITH_PSK, PSK, PLAINTEXT, UNKNOWN = KEY_EXCHANGES = (
    "hybrid", "post_quantum", "classical", "classical_with_psk", "psk", "plaintext", "unknown",
)  # fmt: skip
"""The kinds of key exchange.

hybrid: ML-KEM and a curve. post_quantum: ML-KEM alone. classical: Diffie-Hellman or RSA alone. classical_with_psk: in TLS 1.3,
Diffie-Hellman and a pre-shared key; up to TLS 1.2, resumed. psk: a pre-shared key alone, or one to which RSA or Diffie-Hellman
only adds (up to TLS 1.2). plaintext: the cipher suite does not encrypt. unknown: the capture does not show it.
"""

ACCEPTED, REFUSED, NOT_OFFERED = "accepted", "refused", "not_offered"

ANSWERS = (ACCEPTED, REFUSED, NOT_OFFERED, UNKNOWN)
"""What became of post-quantum groups in a session.

accepted: the key exchange uses one. refused: the client offered some, and the server chose another key exchange. not_offered:
the client offered none. unknown: the capture lacks the ClientHello, or shows no key exchange.
"""


def key_exchange_class(session: Session) -> str:
    """Return the kind of key exchange of a session that has ended, one of KEY_EXCHANGES."""
    parameters = session.handshake.parameters
    group, suite = parameters.group, parameters.suite
    if suite is not None and suite.mode == "null":
        return PLAINTEXT
    if not session.handshake.hellos.server_seen:
        return UNKNOWN
    if group in post_quantum_groups():
        return POST_QUANTUM if registry("supported_groups").names[group].removeprefix("MLKEM").isdecimal() else HYBRID
    if parameters.tls13:
        if group < 0:
            return PSK if parameters.resumption == "psk" else UNKNOWN
        return CLASSICAL_WITH_PSK if parameters.resumption == "psk" else CLASSICAL
    if suite is None or not parameters.version:
        return CLASSICAL if group >= 0 else UNKNOWN
    if "PSK" in suite.key_exchange:
        return PSK
    return CLASSICAL_WITH_PSK if parameters.resumption else CLASSICAL


def post_quantum_answer(session: Session, kind: str) -> str:
    """Return what became of post-quantum groups in a session, one of ANSWERS. kind: as `key_exchange_class` returns it."""
    if kind in (HYBRID, POST_QUANTUM):
        return ACCEPTED
    offer = session.handshake.hellos.fingerprint_input
    if offer is None:
        return UNKNOWN
    if not any(group in post_quantum_groups() for group in offer[3]):
        return NOT_OFFERED
    return REFUSED if kind in (CLASSICAL, CLASSICAL_WITH_PSK) else UNKNOWN
