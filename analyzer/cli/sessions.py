"""`analyzer sessions`: one record for every TLS session, as JSON while reading, or as text or CSV in the order of their ids."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.rows import COLUMNS, CSV_COLUMNS, csv_head, csv_line, table_row
from analyzer.cli.table import Cell, Table
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.engine import run as run_engine
from analyzer.store.chain_verdicts import Chains, Written
from analyzer.store.session_record import json_line, session_record
from analyzer.tls.events import Event, SessionEnded


class InOrder:
    """Hands on what comes with numbers out of order, in order: each as soon as all before it were handed on."""

    def __init__(self, hand_on: Callable[[Any], None]) -> None:
        self._hand_on = hand_on
        self._next = 0
        self._waiting: dict[int, Any] = {}

    def add(self, number: int, value: Any) -> None:
        """Take the value that has this number; numbers count from 0 without a gap."""
        self._waiting[number] = value
        while self._next in self._waiting:
            self._hand_on(self._waiting.pop(self._next))
            self._next += 1


def run(options: Namespace, output: Output) -> int:
    """Print the sessions of the captures; the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=options.format != "text")
    keys = read_keys(options, capture_run)
    chains = read_chains(options)
    engine = Engine(fields=options.messages, watches_revocation=True, **keys)
    run_engine(capture_run, engine, [chains, _PRINTERS[options.format](output, chains, options.messages)])
    return capture_run.status()


class JsonLines(Listener):
    """Writes one record a line, each as its session ends."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        self._output = output
        self._chains = Written(chains)
        self._messages = messages
        self._news = False

    def take(self, events: Sequence[Event]) -> None:
        """As in `Listener`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._output.write(json_line(session_record(event.ended, self._messages, self._chains)))
                self._news = True

    def end_turn(self) -> None:
        """As in `Listener`: what was written goes out with every chunk that was read."""
        if self._news:
            self._output.flush()
            self._news = False

    def close(self) -> None:
        """As in `Listener`."""
        self._output.flush()


class Records(Listener):
    """Hands on the records of sessions in the order of their ids."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._rows = InOrder(self.add)

    def take(self, events: Sequence[Event]) -> None:
        """As in `Listener`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._rows.add(event.session, self.row(session_record(event.ended, False, self._chains)))

    def row(self, record: dict[str, Any]) -> Any:
        """Make of a record what is kept until its turn comes."""
        return record

    def add(self, row: Any) -> None:
        """Take the next row."""


class CsvLines(Records):
    """Writes CSV."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        super().__init__(chains)
        self._output = output
        self._news = False
        output.head = csv_head(CSV_COLUMNS)

    def row(self, record: dict[str, Any]) -> bytes:
        """As in `Records`."""
        self._news = True
        return csv_line(CSV_COLUMNS, record)

    def add(self, row: bytes) -> None:
        """As in `Records`."""
        self._output.write(row)

    def end_turn(self) -> None:
        """As in `Listener`."""
        if self._news:
            self._output.flush()
            self._news = False

    def close(self) -> None:
        """As in `Listener`."""
        self._output.flush()


class TextTable(Records):
    """Prints a table at the end."""

    def __init__(self, output: Output, chains: Chains, messages: bool) -> None:
        super().__init__(chains)
        self._output = output
        self._table = Table(COLUMNS, output, one_line=True)

    def row(self, record: dict[str, Any]) -> list[Cell]:
        """As in `Records`."""
        return table_row(record)

    def add(self, row: list[Cell]) -> None:
        """As in `Records`."""
        self._table.add(row)

    def close(self) -> None:
        """As in `Listener`."""
        self._table.close()
        self._output.flush()


_PRINTERS: dict[str, Callable[[Output, Chains, bool], Listener]] = {"json": JsonLines, "csv": CsvLines, "text": TextTable}
