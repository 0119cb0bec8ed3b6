"""Uses external pre-shared keys in TLS 1.3 (RFC 9846 sections 4.3.11 and 7.1): finds the right key and derives its secrets.

A ClientHello names its keys by identities. For each key it has a binder, a MAC over the hello up to the binders. So a binder
shows whether a key is the right one before anything is decrypted. The early secrets come from the key alone. The handshake
secrets also need the (EC)DHE secret, unless the server answers without a key share (psk_ke). If it answers with one
(psk_dhe_ke), the key decrypts early data and nothing else.

Resumption keys come from the main secret of an earlier session, and key logs do not contain that secret. So resumed sessions
can be decrypted only with their own traffic secrets.
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
class VerifiedPsk:
    """A key whose binder is correct. index: of its identity in the hello; hash_name: the hash of the key's key schedule.

    prefix: of the labels, which DTLS has its own of.
    """

    index: int
    hash_name: str
    early_secret: bytes
    prefix: bytes = key_schedule13.TLS

    def early_traffic_secret(self, hello: bytes) -> bytes:
        """Return client_early_traffic_secret."""
        return self._derive(self.early_secret, b"c e traffic", hello)

    def handshake_secret(self) -> bytes:
        """Return the handshake secret of psk_ke, which has no other input."""
        return key_schedule13.following_secret(self.hash_name, self.early_secret, prefix=self.prefix)

    def handshake_traffic_secrets(self, messages: bytes) -> tuple[bytes, bytes]:
        """Return the client's and the server's secret of psk_ke.

        messages: the messages up to the ServerHello, which is included.
        """
        secret = self.handshake_secret()
        return self._derive(secret, b"c hs traffic", messages), self._derive(secret, b"s hs traffic", messages)

    def application_traffic_secrets(self, messages: bytes) -> tuple[bytes, bytes]:
        """Return the client's and the server's first secret of psk_ke.

        messages: the messages up to the server's Finished, which is included.
        """
        secret = key_schedule13.following_secret(self.hash_name, self.handshake_secret(), prefix=self.prefix)
        return self._derive(secret, b"c ap traffic", messages), self._derive(secret, b"s ap traffic", messages)

    def _derive(self, secret: bytes, label: bytes, messages: bytes) -> bytes:
        digest = hash_function(self.hash_name)(messages).digest()
        return key_schedule13.derive_secret(self.hash_name, secret, label, digest, self.prefix)


def verify_psks(
    hello: bytes, psks: Mapping[bytes, bytes], retried: tuple[bytes, bytes] | None = None, dtls: bool = False
) -> list[VerifiedPsk]:
    """Return the keys whose binders in a ClientHello are correct, in its order.

    Raises DecryptionError if the hello is malformed.

    retried: for a second hello, the first one and the HelloRetryRequest. dtls: whether it is a hello of DTLS.
    """
    listed = hello_extensions(hello, HEADER, dtls=dtls)
    prefix = key_schedule13.DTLS if dtls else key_schedule13.TLS
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
        if identity in psks and (bound := _check(index, psks[identity], binder, covered, retried, prefix)) is not None
    ]


def offered_identities(hello: bytes, dtls: bool = False) -> list[bytes]:
    """Return the identities of the keys that a ClientHello offers, at most MAX_IDENTITIES; none if they are not its end.

    dtls: whether it is a hello of DTLS. Raises DecryptionError if the hello is malformed.
    """
    listed = hello_extensions(hello, HEADER, dtls=dtls)
    body = listed[-1].body if listed and listed[-1].type == PRE_SHARED_KEY else None
    if not isinstance(body, OfferedPsks):
        return []
    return [entry.identity for entry in (body.identities or ())[:MAX_IDENTITIES]]


def selects(server_hello: bytes) -> tuple[int | None, bool]:
    """Return the index of the identity that a ServerHello chose, and whether it also has a key share.

    Raises DecryptionError (malformed) if the ServerHello cannot be read.
    """
    message, problems = read(ServerHello, server_hello, HEADER, len(server_hello), 0, Malformed)
    if problems:
        raise DecryptionError(MALFORMED, f"a ServerHello: {problems[0]}")
    chosen = message.extension(PRE_SHARED_KEY)
    return None if chosen is None else chosen.selected_identity, message.extension(KEY_SHARE) is not None


def _check(
    index: int, key: bytes, binder: bytes, covered: bytes, retried: tuple[bytes, bytes] | None, prefix: bytes
) -> VerifiedPsk | None:
    hash_name = _HASHES.get(len(binder))
    if hash_name is None:
        return None
    early = key_schedule13.early_secret(hash_name, key)
    start = hash_function(hash_name)
    if retried is not None:
        covered = message_hash(start(retried[0]).digest()) + retried[1] + covered
    base = key_schedule13.derive_secret(hash_name, early, b"ext binder", start(b"").digest(), prefix)
    if key_schedule13.finished(hash_name, base, start(covered).digest(), prefix) != binder:
        return None
    return VerifiedPsk(index, hash_name, early, prefix)
