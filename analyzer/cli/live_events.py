"""Writes every event of a run as a line of JSON, the moment it happens: what `analyzer live --events` prints.

Each line has `event`, `session`, `time`, `frame` and `from`, and further keys by the kind of event. Data is told by its length:
a program that wants the bytes reads them with `analyzer follow`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from analyzer.cli.output import Output
from analyzer.codec.registry import registry
from analyzer.engine import Listener
from analyzer.engine.capture_events import NO_SESSION
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.clock import rfc3339
from analyzer.store.session_record import endpoint_record, finding_record, json_line, session_record, text
from analyzer.tls.events import (
    Alert,
    Conflict,
    Data,
    DataBegan,
    DataMissing,
    Event,
    Finding,
    Gap,
    HandshakeMessage,
    KeysChanged,
    OutOfOrder,
    RecordEvent,
    SessionBegan,
    SessionEnded,
)
from analyzer.tls.session_log import ROLES

_LEVELS = registry("alert_levels").names
_DESCRIPTIONS = registry("alert_descriptions").names


class EventLines(Listener):
    """Writes the events. The findings that a session has only at its end come before the end, so that none is left out."""

    def __init__(self, output: Output, chains: Chains) -> None:
        self._output = output
        self._chains = chains
        self._told: dict[int, set[tuple[str, str]]] = {}
        self._unflushed = False

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._end(event)
            elif event.session != NO_SESSION:
                record = event_record(event)
                if record is not None:
                    self._write(record)
                if isinstance(event, Finding):
                    self._told.setdefault(event.session, set()).add((event.code, event.detail))

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was written in the turn is flushed."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False

    def _end(self, event: SessionEnded) -> None:
        record = session_record(event.ended, False, self._chains)
        told = self._told.pop(event.session, set())
        for finding in record["findings"]:
            if (finding["code"], finding["detail"]) not in told:
                frame = finding["frames"][0] if finding["frames"] else None
                self._write({**_head(event, "finding"), "time": None, "frame": frame, **finding})
        self._write({**_head(event, "session_ended"), "closed": event.ended.flow.closed, "record": record})

    def _write(self, record: dict[str, Any]) -> None:
        self._output.write(json_line(record))
        self._unflushed = True


def event_record(event: Event) -> dict[str, Any] | None:
    """Return an event as JSON values; None for those that are not told."""
    known = _KINDS.get(type(event))
    return None if known is None else {**_head(event, known[0]), **known[1](event)}


def _head(event: Event, kind: str) -> dict[str, Any]:
    return {
        "event": kind,
        "session": event.session,
        "time": rfc3339(event.at) if event.at >= 0 else None,
        "frame": event.frame or None,
        "from": None if event.role < 0 else ROLES[event.role],
    }


def _began(event: SessionBegan) -> dict[str, Any]:
    flow = event.flow
    return {
        "client": endpoint_record(flow.key, CLIENT),
        "server": endpoint_record(flow.key, SERVER),
        "mid_stream": flow.mid_stream,
    }


def _message(event: HandshakeMessage) -> dict[str, Any]:
    return {
        "type": event.name,
        "length": event.length,
        "encrypted": event.encrypted,
        "problems": [{"field": one.field, "offset": one.offset, "detail": one.why} for one in event.problems],
    }


def _alert(event: Alert) -> dict[str, Any]:
    return {
        "level": None if event.level < 0 else _LEVELS[event.level],
        "description": None if event.level < 0 else _DESCRIPTIONS[event.description],
        "encrypted": event.encrypted,
    }


_KINDS: dict[type[Event], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    SessionBegan: ("session_began", _began),
    HandshakeMessage: ("message", _message),
    Alert: ("alert", _alert),
    KeysChanged: ("keys_changed", lambda event: {"epoch": event.epoch}),
    RecordEvent: ("record", lambda event: {"kind": event.kind, "length": event.length}),
    DataBegan: ("data_began", lambda event: {"alpn": text(event.alpn)}),
    Data: ("data", lambda event: {"length": len(event.data)}),
    DataMissing: ("data_missing", lambda event: {"reason": event.reason}),
    Gap: ("gap", lambda event: {"offset": event.offset, "length": event.length or None}),
    Conflict: ("conflict", lambda event: {"offset": event.offset, "length": len(event.second)}),
    OutOfOrder: ("out_of_order", lambda event: {"state": event.state, "type": event.type}),
    Finding: ("finding", finding_record),
}
