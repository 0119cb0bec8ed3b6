"""Signs that a handshake was talked down to an older version: the sentinels in the server's random, and signalling suites.

A server that could speak TLS 1.3 and answers with less says so in the last eight bytes of its random, which its signature
covers (RFC 9846 section 4.2.3): where a client offered more and they are there, its offer was changed on the way. A client that
tries again with a lower version says so with a signalling suite (RFC 7507), which a server that could do better must refuse.
"""

from analyzer.codec.registry import registry
from analyzer.tls.events import Finding
from analyzer.tls.handshake.hello_features import LONGEST_REMEMBERED, FingerprintInput, is_tls13
from analyzer.tls.messages.numbers import RENEGOTIATION_INFO, TLS_1_2, TLS_1_3
from analyzer.tls.session import Session

SENTINEL_12 = b"DOWNGRD\x01"
SENTINEL_11 = b"DOWNGRD\x00"
"""The ends of a random by which a server says that it can speak TLS 1.3, and that it can speak TLS 1.2."""

FALLBACK_SCSV, RENEGOTIATION_SCSV = 0x5600, 0x00FF

SIGNALS: dict[int, tuple[FingerprintInput, bool, bool, int]] = {}
"""By the identity of a fingerprint input, which equal hellos share and an entry keeps alive: the input, and its signals."""

REMEMBERED = 4096
"""Kinds of hello whose signals are kept; a handful of clients sends nearly all."""

NAMES = registry("versions").names

NONE: list[Finding] = []
"""What most sessions say."""

_COULD = {SENTINEL_12: TLS_1_3, SENTINEL_11: TLS_1_2}


def downgrades(session: Session) -> list[Finding]:
    """What a session's hellos say about downgrading; most say nothing. Nobody may change the list."""
    parameters, hellos = session.handshake.parameters, session.handshake.hellos
    version, fingerprint_input, answer = parameters.version, hellos.fingerprint_input, hellos.server_fingerprint_input
    found: list[tuple[str, str, str]] = []
    if not hellos.server_seen or fingerprint_input is None or answer is None:
        return NONE
    _, falls_back, renegotiates, highest = signals(fingerprint_input)
    if not is_tls13(version):
        could = _COULD.get(session.handshake.transcript.server_random[24:])
        if could is not None and highest >= could:
            detail = (
                f"the server's random says that it could speak {NAMES[could]} or later, the client offered it, and they speak "
                f"{NAMES[version]}: the offer was changed on the way"
            )
            found.append(("downgrade", "high", detail))
        if RENEGOTIATION_INFO not in answer[2] and renegotiates:
            detail = "the server does not know secure renegotiation (RFC 5746): others may put their bytes before the client's"
            found.append(("insecure_renegotiation", "low", detail))
    if falls_back:
        detail = f"the client says that it tries again with a lower version (RFC 7507); they speak {NAMES[version]}"
        found.append(("fallback", "low", detail))
    if parameters.cipher_suite in (FALLBACK_SCSV, RENEGOTIATION_SCSV):
        found.append(("protocol_violation", "medium", "the server chose a signal as its cipher suite"))
    if not found:
        return NONE
    frames = [message.frame for message in session.log.messages if message.name == "server_hello"][:1]
    return [Finding(code, severity, detail, frames) for code, severity, detail in found]


def signals(fingerprint_input: FingerprintInput) -> tuple[FingerprintInput, bool, bool, int]:
    """A fingerprint input, whether its client tries again with a lower version and knows secure renegotiation, its newest
    version."""
    known: tuple[FingerprintInput, bool, bool, int] | None = SIGNALS.get(id(fingerprint_input))
    if known is None:
        suites, types = fingerprint_input[1], fingerprint_input[2]
        renegotiates = RENEGOTIATION_SCSV in suites or RENEGOTIATION_INFO in types
        known = fingerprint_input, FALLBACK_SCSV in suites, renegotiates, _highest(fingerprint_input)
        if len(suites) + len(types) < LONGEST_REMEMBERED:
            if len(SIGNALS) >= REMEMBERED:
                SIGNALS.clear()
            SIGNALS[id(fingerprint_input)] = known
    return known


def _highest(fingerprint_input: FingerprintInput) -> int:
    """The newest version that a ClientHello offers."""
    return max(
        (offer for offer in (fingerprint_input[0], *fingerprint_input[6]) if not _is_grease(offer) and offer >> 8 == 3),
        default=0,
    )


def _is_grease(number: int) -> bool:
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
