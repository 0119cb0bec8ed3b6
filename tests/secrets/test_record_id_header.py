"""Records of DTLS 1.2 with connection IDs (RFC 9146): what is authenticated, with an AEAD and with a MAC."""

import hashlib
import hmac

import pytest

from analyzer.secrets.aead import ExplicitNonceDecryptor, ImplicitNonceDecryptor
from analyzer.secrets.ciphers import aead_kind
from analyzer.secrets.dtls_protection import inner_content
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_id_header import TLS12_CID, connection_id_header

ID, SEQUENCE, INNER = b"\xc1\xd2\xe3", 1 << 48 | 7, b"content\x17" + bytes(5)
AAD = bytes.fromhex("ffffffffffffffff 19 03 19 fefd 0001000000000007") + ID + (13).to_bytes(2, "big")


def test_the_header_is_that_of_the_rfc():
    assert connection_id_header(SEQUENCE, 0xFEFD, ID, len(INNER)) == AAD


@pytest.mark.parametrize("name", ["AES_128_GCM", "CHACHA20_POLY1305"])
def test_an_aead(name):
    kind = aead_kind(name)
    key, salt, explicit = bytes(range(kind.key)), bytes(range(kind.iv)), bytes(kind.explicit)
    nonce = salt + explicit if kind.explicit else (int.from_bytes(salt, "big") ^ SEQUENCE).to_bytes(12, "big")
    body = explicit + kind.build(key).encrypt(nonce, INNER, AAD)
    decryptor = (ExplicitNonceDecryptor if kind.explicit else ImplicitNonceDecryptor)(kind, key, salt)
    assert decryptor.open_at(SEQUENCE, TLS12_CID, 0xFEFD, body) is None  # another ID
    decryptor.connection_id = ID
    opened = decryptor.open_at(SEQUENCE, TLS12_CID, 0xFEFD, body)
    assert opened == (TLS12_CID, INNER)
    assert inner_content(opened[1]) == (23, b"content")
    assert decryptor.open_at(SEQUENCE + 1, TLS12_CID, 0xFEFD, body) is None


def test_a_mac():
    mac = RecordMac(0x0303, "SHA256", b"key")
    mac.connection_id = ID
    assert mac.compute(SEQUENCE, TLS12_CID, 0xFEFD, INNER) == hmac.digest(b"key", AAD + INNER, hashlib.sha256)
