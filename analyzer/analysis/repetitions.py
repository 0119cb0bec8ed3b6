"""Finds what a session has in common with an earlier one of the same run, although it should be its own.

A random that comes again shows a broken generator, or a message that was sent again (RFC 9846 section 4.2.3). A public key of
an (EC)DHE key exchange that comes again joins sessions: whoever learns its private key can read all of them. If both randoms
come again, it is one handshake that the capture has twice, such as before and behind an address translation; then nothing else
is compared.

A ticket is for a time (RFC 9846 section 4.7.1), and a session id should be (RFC 5246 appendix F.1.4). A certificate or key at
several hosts is usual with large providers, and otherwise joins hosts that seem to have nothing in common.

All comparisons go back in the order in which sessions ended, as far as the limits allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.certificate_places import CertificatePlaces
from analyzer.analysis.fresh_values import fresh_values
from analyzer.analysis.resumption_rules import resumption_findings
from analyzer.analysis.seen_values import SeenValues
from analyzer.tls.events import Finding
from analyzer.tls.handshake.resumption import ResumableSession, copied_ticket, earlier_session
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake

if TYPE_CHECKING:
    import cython

DAY = 86_400_000_000_000

LATE = DAY
"""Nanoseconds after which the use of a ticket or session id is late. RFC 5246 appendix F.1.4 suggests it for session ids."""

LONGEST_LIFE = 7 * DAY
"""Nanoseconds that a ticket of TLS 1.3 may be used (RFC 9846 section 4.7.1)."""

TLS_1_2 = 0x0303

NOTHING: list[Finding] = []
"""The result of sessions that repeat nothing, which are the most. It must not be changed."""

_SERVER, _RANDOM_SIZE = 1, 32


class Repetitions:
    """The values of the sessions of a run so far, each with the number of the session that had it first."""

    __slots__ = ("certificates", "early", "keys", "randoms", "tickets")

    def __init__(self) -> None:
        self.randoms = SeenValues()
        self.keys = SeenValues()
        self.tickets = SeenValues()
        self.early = SeenValues()
        self.certificates = CertificatePlaces()

    def remember(self, most: int) -> None:
        """Remember only so many values of each kind and generation: a run of days needs memory that does not grow."""
        known = self.certificates
        for seen in (self.randoms, self.keys, self.tickets, self.early, known.places, known.certificates, known.keys):
            seen.most = most

    @property
    def forgotten(self) -> bool:
        """Whether values of earlier sessions were dropped, because there were too many."""
        sessions = self.randoms.forgotten or self.keys.forgotten or self.tickets.forgotten or self.early.forgotten
        return bool(sessions or self.certificates.forgotten)

    def take_session(self, session: Session) -> list[Finding]:
        """Take a session that has ended. Return what it has in common with others; the caller must not change the list."""
        handshake: SessionHandshake = session.handshake
        leaves: list[bytes] | None = handshake.certificates[_SERVER]
        issued: cython.longlong = -1 if handshake.resumed_from is None else handshake.resumed_from.at
        values: tuple[Any, ...] = fresh_values(session)
        repeats: list[Finding] = self.take(
            session.id,
            session.flow.key,
            session.flow.start,
            values,
            leaves[0] or None if leaves else None,  # it can be cut
            handshake.hellos.server_name,
            issued,
        )
        copied: ResumableSession | None = handshake.copied_from
        if not handshake.parameters.resumption or (copied is None and handshake.resumed_from is None):
            return repeats
        known = earlier_session(handshake.resumed_from if copied is None else copied, session.flow.server_key())
        return (
            resumption_repeats(values, known, handshake.hellos.asked_name(), -1 if copied is None else copied.number) + repeats
        )

    def take(
        self,
        number: cython.longlong,
        key: bytes,
        start: cython.longlong,
        values: tuple[Any, ...],
        leaf: bytes | None,
        name: bytes | None,
        issued: cython.longlong,
    ) -> list[Finding]:
        """Take the next session that has ended. Return what it repeats; the caller must not change the list.

        number: its number. key: of its flow. start: its time, nanoseconds since the epoch, -1 if it has none. values: see
        `fresh_values.Values`. leaf: the server's certificate. name: that the client requested. issued: start of the session
        that got the ticket or session id, -1 if it is not known.
        """
        place: Any = number
        client_random: bytes = values[0]
        server_random: bytes = values[1]
        client_keys: tuple[bytes, ...] = values[2]
        server_key: bytes = values[3]
        client: Any = self.randoms.first(client_random, place) if len(client_random) == _RANDOM_SIZE else None
        server: Any = self.randoms.first(server_random, place) if len(server_random) == _RANDOM_SIZE else None
        known: list[tuple[int, Any]] = []
        found: list[Finding] = NOTHING
        if client is not None or server is not None:
            if client is not None and client == server:
                return _same_handshake(client, values)
            found = _repeated_randoms(client, server, values)
        early: tuple[Any, ...] = values[10]
        if early[0] and len(server_random) == _RANDOM_SIZE:
            earlier = self.early.first(b"".join((client_random, *values[4])), place)
            if earlier is not None:
                found = [*found, _replayed(earlier, values)]
        if len(client_keys) > 0:
            for public in client_keys:
                earlier = self.keys.first(public, place)
                if earlier is not None and earlier != place and earlier != client:
                    known.append((0, earlier))
        if len(server_key) > 0:
            earlier = self.keys.first(server_key, place)
            if earlier is not None and earlier != place:
                known.append((1, earlier))
        if len(known) > 0:
            found = [*found, *_reused_keys(known, values)]
        if len(values[4]) > 0:
            found = [*found, *_late_tickets(self.tickets, number, start, values, issued)]
        if leaf is not None and not self.certificates.knows(key, leaf, name):
            found = [*found, *self.certificates.take(number, values[5][2], leaf, key, name)]
        return found


def resumption_repeats(values: tuple[Any, ...], earlier: Any, name: bytes | None, copied: int) -> list[Finding]:
    """Return what is to be said of a resumed session and the session whose ticket or id it has.

    values: see `fresh_values.Values`. earlier: see `resumption.earlier_session`. name: that the client requested
    (`Hellos.asked_name`). copied: the number of the earlier session, if nothing shows that this one continues it, else -1.
    """
    found = [] if earlier is None else resumption_findings(earlier, values[9], name, copied < 0)
    return [copied_ticket(copied), *found] if copied >= 0 and not found else found


def _same_handshake(session: Any, values: tuple[Any, ...]) -> list[Finding]:
    detail = f"both randoms are those of session {session}: the capture has this handshake twice, or it was sent again"
    return [Finding("same_handshake", "info", detail, _frames(values, 0))]


def _replayed(session: int, values: tuple[Any, ...]) -> Finding:
    """Return the finding about early data that comes again. session: the number of the one that had it first."""
    frames = _frames(values, 0)
    accepted: bool | None = values[10][1]
    if accepted:
        detail = f"the ClientHello of session {session} came again, and the server accepted its early data here too"
        return Finding("early_data_replay", "high", detail, frames)
    if accepted is None:
        detail = f"the ClientHello of session {session} with early data came again, and the server answered it once more"
        return Finding("early_data_replay", "medium", detail, frames)
    detail = f"the ClientHello of session {session} with early data came again, and the server refused its early data here"
    return Finding("early_data_replay", "low", detail, frames)


def _repeated_randoms(client: Any, server: Any, values: tuple[Any, ...]) -> list[Finding]:
    """Return the findings about randoms. client, server: the sessions that had the random before, None for none."""
    found = []
    if client is not None:
        found.append(
            Finding("repeated_random", "info", f"the ClientHello has the random of session {client}", _frames(values, 0))
        )
    if server is not None:
        detail = f"the ServerHello has the random of session {server}"
        found.append(Finding("repeated_random", "medium", detail, _frames(values, 1)))
    return found


def _reused_keys(known: list[tuple[int, Any]], values: tuple[Any, ...]) -> list[Finding]:
    """Return a finding for each role that uses a public key again. known: the role, and the session that had the key."""
    severity = "info" if values[7] or values[6] == TLS_1_2 or not values[6] else "low"
    found = []
    for role, who in enumerate(("client", "server")):
        sessions = [session for sender, session in known if sender == role]
        if sessions:
            detail = f"the {who}'s public key of the key exchange was already used in session {min(sessions)}"
            found.append(Finding("reused_key_share", severity, detail, _frames(values, 3 + role)))
    return found


def _late_tickets(known: SeenValues, number: int, start: int, values: tuple[Any, ...], issued: int) -> list[Finding]:
    """Return the finding about a ticket or session id that is used long after its issue or its first use in the capture."""
    resumption: str = values[8]
    found: list[Finding] = []
    for ticket in values[4]:
        first = known.first(ticket, (number, start))
        since = issued if issued >= 0 else start if first is None else first[1]
        age = start - since
        if since < 0 or age <= LATE or found:
            continue
        severity = "medium" if values[7] and resumption and age > LONGEST_LIFE else "info"
        what = "session id" if resumption == "session_id" else "ticket"
        event = "the session to which it was given" if issued >= 0 or first is None else f"session {first[0]} had used it"
        answer = "the server accepted it" if resumption else "the capture does not show that the server accepted it"
        detail = f"the client offered a {what} {age / DAY:.1f} days after {event}; {answer}"
        found.append(Finding("late_resumption", severity, detail, _frames(values, 0)))
    return found


def _frames(values: tuple[Any, ...], which: int) -> list[int]:
    frame: int = values[5][which]
    return [frame] if frame > 0 else []
