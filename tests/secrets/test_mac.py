"""The MAC of records compared with Python's own HMAC, and that of SSL 3.0 with its definition."""

import hashlib
import hmac

import pytest

from analyzer.secrets.mac import RecordMac


@pytest.mark.parametrize(
    ("name", "spelled"), [("MD5", "md5"), ("SHA", "sha1"), ("SHA256", "sha256"), ("SHA384", "sha384"), ("SM3", "sm3")]
)
@pytest.mark.parametrize("data", [b"", b"x" * 5, bytes(16384)])
def test_tls(name, spelled, data):
    key = bytes(range(hashlib.new(spelled).digest_size))
    header = (7).to_bytes(8, "big") + b"\x17\3\3" + len(data).to_bytes(2, "big")
    expected = hmac.digest(key, header + data, spelled)
    assert RecordMac(0x0303, name, key).compute(7, 23, 0x0303, data) == expected
    assert RecordMac(0x0303, name, key, truncated=True).compute(7, 23, 0x0303, data) == expected[:10]


@pytest.mark.parametrize(("name", "hashed", "n_pad"), [("MD5", hashlib.md5, 48), ("SHA", hashlib.sha1, 40)])
def test_ssl_3_0(name, hashed, n_pad):
    key, data = bytes(range(hashed().digest_size)), b"some text"
    header = (7).to_bytes(8, "big") + b"\x17" + len(data).to_bytes(2, "big")
    inner = hashed(key + b"\x36" * n_pad + header + data).digest()
    assert RecordMac(0x0300, name, key).compute(7, 23, 0x0300, data) == hashed(key + b"\x5c" * n_pad + inner).digest()
