"""Looks for explicit nonces that a role uses twice with the same key.

An AEAD needs another nonce for each record (RFC 5116 section 3.1). In TLS 1.2 the records of AES-GCM, AES-CCM and their
relatives begin with 8 bytes of the nonce (RFC 5288 section 3, RFC 6655 section 3), so a repetition is visible without any
secret. With GCM a repeated nonce shows the difference of two plaintexts, and lets others compute the key of the MAC. Most
programs count from 0 or from a random number, which needs no memory here; other nonces are remembered up to a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.tls.record.record import START_BYTES

if TYPE_CHECKING:
    import cython

MAX_NONCES = 1024
"""Maximum number of nonces of a role that do not follow each other and are remembered. Programs with such nonces are rare."""


def has_explicit_nonce(suite: Any) -> bool:
    """Return whether the records of a cipher suite begin with a part of the nonce; `suite` is a `Suite` or None."""
    return suite is not None and not suite.tls13 and suite.mode == "aead" and suite.cipher.endswith(("GCM", "CCM", "CCM_8"))


class ExplicitNonces:
    """The nonces of both roles with their present keys.

    first, following: by role, a run of consecutive nonces, up to but without the second number. others: by role, the rest.
    repeated: whether a role has repeated one.
    """

    __slots__ = ("first", "following", "others", "repeated")

    def __init__(self) -> None:
        self.first: list[int] = [0, 0]
        self.following: list[int] = [0, 0]
        self.others: list[set[int]] = [set(), set()]
        self.repeated = [False, False]

    def begin(self, role: cython.int) -> None:
        """Forget the nonces of a role, because it uses new keys, or because that is not known."""
        self.first[role] = 0
        self.following[role] = 0
        self.others[role] = set()

    def repeats(self, role: cython.int, body: bytes) -> bool:
        """Take the nonce at the begin of a record's body. Returns True for the first one of a role that was used before."""
        if self.repeated[role]:
            return False
        nonce: int = int.from_bytes(body[:START_BYTES], "big")
        following: int = self.following[role]
        others: set[int] = self.others[role]
        if nonce in others or self.first[role] <= nonce < following:
            self.repeated[role] = True
            return True
        if nonce == following:
            self.following[role] = nonce + 1
        elif following == 0:
            self.first[role] = nonce
            self.following[role] = nonce + 1
        elif len(others) < MAX_NONCES:
            others.add(nonce)
        return False
