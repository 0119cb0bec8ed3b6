"""Reads RSA private keys, and decrypts premaster secrets with them (RFC 5246, section 7.4.7.1).

The client encrypts the premaster secret to the server's key. It can be decrypted only for the plain RSA key exchange and for
RSA_PSK. With ephemeral Diffie-Hellman the server's key only signs. The first two bytes of the premaster secret are the version
that the client offered; some clients wrongly use the negotiated one. A server must not let its peer distinguish bad padding
from a bad version (Bleichenbacher's attack). This does not apply here: a program that reads a capture sends no answers.
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
"""In bytes. With larger keys, one decryption takes seconds."""

LARGEST_FILE = 1 << 20
"""Limit in octets for a file with keys."""

_SEQUENCE = b"\x30"
_PEM_BEGIN, _PEM_END = b"-----BEGIN ", b"-----END "


class PrivateKey:
    """One RSA key; `source` says where it comes from."""

    source = "RSA private key"

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        """Raises DecryptionError (unsupported_cipher) for a modulus of more than 16,384 bits."""
        self.n_bytes = (key.key_size + 7) // 8
        if self.n_bytes > LARGEST_MODULUS:
            raise DecryptionError(UNSUPPORTED_CIPHER, f"an RSA key of {key.key_size} bits")
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    def belongs_to(self, certificate: bytes) -> bool:
        """Return whether a certificate (DER) contains the public key.

        The rest of the certificate does not have to be readable.
        """
        return self._public in certificate

    def premaster(self, encrypted: bytes, *versions: int) -> bytes:
        """Decrypt the premaster secret. It must begin with one of the versions: the one offered, or the one negotiated.

        encrypted: without the length field, which TLS has and SSL 3.0 does not have. Raises DecryptionError: malformed, or
        wrong_secret.
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

    Other contents are skipped. Raises DecryptionError: malformed (no RSA key; another form), or wrong_secret (password wrong or
    missing).
    """
    if len(data) > LARGEST_FILE:
        raise DecryptionError(MALFORMED, f"{len(data)} bytes are no file of keys")
    parts = _pem_blocks(data) if _PEM_BEGIN in data else [data]
    found: list[PrivateKey] = []
    last_error = DecryptionError(MALFORMED, "no RSA private key in it")
    for part in parts:
        try:
            key = _load(part, password)
        except DecryptionError as error:
            last_error = error
            continue
        if isinstance(key, rsa.RSAPrivateKey):
            found.append(PrivateKey(key))
    if not found:
        raise last_error
    return found


def choose(keys: list[PrivateKey], certificate: bytes) -> PrivateKey | None:
    """Return the key that belongs to a certificate (DER), or None."""
    return next((key for key in keys if key.belongs_to(certificate)), None)


def _pem_blocks(data: bytes) -> Iterator[bytes]:
    """Iterate over the blocks that contain a private key, from BEGIN to END."""
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
        # The library raises TypeError for an encrypted key without a password.
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
            # Some programs use an empty password if the user gives none.
            with suppress(ValueError, UnsupportedAlgorithm):
                return load_key_and_certificates(data, b"")[0]
        # The library does not distinguish a wrong password from a damaged file. A file that is no PKCS#12 begins differently.
        if not data.startswith(_SEQUENCE):
            raise DecryptionError(MALFORMED, "no private key in a known form") from error
        missing = "no password was given" if password is None else "the password may be wrong"
        raise DecryptionError(WRONG_SECRET, f"as PKCS#12 it does not open; {missing}") from error
