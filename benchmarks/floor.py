"""Measures the minimum time of this machine for decrypting a capture: `python -m benchmarks.floor CAPTURE`.

Reads the capture, and does for all its application data what no analyzer can leave out: copies the bytes once, decrypts them
record by record with the suites that the workload negotiated (its `.json`), checks the tag or the MAC, and hashes the
plaintext. It uses `cryptography` and `hashlib`, like the analyzer, but handles no packets, streams, records or HTTP.

The same record is decrypted many times, so keys and ciphertext are not loaded from memory: the result is a minimum.
"""

import argparse
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

RECORD = 1 << 14
"""Bytes of plaintext in the records of long sessions: the maximum of TLS, which OpenSSL uses."""

CHUNK = 1 << 20
"""Bytes read at once, the same as in the analyzer."""

HEADER = bytes(13)
"""Data with the length that a tag or a MAC covers besides the plaintext."""

Open = Callable[[], bytes]


def decryptor(suite: str) -> Open:
    """Return a function that decrypts a full record of the suite, which has OpenSSL's name."""
    words = suite.upper().replace("_", "-").split("-")
    n_key = 32 if "256" in words or "AES256" in words or "CHACHA20" in words else 16
    key = os.urandom(n_key)
    if "CHACHA20" in words or "GCM" in words:
        aead = ChaCha20Poly1305(key) if "CHACHA20" in words else AESGCM(key)
        nonce = os.urandom(12)
        sealed = aead.encrypt(nonce, os.urandom(RECORD), HEADER)
        return lambda: aead.decrypt(nonce, sealed, HEADER)
    name = {"SHA": "sha1"}.get(words[-1], words[-1].lower())
    n_mac = hashlib.new(name).digest_size
    mac_key = os.urandom(n_mac)
    mac = hmac.new(mac_key, digestmod=name)
    n_padded = (RECORD + n_mac) // 16 * 16 + 16
    decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    ciphertext = os.urandom(16 + n_padded)

    def open_block() -> bytes:
        plaintext = decryptor.update(ciphertext)[16 : 16 + RECORD]
        check = mac.copy()
        check.update(HEADER)
        check.update(plaintext)
        check.digest()
        return plaintext

    return open_block


def read(capture: Path) -> int:
    """Read the capture. Return the number of its bytes."""
    n_bytes = 0
    with capture.open("rb", buffering=0) as file:
        while data := file.read(CHUNK):
            n_bytes += len(data)
    return n_bytes


def main() -> int:
    """Do everything once, and print the amounts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description="Read, copy, decrypt and hash, no more.")
    parser.add_argument("capture", type=Path, help="a capture of benchmarks.workloads, with its .json beside it")
    capture = parser.parse_args().capture
    facts = json.loads(capture.with_suffix(".json").read_text())
    n_bytes = read(capture)
    n_records = facts["application_bytes"] // RECORD
    for name, n_sessions in facts["negotiated"].items():
        open_record = decryptor(name.split()[-1])
        digest = hashlib.sha256()
        for _ in range(n_records * n_sessions // facts["sessions"]):
            copied = bytearray(open_record())
            digest.update(copied)
        digest.digest()
    print(f"{n_bytes} bytes read, {n_records * RECORD} decrypted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
