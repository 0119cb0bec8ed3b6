"""External pre-shared keys in TLS 1.3 (RFC 9846 sections 4.3.11 and 7.1): whose key it is, and what the key alone opens.

A ClientHello names its keys by identities and proves each with a binder, a MAC over the hello up to the binders: so a binder
tells whether a key is the right one before anything is decrypted. From the key come the early secrets. The handshake's secrets
need the (EC)DHE secret too, unless the server answers without a key share (psk_ke); with one (psk_dhe_ke) the key opens early
data and nothing else. Keys of resumption come from the main secret of an earlier session, which key logs do not hold, and so
only their own traffic secrets open resumed sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.secrets import key_schedule13
from analyzer.secrets.decryption_error import MALFORMED, DecryptionError
from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.handshake.encrypted_hello import hello_extensions
from analyzer.tls.handshake.transcript import message_hash
from analyzer.tls.limits import MAX_IDENTITIES
from analyzer.tls.messages.extensions.resumption_extensions import OfferedPsks
from analyzer.tls.messages.hello import ServerHello
from analyzer.tls.messages.numbers import HEADER, KEY_SHARE, PRE_SHARED_KEY

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
        return key_schedule13.following_secret(self.hash_name, self.early_secret)

    def handshake_traffic_secrets(self, heard: bytes) -> tuple[bytes, bytes]:
        """Give the client's and the server's secret of psk_ke, from the messages through ServerHello."""
        secret = self.handshake_secret()
        return self._derive(secret, b"c hs traffic", heard), self._derive(secret, b"s hs traffic", heard)

    def application_traffic_secrets(self, heard: bytes) -> tuple[bytes, bytes]:
        """Give the client's and the server's first secret of psk_ke, from the messages through the server's Finished."""
        secret = key_schedule13.following_secret(self.hash_name, self.handshake_secret())
        return self._derive(secret, b"c ap traffic", heard), self._derive(secret, b"s ap traffic", heard)

    def _derive(self, secret: bytes, label: bytes, heard: bytes) -> bytes:
        return key_schedule13.derive_secret(self.hash_name, secret, label, hash_function(self.hash_name)(heard).digest())


def find_bound(hello: bytes, psks: Mapping[bytes, bytes], retried: tuple[bytes, bytes] | None = None) -> list[Bound]:
    """Give the keys whose binders in a ClientHello are right, in its order. Refused where the hello has no form.

    retried: of the second hello the first one, and the HelloRetryRequest.
    """
    listed = hello_extensions(hello, HEADER)
    if not any(extension.type == PRE_SHARED_KEY for extension in listed):
        return []
    last = listed[-1]
    if last.type != PRE_SHARED_KEY or not isinstance(last.body, OfferedPsks) or last.body.trailing:
        raise DecryptionError(MALFORMED, "pre_shared_key is not the end of the hello")
    identities = [entry.identity for entry in (last.body.identities or ())[:MAX_IDENTITIES]]
    binders = last.body.binders or []
    covered = hello[: last.end - 2 - sum(1 + len(binder) for binder in binders)]
    return [
        bound
        for index, (identity, binder) in enumerate(zip(identities, binders, strict=False))
        if identity in psks and (bound := _check(index, psks[identity], binder, covered, retried)) is not None
    ]


def selects(server_hello: bytes) -> tuple[int | None, bool]:
    """Give the index of the identity that a ServerHello chose, and whether it has a key share too."""
    message, problems = read(ServerHello, server_hello, HEADER, len(server_hello), 0, Malformed)
    if problems:
        raise DecryptionError(MALFORMED, f"a ServerHello: {problems[0]}")
    chosen = message.extension(PRE_SHARED_KEY)
    return None if chosen is None else chosen.selected_identity, message.extension(KEY_SHARE) is not None


def _check(index: int, key: bytes, binder: bytes, covered: bytes, retried: tuple[bytes, bytes] | None) -> Bound | None:
    hash_name = _HASHES.get(len(binder))
    if hash_name is None:
        return None
    early = key_schedule13.early_secret(hash_name, key)
    start = hash_function(hash_name)
    if retried is not None:
        covered = message_hash(start(retried[0]).digest()) + retried[1] + covered
    base = key_schedule13.derive_secret(hash_name, early, b"ext binder", start(b"").digest())
    if key_schedule13.finished(hash_name, base, start(covered).digest()) != binder:
        return None
    return Bound(index, hash_name, early)
