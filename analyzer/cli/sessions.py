"""`analyzer sessions`: one record for every TLS session, as JSON while reading, or as text or CSV in the order of their ids."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from analyzer.cli.judging import read_chains
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, Refusal
from analyzer.cli.reading import Reading
from analyzer.cli.rows import COLUMNS, CSV_COLUMNS, csv_line, table_row
from analyzer.cli.table import Table
from analyzer.engine import Engine
from analyzer.store.records import Ended, Records


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
    engine = Engine(False, options.messages, *keys, answers=chains.answers)
    with Records(engine, chains, options.messages and options.format == "json") as records:
        if options.format == "json":
            _read(reading, output, engine, records, lambda ended: output.write(ended.line()), True)
        elif options.format == "csv":
            output.head = (",".join(CSV_COLUMNS) + "\r\n").encode()
            lines = InOrder(output.write)
            _read(reading, output, engine, records, lambda ended: lines.add(ended.session.id, _csv(ended)), True)
        else:
            table = Table(COLUMNS, output, one_line=True)
            rows = InOrder(table.add)
            _read(reading, output, engine, records, lambda ended: rows.add(ended.session.id, table_row(ended.record())))
            table.close()
            output.flush()
    return reading.status()


def _csv(ended: Ended) -> bytes:
    return csv_line(ended.record()).encode()


def _print_schema(output: Output) -> int:
    import orjson

    from analyzer.store.schema import SCHEMA

    output.write(orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


def _read(
    reading: Reading,
    output: Output,
    engine: Engine,
    records: Records,
    take: Callable[[Ended], None],
    streaming: bool = False,
) -> None:
    """Give all sessions to `take` as they end; what it writes goes out with every chunk that was read."""
    for walker in reading.walkers(output, streaming):
        engine.run(walker)
        some = False
        for ended in records.take():
            take(ended)
            some = True
        if some:
            output.flush()
    for ended in records.close():
        take(ended)
    output.flush()
