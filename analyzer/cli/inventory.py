"""`analyzer inventory`: servers, clients, certificates with their expiry, what is weak, and what resists quantum computers."""

import marshal
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer.capture.capture_reader import FileFacts
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.exit_status import FAILED
from analyzer.cli.inventory_arguments import CERTIFICATES, SERVERS, SOON, TABLES
from analyzer.cli.inventory_csv import write_csv
from analyzer.cli.inventory_text import print_inventory
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.store.capture_record import capture_record
from analyzer.store.chain_verdicts import Chains
from analyzer.store.inventory_record import Moment, inventory_record
from analyzer.store.inventory_tables import Inventory
from analyzer.store.session_record import json_line
from analyzer.store.session_sighting import read_sighting, sighting
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession


class Collector(SharedListener):
    """Takes the sessions of a run into an inventory. chains: judges their certificates."""

    def __init__(self, chains: Chains) -> None:
        self.inventory = Inventory()
        self._chains = chains

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.inventory.take(sighting(event.ended), event.ended, self._chains)

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        from analyzer.store.chain_verdicts import NO_VERDICTS

        for session in sessions:
            seen = read_sighting(marshal.loads(session.describe(NO_VERDICTS)))  # noqa: S302 - of a process of our own
            self.inventory.take(seen, session.as_session(), self._chains)


def run(options: Namespace, output: Output) -> int:
    """Print the inventory of the captures, and return the exit status."""
    chosen = chosen_tables(options)
    capture_run = CaptureRun(options.captures, output, hashing=True)
    part = capture_run.part = part_of(options)
    keys = read_keys(options, capture_run)
    collector = Collector(read_chains(options))
    chains = collector._chains
    shards = make_shards(options, capture_run, keys, _describe, chains, {"fields": False, "watches_revocation": True})
    if shards is not None:
        run_shared(capture_run, shards, collector)
    else:
        engine = Engine(fields=False, watches_revocation=True, **keys)
        capture_run.run(engine, [chains, collector if part is None else PartListener(collector, part, chains)])
    if capture_run.has_no_capture():
        capture_run.status()
        return FAILED
    files = capture_run.reader.files
    moment = Moment(
        chains.at if chains.at is not None else last_time(files), SOON if options.expiring is None else options.expiring
    )
    record = {
        "captures": [capture_record(facts) for facts in files],
        "part": None if part is None else part.record(),
        **inventory_record(collector.inventory, moment),
    }
    for one in options.outputs:
        _write(one, record, chosen, options)
    return capture_run.status()


def chosen_tables(options: Namespace) -> list[str]:
    """Return the parts that the options choose; empty for all of them in short. Raises CommandError if a CSV has several."""
    chosen = [name for name in TABLES if getattr(options, name)]
    if options.expiring is not None and CERTIFICATES not in chosen:
        chosen.append(CERTIFICATES)
    if len(chosen) > 1 and any(one.form == "csv" for one in options.outputs):
        raise CommandError("a CSV file is one table: choose one part")
    return chosen


def last_time(files: Sequence[FileFacts]) -> int | None:
    """Return the time of the last packet of all captures; None if none has a time."""
    return max((facts.last_time for facts in files if facts.last_time is not None), default=None)


def _describe(session: Session, holes: "Holes", resumed: bool) -> bytes:
    return marshal.dumps(_plain(sighting(session)))


def _plain(value: Any) -> Any:
    """Return a value with plain tuples in the place of named ones, which `marshal` does not write."""
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _write(output: Output, record: dict[str, Any], chosen: Sequence[str], options: Namespace) -> None:
    if output.form == "json":
        output.write(json_line(record))
    elif output.form == "csv":
        write_csv(output, record, chosen[0] if chosen else SERVERS, expiring=options.expiring is not None)
    elif output.form == "cbom":
        from analyzer.store.cbom import MissingLibraryError, cbom

        try:
            output.write(cbom(record))
        except MissingLibraryError as error:
            raise CommandError(str(error)) from error
    else:
        print_inventory(output, record, chosen, expiring=options.expiring is not None)
    output.flush()
