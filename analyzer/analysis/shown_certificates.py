"""Tells what a capture shows of the certificates of a side: a list, that it sent none, a part, or nothing.

That no Certificate message was seen does not mean that there was none. It may be encrypted (TLS 1.3, RFC 9846 section 2; a
renegotiation), lost, or before or after the capture. Only a handshake whose messages of that side are all there, and can be
read, shows that a side sent no certificate. Up to TLS 1.2 they are all there when its ChangeCipherSpec comes (RFC 5246 section
7.3), in TLS 1.3 when its Finished does. A session that is resumed has no certificate of the server (RFC 9846 section 2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.handshake.states import RoleState, State
from analyzer.tls.messages.numbers import SSL2
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake

if TYPE_CHECKING:
    import cython

LISTED, NONE, PART, HIDDEN = 0, 1, 2, 3
"""What is shown. PART: a list that ends with a certificate that is cut (`CUT`). HIDDEN: it is not visible if there are any."""

UNKNOWN = State.UNKNOWN.value

POST_HANDSHAKE_AUTH = 49
"""The extension of a client that can be asked for a certificate later (RFC 9846 section 4.3.6)."""

# In the compiled build these are C variables, which other modules cannot see.
_LISTED, _NONE, _PART, _HIDDEN = LISTED, NONE, PART, HIDDEN


def shown_certificates(session: Session, role: cython.int) -> cython.int:
    """Return what the capture shows of the certificates of a role: LISTED, NONE, PART or HIDDEN."""
    handshake: SessionHandshake = session.handshake
    listed: list[bytes] | None = handshake.certificates[role]
    if listed:
        return _PART if CUT in listed else _LISTED
    return _NONE if shows_none(session, role) else _HIDDEN


def shows_none(session: Session, role: cython.int) -> cython.bint:
    """Return whether the handshake shows that a role, of which no certificate was read, has sent none."""
    handshake: SessionHandshake = session.handshake
    sender: RoleState = session.roles[role]
    tls13: cython.bint = handshake.parameters.tls13
    if sender.hidden:  # in a renegotiation
        return False
    if role and handshake.parameters.resumption:
        return True
    if handshake.parameters.version == SSL2:
        return handshake.hellos.server_seen
    if sender.missed or (role and not handshake.hellos.server_seen and session.flow.late):
        return False
    if tls13 and not role and (is_asked(handshake) or (sender.state == UNKNOWN and may_be_asked(session))):
        return False
    if sender.connected or (not tls13 and sender.change_frame > 0 and handshake.parameters.version != 0):
        return True
    # A handshake that ended early, before this side encrypted anything, has been seen to its end.
    return session.established is False and session.whole and not sender.n_application


def is_asked(handshake: SessionHandshake) -> cython.bint:
    """Return whether a client was asked for a certificate after the handshake, and no answer was read (RFC 9846 4.7.2)."""
    requests: tuple[Any, ...] = handshake.parameters.requests
    request: tuple[Any, ...]
    if handshake.certificates[0] is None:
        for request in requests:
            if request[0]:  # requests in the handshake have no context
                return True
    return False


def may_be_asked(session: Session) -> cython.bint:
    """Return whether a client of TLS 1.3 was, or may have been, asked for a certificate after the handshake."""
    handshake: SessionHandshake = session.handshake
    if handshake.parameters.requests:
        return True
    offer = handshake.hellos.fingerprint_input
    server: RoleState = session.roles[1]
    return server.state == UNKNOWN and (offer is None or POST_HANDSHAKE_AUTH in offer[2])
