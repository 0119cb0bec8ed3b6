"""Decrypts Encrypted Client Hello (RFC 9849): builds the inner hello from the outer one, and checks whether it was accepted.

The server publishes a key as an ECHConfig. The client encrypts its real hello to this key with HPKE. It sends the result inside
an outer hello, which contains only the provider's name. A key log has the KEM's shared secret and the ECHConfig (RFC 9850). The
encrypted form has no session id. It can refer by number to extensions of the outer hello, in the order of the outer hello and
each only once. So the inner hello is never longer than what was received.

Eight bytes of the server's answer show that it accepted the inner hello. Only somebody who has read the inner hello can compute
them. From then on the inner hello is in the transcript, and its random names the session.

All hellos here are complete handshake messages, with their headers. All functions raise only `DecryptionError`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.secrets import key_schedule13
from analyzer.secrets.decryption_error import MALFORMED, DecryptionError
from analyzer.secrets.hpke import Recipient
from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.handshake.transcript import message_hash
from analyzer.tls.limits import MAX_CONFIGS
from analyzer.tls.messages.extensions.ech_extensions import (
    ECHClientHello,
    ECHConfigContents,
    ECHEncryptedExtensions,
    ECHHelloRetryRequest,
    OuterClientHello,
    OuterExtensions,
)
from analyzer.tls.messages.hello import ClientHello, DTLSClientHello, HelloRetryRequest
from analyzer.tls.messages.numbers import CLIENT_HELLO, ECH_OUTER_EXTENSIONS, ENCRYPTED_CLIENT_HELLO, HEADER

CONFIRMATION_LENGTH = 8

_OUTER, _INNER = 0, 1
_INFO = b"tls ech\0"
_CONFIRMATION = slice(30, 38)
_VERSION_AND_RANDOM = 34


@dataclass(frozen=True, slots=True)
class Offer:
    """The extension of an outer hello. kdf, aead: HPKE's numbers; start: offset of the payload in the message.

    In a second hello, which answers a HelloRetryRequest, `enc` is empty: it uses the context of the first one.
    """

    kdf: int
    aead: int
    config_id: int
    enc: bytes
    payload: bytes
    start: int


@dataclass(frozen=True, slots=True)
class Config:
    """An ECHConfig. `raw` is all of it; the other fields are the parts that are needed."""

    raw: bytes
    config_id: int
    kem: int
    public_name: bytes


@dataclass(frozen=True, slots=True)
class PlacedExtension:
    """An extension of a hello, and where its data begins and ends in the hello."""

    type: int
    body: Any
    start: int
    end: int


def find_offer(outer: bytes) -> Offer | None:
    """Find the extension in a ClientHello.

    Returns None if there is none, or if it is the one of an inner hello. Raises DecryptionError (malformed).
    """
    for extension in hello_extensions(outer, HEADER):
        if extension.type != ENCRYPTED_CLIENT_HELLO:
            continue
        body = extension.body
        if not isinstance(body, ECHClientHello):
            raise DecryptionError(MALFORMED, f"the encrypted_client_hello extension has no form, at byte {extension.start}")
        sealed = body.body
        if body.type != _OUTER:
            return None
        if not isinstance(sealed, OuterClientHello) or not sealed.payload or sealed.trailing or body.trailing:
            why = f"the encrypted_client_hello extension has no payload that ends with it, at byte {extension.end}"
            raise DecryptionError(MALFORMED, why)
        suite = sealed.cipher_suite
        start = extension.end - len(sealed.payload)
        return Offer(suite.kdf_id, suite.aead_id, sealed.config_id, sealed.enc, sealed.payload, start)
    return None


def hello_extensions(hello: bytes, start: int, *, padded: bool = False, dtls: bool = False) -> list[PlacedExtension]:
    """Return the extensions of a ClientHello with their positions. The body of the hello begins at byte `start`.

    padded: whether other bytes may follow. dtls: whether it is a hello of DTLS, which has a cookie. Raises DecryptionError
    (malformed) if lengths do not match.
    """
    message, _ = read(DTLSClientHello if dtls else ClientHello, hello, start, len(hello), 0, Malformed)
    if message.legacy_compression_methods is None or 1 > len(hello) - start - _VERSION_AND_RANDOM:
        raise DecryptionError(MALFORMED, f"a hello of {len(hello)} bytes ends before its extensions")
    pos = start + _VERSION_AND_RANDOM
    pos += 1 + hello[pos]
    pos += 1 + hello[pos] if dtls else 0
    pos += 2 + int.from_bytes(hello[pos : pos + 2], "big")
    pos += 1 + len(message.legacy_compression_methods)
    if pos == len(hello):
        return []
    declared = int.from_bytes(hello[pos : pos + 2], "big")
    pos += 2
    places = _places(message.extensions or [], pos)
    extensions_end = places[-1].end if places else pos
    if extensions_end - pos != declared or (not padded and extensions_end != len(hello)):
        raise DecryptionError(MALFORMED, f"the extensions of a hello have {len(hello) - pos} bytes and declare {declared}")
    return places


def _places(extensions: list[Any], pos: int) -> list[PlacedExtension]:
    """Return the positions of extensions; the first one begins at `pos`."""
    places = []
    for extension in extensions:
        places.append(PlacedExtension(extension.type, extension.body, pos + 4, pos + 4 + extension.n_bytes))
        pos += 4 + extension.n_bytes
    return places


def read_configs(logged: bytes) -> list[Config]:
    """Read the value of ECH_CONFIG, and return the ECHConfigs of known versions.

    It is one ECHConfig, or, from some programs, a whole list of them. Raises DecryptionError (malformed).
    """
    n_bytes = len(logged)
    if int.from_bytes(logged[:2], "big") != n_bytes - 2:
        logged = min(n_bytes, 0xFFFF).to_bytes(2, "big") + logged
    listed, problems = ECHEncryptedExtensions.read(logged)
    if problems:
        raise DecryptionError(MALFORMED, f"an ECHConfig of {n_bytes} bytes: {problems[0]}")
    return [
        Config(config.write(), contents.key_config.config_id, contents.key_config.kem_id, contents.public_name)
        for config in listed.retry_configs[:MAX_CONFIGS]
        if isinstance(contents := config.contents, ECHConfigContents)
    ]


def recipient(offer: Offer, config: Config, shared_secret: bytes) -> Recipient:
    """Return the object that decrypts the payloads of a client's hellos, created from the first of them."""
    return Recipient(config.kem, offer.kdf, offer.aead, shared_secret, _INFO + config.raw)


def open_inner(opening: Recipient, sequence: int, outer: bytes, offer: Offer) -> bytes:
    """Decrypt the inner ClientHello of an outer one; sequence: 0, and 1 after a HelloRetryRequest."""
    return rebuild(_opened(opening, sequence, outer, offer), outer)


def open_encoded(opening: Recipient, sequence: int, outer: bytes, offer: Offer) -> bytes:
    """Decrypt the EncodedClientHelloInner of an outer hello, and return it without its padding."""
    encoded = _opened(opening, sequence, outer, offer)
    listed = hello_extensions(encoded, 0, padded=True)
    return encoded[: listed[-1].end] if listed else encoded


def _opened(opening: Recipient, sequence: int, outer: bytes, offer: Offer) -> bytes:
    end = offer.start + len(offer.payload)
    associated = outer[HEADER : offer.start] + bytes(len(offer.payload)) + outer[end:]
    return opening.open(sequence, associated, offer.payload)


def rebuild(encoded: bytes, outer: bytes) -> bytes:
    """Build the inner ClientHello from an EncodedClientHelloInner and the outer hello (RFC 9849, section 5.1)."""
    listed = hello_extensions(encoded, 0, padded=True)
    head, session_id_length = encoded[:_VERSION_AND_RANDOM], encoded[_VERSION_AND_RANDOM]
    if session_id_length:
        raise DecryptionError(MALFORMED, "the encoded inner hello has a session id")
    if not listed:
        raise DecryptionError(MALFORMED, "the inner hello does not say that it is one")
    middle = encoded[_VERSION_AND_RANDOM + 1 : listed[0].start - 6]
    end = listed[-1].end
    if encoded.count(0, end) != len(encoded) - end:
        raise DecryptionError(MALFORMED, "the padding behind the inner hello is not all zeros")
    taken = hello_extensions(outer, HEADER)
    inner = bytearray()
    marked = expanded = False
    for extension in listed:
        if extension.type == ECH_OUTER_EXTENSIONS:
            if expanded:
                raise DecryptionError(MALFORMED, "ech_outer_extensions stands twice")
            expanded = True
            for found in _expand(extension, taken):
                inner += _extension(found.type, outer[found.start : found.end])
            continue
        data = encoded[extension.start : extension.end]
        marked = marked or (extension.type == ENCRYPTED_CLIENT_HELLO and data == bytes((_INNER,)))
        inner += _extension(extension.type, data)
    if not marked:
        raise DecryptionError(MALFORMED, "the inner hello does not say that it is one")
    if len(inner) > 0xFFFF:
        raise DecryptionError(MALFORMED, f"the inner hello would have {len(inner)} bytes of extensions")
    place = HEADER + _VERSION_AND_RANDOM
    session_id = outer[place : place + 1 + outer[place]]
    body = head + session_id + middle + len(inner).to_bytes(2, "big") + inner
    return CLIENT_HELLO.to_bytes(1, "big") + len(body).to_bytes(3, "big") + body


def accepts(hash_name: str, random: bytes, hellos: bytes, server_hello: bytes) -> bool:
    """Return whether a ServerHello confirms the inner hello with this random (RFC 9849, section 7.2).

    hellos: the transcript before the ServerHello, with inner hellos; for two hellos see `before_retry`.
    """
    if len(server_hello) < _CONFIRMATION.stop:
        return False
    blank = server_hello[: _CONFIRMATION.start] + bytes(CONFIRMATION_LENGTH) + server_hello[_CONFIRMATION.stop :]
    expected = _confirmation(hash_name, random, b"ech accept confirmation", hellos + blank)
    return expected == server_hello[_CONFIRMATION]


def accepts_retry(hash_name: str, random: bytes, first: bytes, retry: bytes) -> bool:
    """Return whether a HelloRetryRequest confirms the inner hello `first` with this random (RFC 9849, section 7.2.1)."""
    message, _ = read(HelloRetryRequest, retry, HEADER, len(retry), 0, Malformed)
    listed = message.extensions or []
    for extension in _places(listed, len(retry) - sum(4 + one.n_bytes for one in listed)):
        if isinstance(extension.body, ECHHelloRetryRequest) and not extension.body.trailing:
            blank = retry[: extension.start] + bytes(CONFIRMATION_LENGTH) + retry[extension.end :]
            transcript = before_retry(hash_name, first) + blank
            confirmation = retry[extension.start : extension.end]
            return _confirmation(hash_name, random, b"hrr ech accept confirmation", transcript) == confirmation
    return False


def before_retry(hash_name: str, first: bytes) -> bytes:
    """Return what replaces the first ClientHello in a transcript with a HelloRetryRequest (RFC 9846, section 4.1)."""
    return message_hash(hash_function(hash_name)(first).digest())


def _confirmation(hash_name: str, random: bytes, label: bytes, transcript: bytes) -> bytes:
    secret = key_schedule13.extract(hash_name, b"", random)
    digest = hash_function(hash_name)(transcript).digest()
    return key_schedule13.expand_label(hash_name, secret, label, digest, CONFIRMATION_LENGTH)


def _expand(named: PlacedExtension, taken: list[PlacedExtension]) -> Iterator[PlacedExtension]:
    """Find the extensions that an ech_outer_extensions names, in the order of the outer hello and each at most once."""
    if not isinstance(named.body, OuterExtensions) or named.body.trailing or not named.body.outer_extensions:
        raise DecryptionError(MALFORMED, "ech_outer_extensions holds no list of extension types")
    following = 0
    for wanted in named.body.outer_extensions:
        if wanted in (ENCRYPTED_CLIENT_HELLO, ECH_OUTER_EXTENSIONS):
            raise DecryptionError(MALFORMED, f"ech_outer_extensions names {wanted:#06x}")
        while following < len(taken) and taken[following].type != wanted:
            following += 1
        if following == len(taken):
            raise DecryptionError(
                MALFORMED, f"ech_outer_extensions names {wanted:#06x}, which does not follow in the outer hello"
            )
        yield taken[following]
        following += 1


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
