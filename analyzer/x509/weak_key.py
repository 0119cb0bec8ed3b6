"""Finds weak keys: too short, on curves that the Web PKI does not allow, or made by a generator that is known to be broken.

The limits are those of the CA/Browser Forum (Baseline Requirements, section 6.1.5): RSA from 2048 bits, the curves P-256, P-384
and P-521. EdDSA and ML-DSA are accepted too; DSA is not.

An RSA modulus is tested for everything that it shows without other data: small factors, primes that are close to each other
(CVE-2022-26320), and Infineon's generator (ROCA, CVE-2017-15361). The primes of that generator are powers of 65537 modulo a
product of small primes, and so is the modulus.

Keys of Debian's broken generator (CVE-2008-0166) have no such property. They are known from lists, with about 32,000 keys for
each size, architecture and program. These lists have megabytes and are not included.
"""

from functools import lru_cache
from math import gcd, isqrt

from analyzer.codec.errors import ParseError
from analyzer.x509.der import BIT_STRING, INTEGER, SEQUENCE, expect, read_element
from analyzer.x509.public_key import KEY_LENGTHS, curve, key_bytes, key_type, prime_bits
from analyzer.x509.signature import load_key

RSA_BITS = 2048
"""Minimum length of an RSA modulus, in bits."""

RSA_BITS_TRIED = 16384
"""Longest RSA modulus that is tested, in bits; the tests take more than linear time."""

CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1"))
"""Curves that the Web PKI allows."""

KEY_SIZE = 8192
"""Longest key that is read, in bytes: RSA of 16384 bits has 2,100, ML-DSA-87 2,600."""

FERMAT_ROUNDS = 16
"""Number of steps of Fermat's method; primes that are close to each other are found in the first."""

_SMALL_PRIMES = tuple(n for n in range(3, 752) if all(n % d for d in range(2, isqrt(n) + 1)))
_PRODUCT_OF_SMALL_PRIMES = 1
for _prime in _SMALL_PRIMES:
    _PRODUCT_OF_SMALL_PRIMES *= _prime


def _powers(prime: int) -> frozenset[int]:
    powers, power = {1}, 65537 % prime
    while power not in powers:
        powers.add(power)
        power = power * 65537 % prime
    return frozenset(powers)


# The smallest keys of that generator use the primes up to 167. A prime for which the powers of 65537 are all residues is
# useless.
_ROCA = tuple((prime, _powers(prime)) for prime in _SMALL_PRIMES if prime <= 167 and len(_powers(prime)) < prime - 1)


def key_weakness(spki: bytes) -> str | None:
    """Return what is wrong with the key in a SubjectPublicKeyInfo, as the rest of a sentence that begins with `the key`.

    Return None if nothing is wrong. For an unreadable key, return that it cannot be read; never raises.
    """
    return _weakness(spki) if len(spki) <= KEY_SIZE else f"takes {len(spki)} octets, and no key is that long"


@lru_cache(maxsize=4096)
def _weakness(spki: bytes) -> str | None:
    try:
        element = read_element(spki, 0, len(spki), "subjectPublicKeyInfo")
        kind = key_type(spki, element, "subjectPublicKeyInfo")
        if kind in ("rsa", "rsassa-pss", "rsaes-oaep"):
            return _rsa_weakness(*_rsa_numbers(spki))
        if kind == "ec":
            weakness = _curve_weakness(curve(spki, element, "subjectPublicKeyInfo"))
            # Points that are not on their curve give away secrets of who computes with them, so every library refuses them.
            return "is no point of its curve" if weakness is None and load_key(spki) is None else weakness
        if kind == "dsa":
            return f"is a DSA key of {prime_bits(spki, element, 'subjectPublicKeyInfo')} bits, which no client accepts any more"
        n_bytes = key_bytes(spki, element, "subjectPublicKeyInfo")
    except ParseError as error:
        return f"cannot be read ({error})"
    if kind in ("ed25519", "ed448") or kind.startswith(("ml-dsa-", "slh-dsa-")):
        wanted = KEY_LENGTHS.get(kind, n_bytes)
        return None if n_bytes == wanted else f"has {n_bytes} bytes, and a key of type {kind} has {wanted}"
    return f"is of type {kind}, which no client accepts in a certificate for signing"


def is_roca(modulus: int) -> bool:
    """Return whether a modulus has the property of Infineon's generator; fewer than one in 10^9 random ones have it."""
    return all(modulus % prime in powers for prime, powers in _ROCA)


def _curve_weakness(name: str) -> str | None:
    if name in CURVES:
        return None
    if name == "explicit":
        return "brings the parameters of its own curve, which nobody has checked; a curve has to be named"
    return f"is on the curve {name}, and the Web PKI accepts secp256r1, secp384r1 and secp521r1"


def _rsa_numbers(spki: bytes) -> tuple[int, int, int]:
    """Return the length in bits, modulus and exponent. Raises `Malformed`."""
    _, start, end, _ = read_element(spki, 0, len(spki), "subjectPublicKeyInfo")
    algorithm = read_element(spki, start, end, "algorithm")
    _, start, end, _ = expect(spki, algorithm[3], end, BIT_STRING, "subjectPublicKey")
    _, start, end, _ = expect(spki, min(start + 1, end), end, SEQUENCE, "RSAPublicKey")
    _, first, last, start = expect(spki, start, end, INTEGER, "modulus")
    modulus = int.from_bytes(spki[first:last], "big")
    _, first, last, _ = expect(spki, start, end, INTEGER, "publicExponent")
    return modulus.bit_length(), modulus, int.from_bytes(spki[first:last], "big")


def _rsa_weakness(bits: int, modulus: int, exponent: int) -> str | None:
    if bits < RSA_BITS:
        return f"is an RSA key of {bits} bits, and {RSA_BITS} are the least"
    if bits % 8:
        return f"is an RSA key of {bits} bits, which are no whole number of octets"
    if exponent < 3 or not exponent & 1:
        if exponent.bit_length() > 64:  # Python cannot format a number of several thousand digits
            return f"is an RSA key with an even exponent of {exponent.bit_length()} bits"
        return f"is an RSA key with the exponent {exponent}"
    if bits > RSA_BITS_TRIED:
        return None
    factor = gcd(modulus, _PRODUCT_OF_SMALL_PRIMES)
    if not modulus & 1 or factor > 1:
        return f"is an RSA key whose modulus has the small factor {factor if modulus & 1 else 2}"
    if is_roca(modulus):
        return "is an RSA key of Infineon's broken generator (ROCA, CVE-2017-15361)"
    if _primes_are_close(modulus):
        return "is an RSA key whose primes lie next to each other (CVE-2022-26320)"
    return None


def _primes_are_close(modulus: int) -> bool:
    middle = isqrt(modulus)
    for _ in range(FERMAT_ROUNDS):
        middle += 1
        rest = middle * middle - modulus
        if isqrt(rest) ** 2 == rest:
            return True
    return False
