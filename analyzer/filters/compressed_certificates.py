"""The Certificate message in a CompressedCertificate message (RFC 8879), whose fields the frame has too."""

from functools import lru_cache
from typing import Any

from analyzer.codec.errors import Malformed, ParseError
from analyzer.codec.runner import read
from analyzer.tls.events import HandshakeMessage, handshake_message
from analyzer.tls.handshake.compressed_certificate import decompress
from analyzer.tls.messages.certificate_tables import Certificate13, CompressedCertificate
from analyzer.tls.messages.numbers import CERTIFICATE


def uncompressed(event: Any) -> Any:
    """Return the message inside of a CompressedCertificate message, and any other event as it is."""
    body = event.body if isinstance(event, HandshakeMessage) else None
    if not isinstance(body, CompressedCertificate) or body.compressed_certificate_message is None:
        return event
    plain = _decompressed(body.algorithm, body.compressed_certificate_message, body.uncompressed_length)
    if plain is None:
        return event
    raw = bytes((CERTIFICATE,)) + len(plain).to_bytes(3) + plain
    certificate, problems = read(Certificate13, plain, 0, len(plain), 0, Malformed)
    message = handshake_message(
        CERTIFICATE, "certificate", event.role, event.frame, event.at, len(raw), raw, certificate, problems, event.encrypted
    )
    message.session, message.version = event.session, event.version
    return message


@lru_cache(maxsize=8)
def _decompressed(algorithm: int, data: bytes, length: int) -> bytes | None:
    try:
        return decompress(algorithm, data, length)
    except ParseError:
        return None
