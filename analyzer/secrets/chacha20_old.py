"""ChaCha20-Poly1305 as it was before it became an RFC (draft-agl-tls-chacha20poly1305-04; suites 0xcc13 to 0xcc15).

Chrome and Google's servers spoke it from 2013 to 2016. Its ChaCha20 is the original one, with a counter and a nonce of 64 bits
each, the nonce being the sequence number; and Poly1305 runs over the associated data, its length, the ciphertext and its
length, without the padding to 16 bytes of RFC 8439.
"""

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.poly1305 import Poly1305

NONCE = 8
TAG = 16

_BLOCK = 64


class ChaCha20Poly1305Old:
    """A keyed AEAD with the interface of those of `cryptography`."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Open `data`, a ciphertext with its tag, under a nonce of 8 bytes; raises InvalidTag."""
        if len(data) < TAG:
            raise InvalidTag
        # The library takes counter and nonce as one block; the counter is 0 for the key of Poly1305, then 1.
        key_stream = Cipher(algorithms.ChaCha20(self._key, bytes(16 - NONCE) + nonce), None).decryptor()
        one_time_key = key_stream.update(bytes(_BLOCK))[:32]
        ciphertext, known = data[:-TAG], associated_data or b""
        authenticated = known + len(known).to_bytes(8, "little") + ciphertext + len(ciphertext).to_bytes(8, "little")
        try:
            Poly1305.verify_tag(one_time_key, authenticated, data[-TAG:])
        except InvalidSignature as error:
            raise InvalidTag from error
        return key_stream.update(ciphertext)
