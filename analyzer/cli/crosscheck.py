"""`analyzer crosscheck`: the same captures through tshark, compared field by field; every difference, and why where known."""

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.exit_status import DONE
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.table import Column, Table, pad, wrap
from analyzer.crosscheck.facts import FIELDS, IN_FRAME
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.crosscheck.tshark_program import TsharkError, TsharkProgram, find_tshark
from analyzer.crosscheck.tshark_settings import FRAMES, arguments, one_key_log
from analyzer.engine import Engine
from analyzer.store.declaration import path_text
from analyzer.store.session_record import json_line
from analyzer.text.escape import csv_row, harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say, spoken
from analyzer.text.punctuation import clauses, listing

if TYPE_CHECKING:
    from analyzer.crosscheck.second_opinion import Tally, Told

DIFFERENT = 3
"""Exit status where both disagree without a known reason."""

_LABEL = 16
"""Columns of the labels before the facts."""

_COLUMNS = ("capture", "session", "frame", "frame_in_capture", "field", "ours", "tshark", "reason")

_TABLE = (
    Column("session", 0, right=True, style="bold"),
    Column("frame", 1, right=True),
    Column("field", 2, style="cyan"),
    Column("ours", 3, limit=60),
    Column("tshark", 4, limit=60),
    Column("reason", 5, style="yellow"),
)


def run(options: Namespace, output: Output) -> int:
    """Compare the captures, print the result, and return the exit status."""
    record, status, _ = second_opinion(options.captures, options, output)
    for one in options.outputs:
        _PRINTERS[one.form](one, record)
    if status == DONE and any(one["reason"] is None for one in record["differences"]):
        return DIFFERENT
    return int(status)


def second_opinion(captures: Sequence[str], options: Namespace, output: Output) -> tuple[dict[str, Any], int, bool]:
    """Compare the captures, which are one. Return the result as JSON values, the status of the reading, and whether a signal
    ended it: then the result is about the captures up to there. Raises CommandError.
    """
    _refuse_pipes([*captures, *options.keylog])
    try:
        program = find_tshark(options.tshark)
        tally, capture_run = _compare(captures, options, output, program)
    except TsharkError as error:
        raise CommandError(str(error)) from error
    if tally.n_eap:
        sessions = count_text(tally.n_eap, "session in EAP was", "sessions in EAP were")
        complain(say("{sessions} not compared: only TLS over TCP, QUIC and DTLS are", sessions=sessions))
    record = _crosscheck_record(tally, capture_run.reader, program, options)
    return record, capture_run.status(), capture_run.reader.stopped


def _crosscheck_record(tally: "Tally", reader: CaptureReader, program: TsharkProgram, options: Namespace) -> dict[str, Any]:
    compared, agreed, explained = tally.n_compared, tally.n_agreed, tally.explained
    fields = {
        name: {"compared": tally.compared[name], "agreed": tally.compared[name] - tally.differing[name]} for name in FIELDS
    }
    return {
        "captures": [path_text(facts.path) for facts in reader.files],
        "tshark": {
            "version": program.version_text,
            "path": path_text(program.path),
            "options": [path_text(word) for word in arguments(" + ".join(options.keylog) or None, options.rsa_key)],
            "filter": FRAMES,
        },
        "sessions": tally.sessions,
        "compared": compared,
        "agreed": agreed,
        "explained": explained,
        "percent": 100_000 * (agreed + explained) // compared / 1000 if compared else None,  # never rounded up to 100
        "fields": fields,
        "differences": [_difference(one, reader.places) for one in tally.differences],
    }


def _difference(told: "Told", places: FramePlaces) -> dict[str, Any]:
    frame = told.difference.frame
    path, number = places.of(frame or 1) or ("", None)
    return told.record(path_text(path), None if frame is None else number)


def _compare(paths: Sequence[str], options: Namespace, output: Output, program: TsharkProgram) -> "tuple[Tally, CaptureRun]":
    """Compare captures. Raises TsharkError, and CommandError where no file can be made for tshark."""
    from analyzer.crosscheck.joined_capture import one_capture
    from analyzer.crosscheck.second_opinion import SecondOpinion, Tally
    from analyzer.crosscheck.tshark_process import TsharkRun

    capture_run = CaptureRun(paths, output)
    keys = read_keys(options, capture_run)
    tally = Tally()
    with ExitStack() as stack:
        key_log = stack.enter_context(one_key_log(options.keylog))
        try:
            path = stack.enter_context(one_capture(paths))
        except OSError as error:
            raise CommandError(
                f"{tempfile.gettempdir()}: no capture can be written there for tshark: {error.strerror}"
            ) from error
        words = arguments(key_log, options.rsa_key)
        with TsharkRun(program, path, words, FRAMES, options.timeout) as tshark:
            engine = Engine(detailed=True, fields=False, **keys)
            part, psks = part_of(options), bool(options.psk_file)
            opinion = SecondOpinion(tshark, lambda: capture_run.reader.frame.number, tally, psks, part)
            capture_run.run(engine, [opinion])
    return tally, capture_run


def _shown(value: str) -> str:
    """Return a value of a difference in the language of the results."""
    text, words, frame = value.rpartition(IN_FRAME)
    return say("{value} in frame {n}", value=text, n=frame) if words and frame.isdecimal() else value


def _refuse_pipes(paths: Sequence[str]) -> None:
    for path in paths:
        if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
            raise CommandError(f"{path}: tshark reads it too, so it has to be a file")


def _print_json(output: Output, record: dict[str, Any]) -> None:
    output.write(json_line(record))


def _print_csv(output: Output, record: dict[str, Any]) -> None:
    output.head = csv_row(list(_COLUMNS)).encode()
    for one in record["differences"]:
        output.write(csv_row([one[name] for name in _COLUMNS]).encode())


def _print_text(output: Output, record: dict[str, Any]) -> None:
    for line in _head(output, record):
        output.line(line)
    several = len(record["captures"]) > 1
    for capture in record["captures"]:
        found = [one for one in record["differences"] if one["capture"] == capture]
        if not found:
            continue
        output.line()
        if several:
            output.line(output.paint(harmless(capture), "bold"))
        table = Table(_TABLE, output)
        for one in found:
            session, frame, _, field, *values, why = (one[name] for name in _COLUMNS[1:])
            cells = ["" if known is None else str(known) for known in (session, frame, field)]
            cells += [say("nothing") if value is None else harmless(_shown(value)) for value in values]
            table.add([*cells, (say("unknown"), "alarm") if why is None else why])
        table.close()
    known = reason_codes(spoken())
    used = dict.fromkeys(one["reason"] for one in record["differences"] if one["reason"] is not None)
    if used:
        output.line()
    for code in used:
        for line in wrap(say("{code}: {meaning}", code=code, meaning=known[code].meaning), max(40, output.width)):
            output.line(line)


def _head(output: Output, record: dict[str, Any]) -> Iterator[str]:
    tshark = record["tshark"]
    words = listing(word for before, word in pairwise(tshark["options"]) if before == "-o")
    n_known, alike = record["explained"], record["agreed"] + record["explained"]
    n_open = record["compared"] - alike
    facts = [
        (say("second opinion"), clauses(f"tshark {tshark['version']}", harmless(tshark["path"]))),
        (say("sessions"), str(record["sessions"])),
    ]
    if record["percent"] is None:
        facts.append((say("compared"), say("nothing: neither of us sees a session of TLS over TCP, QUIC or DTLS")))
    else:
        parts = [f"{name} {one['agreed']}/{one['compared']}" for name, one in record["fields"].items() if one["compared"]]
        facts += [
            (say("compared"), count_text(record["compared"], "value")),
            (say("the same"), str(record["agreed"])),
            (say("explained"), str(n_known)),
            (say("unexplained"), output.paint(str(n_open), "alarm" if n_open else "green")),
            (
                say("agreement"),
                say("{percent}% (the same or explained)", percent=f"{10_000 * alike // record['compared'] / 100:.2f}"),
            ),
            (say("fields"), listing(parts)),
            (say("told tshark"), harmless(words)),
        ]
    for title, text in facts:
        for number, line in enumerate(wrap(text, max(40, output.width - _LABEL))):
            yield pad("" if number else title, _LABEL) + line


_PRINTERS = {"json": _print_json, "csv": _print_csv, "text": _print_text}
