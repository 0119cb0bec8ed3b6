"""Hashes by the names that suites use."""

import hashlib

import pytest

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.suite_interface import hash_function


@pytest.mark.parametrize(
    ("name", "spelled"), [("MD5", "md5"), ("SHA", "sha1"), ("SHA256", "sha256"), ("SM3", "sm3"), ("RMD", "ripemd160")]
)
def test_hashes(name, spelled):
    assert hash_function(name)(b"text").digest() == hashlib.new(spelled, b"text").digest()


def test_a_hash_that_python_does_not_have():
    with pytest.raises(DecryptionError, match="unsupported_cipher: no implementation of the hash GOSTR3411"):
        hash_function("GOSTR3411")
