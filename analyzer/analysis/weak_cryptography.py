"""Finds versions and cryptography that protect a session too little: by its version, its cipher suite and its key exchange.

TLS 1.0 and everything before it, and TLS 1.1, must not be used (RFC 6176, RFC 7568, RFC 8996). RFC 9325 (BCP 195) says what of
TLS 1.2 must not be negotiated any more (section 4.1: no encryption, RC4, less than 112 bits), what should not (3DES, RSA key
transport, compression), and how long a prime must be (section 4.5). What it only advises against, and what breaks no rule, is
`info` in TLS 1.2 with forward secrecy: such a session is legal.
"""

from analyzer.analysis.common_primes import common_prime
from analyzer.codec.registry import registry
from analyzer.tls.handshake.hello_features import is_tls13
from analyzer.tls.messages.numbers import SSL2, SSL3, TLS_1_0, TLS_1_2
from analyzer.tls.suites import Suite

Weakness = tuple[str, str, str]
"""A finding: its code, severity and detail."""

LEAST_PRIME_BITS = 2048
"""RFC 9325 section 4.5."""

BROKEN_PRIME_BITS = 1024
"""A prime with fewer bits protects nothing: 512 bits were broken in minutes in 2015, 795 bits publicly in 2019."""

TLS_1_1, DTLS_1_0 = 0x0302, 0xFEFF

_RULE_OF_VERSION = {SSL2: "RFC 6176", SSL3: "RFC 7568", TLS_1_0: "RFC 8996", TLS_1_1: "RFC 8996", DTLS_1_0: "RFC 8996"}

_SMALL_BLOCK = ("3DES", "IDEA")
_UNDER_112_BITS = ("DES", "RC2", "FORTEZZA", "SKIPJACK")


def weak_version(version: int) -> list[Weakness]:
    """Return the finding about a negotiated version, by its number; 0 is unknown."""
    rule = _RULE_OF_VERSION.get(version)
    if rule is None:
        return []
    return [("deprecated_version", "medium", f"they speak {registry('versions').name(version)}, which {rule} forbids")]


def weak_suite(version: int, suite: Suite, encrypt_then_mac: bool) -> list[Weakness]:
    """Return the findings about a negotiated cipher suite. encrypt_then_mac: whether both sides agreed on it (RFC 7366)."""
    found: list[Weakness] = []
    severity = _severity(version, suite)
    if suite.mode == "null":
        found.append(("null_cipher", "medium", f"{suite.name} does not encrypt"))
    if suite.authentication == "anon":
        found.append(("anonymous_key_exchange", "medium", f"with {suite.name} nobody shows who the server is"))
    if suite.export:
        found.append(("export_cipher", "medium", f"{suite.name} was made weak enough for the export laws of the 1990s"))
    elif suite.cipher.startswith(_UNDER_112_BITS):
        found.append(("weak_cipher", "medium", f"the cipher of {suite.name} has fewer than 112 bits of security"))
    if suite.cipher.startswith("RC4"):
        found.append(("rc4", "medium", f"{suite.name}: RFC 7465 forbids RC4"))
    if suite.cipher.startswith(_SMALL_BLOCK):
        found.append(("triple_des", severity, f"the cipher of {suite.name} has blocks of 64 bits"))
    if suite.mode == "cbc" and suite.mac == "HMAC" and not encrypt_then_mac:
        found.append(("mac_then_encrypt", severity, f"{suite.name} without encrypt_then_mac: the MAC is inside the encryption"))
    if not suite.forward_secret and suite.mode != "null":
        found.append(("no_forward_secrecy", "info", f"{suite.name}: who gets the long-term key later can decrypt this session"))
    return found


def weak_prime(prime: bytes) -> list[Weakness]:
    """Return the findings about the prime of a Diffie-Hellman key exchange, as sent; empty if there is none."""
    number = int.from_bytes(prime, "big")
    bits = number.bit_length()
    if not bits or bits >= LEAST_PRIME_BITS:
        return []
    severity = "medium" if bits < BROKEN_PRIME_BITS else "low"
    found: list[Weakness] = [("weak_dh", severity, f"the prime of the Diffie-Hellman key exchange has {bits:,} bits")]
    origin = common_prime(number)
    if origin is not None:
        found.append(("common_dh_prime", "low", f"the prime of {bits:,} bits is that of {origin}, which many servers share"))
    return found


def weak_compression(version: int, suite: Suite | None, method: int) -> list[Weakness]:
    """Return the finding about the compression of records, by the number of its method."""
    if not method:
        return []
    severity = "low" if suite is None else _severity(version, suite)
    detail = f"the records are compressed ({registry('compression_methods').name(method)})"
    return [("tls_compression", severity, detail)]


def weak_resumption(version: int, resumption: str, group: int) -> list[Weakness]:
    """Return the finding about a session of TLS 1.3 with a pre-shared key and no key exchange (mode psk_ke)."""
    if not is_tls13(version) or resumption != "psk" or group >= 0:
        return []
    detail = "they use a pre-shared key without a key exchange (psk_ke): who gets it later can decrypt this session"
    return [("no_forward_secrecy", "info", detail)]


def _severity(version: int, suite: Suite) -> str:
    """Return the severity of what breaks no rule: `info` in TLS 1.2 with forward secrecy, else `low`."""
    return "info" if version >= TLS_1_2 and suite.forward_secret else "low"
