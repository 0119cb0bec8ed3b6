"""Describes algorithms as CycloneDX 1.6 does (cryptoProperties, assetType `algorithm`), from their names in TLS and X.509.

What a name says is written: primitive, mode, curve, length of the key. Strengths are given only where a standard gives them:
the classical one in bits (NIST SP 800-57 part 1, table 2), and the category of NIST against quantum computers (0 for
Diffie-Hellman, curves and RSA; 1, 3 and 5 for AES and ML-KEM).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from analyzer.analysis.hello_offers import post_quantum_groups
from analyzer.codec.registry import registry
from analyzer.tls.suites import Suite, suite


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm. kind: the part of its reference, such as `group`. The rest is as in CycloneDX; None is not known.

    strength: classical, in bits; category: of NIST, against quantum computers.
    """

    kind: str
    name: str
    primitive: str
    functions: tuple[str, ...] = ()
    parameter: str | None = None
    curve: str | None = None
    mode: str | None = None
    strength: int | None = None
    category: int | None = None

    @property
    def reference(self) -> str:
        """Its `bom-ref`."""
        return f"crypto/{self.kind}/{self.name}"


_CURVES = {
    "secp192r1": 96, "secp224r1": 112, "secp256r1": 128, "secp384r1": 192, "secp521r1": 256, "x25519": 128, "x448": 224,
    "brainpoolP256r1": 128, "brainpoolP384r1": 192, "brainpoolP512r1": 256, "ed25519": 128, "ed448": 224,
}  # fmt: skip

_FIELDS = {1024: 80, 2048: 112, 3072: 128, 7680: 192, 15360: 256}
"""Strength by the bits of a prime or of an RSA modulus."""

_CATEGORIES = {"512": 1, "768": 3, "1024": 5}
_AES = {"128": 1, "192": 3, "256": 5}
_MLKEM = re.compile(r"(?:MLKEM|Kyber)(512|768|1024)")
_CIPHER = re.compile(r"(AES|CAMELLIA|ARIA|SM4|RC4|SEED|IDEA|3DES|DES|DES40|RC2|CHACHA20)(?:_(?:CBC_)?(\d+))?(?:_(.+))?")
_MODES = {"GCM": "gcm", "CCM": "ccm", "CCM_8": "ccm", "CBC": "cbc", "EDE_CBC": "cbc"}
_PRIMITIVES = {"aead": "ae", "cbc": "block-cipher", "stream": "stream-cipher", "null": "other"}
_HASHES = {"MD5": "MD5", "SHA": "SHA-1", "SHA224": "SHA-224", "SHA256": "SHA-256", "SHA384": "SHA-384", "SHA512": "SHA-512"}
_SIGN = ("verify",)


def group_algorithm(name: str) -> Algorithm:
    """Return the key exchange of a group, by its name in IANA's registry."""
    found = _MLKEM.search(name)
    if found is not None and name in _post_quantum_names():
        pure = found[0] == name
        return Algorithm(
            "group",
            name,
            "kem" if pure else "combiner",
            ("encapsulate", "decapsulate"),
            found[1],
            category=_CATEGORIES[found[1]],
        )
    field = name.removeprefix("ffdhe")
    if field.isdecimal():
        return Algorithm("group", name, "key-agree", ("keyderive",), field, strength=_FIELDS.get(int(field)), category=0)
    return Algorithm("group", name, "key-agree", ("keyderive",), curve=name, strength=_CURVES.get(name), category=0)


def suite_algorithms(name: str) -> Iterator[Algorithm]:
    """Yield the algorithms of a cipher suite, by its name: kind of key exchange, cipher, MAC, and the hash of its PRF."""
    parts = _suite(name)
    if parts is None:
        return
    if parts.key_exchange:
        exchange = parts.key_exchange
        primitive = "pke" if exchange.startswith("RSA") else "other" if "DH" not in exchange else "key-agree"
        category = 0 if "PSK" not in exchange else None
        yield Algorithm("key-exchange", exchange, primitive, ("keyderive",), category=category)
    yield _cipher(parts)
    digest = _HASHES.get(parts.hash, parts.hash)
    if parts.mac == "HMAC":
        yield Algorithm("mac", f"HMAC-{digest}", "mac", ("tag",))
    yield Algorithm("hash", _HASHES.get(parts.prf_hash, parts.prf_hash), "hash", ("digest",))


def scheme_algorithm(name: str) -> Algorithm:
    """Return the algorithm of a signature of a handshake, by its name in IANA's registry."""
    words = name.split("_")
    curve = words[1] if words[0] == "ecdsa" and words[1] in _CURVES else words[0] if words[0] in _CURVES else None
    category = None if words[0].startswith(("mldsa", "slhdsa")) else 0
    return Algorithm("signature", name, "signature", _SIGN, curve=curve, strength=_CURVES.get(curve or ""), category=category)


def certificate_signature(name: str) -> Algorithm:
    """Return the algorithm of the signature on a certificate, by its name or object identifier."""
    curve = name if name in _CURVES else None  # those of EdDSA, which are signature schemes too
    category = None if _resists(name) else 0
    return Algorithm("signature", name, "signature", _SIGN, curve=curve, strength=_CURVES.get(name), category=category)


def key_algorithm(key: dict[str, Any]) -> Algorithm:
    """Return the algorithm of a public key, as session records describe it."""
    kind, bits, curve = key["type"], key.get("bits"), key.get("curve")
    name = "-".join(str(part) for part in (kind, bits, curve) if part is not None)
    strength = _FIELDS.get(bits) if isinstance(bits, int) else _CURVES.get(curve or kind)
    return Algorithm(
        "public-key", name, "pke" if kind == "rsa" else "signature", _SIGN, None if bits is None else str(bits), curve,
        strength=strength, category=None if _resists(kind) else 0,
    )  # fmt: skip


def suite_number(name: str) -> int | None:
    """Return the number of a cipher suite by its name; None for one that is not registered."""
    return _numbers().get(name)


def _cipher(parts: Suite) -> Algorithm:
    found = _CIPHER.fullmatch(parts.cipher)
    primitive, functions = _PRIMITIVES[parts.mode], () if parts.mode == "null" else ("encrypt", "decrypt")
    if found is None:
        return Algorithm("cipher", parts.cipher, primitive, functions)
    family, bits, rest = found[1], found[2], found[3] or ""
    mode = _MODES.get(rest) or ("cbc" if parts.mode == "cbc" else None)
    strength = {"CHACHA20": 256, "3DES": 112}.get(family) or (
        int(bits) if bits and family in ("AES", "CAMELLIA", "ARIA") else None
    )
    return Algorithm(
        "cipher", parts.cipher, primitive, functions, bits, mode=mode, strength=strength,
        category=_AES.get(bits or "") if family == "AES" else None,
    )  # fmt: skip


def _suite(name: str) -> Suite | None:
    number = suite_number(name)
    return None if number is None else suite(number)


def _resists(name: str) -> bool:
    """Return whether an algorithm of X.509 resists quantum computers, or is not known here: nothing is said of those."""
    return name.startswith(("ml-dsa", "slh-dsa")) or name[:1].isdecimal()


@cache
def _numbers() -> dict[str, int]:
    suites = registry("cipher_suites")
    return {suites.name(number): number for number in suites}


@cache
def _post_quantum_names() -> frozenset[str]:
    return frozenset(registry("supported_groups").name(number) for number in post_quantum_groups())
