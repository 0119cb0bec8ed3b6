"""Finds the session that a resumed one continues, among all sessions of a run.

A session is resumed by the id that its server gave it (RFC 5246 section 7.3), by a ticket (RFC 5077), or in TLS 1.3 by a ticket
as the identity of a pre-shared key (RFC 9846 section 2.2). A ticket is long and random, so it is unique. A session id can be
short, and any server can choose the same one. It counts only at the same server, by address and port or by the name that the
client requested. The oldest entries are dropped first.

Tickets and ids of up to TLS 1.2 are in plaintext, so anybody can copy one into a handshake with another server. The same bytes
therefore prove nothing. A session continues another one if its records open with the other's master secret, or if client,
server and name are the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from analyzer.codec.runner import extension_body
from analyzer.tls.events import Finding
from analyzer.tls.handshake.resumption_terms import Earlier, Terms, terms
from analyzer.tls.limits import LONGEST_TICKET, MAX_RESUMABLE
from analyzer.tls.messages.numbers import PRE_SHARED_KEY, SESSION_TICKET

if TYPE_CHECKING:
    import cython


class ResumableSession:
    """A session that others may resume. number: its id. server: address and port (`Flow.server_key`). at: its start.

    client: the client's address (`Flow.client_key`). name: of the server, as the client requested it (`Hellos.asked_name`),
    b"" where it is not known. opens: whether there may be a secret that decrypts it. terms: see `resumption_terms.Terms`, None
    if they are not known. master: the master secret up to TLS 1.2, None before it is known; the sessions that resume this one
    have the same.
    """

    __slots__ = ("at", "client", "master", "name", "number", "opens", "server", "terms")

    def __init__(
        self,
        number: cython.longlong,
        server: bytes,
        name: bytes | None,
        opens: cython.bint = False,
        at: cython.longlong = -1,
        client: bytes = b"",
        terms: Terms | None = None,
    ) -> None:
        self.number = number
        self.server = server
        self.name = name
        self.opens = opens
        self.at = at
        self.client = client
        self.terms = terms
        self.master: bytes | None = None

    def is_between(self, client: bytes, server: bytes, name: bytes | None) -> cython.bint:
        """Return whether client, server and name are those of this session."""
        return self.may_be_between(client, server, name) and self.name != b"" and name != b""

    def may_be_between(self, client: bytes, server: bytes, name: bytes | None) -> cython.bint:
        """Return whether client, server and name are those of this session, as far as the names are known."""
        if self.client != client or self.server != server:
            return False
        if self.name is None or name is None:
            return self.name == name or self.name == b"" or name == b""
        return self.name.lower() == name.lower() or self.name == b"" or name == b""


class TwoGenerationCache:
    """Resumable sessions by id or ticket.

    When the younger half is full, the older one is dropped and a new one is started. most: how many a half has at most.
    """

    __slots__ = ("most", "older", "younger")

    def __init__(self) -> None:
        self.most = MAX_RESUMABLE
        self.younger: dict[bytes, ResumableSession] = {}
        self.older: dict[bytes, ResumableSession] = {}

    def keep(self, name: bytes, session: ResumableSession) -> None:
        """Keep a session; the last one with a name replaces earlier ones."""
        if len(name) > LONGEST_TICKET:
            name = hashlib.sha256(name).digest()
        if len(self.younger) >= self.most:
            self.older = self.younger
            self.younger = {}
        self.younger[name] = session

    def find(self, name: bytes) -> ResumableSession | None:
        """Return the session with this name, or None."""
        if len(name) > LONGEST_TICKET:
            name = hashlib.sha256(name).digest()
        found: ResumableSession | None = self.younger.get(name)
        return self.older.get(name) if found is None else found


class Resumptions:
    """The sessions of a run by their session ids and tickets."""

    __slots__ = ("ids", "tickets")

    def __init__(self) -> None:
        self.ids: TwoGenerationCache = TwoGenerationCache()
        self.tickets: TwoGenerationCache = TwoGenerationCache()

    def keep_id(self, session_id: bytes, session: ResumableSession) -> None:
        """Keep a session to which its server gave an id."""
        self.ids.keep(session_id, session)

    def keep_ticket(self, ticket: bytes, session: ResumableSession) -> None:
        """Keep a session whose server issued a ticket."""
        self.tickets.keep(ticket, session)

    def by_id(self, session_id: bytes, server: bytes, name: bytes | None) -> ResumableSession | None:
        """Return the session to which this server gave that id; None if it is not known, or belongs to another server."""
        found: ResumableSession | None = self.ids.find(session_id)
        if found is None or (found.server != server and (name is None or found.name != name)):
            return None
        return found

    def resumed(
        self, offers: Any, answer: Any, server: bytes, name: bytes | None, client: bytes = b""
    ) -> ResumableSession | None:
        """Return the session that a ServerHello continues, if this turns out to be a resumption; None if it is not known.

        offers: see `hello_features.offers`. server, name, client: see `ResumableSession`. The session found may be between
        others, from whom somebody has copied the ticket (`ResumableSession.is_between`).
        """
        selected = getattr(extension_body(answer, PRE_SHARED_KEY), "selected_identity", None)
        if selected is not None:
            identities = getattr(None if offers is None else offers.get(PRE_SHARED_KEY), "identities", None) or ()
            identity = identities[selected].identity if selected < len(identities) else None
            return self.find(identity or None, b"", server, name, client)
        ticket = offers[SESSION_TICKET].ticket if offers is not None and SESSION_TICKET in offers else None
        return self.find(ticket, getattr(answer, "legacy_session_id_echo", None) or b"", server, name, client)

    def find(
        self, ticket: bytes | None, session_id: bytes, server: bytes, name: bytes | None, client: bytes = b""
    ) -> ResumableSession | None:
        """Return the session with this ticket, or else with this id at this server. ticket: None for no ticket.

        client: who resumes; it plays no part in what is found.
        """
        found: ResumableSession | None = None if ticket is None else self.tickets.find(ticket)
        if found is None and len(session_id) > 0:
            found = self.by_id(session_id, server, name)
        return found

    def secret(self, found: ResumableSession) -> bytes | None:
        """Return the master secret that a session up to TLS 1.2 has from the one that it resumes; None if it is not known."""
        return found.master


def resumable_session(handshake: Any) -> ResumableSession:
    """Return a session as a resumable one. handshake: its `SessionHandshake`, after the ServerHello."""
    flow, name = handshake.flow, handshake.hellos.asked_name()
    known = terms(handshake)
    return ResumableSession(
        handshake.log.session, flow.server_key(), name, handshake.opens(), flow.start, flow.client_key(), known
    )


def earlier_session(found: ResumableSession | None, server: bytes) -> Earlier | None:
    """Return what the rules for resumption need of a session that has the same ticket or id; None if nothing is known.

    server: of the session that offers it (`Flow.server_key`).
    """
    if found is None or found.terms is None:
        return None
    return found.number, found.name, found.terms, found.server == server


def copied_ticket(number: int) -> Finding:
    """Return the finding about a session that has the ticket or id of that one, without a sign that it continues it."""
    detail = (
        f"its ticket or session id is the same bytes as that of session {number}, whose client, server or name is "
        "another one; nothing shows that it continues that session"
    )
    return Finding("copied_ticket", "info", detail, [])
