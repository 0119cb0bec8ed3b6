"""Implements the key schedule of TLS 1.3 (RFC 9846, section 7; HKDF is RFC 5869).

Every step is HKDF-Expand-Label: an HMAC over the output length, a label with a prefix, and a context. The context is usually
the hash of the messages so far. A key log contains the traffic secrets. From a traffic secret come the key and the
initialisation vector of a direction, its Finished key, and the next traffic secret after a KeyUpdate. The earlier steps (early,
handshake and main secret) are needed only if a pre-shared key is known instead.

The prefix is part of the label. It is "tls13 " since draft 20. Before that it was "TLS 1.3, ", and the labels were longer. DTLS
1.3 has its own prefix.
"""

from functools import lru_cache

from analyzer.secrets.key_schedule import Hmac, hmac, keyed_hmac
from analyzer.secrets.suite_interface import hash_function, hash_sizes

TLS = b"tls13 "
OLD_DRAFT = b"TLS 1.3, "
DTLS = b"dtls13"
"""The three prefixes of labels: TLS 1.3, its drafts before 20, and DTLS 1.3."""

IV_LENGTH = 12
"""Length in bytes of the initialisation vector of every AEAD of TLS 1.3 (RFC 9846, section 5.3)."""

LARGEST_OUTPUT = 255
"""The longest output of HKDF, counted in hashes: HKDF numbers its blocks with one octet (RFC 5869, section 2.3)."""

_LABELS_BEFORE_DRAFT_20 = {
    b"ext binder": b"external psk binder key",
    b"res binder": b"resumption psk binder key",
    b"c e traffic": b"client early traffic secret",
    b"e exp master": b"early exporter master secret",
    b"derived": b"derived secret",
    b"c hs traffic": b"client handshake traffic secret",
    b"s hs traffic": b"server handshake traffic secret",
    b"c ap traffic": b"client application traffic secret",
    b"s ap traffic": b"server application traffic secret",
    b"exp master": b"exporter master secret",
    b"res master": b"resumption master secret",
    b"traffic upd": b"application traffic secret",
}


def label_prefix(draft: int) -> bytes:
    """Return the prefix of a draft's labels; 0 is the RFC."""
    return OLD_DRAFT if 0 < draft < 20 else TLS


def expand_label(hash_name: str, secret: bytes, label: bytes, context: bytes, length: int, prefix: bytes = TLS) -> bytes:
    """Compute HKDF-Expand-Label. Raises ValueError if `length` is more than 255 hashes, which is an error of the caller."""
    info = _label(label, length, prefix) + len(context).to_bytes(1, "big") + context
    return _expand(keyed_hmac(hash_function(hash_name), secret), info, length)


def _expand(keyed: Hmac, info: bytes, length: int) -> bytes:
    """Compute HKDF-Expand."""
    block = output = keyed.compute(info + b"\1")
    if length <= len(block):
        return output[:length]
    if length > LARGEST_OUTPUT * len(block):
        raise ValueError(f"HKDF gives no {length} bytes")
    number = 1
    while len(output) < length:
        number += 1
        block = keyed.compute(block + info + bytes([number]))
        output += block
    return output[:length]


def extract(hash_name: str, salt: bytes, key_material: bytes) -> bytes:
    """Compute HKDF-Extract. If `key_material` is empty, zeros of the length of the hash are used."""
    hashed = hash_function(hash_name)
    return hmac(hashed, salt, key_material or bytes(hashed(b"").digest_size))


def derive_secret(hash_name: str, secret: bytes, label: bytes, transcript_hash: bytes, prefix: bytes = TLS) -> bytes:
    """Compute Derive-Secret, given the hash of the messages."""
    return expand_label(hash_name, secret, label, transcript_hash, len(transcript_hash), prefix)


def early_secret(hash_name: str, psk: bytes = b"") -> bytes:
    """Return the first secret of the schedule. Without a PSK it is derived from zeros."""
    return extract(hash_name, b"", psk)


def following_secret(hash_name: str, secret: bytes, key_material: bytes = b"", prefix: bytes = TLS) -> bytes:
    """Return the next secret of the schedule.

    It is the handshake secret if `secret` is the early secret, and the main secret if `secret` is the handshake secret.

    key_material: the (EC)DHE secret for the handshake secret, empty with psk_ke; empty for the main secret.
    """
    nothing = hash_function(hash_name)(b"").digest()
    return extract(hash_name, derive_secret(hash_name, secret, b"derived", nothing, prefix), key_material)


def resumption_psk(hash_name: str, resumption_secret: bytes, ticket_nonce: bytes, prefix: bytes = TLS) -> bytes:
    """Return the PSK that belongs to a NewSessionTicket (RFC 9846, section 4.6.1)."""
    return expand_label(hash_name, resumption_secret, b"resumption", ticket_nonce, hash_sizes(hash_name)[1], prefix)


def traffic_keys(hash_name: str, traffic_secret: bytes, key_length: int, prefix: bytes = TLS) -> tuple[bytes, bytes]:
    """Return the key and the initialisation vector of a direction."""
    keyed: Hmac = keyed_hmac(hash_function(hash_name), traffic_secret)
    for_key, for_vector = _key_labels(key_length, prefix)
    return _expand(keyed, for_key, key_length), _expand(keyed, for_vector, IV_LENGTH)


def next_traffic_secret(hash_name: str, traffic_secret: bytes, prefix: bytes = TLS) -> bytes:
    """Return application_traffic_secret_N+1 (RFC 9846, section 7.2)."""
    return expand_label(hash_name, traffic_secret, b"traffic upd", b"", hash_sizes(hash_name)[1], prefix)


def finished(hash_name: str, base_key: bytes, transcript_hash: bytes, prefix: bytes = TLS) -> bytes:
    """Return the verify_data of a Finished, or a PSK binder.

    base_key: the sender's handshake traffic secret, or the binder key.
    """
    hashed = hash_function(hash_name)
    length: int = hash_sizes(hash_name)[1]
    key = _expand(keyed_hmac(hashed, base_key), _finished_label(length, prefix), length)
    return hmac(hashed, key, transcript_hash)


@lru_cache(maxsize=256)
def _key_labels(key_length: int, prefix: bytes) -> tuple[bytes, bytes]:
    """Return HkdfLabel for a key and for an initialisation vector. Their contexts are empty."""
    return _label(b"key", key_length, prefix) + b"\0", _label(b"iv", IV_LENGTH, prefix) + b"\0"


@lru_cache(maxsize=256)
def _finished_label(length: int, prefix: bytes) -> bytes:
    return _label(b"finished", length, prefix) + b"\0"


@lru_cache(maxsize=256)
def _label(label: bytes, length: int, prefix: bytes) -> bytes:
    """Return the fields of HkdfLabel before the context."""
    spelled = prefix + (_LABELS_BEFORE_DRAFT_20.get(label, label) if prefix == OLD_DRAFT else label)
    return length.to_bytes(2, "big") + len(spelled).to_bytes(1, "big") + spelled
