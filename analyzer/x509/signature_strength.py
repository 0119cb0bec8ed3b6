"""Decides whether a certificate's signature algorithm is strong enough, and checks the signature (RFC 5280, section 4.1.1.2).

A signature is only as strong as its digest. An attacker who finds two certificates with the same digest lets the authority sign
the harmless one. Collisions of MD5 made a rogue authority possible in 2008; collisions of SHA-1 followed in 2017. Clients now
refuse both.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm

from analyzer.codec.errors import ParseError
from analyzer.x509.algorithm_names import SIGNATURES
from analyzer.x509.der import object_identifier, read_element
from analyzer.x509.public_key import algorithm_identifier, key_type, prime_bits
from analyzer.x509.signature import fits_key, read_pss, verify
from analyzer.x509.weak_key import KEY_SIZE

ACCEPTED_DIGESTS = frozenset(("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"))
"""Digests that are accepted in signatures: those without known collisions (the Web PKI does not allow SHA-224)."""

DSA_BITS = 8192
"""Largest DSA key with which a signature is checked, in bits: its exponents have 256 bits, those of RSA 17."""

IDENTIFIER_SIZE = 512
"""Longest AlgorithmIdentifier that is read, in bytes; the longest, of RSASSA-PSS, has about 70."""

_BROKEN_DIGESTS = frozenset(("md2", "md4", "md5", "sha1"))
_WITHOUT_DIGEST = ("ed25519", "ed448", "ml-dsa-", "slh-dsa-")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm: its name, the types of key that sign with it, its digest (None if the algorithm includes it)."""

    name: str
    keys: tuple[str, ...] = ()
    digest: str | None = None

    @property
    def weakness(self) -> str | None:
        """Why the algorithm is not accepted, as the rest of a sentence; None if it is accepted."""
        if not self.keys:
            return "which is not known here, so that nobody can check it"
        if self.digest is None or self.digest in ACCEPTED_DIGESTS:
            return None
        return "whose digest can be forged" if self.digest in _BROKEN_DIGESTS else "which clients do not accept"


def signature_algorithm(identifier: bytes) -> Algorithm:
    """Read an AlgorithmIdentifier; never raises."""
    return _algorithm(identifier) if len(identifier) <= IDENTIFIER_SIZE else UNREADABLE


@lru_cache(maxsize=256)
def _algorithm(identifier: bytes) -> Algorithm:
    try:
        element = read_element(identifier, 0, len(identifier), "signatureAlgorithm")
        octets, _, parameters = algorithm_identifier(identifier, element, "signatureAlgorithm")
        name = SIGNATURES.get(octets) or object_identifier(octets)
        if name == "rsassaPss":
            # A key for PSS alone has its own type; a plain RSA key signs with both paddings.
            digest = read_pss(identifier, parameters, element[2])[0].name
            return Algorithm(f"{name} and {digest}", ("rsa", "rsassa-pss"), digest)
    except UnsupportedAlgorithm:
        return Algorithm("rsassaPss with an unknown digest")
    except (ParseError, ValueError):
        return UNREADABLE
    if name.startswith(_WITHOUT_DIGEST):
        return Algorithm(name, (name,))
    for start, key in (("ecdsa-with-", "ec"), ("dsa-with-", "dsa")):
        if name.startswith(start):
            return Algorithm(name, (key,), name.removeprefix(start).lower())
    digest, _, rest = name.partition("With")
    return Algorithm(name, ("rsa",), digest.lower()) if rest.startswith("RSA") else Algorithm(name)


UNREADABLE = Algorithm("an unreadable algorithm")
"""Stands for an AlgorithmIdentifier that does not parse, or whose parameters RFC 4055 does not allow."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a check: `good`, `bad`, or `unknown` if it could not be made; and the reason, as a part of a sentence."""

    result: str
    why: str = ""


GOOD = Outcome("good")


def check_signature(signed: bytes, signature: bytes, identifier: bytes, public_key: bytes) -> Outcome:
    """Check a signature on `signed` with a key (SubjectPublicKeyInfo). Return the result and the reason; never raises."""
    algorithm = signature_algorithm(identifier)
    if len(public_key) > KEY_SIZE or algorithm is UNREADABLE:
        return Outcome("unknown", f"a key of {len(public_key)} octets and {algorithm.name}")
    try:
        element = read_element(public_key, 0, len(public_key), "subjectPublicKeyInfo")
        kind = key_type(public_key, element, "subjectPublicKeyInfo")
        if kind == "dsa" and prime_bits(public_key, element, "subjectPublicKeyInfo") > DSA_BITS:
            return Outcome("unknown", f"a DSA key of more than {DSA_BITS} bits")
    except ParseError as error:
        return Outcome("unknown", f"a key that cannot be read: {error}")
    if algorithm.keys and kind not in algorithm.keys:
        return Outcome("bad", f"it is made with {algorithm.name}, and the issuer's key is of the type {kind}")
    if kind == "rsassa-pss" and not fits_key(identifier, public_key):
        return Outcome("bad", f"it is made with {algorithm.name}, and the issuer's key is bound to other parameters")
    check = verify(public_key, identifier, signature, signed)
    if check == "verified":
        return GOOD
    if check == "failed":
        return Outcome("bad", "it does not fit the issuer's key")
    return Outcome("unknown", f"a signature with {algorithm.name} by a key of the type {kind}")
