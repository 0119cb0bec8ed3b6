# cython: annotation_typing=False
"""Collects what a session agreed on that the sessions which resume it must keep.

Up to TLS 1.2 a resumed session has the cipher suite and the compression method of the session that it resumes (RFC 5246 section
7.4.1.3), and both have extended_master_secret or neither has (RFC 7627 section 5.3). A ticket of TLS 1.3 is for one hash, and
for the names of the certificate that its session had (RFC 9846 sections 4.3.11 and 4.7.1). All of this is small and plain, so
that one process can send it to another.
"""

from typing import Any

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import EXTENDED_MASTER_SECRET, SERVER_HELLO

_CLIENT, _SERVER = 0, 1

Terms = tuple[bool, int, int, bool | None, bytes]
"""TLS 1.3, cipher suite, compression method, extended_master_secret, the server's certificate (of TLS 1.3, b"" if not known).

The cipher suite is -1 and extended_master_secret None where they are not known.
"""

Resumed = tuple[Terms, bool | None, bool, int]
"""Of a resumed session: its `Terms`; whether the ClientHello has extended_master_secret, None if that is not known; whether its
ticket or session id is long enough to be unique; the frame of the ServerHello, 0 for none."""

Earlier = tuple[int, bytes | None, Terms, bool]
"""Of the session that has the same ticket or session id: its number, the name that its client requested, its terms, and whether
the server of both is the same one."""

SHORTEST_ID = 16
"""Bytes of a session id at least that no other session has by chance."""


def terms(handshake: Any) -> Terms:
    """Return the terms of a session. handshake: its `SessionHandshake`, after the ServerHello."""
    parameters: Parameters = handshake.parameters
    hellos: Hellos = handshake.hellos
    client: RoleState = handshake.roles[_CLIENT]
    answer = hellos.server_fingerprint_input
    leaf = b""
    if client.n_hellos > 1 and not parameters.tls13:  # a renegotiation; these are terms of the first handshake
        return False, -1, 0, None, b""
    if parameters.tls13:
        listed = handshake.certificates[_SERVER]
        leaf = listed[0] if listed else b""  # it can be cut
    extended = None if answer is None or parameters.tls13 else EXTENDED_MASTER_SECRET in answer[2]
    return bool(parameters.tls13), parameters.cipher_suite, parameters.compression, extended, leaf


def resumed_terms(handshake: Any) -> Resumed:
    """Return the terms of a session that resumes another one, and how it asked for them."""
    parameters: Parameters = handshake.parameters
    message: HandshakeMessage
    offer = handshake.hellos.offer
    asked = None if offer is None else EXTENDED_MASTER_SECRET in offer.types
    unique = parameters.resumption != "session_id" or len(parameters.session_id) >= SHORTEST_ID
    frame = 0
    for message in handshake.log.messages:
        if message.type == SERVER_HELLO:
            frame = message.frame
            break
    return terms(handshake), asked, unique, frame
