"""Reads the parts of a cipher suite from its registered name.

Up to TLS 1.2 a name gives the key exchange, the authentication of the server, the cipher and the hash of its MAC. The word WITH
is before the last two (RFC 5246, appendix C). Since TLS 1.3 a suite is only an AEAD and the hash of the key schedule (RFC 9846,
appendix B.4), and the name contains no more. So no second list is needed: a suite that is added to the registry works at once.
Two registered numbers are signals and not suites: their names end in SCSV (RFC 5746 and RFC 7507).
"""

from dataclasses import dataclass, field
from functools import cache

from analyzer.codec.registry import registry

_CERTIFIED = frozenset({"RSA", "DSS", "ECDSA", "anon"})
_SELF_AUTHENTICATED = frozenset({"RSA", "PSK", "DHE_PSK", "RSA_PSK", "ECDHE_PSK", "KRB5", "ECCPWD", "ECJPAKE", "NULL"})
_AEAD = ("GCM", "CCM", "CCM_8", "POLY1305", "MGM_L", "MGM_S")
_HASHES = frozenset(
    {"MD5", "RMD", "SHA", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SM3", "GOSTR3411", "ASCONHASH256", "NULL"}
)
_IRREGULAR = {
    "PSK_DHE": ("DHE_PSK", "PSK"),
    "RSA_FIPS": ("RSA", "RSA"),
    "RSA_OLDFIPS": ("RSA", "RSA"),
    "FORTEZZA_KEA": ("FORTEZZA_KEA", "DSS"),
}
_GOST_HASHES = {"GOSTR341112_256": "GOSTR341112_256", "GOSTR341001": "GOSTR3411", "GOSTR341094": "GOSTR3411"}


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite, divided into its parts; the words are those of the registry.

    `key_exchange`: RSA, DH, DHE, ECDH, ECDHE, PSK, DHE_PSK, RSA_PSK, ECDHE_PSK, SRP, KRB5, ECCPWD, ECJPAKE, GOST, FORTEZZA_KEA,
    ECC, IBC, IBSDH (GM/T 0024), NULL; empty for TLS 1.3, where the group determines it.
    `authentication`: RSA, DSS, ECDSA, anon, PSK, RSA_PSK, SRP, SRP_RSA, SRP_DSS, KRB5, ECCPWD, ECJPAKE, GOST, SM2, IBC, NULL;
    empty for TLS 1.3, where the signature scheme determines it.
    `cipher`: such as AES_128_GCM, RC4_128, NULL. `mode`: aead, cbc, stream or null.
    `mac`: HMAC, AEAD, OMAC, IMIT or NULL. `hash`: of the HMAC or, with an AEAD, of the PRF or key schedule; SHA is SHA-1, and
    RMD is RIPEMD-160.
    `export`: weakened for the export laws of the 1990s.
    `prf_hash`: of the PRF of TLS 1.2 (RFC 5246, section 5: SHA256 if the suite's hash is older), or of the key schedule.
    """

    name: str
    key_exchange: str
    authentication: str
    export: bool
    cipher: str
    mode: str
    mac: str
    hash: str
    tls13: bool
    prf_hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prf_hash", "SHA256" if self.hash in {"MD5", "RMD", "SHA", "NULL"} else self.hash)

    @property
    def forward_secret(self) -> bool:
        """Whether the key exchange is ephemeral.

        It is True for TLS 1.3. There only the mode `psk_ke` is not ephemeral, and the suite does not show the mode.
        """
        if self.tls13 or self.authentication == "anon":
            return True
        return self.key_exchange in {"DHE", "ECDHE", "DHE_PSK", "ECDHE_PSK", "SRP", "ECCPWD", "ECJPAKE", "IBSDH"}


@cache
def suite(number: int) -> Suite | None:
    """Return the suite with this 16-bit number.

    Returns None if the registry does not have it, or if it is a signal (SCSV) and not a suite.
    """
    suites = registry("cipher_suites")
    return read_name(suites.name(number)) if suites.known(number) else None


@cache
def read_name(name: str) -> Suite | None:
    """Divide a registered name into its parts; None for a signal. Raises ValueError if the name has an unknown form."""
    if name.endswith("_SCSV"):
        return None
    prefix, exchange, protection = _split(name)
    cipher, mac, digest = _protection(exchange, protection)
    tls13 = not exchange or cipher.endswith(("MGM_L", "MGM_S"))
    export = "_EXPORT" in exchange
    key_exchange, authentication = ("", "") if tls13 else _exchange(exchange.partition("_EXPORT")[0], gm=not prefix)
    return Suite(name, key_exchange, authentication, export, cipher, _mode(cipher), mac, digest, tls13)


def _split(name: str) -> tuple[str, str, str]:
    """Return prefix (TLS, SSL or, in the suites of GM/T 0024, none), key exchange with authentication, cipher with hash."""
    prefix, _, rest = name.partition("_")
    if prefix not in {"TLS", "SSL"}:
        return "", prefix, rest
    exchange, found, protection = rest.partition("_WITH_")
    return (prefix, exchange, protection) if found else (prefix, "", rest)


def _protection(exchange: str, protection: str) -> tuple[str, str, str]:
    """Return cipher, MAC and hash, from the part after WITH."""
    # The ChaCha20 suites of 2013 have a different nonce from those of the RFC, so the cipher's name must show it.
    protection, old, _ = protection.partition("_OLD")
    cipher, _, digest = protection.rpartition("_")
    if digest in _HASHES:
        # In the names of RFC 9150 the hash of the integrity-only protection is in the place of the cipher.
        integrity_only = not exchange and cipher in _HASHES
        cipher = "NULL" if integrity_only else cipher
    elif digest in {"OMAC", "IMIT"}:
        return cipher, digest, _GOST_HASHES[exchange]
    else:
        # Names that end with the cipher: CCM with the default PRF of TLS 1.2 (RFC 6655, section 3), MGM (RFC 9367).
        cipher, digest = protection, _GOST_HASHES.get(exchange, "SHA256")
    cipher += old
    digest = "SHA" if digest == "SHA1" else digest
    if _mode(cipher) == "aead":
        return cipher, "AEAD", digest
    return cipher, "NULL" if digest == "NULL" else "HMAC", digest


def _mode(cipher: str) -> str:
    """Return aead, cbc, stream or null."""
    if cipher == "NULL":
        return "null"
    if cipher.removesuffix("_OLD").endswith(_AEAD) or cipher.startswith(("AEGIS_", "ASCONAEAD")):
        return "aead"
    # SM1 is a block cipher. GM/T 0024 uses it in CBC mode, but the name does not contain CBC.
    return "cbc" if "CBC" in cipher or cipher == "SM1" else "stream"


def _exchange(exchange: str, gm: bool) -> tuple[str, str]:
    """Return key exchange and authentication, from the part before WITH, without EXPORT; `gm` for the names of GM/T 0024."""
    if gm:
        return exchange, {"RSA": "RSA", "IBC": "IBC", "IBSDH": "IBC"}.get(exchange, "SM2")
    if exchange in _SELF_AUTHENTICATED:
        return exchange, "PSK" if exchange.endswith("E_PSK") else exchange
    if exchange in _GOST_HASHES:
        return "GOST", "GOST"
    if exchange.startswith("SRP_SHA"):
        return "SRP", "SRP" + exchange.removeprefix("SRP_SHA")
    first, _, second = exchange.partition("_")
    if second in _CERTIFIED:
        return first, second
    if exchange not in _IRREGULAR:
        raise ValueError(f"no known key exchange: {exchange}")
    return _IRREGULAR[exchange]
