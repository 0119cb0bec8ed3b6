"""The ciphers of the registry: each one can be decrypted, or is reported as not supported."""

import pytest

from analyzer.codec.registry import registry
from analyzer.secrets.ciphers import AEADS, BLOCKS, STREAMS, aead_kind
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.record_protection import open_tls12, open_tls13
from analyzer.tls.suites import suite

SUITES = [found for number in range(1 << 16) if registry("cipher_suites").known(number) and (found := suite(number))]
WITHOUT = (
    "28147_CNT", "AEGIS", "ARIA", "ASCONAEAD", "CAMELLIA_128_GCM", "CAMELLIA_256_GCM", "ESTREAM_SALSA20", "FORTEZZA",
    "KUZNYECHIK", "MAGMA", "SALSA20", "SM1", "SM4_CCM", "SM4_GCM",
)  # fmt: skip


@pytest.mark.parametrize("chosen", SUITES, ids=lambda chosen: chosen.name)
def test_every_suite_has_decryptors_or_a_reason(chosen):
    hashed = chosen.hash in {"MD5", "RMD", "SHA", "SHA256", "SHA384", "SM3"}
    known = chosen.cipher in AEADS or chosen.cipher in BLOCKS or chosen.cipher in STREAMS
    supported = hashed and known
    null = hashed and chosen.cipher == "NULL" and chosen.mac == "HMAC" and not chosen.tls13
    assert known or null or chosen.cipher.startswith(WITHOUT) or chosen.cipher == "NULL"
    for version in (0x0300, 0x0301, 0x0303, 0xFEFD):
        if chosen.tls13:
            with pytest.raises(DecryptionError, match="unsupported_cipher"):
                open_tls12(chosen, version, bytes(48), bytes(32), bytes(32))
        elif supported or null:
            for decryptor in open_tls12(chosen, version, bytes(48), bytes(32), bytes(32)):
                with pytest.raises(DecryptionError, match=r"wrong_secret|malformed"):
                    decryptor.open(23, version, bytes(160))
        else:
            with pytest.raises(DecryptionError, match="unsupported_cipher"):
                open_tls12(chosen, version, bytes(48), bytes(32), bytes(32))
    if chosen.tls13 and supported:
        n_bytes = 48 if chosen.hash == "SHA384" else 32
        with pytest.raises(DecryptionError, match="wrong_secret"):
            open_tls13(chosen, bytes(n_bytes)).open(23, 0x0303, bytes(100))
    elif chosen.tls13:
        with pytest.raises(DecryptionError, match="unsupported_cipher"):
            open_tls13(chosen, bytes(32))


def test_an_unavailable_cipher_is_named():
    with pytest.raises(DecryptionError, match="unsupported_cipher: no implementation of ARIA_128_GCM"):
        aead_kind("ARIA_128_GCM")
