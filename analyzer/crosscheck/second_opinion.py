"""Compares while the capture is read: our engine and tshark go through it side by side.

tshark is read up to the frame that the engine has reached, and a session is compared when it has ended. So only the facts about
open sessions are kept, and a capture of any length needs the memory of its open connections.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from analyzer.crosscheck.comparison import Difference, compare
from analyzer.crosscheck.facts import IN_FRAME, SESSION, Fact
from analyzer.crosscheck.own_facts import own_facts
from analyzer.crosscheck.reasons import Case, reason
from analyzer.crosscheck.tshark_facts import Endpoint, StreamFacts, TsharkStreams
from analyzer.crosscheck.tshark_process import TsharkRun
from analyzer.engine import Listener
from analyzer.flows.carrier import EAP
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.part import Part
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event, RecordRead, SessionEnded
from analyzer.tls.session import Session

JA4_SINCE = (4, 2, 0)
"""The version of tshark that has JA4 first."""

HTTP3_SINCE = (4, 4, 0)
"""The version of tshark that reads the header fields of HTTP/3 first."""


@dataclass(frozen=True, slots=True)
class Told:
    """One difference in the result.

    session: its id, None for a session that only tshark has. reason: a code of the registry, None if unknown.
    """

    session: int | None
    difference: Difference
    reason: str | None

    def record(self, capture: str, frame_in_capture: int | None = None) -> dict[str, Any]:
        """Return it as an entry of `differences`. Where only the frames differ, they are named.

        capture: the file of its frame, frame_in_capture: the number there, None where the run has no other file.
        """
        ours, tshark = self.difference.ours, self.difference.tshark
        apart = ours is not None and tshark is not None and ours.text == tshark.text
        return {
            "capture": capture,
            "session": self.session,
            "frame": self.difference.frame,
            "frame_in_capture": frame_in_capture,
            "field": self.difference.field,
            "ours": _value(ours, apart),
            "tshark": _value(tshark, apart),
            "reason": self.reason,
        }


@dataclass(slots=True)
class Tally:
    """The result. sessions: how many were compared. compared, differing: values by field. explained: how many have a reason.

    n_eap: sessions in EAP, which are not compared.
    """

    sessions: int = 0
    n_eap: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    explained: int = 0
    differences: list[Told] = field(default_factory=list)

    @property
    def n_compared(self) -> int:
        """How many values were compared."""
        return self.compared.total()

    @property
    def n_agreed(self) -> int:
        """How many of them are the same."""
        return self.compared.total() - self.differing.total()


class SecondOpinion(Listener):
    """Takes the events of a run, and reads what tshark says about the same frames. It needs an engine that is `detailed`."""

    def __init__(
        self, tshark: TsharkRun, reached: Callable[[], int], tally: Tally, psks: bool = False, part: Part | None = None
    ) -> None:
        """Create the listener.

        reached: returns the last frame that the engine has read. tally: gets the result. psks: whether such keys were given.
        part: only its sessions are compared; None for all.
        """
        self._tshark: Iterator[Any] = tshark.packets()
        self._version = tshark.program.version
        self._unsupported = frozenset(() if self._version >= JA4_SINCE else ("ja4",))
        self._reached = reached
        self._tally = tally
        self._psks = psks
        self._part = part
        self._streams = TsharkStreams()
        self._next: Any = None
        self._ended: list[tuple[Session, tuple[int, int] | None, int]] = []
        self._lengths: dict[int, list[int]] = {}
        self._before: dict[int, list[int]] = {}

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, RecordRead):
                before = self._before.setdefault(event.session, [-1, -1])
                if before[event.role] < 0:
                    before[event.role] = event.offset
                lengths = self._lengths.setdefault(event.session, [0, 0])
                lengths[event.role] = max(lengths[event.role], event.offset + event.header + event.length)
            elif isinstance(event, SessionEnded):
                lengths = self._lengths.pop(event.session, [0, 0])
                session = event.ended
                whole = session.flow.closed == "fin" and not session.flow.mid_stream and not session.log.gaps
                before = self._before.pop(event.session, [0, 0])
                if session.transport is not None:
                    whole, before = False, [0, 0]  # datagrams have no place in a stream
                if session.flow.carrier is not None and session.flow.carrier.name == EAP:
                    self._tally.n_eap += 1
                    continue
                self._ended.append((session, (lengths[0], lengths[1]) if whole else None, max(0, *before)))

    def end_turn(self) -> None:
        """See `Listener.end_turn`. Sessions that have ended are compared."""
        if self._ended:
            self._read_to(self._reached())
            for session, lengths, before in self._ended:
                self._compare(session, lengths, before)
            self._ended.clear()

    def close(self) -> None:
        """See `Listener.close`. What only tshark has is a difference."""
        self._read_to(self._reached())
        for stream in self._streams.rest():
            if self._part is None and any(name == "handshake" for name, _, _ in stream.found):
                only = Difference(SESSION, None, Fact(_ends_text(stream), stream.first_frame))
                self._tell(None, only, Case(None, stream, self._version, 0, self._psks))
                self._tally.compared[SESSION] += 1

    def _read_to(self, frame: int) -> None:
        while True:
            if self._next is None:
                self._next = next(self._tshark, None)
            if self._next is None or int(self._next.number) > frame:
                return
            self._streams.add(self._next)
            self._next = None

    def _compare(self, session: Session, lengths: tuple[int, int] | None, before: int) -> None:
        record = session_record(session, False, NO_VERDICTS, False)
        client, server = (_endpoint(record[role]) for role in ("client", "server"))
        ends = frozenset((client, server))
        joined = self._streams.taken(ends)
        stream = self._streams.take(ends, record["first_frame"], record["last_frame"])
        if self._part is not None and not self._part.has_record(record):
            return
        ours = own_facts(record, lengths)
        if stream is None and not ours.lists["handshake"] and not ours.lists["alerts"]:
            return  # only application data: the capture begins too late to compare anything
        tally = self._tally
        tally.sessions += 1
        tally.compared[SESSION] += 1
        keylog = session.handshake.material.keylog
        case = Case(record, stream, self._version, before, self._psks, keylog is None or keylog.is_plain(), joined)
        if stream is None:
            text = f"{client[0]} port {client[1]} to {server[0]} port {server[1]}"
            self._tell(session.id, Difference(SESSION, Fact(text, record["first_frame"]), None), case)
            return
        unsupported = self._unsupported
        if record["quic"] is not None and self._version < HTTP3_SINCE:
            unsupported |= {"requests", "statuses"}
        compared, differences = compare(ours, stream.facts(client), unsupported)
        tally.compared += compared
        for difference in differences:
            self._tell(session.id, difference, case)

    def _tell(self, session: int | None, difference: Difference, case: Case) -> None:
        why = reason(difference, case)
        self._tally.differing[difference.field] += 1
        self._tally.explained += why is not None
        self._tally.differences.append(Told(session, difference, why))


def _value(fact: Fact | None, apart: bool) -> str | None:
    if fact is None:
        return None
    return f"{fact.text}{IN_FRAME}{fact.frame}" if apart else fact.text


def _endpoint(end: dict[str, Any]) -> Endpoint:
    return end["address"], end["port"]


def _ends_text(stream: StreamFacts) -> str:
    return " and ".join(f"{address} port {port}" for address, port in sorted(stream.ends))
