"""What an examiner says of a case: its number, the exhibit, who examines it, on whose order and why, and who had it before.

None of it is checked: it is stated, and the report says so. It comes from options or from a TOML file (toml.io, version 1.0):

    case = "2026-117"
    exhibit = "A-3"
    examiner = "A. Example"
    authority = "Order of the district court of 2026-11-02"
    purpose = "Which servers did the laptop reach?"

    [[custody]]
    time = 2026-11-03T09:15:00Z
    text = "Received from C. Sample, sealed"
"""

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from analyzer.store.declaration import path_text
from analyzer.store.validation_time import CAPTURE, NOW, read_moment

KINDS = ("case", "exhibit", "examiner", "authority", "purpose")
"""The keys with one text. The key `custody` has a list of notes."""

LARGEST_FILE = 1 << 20
"""Largest file that is read, in bytes."""

LONGEST_TEXT = 10_000
"""Longest text of one key, in characters: some pages."""

MOST_NOTES = 1000
"""Notes on custody that a report has, at most."""


class CaseDataError(Exception):
    """What is wrong with the case data, in one line that begins with the file and the line in it, as far as they are known."""


def case_facts(
    path: str | None = None,
    *,
    case: str | None = None,
    exhibit: str | None = None,
    examiner: str | None = None,
    authority: str | None = None,
    purpose: str | None = None,
    custody: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the entry `case` of the facts of a report.

    path: of the TOML file, None without one. The other arguments are options; they win over the file. Notes on custody are
    added after those of the file, without a time. Raises CaseDataError.
    """
    read: dict[str, Any] = {**dict.fromkeys(KINDS), "custody": []} if path is None else read_case_file(path)
    given = {"case": case, "exhibit": exhibit, "examiner": examiner, "authority": authority, "purpose": purpose}
    for key, value in given.items():
        if value is not None:
            read[key] = _text(value, f"--{key}")
    notes = [{"time": None, "text": _text(note, "--custody")} for note in custody]
    read["custody"] = [*read["custody"], *notes]
    if len(read["custody"]) > MOST_NOTES:
        raise CaseDataError(f"--custody: more than {MOST_NOTES} notes")
    return {**read, "source": None if path is None else path_text(path)}


def read_case_file(path: str) -> dict[str, Any]:
    """Return the keys of a TOML file: a text or None for each of KINDS, and a list of notes for `custody`.

    Raises CaseDataError: it cannot be read, is no TOML, or has an unknown key or a value of another type.
    """
    name = path_text(path)
    text = _read(path, name)
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise CaseDataError(f"{name}: {str(error) or 'too many levels'}") from error
    known = (*KINDS, "custody")
    for key in found:
        if key not in known:
            raise CaseDataError(f"{_place(name, text, key)}: unknown key {key!r}: there are {', '.join(known)}")
    read: dict[str, Any] = {
        key: None if found.get(key) is None else _text(found[key], _place(name, text, key), key) for key in KINDS
    }
    notes = found.get("custody", [])
    if not isinstance(notes, list):
        raise CaseDataError(f"{_place(name, text, 'custody')}: custody has to be a list of notes")
    if len(notes) > MOST_NOTES:
        raise CaseDataError(f"{_place(name, text, 'custody')}: more than {MOST_NOTES} notes")
    read["custody"] = [
        _note(note, f"{_place(name, text, 'custody', index)}: note {index + 1}") for index, note in enumerate(notes)
    ]
    return read


def _read(path: str, name: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise CaseDataError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > LARGEST_FILE:
        raise CaseDataError(f"{name}: over {LARGEST_FILE} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CaseDataError(f"{name}: line {line}: byte 0x{data[error.start]:02x} is no UTF-8") from error


def _note(note: Any, place: str) -> dict[str, Any]:
    """Return one note: a text, or a table with `text` and perhaps `time`."""
    if isinstance(note, str):
        return {"time": None, "text": _text(note, place)}
    if not isinstance(note, dict):
        raise CaseDataError(f"{place}: a note is a text, or a table with text and time")
    for key in note:
        if key not in ("time", "text"):
            raise CaseDataError(f"{place}: unknown key {key!r}: there are time, text")
    if "text" not in note:
        raise CaseDataError(f"{place}: text is missing")
    return {"time": _time(note.get("time"), place), "text": _text(note["text"], place, "text")}


def _time(value: Any, place: str) -> str | None:
    """Return a time as RFC 3339, or a day, as it was written; None if there is none."""
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise CaseDataError(f"{place}: time {value.isoformat()} says no zone: append Z, or an offset such as +01:00")
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value not in (CAPTURE, NOW):
        try:
            read_moment(value)
        except ValueError as error:
            raise CaseDataError(f"{place}: time {value!r} is no time: write it as in 2026-10-03T12:00:00Z") from error
        return value
    raise CaseDataError(f"{place}: time has to be a time, as in 2026-10-03T12:00:00Z")


def _text(value: Any, place: str, key: str = "it") -> str:
    if not isinstance(value, str):
        raise CaseDataError(f"{place}: {key} has to be a text in quotes")
    if len(value) > LONGEST_TEXT:
        raise CaseDataError(f"{place}: {key} has {len(value)} characters; {LONGEST_TEXT} are the most")
    return path_text(value)


def _place(name: str, text: str, key: str, index: int = 0) -> str:
    """Return the file, and the line in which a key of the top level stands for the `index`-th time, as far as it is found."""
    quoted = re.escape(key)
    pattern = re.compile(rf"[ \t]*(?:\[{{1,2}}[ \t]*)?(?:{quoted}|\"{quoted}\"|'{quoted}')[ \t]*[.=\]]")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if pattern.match(line)]
    return f"{name}: line {lines[min(index, len(lines) - 1)]}" if lines else name
