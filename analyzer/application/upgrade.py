"""Chooses the protocol that follows a 101 response or a successful CONNECT (RFC 9110 sections 7.8 and 9.3.6)."""

import base64
import binascii

from analyzer.application.exchange import ConversationLog, Exchange, Response
from analyzer.application.header_fields import index, values
from analyzer.application.http2 import Http2
from analyzer.application.protocol_reader import Reader, UnknownProtocol
from analyzer.application.websocket import WebSocket


def successor_of(exchange: Exchange, response: Response, log: ConversationLog) -> Reader:
    """Return the reader of the data after the response, as its fields name the protocol."""
    fields = index(response.headers or [])
    names = [name.lower() for name in values(fields, "upgrade")] if response.status == 101 else []
    if "websocket" in names:
        return WebSocket(log, exchange, values(fields, "sec-websocket-extensions"))
    if "h2c" in names:
        asked = exchange.request.headers if exchange.request is not None else None
        reader = Http2(log)
        reader.adopt(exchange, _settings("".join(index(asked or []).get("http2-settings", []))))
        return reader
    return UnknownProtocol()


def _settings(text: str) -> bytes:
    """Decode the payload of a SETTINGS frame from base64url (RFC 7540 section 3.2.1); empty if it is not base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
