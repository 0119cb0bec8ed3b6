"""`analyzer sessions`: one record for every TLS session, as JSON while reading, or as text or CSV in the order of their ids."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from analyzer.cli.judging import read_chains
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.output import Output, Refusal
from analyzer.cli.reading import Reading
from analyzer.cli.rows import COLUMNS, CSV_COLUMNS, csv_line, table_row
from analyzer.cli.table import Table
from analyzer.engine import Engine
from analyzer.store.chains import Chains
from analyzer.store.record import json_line, session_record
from analyzer.tls.session import Session


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
    if options.schema:
        return _print_schema(output)
    if not options.captures:
        raise Refusal("a CAPTURE is missing (see analyzer sessions --help)")
    reading = Reading(options.captures)
    keys = read_keys(options, reading)
    chains = read_chains(options)
    if options.format == "json":

        def take(session: Session) -> None:
            output.write(json_line(session_record(session, options.messages, chains)))

        _read(reading, output, keys, chains, take, True, options.messages)
        return reading.status()
    if options.format == "csv":
        return _run_csv(reading, output, keys, chains)
    table = Table(COLUMNS, output, one_line=True)
    rows = InOrder(table.add)

    def add(session: Session) -> None:
        rows.add(session.id, table_row(session_record(session, False, chains)))

    _read(reading, output, keys, chains, add)
    table.close()
    output.flush()
    return reading.status()


def _run_csv(reading: Reading, output: Output, keys: Keys, chains: Chains) -> int:
    output.head = (",".join(CSV_COLUMNS) + "\r\n").encode()
    lines = InOrder(output.write)

    def take(session: Session) -> None:
        lines.add(session.id, csv_line(session_record(session, False, chains)).encode())

    _read(reading, output, keys, chains, take, True)
    return reading.status()


def _print_schema(output: Output) -> int:
    import orjson

    from analyzer.store.schema import SCHEMA

    output.write(orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


def _read(
    reading: Reading,
    output: Output,
    keys: Keys,
    chains: Chains,
    take: Callable[[Session], None],
    streaming: bool = False,
    fields: bool = False,
) -> None:
    """Give all sessions to `take` as they end; what it writes goes out with every chunk that was read."""
    engine = Engine(False, fields, *keys, answers=chains.answers)
    for walker in reading.walkers(output, streaming):
        engine.run(walker)
        ended = engine.drain()
        for session in ended:
            take(session)
        if ended:
            output.flush()
    engine.close()
    for session in engine.drain():
        take(session)
    output.flush()
