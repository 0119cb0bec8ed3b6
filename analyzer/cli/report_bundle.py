"""Writes the bundle of `analyzer report`: the reports, the records of all sessions and the attached tables, as one folder."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from analyzer.cli.capture_paths import captures_in_order
from analyzer.cli.output import CommandError
from analyzer.report.action_log import Action
from analyzer.report.bundle import BundleFile, Written, refuse_occupied, write_bundle
from analyzer.report.incident_folder import bundle_capture
from analyzer.report.signing import Signer, SigningError
from analyzer.report.verification import BundleError

RECORDS = "sessions.jsonl"

MEDIA_TYPES = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".csv": "text/csv",
}
"""Media types by the ending of a file."""


_BYTES = "application/octet-stream"


def captures_of(paths: Sequence[str]) -> list[str]:
    """Return the captures in their order, with the packets of an incident of `live` in the place of its folder.

    Raises CommandError for a folder that is not as its manifest says; OSError.
    """
    found = []
    for path in paths:
        try:
            inside = bundle_capture(path)
        except BundleError as error:
            raise CommandError(f"{path}: {error}") from error
        found.append(path if inside is None else inside)
    return captures_in_order(found)


def check_folder(folder: str) -> None:
    """Raise CommandError for a folder in which no bundle can be made, so that this is said before anything is read."""
    try:
        refuse_occupied(folder)
    except FileExistsError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    parent = os.path.dirname(os.path.abspath(folder))
    if not os.path.isdir(parent):
        raise CommandError(f"{folder}: there is no folder {parent}")


@contextmanager
def records_file() -> Iterator[IO[bytes]]:
    """Yield a file for the records of sessions, until they are in the bundle. Raises OSError."""
    with tempfile.NamedTemporaryFile(prefix="analyzer-", suffix=".jsonl") as file:
        yield file


def write_report_bundle(
    folder: str,
    facts: Mapping[str, Any],
    reports: Mapping[str, bytes],
    records: IO[bytes] | None,
    signer: Signer | None,
    actions: Sequence[Action] = (),
) -> Written:
    """Write the bundle. reports: contents by name, with attached tables. records: from `records_file`, written to its end.

    Raises CommandError; OSError.
    """
    files = [BundleFile(name, content, MEDIA_TYPES.get(os.path.splitext(name)[1], _BYTES)) for name, content in reports.items()]
    if records is not None:
        records.flush()
        files.append(BundleFile(RECORDS, records.name, "application/jsonl"))
    try:
        return write_bundle(folder, facts, files, signer=signer, actions=actions)
    except FileExistsError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    except SigningError as error:
        raise CommandError(str(error)) from error
