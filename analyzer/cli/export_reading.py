"""Reads captures for `analyzer export`, and reports which sessions are missing or closed."""

from argparse import Namespace
from collections import Counter
from collections.abc import Collection

from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun, no_such_session
from analyzer.cli.exit_status import DONE, FAILED
from analyzer.cli.output import CommandError, complain
from analyzer.engine import Engine, Listener
from analyzer.text.authentication_text import cause_text
from analyzer.text.file_findings import error_line
from analyzer.text.formatting import count_text
from analyzer.text.language import say

SHOWN = 8
"""The most failures (files, sessions) that are reported one by one."""


def read_for(capture_run: CaptureRun, engine: Engine, listener: Listener) -> None:
    """Read the captures for a listener. Raises CommandError if the file is not a capture."""
    capture_run.run(engine, [listener])
    require_capture(capture_run)


def require_capture(capture_run: CaptureRun) -> None:
    """Raise CommandError if none of the files is a capture."""
    if capture_run.has_no_capture():
        raise CommandError(error_line(capture_run.reader.files[0]))


def report_missing_sessions(options: Namespace, n_sessions: int) -> int:
    """Report the chosen sessions that do not exist, and return the status."""
    chosen: Collection[int] = sorted(set(options.session))
    absent = [number for number in chosen if number >= n_sessions]
    for number in absent[:SHOWN]:
        complain(no_such_session(names_of(options.captures), number, n_sessions))
    return FAILED if absent and len(absent) == len(chosen) else DONE


def report_undecrypted(closed: Counter[str]) -> None:
    """Report how many sessions were not decrypted, and why."""
    for reason, number in sorted(closed.items()):
        sessions = count_text(number, "session was", "sessions were")
        complain(say("{sessions} not decrypted: {why}", sessions=sessions, why=cause_text(reason)[0]))
