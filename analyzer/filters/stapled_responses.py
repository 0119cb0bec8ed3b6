"""The OCSP responses that a TLS server sends with its certificate (RFC 6066 section 8, RFC 8446 section 4.4.2.1)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from analyzer.filters.compressed_certificates import uncompressed
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.messages.numbers import CERTIFICATE, CERTIFICATE_STATUS

MAX_RESPONSES = 64
"""Responses that are read of one message. A server sends one for each certificate of its chain, at most."""

_STATUS_REQUEST = 5


def stapled_responses(event: Event) -> Iterator[bytes]:
    """Yield the responses in a CertificateStatus message, or in the extensions of a Certificate message; else nothing."""
    event = uncompressed(event)
    if isinstance(event, HandshakeMessage) and event.body is not None:
        yield from islice(filter(None, _responses(event)), MAX_RESPONSES)


def _responses(message: HandshakeMessage) -> Iterator[bytes]:
    body: Any = message.body
    if message.type == CERTIFICATE_STATUS:
        yield from _ders(body)
    elif message.type == CERTIFICATE:
        for entry in getattr(body, "certificate_list", None) or ():
            yield from responses_of(entry)


def responses_of(entry: Any) -> Iterator[bytes]:
    """Yield the responses in the extensions of an entry of a Certificate message."""
    for one in getattr(entry, "extensions", None) or ():
        if one.type == _STATUS_REQUEST:
            yield from _ders(one.body)


def _ders(status: Any) -> Iterator[bytes]:
    response = getattr(status, "response", None)
    yield from response if isinstance(response, list) else (response,) if isinstance(response, bytes) else ()
