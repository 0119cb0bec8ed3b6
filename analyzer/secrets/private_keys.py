"""RSA private keys: the premaster secret that a client encrypted to the server's key (RFC 5246, section 7.4.7.1).

Only the plain RSA key exchange, and RSA_PSK, can be opened so; with ephemeral Diffie-Hellman the server's key only signs. The
first two bytes of the premaster secret are the version that the client offered; some clients wrongly put the negotiated one.
Whoever answers queries must not tell bad padding from a bad version (Bleichenbacher's attack); reading a capture answers
nobody.
"""

from collections.abc import Iterator
from contextlib import suppress

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from analyzer.secrets.decryption_error import MALFORMED, UNSUPPORTED_CIPHER, WRONG_SECRET, DecryptionError

PREMASTER = 48
LARGEST_MODULUS = 16384 // 8
"""Bytes: larger keys take seconds for one decryption."""

LARGEST_FILE = 1 << 20
"""Octets of a file with keys."""

_SEQUENCE = b"\x30"
_PEM_BEGIN, _PEM_END = b"-----BEGIN ", b"-----END "


class PrivateKey:
    """One RSA key; `source` says where it comes from."""

    source = "RSA private key"

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        """Refused for a modulus of more than 16,384 bits."""
        self.n_bytes = (key.key_size + 7) // 8
        if self.n_bytes > LARGEST_MODULUS:
            raise DecryptionError(UNSUPPORTED_CIPHER, f"an RSA key of {key.key_size} bits")
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    def belongs_to(self, certificate: bytes) -> bool:
        """Whether the public key stands in a certificate (DER), which need not be readable otherwise."""
        return self._public in certificate

    def premaster(self, encrypted: bytes, *versions: int) -> bytes:
        """Decrypt the premaster secret; it has to begin with one of the versions: the one offered, the one negotiated.

        encrypted: without the length before it that TLS has and SSL 3.0 has not. Refused: malformed, or wrong_secret.
        """
        if len(encrypted) > self.n_bytes:
            raise DecryptionError(MALFORMED, f"{len(encrypted)} bytes are no number under a modulus of {self.n_bytes}")
        # Some implementations leave out leading zeros.
        encrypted = encrypted.rjust(self.n_bytes, b"\0")
        try:
            premaster = self._key.decrypt(encrypted, padding.PKCS1v15())
        except ValueError as error:
            raise DecryptionError(WRONG_SECRET, "the encrypted premaster secret is not of this RSA key") from error
        if len(premaster) != PREMASTER:
            raise DecryptionError(WRONG_SECRET, "what the RSA key decrypts is no premaster secret")
        if int.from_bytes(premaster[:2], "big") not in versions:
            raise DecryptionError(WRONG_SECRET, "what the RSA key decrypts does not begin with the version of the ClientHello")
        return premaster


def read_private_keys(data: bytes, password: bytes | None = None) -> list[PrivateKey]:
    """Read the RSA keys of a file: PEM (PKCS#1, PKCS#8, encrypted or not, several in one), DER, or PKCS#12.

    Other things in it are passed over. Refused: malformed (no RSA key; another form), wrong_secret (password wrong or missing).
    """
    if len(data) > LARGEST_FILE:
        raise DecryptionError(MALFORMED, f"{len(data)} bytes are no file of keys")
    parts = _pem_blocks(data) if _PEM_BEGIN in data else [data]
    found: list[PrivateKey] = []
    refusal = DecryptionError(MALFORMED, "no RSA private key in it")
    for part in parts:
        try:
            key = _load(part, password)
        except DecryptionError as error:
            refusal = error
            continue
        if isinstance(key, rsa.RSAPrivateKey):
            found.append(PrivateKey(key))
    if not found:
        raise refusal
    return found


def choose(keys: list[PrivateKey], certificate: bytes) -> PrivateKey | None:
    """Choose the key of a certificate (DER); None if it is of none of them."""
    return next((key for key in keys if key.belongs_to(certificate)), None)


def _pem_blocks(data: bytes) -> Iterator[bytes]:
    """Give the blocks that hold a private key, from BEGIN through END."""
    for part in data.split(_PEM_BEGIN)[1:]:
        label = part.partition(b"-----")[0]
        if label.endswith(b"PRIVATE KEY") and _PEM_END in part:
            body, _, _ = part.partition(_PEM_END)
            yield _PEM_BEGIN + body + _PEM_END + label + b"-----\n"


def _load(data: bytes, password: bytes | None) -> object:
    """Load one PEM block, else PKCS#1 or PKCS#8 in DER, else PKCS#12, encrypted or not."""
    load = load_pem_private_key if data.startswith(_PEM_BEGIN) else load_der_private_key
    try:
        return load(data, None)
    except UnsupportedAlgorithm as error:
        raise DecryptionError(MALFORMED, "a private key of a kind that the library has not") from error
    except TypeError as error:
        # What the library raises for an encrypted key without a password.
        return _load_encrypted(data, password, error)
    except ValueError as error:
        if data.startswith(_PEM_BEGIN):
            raise DecryptionError(MALFORMED, "a private key that cannot be read") from error
    return _load_pkcs12(data, password)


def _load_encrypted(data: bytes, password: bytes | None, cause: TypeError) -> object:
    if password is None:
        raise DecryptionError(WRONG_SECRET, "the private key wants a password") from cause
    load = load_pem_private_key if data.startswith(_PEM_BEGIN) else load_der_private_key
    try:
        return load(data, password)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DecryptionError(WRONG_SECRET, "the password does not open the private key") from error


def _load_pkcs12(data: bytes, password: bytes | None) -> object:
    try:
        return load_key_and_certificates(data, password)[0]
    except (ValueError, UnsupportedAlgorithm) as error:
        if password is None and data.startswith(_SEQUENCE):
            # Some programs write an empty password where they are given none.
            with suppress(ValueError, UnsupportedAlgorithm):
                return load_key_and_certificates(data, b"")[0]
        # The library does not tell a wrong password from a damaged file; a file that is none at all begins otherwise.
        if not data.startswith(_SEQUENCE):
            raise DecryptionError(MALFORMED, "no private key in a known form") from error
        missing = "no password was given" if password is None else "the password may be wrong"
        raise DecryptionError(WRONG_SECRET, f"as PKCS#12 it does not open; {missing}") from error
