# cython: annotation_typing=False
"""Tells full handshakes from resumptions up to TLS 1.2, at the server's first ChangeCipherSpec.

In a resumption nothing but a new ticket is between the ServerHello and the ChangeCipherSpec, and the server is the first that
changes its keys (RFC 5246 section 7.3, RFC 5077 section 3.1). Whether a ticket or a session id was accepted, the offer shows.
"""

from collections.abc import Sequence

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.parameters import UNKNOWN_WAY, Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import HELLO_VERIFY_REQUEST, NEW_SESSION_TICKET, SERVER_HELLO, SESSION_TICKET

FULL = "full"


def resumption_kind(
    messages: Sequence[HandshakeMessage], hellos: Hellos, parameters: Parameters, client: RoleState, server: RoleState
) -> str:
    """Return FULL, or the kind of resumption: `session_id`, `ticket` or UNKNOWN_WAY; "" where the messages do not show it."""
    if parameters.tls13 or not hellos.server_seen or not hellos.client_seen or server.missed:
        return ""
    message: HandshakeMessage
    for message in messages:
        if message.role == server.role and message.type not in (HELLO_VERIFY_REQUEST, SERVER_HELLO, NEW_SESSION_TICKET):
            return FULL
    if client.change_frame > 0:  # in a full handshake the client sends it first
        return ""
    if hellos.offers is not None and SESSION_TICKET in hellos.offers:
        return "ticket"
    return "session_id" if hellos.client_whole else UNKNOWN_WAY
