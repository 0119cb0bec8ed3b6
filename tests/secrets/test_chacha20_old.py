"""The vector of draft-agl-tls-chacha20poly1305-04, section 7."""

import pytest
from cryptography.exceptions import InvalidTag

from analyzer.secrets.chacha20_old import ChaCha20Poly1305Old

KEY = bytes.fromhex("4290bcb154173531f314af57f3be3b5006da371ece272afa1b5dbdd1100a1007")
NONCE = bytes.fromhex("cd7cf67be39c794a")
AAD = bytes.fromhex("87e229d4500845a079c0")
SEALED = bytes.fromhex("e3e446f7ede9a19b62a4677dabf4e3d24b876bb284753896e1d6")


def test_vector():
    assert ChaCha20Poly1305Old(KEY).decrypt(NONCE, SEALED, AAD).hex() == "86d09974840bded2a5ca"


@pytest.mark.parametrize("bit", range(8 * len(SEALED)))
def test_every_bit_counts(bit):
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidTag):
        ChaCha20Poly1305Old(KEY).decrypt(NONCE, bytes(changed), AAD)


def test_nonce_associated_data_and_length_count():
    aead = ChaCha20Poly1305Old(KEY)
    for nonce, sealed, aad in ((bytes(8), SEALED, AAD), (NONCE, SEALED, None), (NONCE, SEALED[:15], AAD), (NONCE, b"", AAD)):
        with pytest.raises(InvalidTag):
            aead.decrypt(nonce, sealed, aad)
