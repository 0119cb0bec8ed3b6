"""`analyzer sessions`: writes one record for every TLS session: JSON while reading, or text or CSV in the order of the ids."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.rows import COLUMNS, CSV_COLUMNS, csv_head, csv_line, table_row
from analyzer.cli.table import Cell, Table
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.store.chain_verdicts import Chains, JsonVerdicts
from analyzer.store.session_record import json_line, session_record
from analyzer.tls.events import Event, SessionEnded


class InOrder:
    """Sorts numbered values that come out of order. Each value is passed to `hand_on` as soon as all values before it were."""

    def __init__(self, hand_on: Callable[[Any], None]) -> None:
        self._hand_on = hand_on
        self._next = 0
        self._held: dict[int, Any] = {}

    def add(self, number: int, value: Any) -> None:
        """Take the value that has this number. Numbers count from 0 without a gap."""
        self._held[number] = value
        while self._next in self._held:
            self._hand_on(self._held.pop(self._next))
            self._next += 1


def run(options: Namespace, output: Output) -> int:
    """Print the sessions of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=options.format != "text")
    keys = read_keys(options, capture_run)
    chains = read_chains(options)
    shards = _shards(options, capture_run, keys)
    if shards > 1:
        _run_shared(options, output, capture_run, chains, shards)
    else:
        engine = Engine(fields=options.messages, watches_revocation=True, **keys)
        capture_run.run(engine, [chains, _PRINTERS[options.format](output, chains, options.messages)])
    return capture_run.status()


def _shards(options: Namespace, capture_run: CaptureRun, keys: Keys) -> int:
    """Return how many processes share the work: one if there are keys, if a capture is a pipe, or if nobody asked for more."""
    if (
        (options.jobs or 1) == 1
        or keys["keylog"] is not None
        or keys["private_keys"]
        or keys["psks"]
        or not capture_run.rereadable()
    ):
        return 1
    from analyzer.store.shards import can_share

    jobs: int = options.jobs
    return jobs if can_share() else 1


def _run_shared(options: Namespace, output: Output, capture_run: CaptureRun, chains: Chains, shards: int) -> None:
    from analyzer.store.shards import ShardError, Shards

    shared = Shards(options.captures, shards, options.messages, chains)
    printer = _PRINTERS[options.format](output, chains, options.messages)
    try:
        for turn in capture_run.with_progress(shared.turns(), lambda: shared.n_bytes):
            for number, line in turn:
                printer.take_line(number, line)
            printer.end_turn()
    except ShardError as error:
        raise CommandError(str(error)) from error
    capture_run.reader.files[:] = shared.files
    printer.close()


class JsonLines(Listener):
    """Writes one record per line, each when its session ends."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        self._output = output
        self._chains = JsonVerdicts(chains)
        self._messages = messages
        self._unflushed = False

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._output.write(json_line(session_record(event.ended, self._messages, self._chains)))
                self._unflushed = True

    def take_line(self, number: int, line: bytes) -> None:
        """Take the next record as JSON."""
        self._output.write(line)
        self._unflushed = True

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was written in the turn is flushed."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False

    def close(self) -> None:
        """See `Listener.close`."""
        self._output.flush()


class Records(Listener):
    """Passes the records of sessions on in the order of their ids. Subclasses override `row` and `add`."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._rows = InOrder(self.add)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._rows.add(event.session, self.row(session_record(event.ended, False, self._chains)))

    def take_line(self, number: int, line: bytes) -> None:
        """Take the record of the session with this number, as JSON."""
        self._rows.add(number, self.row(orjson.loads(line)))

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
