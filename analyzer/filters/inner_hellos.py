"""The inner ClientHello of Encrypted Client Hello (RFC 9849 section 5.1), for the fields of the frame of the outer one.

As in Wireshark it is the EncodedClientHelloInner: extensions that both hellos have are named in it, and stand in the outer one.
It opens with ECH_SECRET and ECH_CONFIG of the key log.
"""

from itertools import islice, product
from typing import TYPE_CHECKING

from analyzer.codec.runner import extension_body
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.ech_offer import LABELS
from analyzer.tls.limits import MAX_CONFIGS
from analyzer.tls.messages.numbers import CLIENT_HELLO, ENCRYPTED_CLIENT_HELLO, RANDOM

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog

_FIRST, _SECOND = 0, 1
"""The numbers of the hellos under one key: the second one answers a HelloRetryRequest."""


def encoded_inner(message: HandshakeMessage, keylog: "KeyLog | None") -> bytes:
    """Return the EncodedClientHelloInner in a ClientHello, without its padding; empty if none opens."""
    outer = message.raw
    if keylog is None or message.type != CLIENT_HELLO or message.body is None or not keylog.knows(outer[RANDOM]):
        return b""
    if extension_body(message.body, ENCRYPTED_CLIENT_HELLO) is None:
        return b""
    secrets, logged = (keylog.candidates(outer[RANDOM], label) for label in LABELS)
    if not secrets or not logged:
        return b""
    from analyzer.tls.handshake import encrypted_hello

    try:
        offer = encrypted_hello.find_offer(outer)
    except DecryptionError:  # the extension has no form, and its bytes are fields anyway
        return b""
    for raw, secret, sequence in islice(product(reversed(logged), reversed(secrets), (_FIRST, _SECOND)), 2 * MAX_CONFIGS):
        try:
            for config in encrypted_hello.read_configs(raw):
                if offer is not None and config.config_id == offer.config_id:
                    opening = encrypted_hello.recipient(offer, config, secret)
                    return encrypted_hello.open_encoded(opening, sequence, outer, offer)
        except DecryptionError:  # secrets of another configuration, or of the other hello
            continue
    return b""
