"""Tells whether a session resumes another one, as far as the capture shows it.

Up to TLS 1.2 the messages after the ServerHello show it: a resumed session goes directly to its ChangeCipherSpec (RFC 5246
section 7.3). In TLS 1.3 an extension of the ServerHello does (RFC 9846 section 2.2).
"""

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SSL2,
)
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake

FULL = (
    CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_STATUS, CLIENT_KEY_EXCHANGE, COMPRESSED_CERTIFICATE, SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
)  # fmt: skip
"""The messages that up to TLS 1.2 only a full handshake has."""


def is_resumed(session: Session) -> bool | None:
    """Return whether a session resumes another one; None if the capture does not show it."""
    message: HandshakeMessage
    handshake: SessionHandshake = session.handshake
    if handshake.parameters.resumption:
        return True
    if not handshake.hellos.server_seen:
        return None
    if handshake.parameters.tls13:
        return None if handshake.hellos.server_fingerprint_input is None else False
    for message in session.log.messages:
        if message.type in FULL:
            return False
    return False if session.established is False or handshake.parameters.version == SSL2 else None
