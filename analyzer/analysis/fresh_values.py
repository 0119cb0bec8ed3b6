"""Collects from a session that has ended the values that no other session should have, and the tickets that it offers.

Randoms and the public keys of an (EC)DHE key exchange are made for one handshake (RFC 9846 sections 4.2.2 and 4.3.8). A ticket
or session id belongs to one session, and others may use it again for a time. All of this is small and plain, so that one
process can send it to another.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.resumption_terms import Resumed, resumed_terms
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    EARLY_DATA,
    PRE_SHARED_KEY,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    SESSION_TICKET,
)
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake

if TYPE_CHECKING:
    import cython

RANDOM_SIZE = 32

MAX_TICKETS = 4
"""Tickets of one ClientHello that are compared with others. Clients offer one or two."""

SHORTEST_TICKET = 16
"""Bytes of a ticket at least. Shorter identities of pre-shared keys are names that people chose."""

NO_EARLY_DATA: tuple[Any, ...] = (False, None)

LONGEST_VALUE = 64
"""Bytes of a value that is kept unchanged; of a longer one the SHA-256 is kept."""

_SERVER = 1

Frames = tuple[int, int, int, int, int]

Values = tuple[
    bytes, bytes, tuple[bytes, ...], bytes, tuple[bytes, ...], Frames, int, bool, str, Resumed | None, tuple[bool, bool | None]
]
"""client random, server random, client's public keys, server's public key, tickets, frames, version, TLS 1.3, resumption,
terms, early data.

A random is empty if it is not known. frames: of the ClientHello, the ServerHello, the server's certificates, and the
public keys of client and server; 0 for none. version: its number. resumption: as in `Parameters`. terms: of a resumed session,
else None. early data: whether the client offers it, and whether the server accepts it, None if that is not known.
"""


def fresh_values(session: Session) -> tuple[Any, ...]:
    """Return the `Values` of a session."""
    handshake: SessionHandshake = session.handshake
    hellos: Hellos = handshake.hellos
    parameters: Parameters = handshake.parameters
    message: HandshakeMessage
    client_hello: cython.longlong = 0
    server_hello: cython.longlong = 0
    client_key: cython.longlong = 0
    server_key: cython.longlong = 0
    certified: cython.longlong = 0
    for message in session.log.messages:
        if message.type == CLIENT_HELLO:
            client_hello = client_hello or message.frame
        elif message.type == CLIENT_KEY_EXCHANGE:
            client_key = message.frame
            break
        elif message.role == _SERVER:
            if message.type == SERVER_HELLO:
                server_hello = message.frame  # the last one: after a HelloRetryRequest
            elif message.type == SERVER_KEY_EXCHANGE:
                server_key = message.frame
            elif message.type == CERTIFICATE or message.type == COMPRESSED_CERTIFICATE:
                certified = certified or message.frame
    offered: tuple[bytes, ...] = ()
    if hellos.offers is not None or parameters.resumption:
        offered = tickets(hellos, parameters, handshake.flow.server_key())
    return (
        handshake.transcript.client_random,
        handshake.transcript.server_random,
        hellos.public_keys,
        parameters.public_key,
        offered,
        (client_hello, server_hello, certified, client_key or client_hello, server_key or server_hello),
        parameters.version,
        parameters.tls13,
        parameters.resumption,
        resumed_terms(handshake) if parameters.resumption else None,
        early_data(handshake) if hellos.offers is not None else NO_EARLY_DATA,
    )


def early_data(handshake: SessionHandshake) -> tuple[Any, ...]:
    """Return whether the client offers early data, and whether the server accepts it; None if that is not known."""
    given: Any = handshake.hellos.fingerprint_input
    if given is None or EARLY_DATA not in given[2] or PRE_SHARED_KEY not in (handshake.hellos.offers or {}):
        return NO_EARLY_DATA
    agreed: tuple[Any, ...] | None = handshake.parameters.agreed
    return True, None if agreed is None else EARLY_DATA in agreed


def tickets(hellos: Hellos, parameters: Parameters, server: bytes) -> tuple[bytes, ...]:
    """Return the tickets that a client offers, and the session id that it resumes, with the server to which the id belongs.

    A pre-shared key that was agreed on elsewhere is no ticket: it has the age 0 (RFC 9846 section 4.3.11).
    """
    found: list[bytes] = []
    offers = hellos.offers or {}
    ticket = getattr(offers.get(SESSION_TICKET), "ticket", None)
    if ticket:
        found.append(ticket)
    for identity in getattr(offers.get(PRE_SHARED_KEY), "identities", None) or ():
        name = getattr(identity, "identity", None)
        if name and len(found) < MAX_TICKETS and getattr(identity, "obfuscated_ticket_age", 0):
            found.append(name)
    if parameters.resumption == "session_id" and parameters.session_id:
        found.append(server + parameters.session_id)
    return tuple(short(one) for one in found if len(one) >= SHORTEST_TICKET)


def short(value: bytes) -> bytes:
    """Return a value that stands for a long one."""
    return value if len(value) <= LONGEST_VALUE else sha256(value).digest()
