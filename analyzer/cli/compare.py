"""`analyzer compare`: two captures of one traffic at two places, or of two times, and what differs."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from analyzer.capture.frame_choice import with_choice_of
from analyzer.cli.capture_paths import captures_in_order
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.compare_text import print_comparison
from analyzer.cli.exit_status import DONE, FAILED
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import STANDARD_STREAM, CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import frames_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.packet.addresses import end_text
from analyzer.store.compare_modes import TIMES
from analyzer.store.compare_record import compare_record
from analyzer.store.place_facts import PlaceFacts
from analyzer.store.session_record import json_line
from analyzer.text.escape import csv_row

DIFFERENT = 3
"""Exit status where there are differences."""

COLUMNS = (
    "entry", "kind", "change", "value", "where", "a", "b", "session_a", "session_b", "frame_a", "frame_b", "segments", "bytes",
    "severity", "detail", "certain",
)  # fmt: skip
"""Columns of CSV. entry: `difference` of two times; of two places `session`, `changed`, `segments` or `only`."""

_SEGMENTS = ("lost", "missed_a", "missed_b", "unknown_a", "unknown_b")


def run(options: Namespace, output: Output) -> int:
    """Compare two captures, print the result, and return the exit status."""
    if options.captures.count(STANDARD_STREAM) > 1:
        raise CommandError("-: standard input can be read only once")
    if STANDARD_STREAM in options.keylog:
        raise CommandError("-: the keys are read for both captures: save them to a file first")
    mode = TIMES if options.new_findings else options.mode
    facts, paths, statuses = [], [], []
    for path in options.captures:
        files = with_choice_of(options.captures, captures_in_order([path]))
        capture_run = CaptureRun(files, output)
        facts.append(_read(Namespace(**{**vars(options), "captures": files}), output, capture_run, by_packet=mode != TIMES))
        paths.append(files)
        statuses.append(capture_run.status())
        if statuses[-1] == FAILED:
            return FAILED
    record = compare_record(facts, paths, mode=mode, new_findings=options.new_findings)
    for one in options.outputs:
        _PRINTERS[one.form](one, record)
    status = max(statuses)
    return DIFFERENT if status == DONE and record["different"] else status


def _read(options: Namespace, output: Output, capture_run: CaptureRun, by_packet: bool) -> PlaceFacts:
    """Read one of the captures. options: with its files as captures."""
    part = capture_run.part = part_of(options)
    keys = read_keys(options, capture_run)
    chains = read_chains(options)
    facts = PlaceFacts(chains, by_packet=by_packet)
    listener = facts if part is None else PartListener(facts, part, chains, frames_of(part, options, output, keys))
    capture_run.run(Engine(fields=False, watches_revocation=True, watches_https=True, **keys), [chains, listener])
    return facts


def _print_json(output: Output, record: dict[str, Any]) -> None:
    output.write(json_line(record))


def _print_csv(output: Output, record: dict[str, Any]) -> None:
    output.head = csv_row(list(COLUMNS)).encode()
    rows = _rows_of_times(record) if record["mode"] == TIMES else _rows_of_places(record)
    for row in rows:
        output.write(csv_row([row.get(name) for name in COLUMNS]).encode())


def _rows_of_times(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in record["differences"]["listed"]:
        yield {
            **{name: one[name] for name in ("kind", "change", "value", "severity", "detail", "certain")},
            "entry": "difference",
            "where": " ".join(one["where"]),
            "a": " ".join(one["before"]),
            "b": " ".join(one["after"]),
            "session_a" if one["change"] == "gone" else "session_b": one["session"],
            "frame_a" if one["change"] == "gone" else "frame_b": one["frame"],
        }


def _rows_of_places(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for pair in record["sessions"]["listed"]:
        row = {"entry": "session", "change": pair["interception"], "where": pair["server_name"], "session_a": pair["a"],
               "session_b": pair["b"], "detail": pair["by"]}  # fmt: skip
        yield row
        for one in pair["differences"]:
            yield {**row, "kind": one["fact"], "a": one["a"], "b": one["b"]}
    for connection in record["connections"]["listed"]:
        where = {"frame_a": connection["frame_a"], "frame_b": connection["frame_b"], "where": _ends(connection)}
        for one in connection["changed"]:
            yield {"entry": "changed", "kind": one["fact"], "a": one["a"], "b": one["b"], **where}
        for side in ("from_client", "from_server"):
            passage = connection[side] or {}
            for name in _SEGMENTS:
                found = passage.get(name)
                if found is not None and found["segments"]:
                    amount = {"segments": found["segments"], "bytes": found["bytes"]}
                    yield {"entry": "segments", "kind": name, "value": side, **where, **amount}
    for place in ("a", "b"):
        for one in record[f"only_{place}"]["connections"]["listed"]:
            where = {
                "where": _ends({"client_a": one["client"], "server_a": one["server"]}),
                f"frame_{place}": one["first_frame"],
            }
            yield {"entry": "only", "kind": f"only_{place}", "certain": one["covered"], **where}


def _ends(connection: dict[str, Any]) -> str:
    client, server = connection["client_a"], connection["server_a"]
    return " ".join(end_text(end["address"], end["port"])
                    for end in (client, server))  # fmt: skip


_PRINTERS = {"json": _print_json, "csv": _print_csv, "text": print_comparison}
