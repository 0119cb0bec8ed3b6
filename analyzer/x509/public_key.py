"""Reads the type and the strength of a certificate's key (SubjectPublicKeyInfo, RFC 5280, section 4.1.2.7).

An AlgorithmIdentifier names the type. It may have parameters: the curve of an EC key (RFC 5480), the prime of a DSA key
(RFC 3279). A BIT STRING contains the key itself; for RSA it is a sequence that begins with the modulus. Each reader below takes
the SubjectPublicKeyInfo, and raises `Malformed` if it cannot read it.
"""

from dataclasses import dataclass

from analyzer.codec.errors import Malformed
from analyzer.x509.algorithm_names import CURVES, PUBLIC_KEYS
from analyzer.x509.der import BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, Element, expect, read_element
from analyzer.x509.name_text import dotted

KEY_LENGTHS = {
    "x25519": 32, "ed25519": 32, "x448": 56, "ed448": 57,
    "ml-dsa-44": 1312, "ml-dsa-65": 1952, "ml-dsa-87": 2592, "ml-kem-512": 800, "ml-kem-768": 1184, "ml-kem-1024": 1568,
    **{f"slh-dsa-{name}-{size}{kind}": size // 4 for name in ("sha2", "shake") for size in (128, 192, 256) for kind in "sf"},
}  # fmt: skip
"""Length of a key in bytes, for kinds with a fixed length (RFC 8410; FIPS 203, 204, 205)."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The `type` of a key (`rsa`, `ec`, `ed25519`, …, else its object identifier), and its strength.

    bits: length of the modulus (RSA) or the prime (DSA, DH). curve: its name, its object identifier, or `explicit` if the key
    contains the parameters of its curve. None if the type does not have the value, or if it cannot be read.
    """

    type: str
    bits: int | None = None
    curve: str | None = None

    def record(self) -> dict[str, str | int]:
        """Return it in the form of the session record."""
        record: dict[str, str | int] = {"type": self.type}
        if self.bits is not None:
            record["bits"] = self.bits
        if self.curve is not None:
            record["curve"] = self.curve
        return record


def key_type(der: bytes, element: Element, field: str) -> str:
    """Return the type's name, else its object identifier."""
    octets, offset, _ = algorithm_identifier(der, read_element(der, element[1], element[2], field), field)
    return PUBLIC_KEYS.get(octets) or dotted(octets, offset, field)


def curve(der: bytes, element: Element, field: str) -> str:
    """Return an EC key's curve: its name, else its object identifier, or `explicit`."""
    algorithm = read_element(der, element[1], element[2], field)
    pos = algorithm_identifier(der, algorithm, field)[2]
    tag, start, stop, _ = read_element(der, pos, algorithm[2], field)
    if tag == SEQUENCE:
        return "explicit"
    if tag != OBJECT_IDENTIFIER:
        raise Malformed(field, pos, f"parameters with tag 0x{tag:02x} name no curve")
    return CURVES.get(der[start:stop]) or dotted(der[start:stop], start, field)


def key_bytes(der: bytes, element: Element, field: str) -> int:
    """Return the number of bytes of a key: those of the BIT STRING, without the byte that counts its unused bits."""
    algorithm = read_element(der, element[1], element[2], field)
    _, start, end, _ = expect(der, algorithm[3], element[2], BIT_STRING, field)
    return max(end - start - 1, 0)


def modulus_bits(der: bytes, element: Element, field: str) -> int:
    """Return the length of an RSA key's modulus in bits."""
    algorithm = read_element(der, element[1], element[2], field)
    _, start, end, _ = expect(der, algorithm[3], element[2], BIT_STRING, field)
    # The first byte of a BIT STRING counts the unused bits of its last byte; a key has none.
    _, start, end, _ = expect(der, min(start + 1, end), end, SEQUENCE, field)
    return _bits(der, start, end, field)


def prime_bits(der: bytes, element: Element, field: str) -> int:
    """Return the length in bits of the prime in the parameters of a DSA or DH key."""
    algorithm = read_element(der, element[1], element[2], field)
    pos = algorithm_identifier(der, algorithm, field)[2]
    _, start, end, _ = expect(der, pos, algorithm[2], SEQUENCE, field)
    return _bits(der, start, end, field)


def algorithm_identifier(der: bytes, element: Element, field: str) -> tuple[bytes, int, int]:
    """Return an AlgorithmIdentifier's object identifier, its offset, and the offset of the parameters."""
    _, start, stop, after = expect(der, element[1], element[2], OBJECT_IDENTIFIER, field)
    return der[start:stop], start, after


def _bits(der: bytes, pos: int, end: int, field: str) -> int:
    """Return the length in bits of the INTEGER at `pos`, read as unsigned."""
    _, start, end, _ = expect(der, pos, end, INTEGER, field)
    while start < end and not der[start]:
        start += 1
    return 8 * (end - start - 1) + der[start].bit_length() if start < end else 0
