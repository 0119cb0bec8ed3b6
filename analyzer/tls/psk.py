"""External pre-shared keys in TLS 1.3 (RFC 9846 sections 4.3.11 and 7.1): whose key it is, and what the key alone opens.

A ClientHello names its keys by identities and proves each with a binder, a MAC over the hello up to the binders: so a binder
tells whether a key is the right one before anything is decrypted. From the key come the early secrets. The handshake's secrets
need the (EC)DHE secret too, unless the server answers without a key share (psk_ke); with one (psk_dhe_ke) the key opens early
data and nothing else. Keys of resumption come from the main secret of an earlier session, which key logs do not hold, and so
only their own traffic secrets open resumed sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.secrets import schedule13
from analyzer.secrets.refused import MALFORMED, Refused
from analyzer.secrets.suite import hash_function
from analyzer.tls.limits import MAX_IDENTITIES
from analyzer.tls.spans import extensions_of, number, vector
from analyzer.tls.transcript import message_hash

PRE_SHARED_KEY, KEY_SHARE = 41, 51

_HASHES = {32: "SHA256", 48: "SHA384"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A key whose binder is right. index: of its identity in the hello; hash_name: of all that comes from the key."""

    index: int
    hash_name: str
    early_secret: bytes

    def early_traffic_secret(self, hello: bytes) -> bytes:
        """Give client_early_traffic_secret."""
        return self._derive(self.early_secret, b"c e traffic", hello)

    def handshake_secret(self) -> bytes:
        """Give the handshake secret of psk_ke, which has no other input."""
        return schedule13.following_secret(self.hash_name, self.early_secret)

    def handshake_traffic_secrets(self, heard: bytes) -> tuple[bytes, bytes]:
        """Give the client's and the server's secret of psk_ke, from the messages through ServerHello."""
        secret = self.handshake_secret()
        return self._derive(secret, b"c hs traffic", heard), self._derive(secret, b"s hs traffic", heard)

    def application_traffic_secrets(self, heard: bytes) -> tuple[bytes, bytes]:
        """Give the client's and the server's first secret of psk_ke, from the messages through the server's Finished."""
        secret = schedule13.following_secret(self.hash_name, self.handshake_secret())
        return self._derive(secret, b"c ap traffic", heard), self._derive(secret, b"s ap traffic", heard)

    def _derive(self, secret: bytes, label: bytes, heard: bytes) -> bytes:
        return schedule13.derive_secret(self.hash_name, secret, label, hash_function(self.hash_name)(heard).digest())


def find_bound(hello: bytes, psks: Mapping[bytes, bytes], retried: tuple[bytes, bytes] | None = None) -> list[Bound]:
    """Give the keys whose binders in a ClientHello are right, in its order. Refused where the hello has no form.

    retried: of the second hello the first one, and the HelloRetryRequest.
    """
    for kind, start, end in extensions_of(hello):
        if kind != PRE_SHARED_KEY:
            continue
        listed, behind = vector(hello, start, end, 2)
        binders, after = vector(hello, behind, end, 2)
        if after != end or end != len(hello):
            raise Refused(MALFORMED, "pre_shared_key is not the end of the hello")
        covered = hello[:behind]
        return [
            bound
            for index, (identity, binder) in enumerate(zip(_identities(listed), _binders(binders), strict=False))
            if identity in psks and (bound := _check(index, psks[identity], binder, covered, retried)) is not None
        ]
    return []


def selects(server_hello: bytes) -> tuple[int | None, bool]:
    """Give the index of the identity that a ServerHello chose, and whether it has a key share too."""
    index, shares = None, False
    for kind, start, end in extensions_of(server_hello, answer=True):
        if kind == PRE_SHARED_KEY:
            index, _ = number(server_hello, start, end, 2)
        shares = shares or kind == KEY_SHARE
    return index, shares


def _check(index: int, key: bytes, binder: bytes, covered: bytes, retried: tuple[bytes, bytes] | None) -> Bound | None:
    hash_name = _HASHES.get(len(binder))
    if hash_name is None:
        return None
    early = schedule13.early_secret(hash_name, key)
    start = hash_function(hash_name)
    if retried is not None:
        covered = message_hash(start(retried[0]).digest()) + retried[1] + covered
    base = schedule13.derive_secret(hash_name, early, b"ext binder", start(b"").digest())
    if schedule13.finished(hash_name, base, start(covered).digest()) != binder:
        return None
    return Bound(index, hash_name, early)


def _identities(listed: bytes) -> list[bytes]:
    found: list[bytes] = []
    pos, end = 0, len(listed)
    while pos < end and len(found) < MAX_IDENTITIES:
        identity, pos = vector(listed, pos, end, 2)
        _, pos = number(listed, pos, end, 4)
        found.append(identity)
    return found


def _binders(listed: bytes) -> list[bytes]:
    found: list[bytes] = []
    pos, end = 0, len(listed)
    while pos < end and len(found) < MAX_IDENTITIES:
        binder, pos = vector(listed, pos, end, 1)
        found.append(binder)
    return found
