"""Chooses the protocol that follows a 101 response or a successful CONNECT (RFC 9110 sections 7.8 and 9.3.6).

A WebSocket begins only if the answer is right: the server proves with a hash of the client's nonce that it read the request,
and takes a subprotocol out of those that were offered (RFC 6455 section 4). A client has to fail the connection otherwise.
"""

import base64
import binascii
from hashlib import sha1

from analyzer.application.exchange import ConversationLog, Exchange, Response
from analyzer.application.header_fields import index, shown, values
from analyzer.application.http2 import Http2
from analyzer.application.protocol_reader import Reader, UnknownProtocol
from analyzer.application.websocket import WebSocket

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server appends to the client's nonce (RFC 6455 section 1.3)."""


def successor_of(exchange: Exchange, response: Response, log: ConversationLog) -> Reader:
    """Return the reader of the data after the response, as its fields name the protocol."""
    fields = index(response.headers or [])
    names = [name.lower() for name in values(fields, "upgrade")] if response.status == 101 else []
    if "websocket" in names:
        _check_websocket(exchange, response, log)
        return WebSocket(log, exchange, values(fields, "sec-websocket-extensions"))
    if "h2c" in names:
        asked = exchange.request.headers if exchange.request is not None else None
        reader = Http2(log)
        reader.adopt(exchange, _settings("".join(index(asked or []).get("http2-settings", []))))
        return reader
    return UnknownProtocol()


def _check_websocket(exchange: Exchange, response: Response, log: ConversationLog) -> None:
    """Report what is wrong with the answer to a request for WebSocket. Nothing is said where the request is missing."""
    if exchange.guessed or exchange.request is None or exchange.request.headers is None or response.headers is None:
        return
    asked, answered = dict(index(exchange.request.headers)), dict(index(response.headers))
    keys = asked.get("sec-websocket-key", [])
    accepts = answered.get("sec-websocket-accept", [])
    if len(keys) == 1:
        wanted = _accept(keys[0].strip())
        if [one.strip() for one in accepts] != [wanted]:
            given = shown(", ".join(accepts)) if accepts else "nothing"
            detail = f"Sec-WebSocket-Accept is {given}, and not {wanted}: the client must fail"
            log.note("bad_websocket_accept", detail, response.frame)
    else:
        log.note("bad_websocket_key", f"{len(keys)} fields Sec-WebSocket-Key in the request, where one belongs", response.frame)
    offered = _tokens(asked.get("sec-websocket-protocol", []))
    for chosen in answered.get("sec-websocket-protocol", []):
        if chosen.strip() not in offered:
            detail = f"the server chose the subprotocol {shown(chosen.strip())}, which the client did not offer"
            log.note("bad_websocket_subprotocol", detail, response.frame)
    extensions = {one.partition(";")[0].strip().lower() for one in _tokens(asked.get("sec-websocket-extensions", []))}
    for chosen in _tokens(answered.get("sec-websocket-extensions", [])):
        if chosen.partition(";")[0].strip().lower() not in extensions:
            detail = f"the server chose the extension {shown(chosen)}, which the client did not offer"
            log.note("bad_websocket_extension", detail, response.frame)


def _accept(key: str) -> str:
    """Return the right Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return base64.b64encode(sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode("ascii")


def _tokens(fields: list[str]) -> list[str]:
    return [token.strip() for field in fields for token in field.split(",") if token.strip()]


def _settings(text: str) -> bytes:
    """Decode the payload of a SETTINGS frame from base64url (RFC 7540 section 3.2.1); empty if it is not base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
