"""Which session a resumed one goes back to, over all sessions of a run.

A session is resumed by the id that its server gave it (RFC 5246 section 7.3), by a ticket (RFC 5077), or in TLS 1.3 by a ticket
as the identity of a pre-shared key (RFC 9846 section 2.2). A ticket is long and random, and so is as good as a name. A session
id may be short and comes from anybody: it counts only at the same server, by address and port or by the name that the client
asked for. What was kept longest is let go of first. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

import hashlib
from typing import Any

import cython

from analyzer.codec.runner import extension_body
from analyzer.tls.limits import LONGEST_TICKET, MAX_LINKED, MAX_LINKED_BYTES

SESSION_TICKET, PRE_SHARED_KEY = 35, 41


class Origin:
    """A session that others may resume. number: its id. server: address and port, as they stand in a connection's key.

    name: of the server, as the client asked for it. master: the master secret up to TLS 1.2, once it is known: the sessions
    that resume this one have the same.
    """

    __slots__ = ("master", "name", "number", "server")

    def __init__(self, number: cython.longlong, server: bytes, name: bytes | None) -> None:
        self.number = number
        self.server = server
        self.name = name
        self.master: bytes | None = None


class Generations:
    """Origins by what names them; when the younger half is full, the older one is dropped and a new one begun."""

    __slots__ = ("n_bytes", "older", "younger")

    def __init__(self) -> None:
        self.younger: dict[bytes, Origin] = {}
        self.older: dict[bytes, Origin] = {}
        self.n_bytes = 0

    def keep(self, name: bytes, origin: Origin) -> None:
        """Keep an origin; the last one counts."""
        if len(name) > LONGEST_TICKET:
            name = hashlib.sha256(name).digest()
        self.n_bytes += len(name)
        if len(self.younger) >= MAX_LINKED or self.n_bytes > MAX_LINKED_BYTES:
            self.older = self.younger
            self.younger = {}
            self.n_bytes = len(name)
        self.younger[name] = origin

    def find(self, name: bytes) -> Origin | None:
        """Find an origin."""
        if len(name) > LONGEST_TICKET:
            name = hashlib.sha256(name).digest()
        found: Origin | None = self.younger.get(name)
        return self.older.get(name) if found is None else found


class Links:
    """The sessions of a run by their session ids and tickets."""

    __slots__ = ("ids", "tickets")

    def __init__(self) -> None:
        self.ids: Generations = Generations()
        self.tickets: Generations = Generations()

    def keep_ticket(self, ticket: bytes, origin: Origin) -> None:
        """Keep a session that gave out a ticket."""
        self.tickets.keep(ticket, origin)

    def by_id(self, session_id: bytes, server: bytes, name: bytes | None) -> Origin | None:
        """The session that this server gave that id; None where it is not known, or is of another server."""
        found: Origin | None = self.ids.find(session_id)
        if found is None or (found.server != server and (name is None or found.name != name)):
            return None
        return found

    def by_identity(self, number: cython.longlong, identity: bytes) -> Origin | None:
        """The session that gave out the ticket which is the identity of a pre-shared key."""
        return self.tickets.find(identity)

    def resumed(self, number: cython.longlong, offers: Any, answer: Any, server: bytes, name: bytes | None) -> Origin | None:
        """The session that a ServerHello goes back to, should it turn out to be a resumption; None where it is not known.

        number: the id of the session that asks. offers: as `learn.offers` has it. server, name: as in `Origin`.
        """
        found: Origin | None = None
        selected = getattr(extension_body(answer, PRE_SHARED_KEY), "selected_identity", None)
        if selected is not None:
            identities = getattr(None if offers is None else offers.get(PRE_SHARED_KEY), "identities", None) or ()
            identity = identities[selected].identity if selected < len(identities) else None
            return self.by_identity(number, identity) if identity else None
        if offers is not None and SESSION_TICKET in offers:
            found = self.tickets.find(offers[SESSION_TICKET].ticket)
        session_id = getattr(answer, "legacy_session_id_echo", None)
        if found is None and session_id:
            found = self.by_id(session_id, server, name)
        return found


def server_of(key: bytes, client: cython.int) -> bytes:
    """The server's address and port in the key of a connection's opener; client: 0 where the client opened it, else 1."""
    ports: cython.Py_ssize_t = len(key) - 4
    half: cython.Py_ssize_t = ports >> 1
    if client:
        return key[:half] + key[ports : ports + 2]
    return key[half:ports] + key[ports + 2 :]
