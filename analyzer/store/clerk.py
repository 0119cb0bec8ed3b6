"""Records written by a worker: all of a session but what only the whole run tells.

What hangs on other sessions is left out: the verdicts on certificates, for which certificates and answers of the whole
capture count, which session a TLS 1.3 session resumes, and whether the key log has anything for any session. `crew` puts it
in.
"""

from typing import Any

import orjson

from analyzer.store.chains import Presented, Unjudged
from analyzer.store.record import decryption_record, session_record
from analyzer.tls.audience import Audience
from analyzer.tls.secrets import NO_SECRET, Secrets
from analyzer.tls.session import Session
from analyzer.tls.tidings import TidingsReader
from analyzer.workers import dumps

MOST_CHAINS = 2048
"""Chains that are sent once and then called by their number; each process has its own."""

LARGEST_CHAIN = 1 << 14
"""Bytes of such a chain; most have some 5,000."""

GAP = b"\0"
"""What stands where something is left out: JSON has no such byte."""

_LEFT_OUT: Any = orjson.Fragment(GAP)


def gets_number(chain: tuple[bytes, ...], n_numbers: int) -> bool:
    """Whether a chain that was sent is called by its number, the next one, from now on."""
    return n_numbers < MOST_CHAINS and sum(map(len, chain)) <= LARGEST_CHAIN


class _LeftOut(Unjudged):
    """Leaves the verdict out."""

    def record(self, session: Session | Presented, role: int, start: str | None = None) -> Any:
        return _LEFT_OUT


class Clerk:
    """Has the sessions of a worker. messages: whether records have the fields of every message."""

    def __init__(self, secrets: Secrets, messages: bool) -> None:
        self._audience = Audience(messages, secrets)
        self._secrets = secrets
        self._messages = messages
        self._chains: dict[tuple[bytes, ...], int] = {}
        self._judge = _LeftOut()

    def work(self, message: bytearray) -> bytes:
        """Take some turns of what was told, give as many of what came of it.

        A turn's is the number of sessions that the key log had something for, the bytes of memory that open sessions take, the
        notes of `NotedLinks`, and the records of the sessions that have ended, in that order.
        """
        audience = self._audience
        tidings = TidingsReader(message)
        turns = []
        while audience.hear(tidings):
            turns.append(self._turn(audience))
        return dumps(turns)

    def _turn(self, audience: Audience) -> tuple[int, int, list[Any], list[Any]]:
        records = [self._record(session) for session in audience.take()]
        notes = audience.links.notes
        audience.links.notes = []
        return self._secrets.matched, audience.held, notes, records

    def _record(self, session: Session) -> tuple[Any, ...]:
        """The parts of a record as JSON, and what goes between them: the number of the session resumed, both chains, name.

        The last two: what came beside certificates, and the last part as it is where the key log has something for another
        session, None where that makes no difference.
        """
        record = session_record(session, self._messages, self._judge)
        resumes = record["resumes"]
        record["resumes"] = _LEFT_OUT
        parts = orjson.dumps(record).split(GAP)
        other = None
        if record["decryption"]["reason"] == NO_SECRET and not self._secrets.matched:
            self._secrets.matched = 1
            record["decryption"] = decryption_record(session)
            self._secrets.matched = 0
            other = orjson.dumps(record).split(GAP)[-1]
        client = session.client
        server_chain = self._chain(session.certificates[1 - client])
        client_chain = self._chain(session.certificates[client])
        return parts, resumes, server_chain, client_chain, session.server_name, session.stapled, other

    def _chain(self, chain: list[bytes] | None) -> int | tuple[bytes, ...] | None:
        """A chain, or its number where it was sent before."""
        if not chain:
            return None
        certificates = tuple(chain)
        number = self._chains.get(certificates)
        if number is None and gets_number(certificates, len(self._chains)):
            self._chains[certificates] = len(self._chains)
        return certificates if number is None else number
