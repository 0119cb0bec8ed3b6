"""Finds signs that a handshake was downgraded to an older version: sentinels in the server's random, and signalling suites.

A server that supports TLS 1.3 and negotiates an older version writes a sentinel into the last eight bytes of its random. Its
signature covers the random (RFC 9846 section 4.2.3). If the client offered a newer version and the sentinel is present,
somebody changed the offer on the way.

A client that tries again with a lower version sends a signalling suite (RFC 7507). A server that supports a higher version must
then refuse the handshake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.codec.registry import registry
from analyzer.tls.events import Finding
from analyzer.tls.handshake.hello_features import LONGEST_REMEMBERED, FingerprintInput, is_tls13
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.messages.numbers import RENEGOTIATION_INFO, TLS_1_2, TLS_1_3
from analyzer.tls.session import Session

if TYPE_CHECKING:
    import cython

SENTINEL_12 = b"DOWNGRD\x01"
SENTINEL_11 = b"DOWNGRD\x00"
"""Ends of a server's random: the server supports TLS 1.3 (SENTINEL_12), or supports TLS 1.2 (SENTINEL_11)."""

FALLBACK_SCSV, RENEGOTIATION_SCSV = 0x5600, 0x00FF

SIGNALS: dict[int, tuple[FingerprintInput, bool, bool, int]] = {}
"""Maps the `id()` of a fingerprint input to the input and its signals. Equal hellos share it; the entry keeps it alive."""

REMEMBERED = 4096
"""Maximum number of kinds of hello in the cache. A few clients send nearly all hellos."""

NAMES = registry("versions").names

NONE: list[Finding] = []
"""The shared result of sessions without findings, which are the most."""

_COULD = {SENTINEL_12: TLS_1_3, SENTINEL_11: TLS_1_2}


def downgrades(session: Session) -> list[Finding]:
    """Return the findings about downgrades in a session's hellos. The caller must not change the list."""
    parameters: Parameters = session.handshake.parameters
    hellos: Hellos = session.handshake.hellos
    version: cython.int = parameters.version
    fingerprint_input, answer = hellos.fingerprint_input, hellos.server_fingerprint_input
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
    """Return the fingerprint input and its signals.

    The signals are: whether the client tries again with a lower version, whether it supports secure renegotiation, and the
    newest version that it offers.
    """
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
    """Return the newest version that a ClientHello offers; 0 if it offers none."""
    return max(
        (offer for offer in (fingerprint_input[0], *fingerprint_input[6]) if not _is_grease(offer) and offer >> 8 == 3),
        default=0,
    )


def _is_grease(number: int) -> bool:
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
