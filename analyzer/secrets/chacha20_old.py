"""Implements ChaCha20-Poly1305 as it was before the RFC (draft-agl-tls-chacha20poly1305-04; suites 0xcc13 to 0xcc15).

Chrome and Google's servers used it from 2013 to 2016. It uses the original ChaCha20, in which the counter and the nonce have 64
bits each, and the nonce is the sequence number. Poly1305 is computed over the associated data, its length, the ciphertext and
its length. The padding to 16 bytes of RFC 8439 is not used.
"""

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.poly1305 import Poly1305

NONCE = 8
TAG = 16

_BLOCK = 64


class ChaCha20Poly1305Old:
    """An AEAD with its key. It has the same interface as the AEADs of `cryptography`."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Decrypt `data`, a ciphertext with its tag. The nonce has 8 bytes. Raises InvalidTag."""
        if len(data) < TAG:
            raise InvalidTag
        # The library takes counter and nonce as one value. The counter is 0 for the key of Poly1305, then 1.
        key_stream = Cipher(algorithms.ChaCha20(self._key, bytes(16 - NONCE) + nonce), None).decryptor()
        one_time_key = key_stream.update(bytes(_BLOCK))[:32]
        ciphertext, known = data[:-TAG], associated_data or b""
        authenticated = known + len(known).to_bytes(8, "little") + ciphertext + len(ciphertext).to_bytes(8, "little")
        try:
            Poly1305.verify_tag(one_time_key, authenticated, data[-TAG:])
        except InvalidSignature as error:
            raise InvalidTag from error
        return key_stream.update(ciphertext)
