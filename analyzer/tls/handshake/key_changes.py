"""Tells which keys a role uses after a message of TLS 1.3 (RFC 9846 section 7).

A client that offers early data uses the keys for early data until its EndOfEarlyData. If it does not send that message, the
capture does not show from which record on it uses the handshake keys. Without such an offer both roles use the handshake keys
after the ServerHello.
"""

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import END_OF_EARLY_DATA, FINISHED, KEY_UPDATE, SERVER_HELLO


def changed_epoch(message: HandshakeMessage, sender: RoleState) -> str:
    """Return the epoch that begins with a message, or "": `handshake`, `application` or `updated`. Notes a first Finished."""
    if message.type == SERVER_HELLO and message.name == "server_hello":
        return "" if message.problems and message.problems[-1].field == message.name else "handshake"
    if not message.encrypted:
        return ""
    if message.type == END_OF_EARLY_DATA:
        return "handshake"
    if message.type == FINISHED and not sender.finished:
        sender.finished = True
        return "application"
    return "updated" if message.type == KEY_UPDATE else ""
