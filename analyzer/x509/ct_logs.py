"""Reads lists of Certificate Transparency logs: their operators, states, and public keys (RFC 6962).

A log is identified by the SHA-256 of its public key. The list in `ct_logs.csv` has the logs of the public web since 2013,
because old captures have timestamps of closed logs. Other lists can be read in its place: those that browsers publish
(log_list.json, versions 1 to 3), and those in the form of `ct_logs.csv`.
"""

import csv
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import orjson

LIST_SIZE = 16 << 20
"""Largest list that is read, in bytes; those of Google have 60 to 200 thousand."""

_COLUMNS = ("name", "operator", "state", "since", "expiry_from", "expiry_before", "key")


@dataclass(frozen=True, slots=True)
class Log:
    """One log. key: its SubjectPublicKeyInfo. state: as in the list (`usable`, `retired`, …); since: the date of that state.

    expiry_from, expiry_before: the log accepted certificates that expire in this interval; RFC 3339, days or times. A value
    that is not known is empty.
    """

    name: str
    operator: str
    key: bytes
    state: str = ""
    since: str = ""
    expiry_from: str = ""
    expiry_before: str = ""


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of a list, by their identifiers."""

    by_id: dict[bytes, Log]


@cache
def shipped_logs() -> Logs:
    """Return the list of this package."""
    return read_logs(files("analyzer.x509").joinpath("ct_logs.csv").read_bytes())


def read_logs(data: bytes) -> Logs:
    """Read a list of logs, JSON or CSV. Of logs with the same key the first counts. Raises `ValueError` with the reason."""
    if len(data) > LIST_SIZE:
        raise ValueError(f"{len(data)} bytes are no list of logs")
    by_id: dict[bytes, Log] = {}
    for log in _read_json(data) if data.lstrip()[:1] == b"{" else _read_csv(data):
        by_id.setdefault(sha256(log.key).digest(), log)
    if not by_id:
        raise ValueError("no log in the list")
    return Logs(by_id)


def _read_csv(data: bytes) -> Iterator[Log]:
    lines = (line for line in data.decode().splitlines() if not line.startswith("#"))
    for number, row in enumerate(csv.DictReader(lines), 1):
        if any(row.get(column) is None for column in _COLUMNS):
            raise ValueError(f"log {number} of the list lacks a column of {', '.join(_COLUMNS)}")
        texts = {column: row[column] for column in _COLUMNS if column != "key"}
        yield Log(key=_key(row["key"], number), **texts)


def _read_json(data: bytes) -> Iterator[Log]:
    whole = orjson.loads(data)
    operators = whole.get("operators")
    if not isinstance(operators, list) or not all(isinstance(operator, dict) for operator in operators):
        raise ValueError("a list of logs has operators")
    names = {operator.get("id"): str(operator.get("name", "")) for operator in operators if isinstance(operator.get("id"), int)}
    entries: list[tuple[str, Any]] = []
    for operator in operators:
        for kind in ("logs", "tiled_logs"):
            entries += [(str(operator.get("name", "")), entry) for entry in _list(operator.get(kind))]
    for entry in _list(whole.get("logs")):  # version 1
        owners = [names[owner] for owner in _list(_dict(entry).get("operated_by")) if owner in names]
        entries.append((", ".join(owners), entry))
    for number, (owner, entry) in enumerate(entries, 1):
        fields = _dict(entry)
        interval = _dict(fields.get("temporal_interval"))
        state, details = next(iter(_dict(fields.get("state")).items()), ("", {}))
        yield Log(
            str(fields.get("description") or fields.get("url") or fields.get("submission_url") or ""),
            owner,
            _key(fields.get("key"), number),
            str(state),
            str(_dict(details).get("timestamp", ""))[:10],
            str(interval.get("start_inclusive", "")),
            str(interval.get("end_exclusive", "")),
        )


def _key(text: object, number: int) -> bytes:
    if not isinstance(text, str) or not text:
        raise ValueError(f"log {number} of the list has no key")
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"log {number} of the list has a key that is not base64") from error


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
