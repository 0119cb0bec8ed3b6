"""Removes the protection of DTLS 1.3 records.

Each direction has a secret in each epoch. The header carries only the last bits of the sequence number, which are encrypted: a
block cipher turns the beginning of the ciphertext into a mask (RFC 9147 section 4.2). The number nearest to the one expected
next is meant. Nonce and content are those of TLS 1.3; the associated data is the header, with the number not encrypted.
"""

from __future__ import annotations

from typing import Any

from analyzer.secrets.ciphers import Aead, aead_kind, invalid_tag
from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError
from analyzer.secrets.key_schedule13 import DTLS, expand_label, next_traffic_secret, traffic_keys
from analyzer.secrets.quic_protection import header_masks
from analyzer.secrets.suite_interface import Suite, hash_sizes

SAMPLE = 16
"""Bytes of ciphertext from which the mask of the sequence number is made (RFC 9147 section 4.2.3)."""

IV_LENGTH = 12

WINDOWS = 8
"""How many further numbers with the same last bits are tried where many records are missing. One byte spans 256 numbers."""

MAX_ATTEMPTS = 1 << 12
"""How many attempts that failed an epoch has for this: strangers can send records that open with nothing."""

_LONG_NUMBER, _HAS_LENGTH = 0x08, 0x04


def inner_content(plaintext: bytes) -> tuple[int, bytes] | None:
    """Return content type and content of an inner plaintext, whose padding is zeros; None if it has nothing else."""
    content = plaintext.rstrip(b"\0")
    return (content[-1], content[:-1]) if content else None


def nearest_number(highest: int, bits: int, n_bytes: int) -> int:
    """Return the number with these last bytes that is nearest to the one after `highest` (RFC 9147 section 4.2.2)."""
    span = 1 << 8 * n_bytes
    expected = highest + 1
    number = expected - expected % span + bits
    if number > expected + span // 2 and number >= span:
        return number - span
    return number + span if number <= expected - span // 2 else number


class EpochKeys:
    """The keys of one direction in one epoch of DTLS 1.3.

    secret: the traffic secret. highest: the highest number of a record that opened, -1 before. attempts: see MAX_ATTEMPTS.
    """

    __slots__ = ("_aead", "_iv", "_masks", "attempts", "highest", "secret", "suite")

    def __init__(self, suite: Suite, secret: bytes) -> None:
        """Raises DecryptionError: unsupported_cipher, or wrong_secret if the secret is not as long as the suite's hash."""
        expected = hash_sizes(suite.prf_hash)[1]
        if len(secret) != expected:
            raise DecryptionError(
                WRONG_SECRET, f"a traffic secret of {len(secret)} bytes, not the {expected} of the suite's hash"
            )
        kind = aead_kind(suite.cipher)
        self.suite = suite
        self.secret = secret
        self.highest = -1
        self.attempts = MAX_ATTEMPTS
        key, iv = traffic_keys(suite.prf_hash, secret, kind.key, DTLS)
        self._aead: Aead = kind.build(key)
        self._iv = int.from_bytes(iv, "big")
        self._masks: Any = header_masks(suite.cipher, expand_label(suite.prf_hash, secret, b"sn", b"", kind.key, DTLS))

    def following(self) -> EpochKeys:
        """Return the keys of the next epoch, after a KeyUpdate (RFC 9147 section 8)."""
        return EpochKeys(self.suite, next_traffic_secret(self.suite.prf_hash, self.secret, DTLS))

    def open(self, record: bytes, header: int) -> tuple[int, int, bytes] | None:
        """Return sequence number, content type and content of a record with a unified header; None if it does not open.

        header: length of its header.
        """
        n_bytes = 2 if record[0] & _LONG_NUMBER else 1
        at = header - n_bytes - (2 if record[0] & _HAS_LENGTH else 0)
        ciphertext = record[header:]
        if len(ciphertext) < SAMPLE:
            return None
        mask = self._masks.mask(ciphertext[:SAMPLE])
        shown = bytes(record[at + place] ^ mask[place] for place in range(n_bytes))
        bits = int.from_bytes(shown, "big")
        associated = record[:at] + shown + record[at + n_bytes : header]
        number = nearest_number(self.highest, bits, n_bytes)
        for window in range(WINDOWS if self.attempts > 0 else 1):
            opened = self._decrypt(number + (window << 8 * n_bytes), ciphertext, associated)
            if opened is not None:
                number += window << 8 * n_bytes
                content = inner_content(opened)
                if content is None:
                    return None
                self.highest = max(self.highest, number)
                return number, *content
        self.attempts -= 1
        return None

    def _decrypt(self, number: int, ciphertext: bytes, associated: bytes) -> bytes | None:
        try:
            return self._aead.decrypt((self._iv ^ number).to_bytes(IV_LENGTH, "big"), ciphertext, associated)
        except invalid_tag():
            return None
