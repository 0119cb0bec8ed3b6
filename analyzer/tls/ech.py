"""Encrypted Client Hello read with its secrets (RFC 9849): the inner hello out of the outer one, and whether it was accepted.

The client seals its real hello with HPKE to a key that the server published as an ECHConfig, and sends it inside an outer hello
that names only the provider. A key log has the KEM's shared secret and the ECHConfig (RFC 9850). The sealed form leaves out the
session id, and may take extensions from the outer hello by number, in its order and each once: so the inner hello is never
longer than what came. That the server took the inner hello shows in eight bytes of its answer, which only who has read the
inner hello can compute; from then on that hello stands in the transcript, and its random names the session.

All hellos here are whole handshake messages, with their headers. Everything raises `Refused` and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.secrets import schedule13
from analyzer.secrets.hpke import Recipient
from analyzer.secrets.refused import MALFORMED, Refused
from analyzer.secrets.suite import hash_function
from analyzer.tls.limits import MAX_CONFIGS
from analyzer.tls.spans import HEADER, Span, extensions_of, number, spans, take, vector
from analyzer.tls.transcript import message_hash

ENCRYPTED_CLIENT_HELLO, ECH_OUTER_EXTENSIONS = 0xFE0D, 0xFD00
CLIENT_HELLO = 1
CONFIRMATION_LENGTH = 8

_VERSION = 0xFE0D
_OUTER, _INNER = b"\0", b"\1"
_INFO = b"tls ech\0"
_CONFIRMATION = slice(30, 38)


@dataclass(frozen=True, slots=True)
class Offer:
    """The extension of an outer hello. kdf, aead: HPKE's numbers; start: where in the message the payload begins.

    In a second hello, which answers a HelloRetryRequest, `enc` is empty: the context of the first goes on.
    """

    kdf: int
    aead: int
    config_id: int
    enc: bytes
    payload: bytes
    start: int


@dataclass(frozen=True, slots=True)
class Config:
    """An ECHConfig; `raw` is all of it, the KEM's number and the name are what is needed of the rest."""

    raw: bytes
    config_id: int
    kem: int
    public_name: bytes


def find_offer(outer: bytes) -> Offer | None:
    """Find the extension in a ClientHello; None where there is none, or one that belongs to an inner hello."""
    for kind, start, end in extensions_of(outer):
        if kind != ENCRYPTED_CLIENT_HELLO:
            continue
        if outer[start : start + 1] != _OUTER:
            return None
        kdf, pos = number(outer, start + 1, end, 2)
        aead, pos = number(outer, pos, end, 2)
        config_id, pos = number(outer, pos, end, 1)
        enc, pos = vector(outer, pos, end, 2)
        payload, pos = vector(outer, pos, end, 2)
        if pos != end or not payload:
            raise Refused(MALFORMED, f"the encrypted_client_hello extension has no payload that ends with it, at byte {pos}")
        return Offer(kdf, aead, config_id, enc, payload, end - len(payload))
    return None


def read_configs(logged: bytes) -> list[Config]:
    """Read the value of ECH_CONFIG: an ECHConfig, or as some write it the whole list of them; those of known versions."""
    pos, end = 0, len(logged)
    if int.from_bytes(logged[:2], "big") == end - 2:
        pos = 2
    configs: list[Config] = []
    while pos < end and len(configs) < MAX_CONFIGS:
        version, body = number(logged, pos, end, 2)
        contents, after = vector(logged, body, end, 2)
        if version == _VERSION:
            configs.append(_config(logged[pos:after], contents))
        pos = after
    return configs


def recipient(offer: Offer, config: Config, shared_secret: bytes) -> Recipient:
    """Give what opens the payloads of a client's hellos, from the first of them."""
    return Recipient(config.kem, offer.kdf, offer.aead, shared_secret, _INFO + config.raw)


def open_inner(opening: Recipient, sequence: int, outer: bytes, offer: Offer) -> bytes:
    """Open the inner ClientHello of an outer one; sequence: 0, and 1 after a HelloRetryRequest."""
    end = offer.start + len(offer.payload)
    associated = outer[HEADER : offer.start] + bytes(len(offer.payload)) + outer[end:]
    return rebuild(opening.open(sequence, associated, offer.payload), outer)


def rebuild(encoded: bytes, outer: bytes) -> bytes:
    """Build the inner ClientHello from an EncodedClientHelloInner and the outer hello (RFC 9849, section 5.1)."""
    end = len(encoded)
    _, pos = take(encoded, 0, end, 34)
    session_id, pos = vector(encoded, pos, end, 1)
    if session_id:
        raise Refused(MALFORMED, "the encoded inner hello has a session id")
    head, rest = encoded[:34], pos
    _, pos = vector(encoded, pos, end, 2)
    _, pos = vector(encoded, pos, end, 1)
    middle = encoded[rest:pos]
    listed, pos = vector(encoded, pos, end, 2)
    if encoded.count(0, pos) != end - pos:
        raise Refused(MALFORMED, "the padding behind the inner hello is not all zeros")
    taken = list(extensions_of(outer))
    inner = bytearray()
    marked = expanded = False
    for kind, start, stop in spans(listed, 0, len(listed)):
        data = listed[start:stop]
        if kind == ECH_OUTER_EXTENSIONS:
            if expanded:
                raise Refused(MALFORMED, "ech_outer_extensions stands twice")
            expanded = True
            for taken_kind, first, last in _expand(data, taken):
                inner += _extension(taken_kind, outer[first:last])
            continue
        marked = marked or (kind == ENCRYPTED_CLIENT_HELLO and data == _INNER)
        inner += _extension(kind, data)
    if not marked:
        raise Refused(MALFORMED, "the inner hello does not say that it is one")
    if len(inner) > 0xFFFF:
        raise Refused(MALFORMED, f"the inner hello would have {len(inner)} bytes of extensions")
    session_id, _ = vector(outer, HEADER + 34, len(outer), 1)
    body = head + len(session_id).to_bytes(1, "big") + session_id + middle + len(inner).to_bytes(2, "big") + inner
    return CLIENT_HELLO.to_bytes(1, "big") + len(body).to_bytes(3, "big") + body


def accepts(hash_name: str, random: bytes, hellos: bytes, server_hello: bytes) -> bool:
    """Whether a ServerHello confirms the inner hello with this random (RFC 9849, section 7.2).

    hellos: what the transcript has before the ServerHello, with inner hellos; see `before_retry` for the case of two.
    """
    if len(server_hello) < _CONFIRMATION.stop:
        return False
    blank = server_hello[: _CONFIRMATION.start] + bytes(CONFIRMATION_LENGTH) + server_hello[_CONFIRMATION.stop :]
    expected = _confirmation(hash_name, random, b"ech accept confirmation", hellos + blank)
    return expected == server_hello[_CONFIRMATION]


def accepts_retry(hash_name: str, random: bytes, first: bytes, retry: bytes) -> bool:
    """Whether a HelloRetryRequest confirms the inner hello `first` with this random (RFC 9849, section 7.2.1)."""
    for kind, start, end in extensions_of(retry, answer=True):
        if kind == ENCRYPTED_CLIENT_HELLO and end - start == CONFIRMATION_LENGTH:
            blank = retry[:start] + bytes(CONFIRMATION_LENGTH) + retry[end:]
            heard = before_retry(hash_name, first) + blank
            return _confirmation(hash_name, random, b"hrr ech accept confirmation", heard) == retry[start:end]
    return False


def before_retry(hash_name: str, first: bytes) -> bytes:
    """Give what stands for the first ClientHello in a transcript with a HelloRetryRequest (RFC 9846, section 4.5.1)."""
    return message_hash(hash_function(hash_name)(first).digest())


def _confirmation(hash_name: str, random: bytes, label: bytes, heard: bytes) -> bytes:
    secret = schedule13.extract(hash_name, b"", random)
    return schedule13.expand_label(hash_name, secret, label, hash_function(hash_name)(heard).digest(), CONFIRMATION_LENGTH)


def _config(raw: bytes, contents: bytes) -> Config:
    end = len(contents)
    config_id, pos = number(contents, 0, end, 1)
    kem, pos = number(contents, pos, end, 2)
    _, pos = vector(contents, pos, end, 2)
    _, pos = vector(contents, pos, end, 2)
    _, pos = number(contents, pos, end, 1)
    public_name, _ = vector(contents, pos, end, 1)
    return Config(raw, config_id, kem, public_name)


def _expand(data: bytes, taken: list[Span]) -> Iterator[Span]:
    """Find the extensions that an ech_outer_extensions names, in the order of the outer hello and each at most once."""
    numbers, pos = vector(data, 0, len(data), 1)
    if pos != len(data) or not numbers or len(numbers) % 2:
        raise Refused(MALFORMED, "ech_outer_extensions holds no list of extension types")
    following = 0
    for at in range(0, len(numbers), 2):
        wanted = numbers[at] << 8 | numbers[at + 1]
        if wanted in (ENCRYPTED_CLIENT_HELLO, ECH_OUTER_EXTENSIONS):
            raise Refused(MALFORMED, f"ech_outer_extensions names {wanted:#06x}")
        while following < len(taken) and taken[following][0] != wanted:
            following += 1
        if following == len(taken):
            raise Refused(MALFORMED, f"ech_outer_extensions names {wanted:#06x}, which does not follow in the outer hello")
        yield taken[following]
        following += 1


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
