# cython: annotation_typing=False
"""Has the rules about the values of a key exchange: primes, curves, public keys, and what signs them.

Whoever can compute the shared secret reads the session, so a peer must refuse public keys for which everybody can: 0, 1 and p-1
of a finite field (RFC 7919 section 5.1, RFC 9846 section 4.3.8.1), points that are not on their curve (RFC 8422 section 5.10,
RFC 9846 section 4.3.8.2), and those of X25519 and X448 whose product is 0 (RFC 7748 section 6). A modulus that is no prime, and
a curve that the server invented (RFC 8422 section 5.4), give no security that anybody has examined. MD5 and SHA-1 must not sign
the exchange (RFC 9155 sections 4 and 5; the SLOTH attack).

All rules read values that are whole in the capture. A test for a prime takes milliseconds, so each modulus is tested once, and
only a limited number of them.
"""

from functools import cache
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.suites import Suite

Weakness = tuple[str, str, str]
"""Code, severity and detail of a finding."""

SECP256R1, SECP384R1, SECP521R1, X25519, X448 = 23, 24, 25, 29, 30
"""Groups whose public keys are checked (registry `supported_groups`)."""

NAMES = {SECP256R1: "secp256r1", SECP384R1: "secp384r1", SECP521R1: "secp521r1", X25519: "x25519", X448: "x448"}

HYBRIDS = {0x11EB: SECP256R1, 0x11EC: X25519, 0x11ED: SECP384R1}
"""Hybrid groups with the curve of their classical part (RFC 10024)."""

FFDHE = {
    256: ("ffdhe2048", 2048, 560316),
    257: ("ffdhe3072", 3072, 2625351),
    258: ("ffdhe4096", 4096, 5736041),
    259: ("ffdhe6144", 6144, 15705020),
    260: ("ffdhe8192", 8192, 10965728),
}
"""The groups of finite fields, with the bits of the prime and the k of its formula (RFC 7919 appendix A)."""

EXPLICIT_CURVES = (1, 2)
"""Types of a curve with its own parameters: explicit_prime and explicit_char2 (RFC 4492 section 5.4)."""

MAX_PRIME_BITS = 4096
"""Longest modulus that is tested. The test of one takes about 0.1 s."""

MAX_TESTED = 64
"""Moduli that are tested in a process. The servers of a capture share a few."""

COMPOSITE = "it is composite"

_TESTED: dict[bytes, str] = {}

_SMALL_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)

_P25519, _P448 = (1 << 255) - 19, (1 << 448) - (1 << 224) - 1

_ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
"""A coordinate of a point of order 8 on Curve25519; the other one follows from the curve's equation."""

_ORDER_8_OTHER = 39382357235489614581723060781553021112529911719440698176882885853963445705823


# In the compiled build these are C variables, which other modules cannot see.
_X25519, _X448, _LAST_CURVE = X25519, X448, X448


def _prime_curve(prime: int, b: str) -> tuple[int, int]:
    return prime, int(b, 16)


CURVES = {
    SECP256R1: _prime_curve(
        (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1, "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"
    ),
    SECP384R1: _prime_curve(
        (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1,
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    ),
    SECP521R1: _prime_curve(
        (1 << 521) - 1,
        "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109"
        "e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    ),
}
"""Prime p and coefficient b of each curve y^2 = x^3 - 3x + b (FIPS 186-4 appendix D.1.2)."""


def _encodings(prime: int, bits: int, size: int, coordinates: tuple[int, ...]) -> frozenset[bytes]:
    """Return all ways to write coordinates in `size` bytes of which a receiver reads the lower bits, modulo p."""
    written = (value for one in coordinates for value in (one, one + prime) if value >> bits == 0)
    top = 1 << bits if bits % 8 else 0
    return frozenset((value | high).to_bytes(size, "little") for value in written for high in (0, top))


_SIZES = {X25519: 32, X448: 56}

_ZERO_PRODUCT = _encodings(_P25519, 255, 32, (0, 1, _P25519 - 1, _ORDER_8, _ORDER_8_OTHER)) | _encodings(
    _P448, 448, 56, (0, 1, _P448 - 1)
)
"""Public keys of small order: with every private key the shared secret is 0 (RFC 7748 sections 5 and 6)."""


def server_exchange(body: Any) -> list[Weakness]:
    """Return what is wrong with a decoded ServerKeyExchange up to TLS 1.2, apart from a point on a named curve."""
    found: list[Weakness] = []
    parameters = getattr(body, "params", None)
    curve = getattr(getattr(parameters, "curve_params", None), "curve_type", None)
    if curve in EXPLICIT_CURVES:
        detail = "the server's key exchange has an explicit curve, with its own prime or polynomial, which RFC 8422 forbids"
        found.append(("explicit_curve", "medium", detail))
    modulus, public = getattr(parameters, "dh_p", None), getattr(parameters, "dh_Ys", None)
    if modulus:
        found += modulus_faults(modulus)
        if public is not None:
            found += field_key("server", public, modulus)
    scheme = getattr(getattr(body, "signed_params", None), "algorithm", None)
    if scheme is not None:
        found += weak_hash("server", "ServerKeyExchange", scheme)
    return found


def client_exchange(body: Any, modulus: bytes) -> list[Weakness]:
    """Return what is wrong with a decoded ClientKeyExchange of a finite field. modulus: of the server, empty if not known."""
    public = getattr(body, "dh_Yc", None)
    return [] if public is None or not modulus else field_key("client", public, modulus)


def rolled_back(suite: Suite | None, premasters: list[bytes], offered: int, version: int) -> list[Weakness]:
    """Return the finding about a premaster secret of RSA that has another version than its ClientHello.

    premasters: those that the ClientKeyExchange can have; nothing is said unless all of them disagree. offered: version number
    of the ClientHello, 0 if it is not known; version: as agreed. The version protects against rollback (RFC 5246 section
    7.4.7.1), so a server must compare it. Some old clients write the agreed one there.
    """
    if suite is None or suite.key_exchange != "RSA" or not premasters or not offered:
        return []
    written = int.from_bytes(premasters[0][:2], "big")
    if any(one[:2] == offered.to_bytes(2, "big") for one in premasters):
        return []
    names = registry("versions").name
    detail = f"the premaster secret has the version {names(written)}, and the ClientHello {names(offered)}"
    return [("rsa_version_rollback", "low" if written == version else "medium", detail)]


def weak_hash(who: str, message: str, scheme: int) -> list[Weakness]:
    """Return the finding about a signature of TLS 1.2 with MD5 or SHA-1, by the number of its scheme."""
    name = {1: "MD5", 2: "SHA-1"}.get(scheme >> 8)
    if name is None or not 1 <= scheme & 0xFF <= 3:
        return []
    severity = "medium" if name == "MD5" else "low"
    return [("weak_signature_hash", severity, f"the {who} signed its {message} with {name}, which RFC 9155 forbids")]


def modulus_faults(modulus: bytes) -> list[Weakness]:
    """Return the finding about a modulus that is certainly no prime."""
    why = _TESTED.get(modulus)
    if why is None:
        number = int.from_bytes(modulus, "big")
        bits = number.bit_length()
        why = divisor(number)
        if not why and len(_TESTED) < MAX_TESTED and bits <= MAX_PRIME_BITS:
            why = _TESTED[modulus] = composite(number)
    if not why:
        return []
    bits = int.from_bytes(modulus, "big").bit_length()
    detail = f"the modulus of {bits:,} bits of the Diffie-Hellman key exchange is no prime: {why}"
    return [("dh_modulus_no_prime", "medium", detail)]


def divisor(number: int) -> str:
    """Return which small divisor shows that a number is no prime; "" if none does."""
    if number < 2:
        return "it is under 2"
    if number % 2 == 0 and number != 2:
        return "it is even"
    for prime in _SMALL_PRIMES:
        if number % prime == 0 and number != prime:
            return f"it is divisible by {prime}"
    return ""


def composite(number: int) -> str:
    """Return that a number is composite, if the test proves it; else ""."""
    return "" if is_probable_prime(number) else COMPOSITE


def is_probable_prime(number: int) -> bool:
    """Return False if an odd number is certainly composite (the test of Miller and Rabin with base 2)."""
    if number < 5:
        return number in (2, 3)
    shift = ((number - 1) & -(number - 1)).bit_length() - 1
    value = pow(2, (number - 1) >> shift, number)
    if value in (1, number - 1):
        return True
    for _ in range(shift - 1):
        value = value * value % number
        if value == number - 1:
            return True
    return False


def field_key(who: str, public: bytes, modulus: bytes) -> list[Weakness]:
    """Return the finding about a public key of a finite field that its receiver must refuse (RFC 7919 section 5.1)."""
    prime, key = int.from_bytes(modulus, "big"), int.from_bytes(public, "big")
    if 1 < key < prime - 1:
        return []
    value = {0: "0", 1: "1", prime - 1: "p-1"}.get(key, "no number under the prime")
    return [("invalid_public_key", "medium", f"the {who}'s Diffie-Hellman public key is {value}: everybody knows the secret")]


def share_key(who: str, group: int, public: bytes) -> list[Weakness]:
    """Return the finding about the public key of a share or an ECDHE exchange that its receiver must refuse.

    group: its number; of other groups than those of CURVES, X25519, X448 and RFC 7919 nothing is said. public: of a hybrid the
    part of the curve.
    """
    if group > _LAST_CURVE:
        group = HYBRIDS.get(group, group)
        if group in FFDHE:
            prime = ffdhe_prime(group)
            if len(public) != len(prime):
                detail = f"the {who}'s public key for {FFDHE[group][0]} has {len(public)} bytes, not {len(prime)}"
                return [("invalid_public_key", "medium", detail)]
            return field_key(who, public, prime)
    if group in (_X25519, _X448):
        size = _SIZES[group]
        if len(public) == size and public not in _ZERO_PRODUCT:
            return []
        return [("invalid_public_key", "medium", _montgomery_fault(who, group, public))]
    if group not in CURVES or is_on_curve(group, public):
        return []
    return [("invalid_public_key", "medium", f"the {who}'s public key is no point on {NAMES[group]}")]


@cache
def ffdhe_prime(group: int) -> bytes:
    """Return the prime of a group of FFDHE: 2^n - 2^(n-64) + (floor(2^(n-130) * e) + k) * 2^64 - 1 (RFC 7919 appendix A)."""
    _, bits, k = FFDHE[group]
    guard = 64
    total = term = 1 << (bits - 130 + guard)
    number = 1
    while term:
        term //= number
        total += term
        number += 1
    prime = (1 << bits) - (1 << bits - 64) + (((total >> guard) + k) << 64) - 1
    return prime.to_bytes(bits // 8, "big")


def _montgomery_fault(who: str, group: int, public: bytes) -> str:
    if len(public) != _SIZES[group]:
        return f"the {who}'s public key for {NAMES[group]} has {len(public)} bytes, not {_SIZES[group]}"
    return f"the {who}'s public key for {NAMES[group]} has a small order: the shared secret is all-zero"


def is_on_curve(group: int, public: bytes) -> bool:
    """Return whether a public key is an uncompressed point on a curve of CURVES (RFC 8422 section 5.4.1)."""
    prime, b = CURVES[group]
    size = (prime.bit_length() + 7) // 8
    if len(public) != 1 + 2 * size or public[0] != 4:
        return False
    x, y = int.from_bytes(public[1 : 1 + size], "big"), int.from_bytes(public[1 + size :], "big")
    return x < prime and y < prime and (y * y - (x * x - 3) * x - b) % prime == 0
