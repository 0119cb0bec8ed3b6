"""Tells which keys a role uses after a message of TLS 1.3 (RFC 9846 section 7).

A client that offers early data uses the keys for early data until its EndOfEarlyData. If it does not send that message, the
capture does not show from which record on it uses the handshake keys. Without such an offer both roles use the handshake keys
after the ServerHello.
"""

from analyzer.tls.events import HandshakeMessage, KeysChanged
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import END_OF_EARLY_DATA, FINISHED, KEY_UPDATE, SERVER_HELLO


def changed_keys(message: HandshakeMessage, sender: RoleState, early: bool) -> list[KeysChanged]:
    """Return the events about the keys that are used after a message. early: whether the client offers early data."""
    epoch = changed_epoch(message, sender)
    if not epoch:
        return []
    both = not message.encrypted and not early
    return [KeysChanged(epoch, role, message.frame, message.at) for role in ((0, message.role) if both else (message.role,))]


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
