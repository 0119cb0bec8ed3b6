"""Keys that protect nothing: too short, on curves that the Web PKI does not know, or made by a generator known to be broken.

The limits are those of the CA/Browser Forum (Baseline Requirements, section 6.1.5): RSA from 2048 bits, the curves P-256, P-384
and P-521; EdDSA and ML-DSA are taken too, DSA is not. What can be told from an RSA modulus alone is tried: small factors,
primes that lie next to each other (CVE-2022-26320), and Infineon's generator (ROCA, CVE-2017-15361), whose primes are powers
of 65537 modulo a product of small primes, so that the modulus is one too. Keys of Debian's broken generator (CVE-2008-0166)
show nothing in themselves: they are known from lists, of some 32,000 keys for each size, architecture and program, which are
megabytes and are not shipped.
"""

from functools import lru_cache
from math import gcd, isqrt

from analyzer.codec.errors import ParseError
from analyzer.x509.der import BIT_STRING, INTEGER, SEQUENCE, expect, read_element
from analyzer.x509.public_key import curve, key_type, prime_bits

RSA_BITS = 2048
"""Fewest bits of an RSA modulus."""

RSA_BITS_TRIED = 16384
"""Longest RSA modulus looked into; the tests take longer than linear time."""

CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1"))
"""Curves that the Web PKI allows."""

KEY_SIZE = 8192
"""Longest key looked into, in octets: RSA of 16384 bits takes 2,100, ML-DSA-87 2,600."""

FERMAT_ROUNDS = 16
"""Steps of Fermat's method; primes that lie next to each other are found in the first."""

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


# The smallest keys of that generator use the primes up to 167; those of which 65537 gives every residue tell nothing.
_ROCA = tuple((prime, _powers(prime)) for prime in _SMALL_PRIMES if prime <= 167 and len(_powers(prime)) < prime - 1)


def key_weakness(spki: bytes) -> str | None:
    """Say what is wrong with the key in a SubjectPublicKeyInfo, as the rest of a sentence that begins with `the key`.

    None when nothing is. A key that cannot be read is called unreadable; never raises.
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
            return _curve_weakness(curve(spki, element, "subjectPublicKeyInfo"))
        if kind == "dsa":
            return f"is a DSA key of {prime_bits(spki, element, 'subjectPublicKeyInfo')} bits, which no client accepts any more"
    except ParseError as error:
        return f"cannot be read ({error})"
    if kind in ("ed25519", "ed448") or kind.startswith(("ml-dsa-", "slh-dsa-")):
        return None
    return f"is of type {kind}, which no client accepts in a certificate for signing"


def is_roca(modulus: int) -> bool:
    """Whether a modulus has the mark of Infineon's generator; of random ones less than one in a thousand million has it."""
    return all(modulus % prime in powers for prime, powers in _ROCA)


def _curve_weakness(name: str) -> str | None:
    if name in CURVES:
        return None
    if name == "explicit":
        return "brings the parameters of its own curve, which nobody has checked; a curve has to be named"
    return f"is on the curve {name}, and the Web PKI accepts secp256r1, secp384r1 and secp521r1"


def _rsa_numbers(spki: bytes) -> tuple[int, int, int]:
    """Give the length in bits, modulus and exponent; raises `Malformed`."""
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
        if exponent.bit_length() > 64:  # Python writes no number of some thousand digits
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
