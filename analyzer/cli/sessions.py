"""`analyzer sessions`: writes one record for every TLS session: JSON while reading, or text or CSV in the order of the ids."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.rows import COLUMNS, table_row
from analyzer.cli.sharing import Several, SharedListener, make_shards, run_shared
from analyzer.cli.table import Cell, Table
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.text.session_csv import CSV_COLUMNS, csv_head, csv_line
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Describe, Holes
    from analyzer.store.shards import SharedSession


class InOrder:
    """Sorts numbered values that come out of order. Each value is passed to `hand_on` as soon as all values before it were."""

    def __init__(self, hand_on: Callable[[Any], None]) -> None:
        self._hand_on = hand_on
        self._next = 0
        self._held: dict[int, Any] = {}

    def add(self, number: int, value: Any) -> None:
        """Take the value that has this number; None to leave it out. Numbers count from 0 without a gap."""
        self._held[number] = value
        while self._next in self._held:
            value = self._held.pop(self._next)
            if value is not None:
                self._hand_on(value)
            self._next += 1


def run(options: Namespace, output: Output) -> int:
    """Print the sessions of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=any(one.form != "text" for one in options.outputs))
    part = capture_run.part = part_of(options)
    keys = read_keys(options, capture_run)
    chains = read_chains(options)
    printer = Several([_PRINTERS[one.form](one, chains, options.messages) for one in options.outputs])
    describe = record_text(options.messages, signatures=any(one.form == "json" for one in options.outputs))
    settings = {"fields": options.messages, "watches_revocation": True}
    shards = make_shards(options, capture_run, keys, describe, chains, settings, records=True)
    if shards is not None:
        run_shared(capture_run, shards, printer)
    else:
        engine = Engine(fields=options.messages, watches_revocation=True, **keys)
        capture_run.run(engine, [chains, printer if part is None else PartListener(printer, part, chains)])
    return capture_run.status()


def record_text(messages: bool, signatures: bool) -> "Describe":
    """Return a function that describes a session by its record. messages, signatures: see `session_record`."""

    def describe(session: Session, holes: "Holes", resumed: bool) -> bytes:
        return session_json(session, messages, holes, holes.resumes() if resumed else None, signatures)

    return describe


class JsonLines(SharedListener):
    """Writes one record per line, each when its session ends."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        self._output = output
        self._chains = chains
        self._messages = messages
        self._unflushed = False

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._output.write(session_json(event.ended, self._messages, self._chains) + b"\n")
                self._unflushed = True

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._output.write(session.describe(self._chains) + b"\n")
            self._unflushed = True

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was written in the turn is flushed."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False

    def close(self) -> None:
        """See `Listener.close`."""
        self._output.flush()


class Records(SharedListener):
    """Passes the records of sessions on in the order of their ids. Subclasses override `row` and `add`."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._rows = InOrder(self.add)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._rows.add(event.session, self.row(session_record(event.ended, False, self._chains, False)))

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._rows.add(session.id, self.row(orjson.loads(session.describe(self._chains))))

    def leave_out(self, session: int) -> None:
        """See `SharedListener.leave_out`."""
        self._rows.add(session, None)

    def row(self, record: dict[str, Any]) -> Any:
        """Convert a record into the row that is kept until all rows before it were added."""
        return record

    def add(self, row: Any) -> None:
        """Take the next row."""


class CsvLines(Records):
    """Writes the rows as CSV."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        super().__init__(chains)
        self._output = output
        self._unflushed = False
        output.head = csv_head(CSV_COLUMNS)

    def row(self, record: dict[str, Any]) -> bytes:
        """See `Records.row`."""
        self._unflushed = True
        return csv_line(CSV_COLUMNS, record)

    def add(self, row: bytes) -> None:
        """See `Records.add`."""
        self._output.write(row)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False

    def close(self) -> None:
        """See `Listener.close`."""
        self._output.flush()


class TextTable(Records):
    """Prints a table at the end."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        super().__init__(chains)
        self._output = output
        self._table = Table(COLUMNS, output, one_line=True)

    def row(self, record: dict[str, Any]) -> list[Cell]:
        """See `Records.row`."""
        return table_row(record)

    def add(self, row: list[Cell]) -> None:
        """See `Records.add`."""
        self._table.add(row)

    def close(self) -> None:
        """See `Listener.close`."""
        self._table.close()
        self._output.flush()


_PRINTERS: dict[str, Callable[[Output, Chains, bool], "JsonLines | Records"]] = {
    "json": JsonLines,
    "csv": CsvLines,
    "text": TextTable,
}
