"""Makes the tables that are attached to a report as CSV, because the report itself shows only their first rows."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.report.document import Attachment
from analyzer.report.exchange_rows import REQUESTS, Cell
from analyzer.report.findings_section import SHOWN_OCCURRENCES
from analyzer.report.session_collector import SessionCollector
from analyzer.text.escape import csv_row

FEW = 50
"""Rows that a table in the report shows. A longer table is attached."""

_CERTIFICATES = (
    "sha256", "subject", "issuer", "serial", "not_before", "not_after", "expires_in_days", "signature_algorithm", "names",
    "roles", "senders", "sessions", "first_frame", "verdicts",
)  # fmt: skip
_HOSTS = ("address", "names", "client_sessions", "server_sessions", "bytes_sent", "bytes_received", "packets")
_FINDINGS = ("code", "severity", "title", "session", "frames", "detail")


def tables(collected: SessionCollector, facts: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the tables that are longer than what the report shows: CSV by file name. facts: of the report."""
    found: dict[str, bytes] = {}
    if collected.n_sessions > FEW:
        found["sessions.csv"] = collected.csv()
    if len(collected.requests.rows) > FEW:
        found["requests.csv"] = _csv(REQUESTS, sorted(collected.requests.rows, key=_place))
    if len(facts["certificates"]) > FEW:
        found["certificates.csv"] = _csv(_CERTIFICATES, [_cells(_CERTIFICATES, one) for one in facts["certificates"]])
    if len(facts["hosts"]) > FEW:
        found["hosts.csv"] = _csv(_HOSTS, [_cells(_HOSTS, one) for one in facts["hosts"]])
    findings = [_cells(_FINDINGS, kind | one) for kind in facts["findings"] for one in kind["occurrences"]]
    if len(findings) > FEW or any(len(kind["occurrences"]) > SHOWN_OCCURRENCES for kind in facts["findings"]):
        found["findings.csv"] = _csv(_FINDINGS, findings)
    return found


def attach(content: Mapping[str, bytes]) -> tuple[list[Attachment], list[dict[str, Any]]]:
    """Return the tables as attachments, and what the facts say of them."""
    attachments = [Attachment(name, "text/csv", data, name.removesuffix(".csv")) for name, data in content.items()]
    records = [
        {
            "name": one.name,
            "media_type": one.media_type,
            "size": len(one.content),
            "sha256": hashlib.sha256(one.content).hexdigest(),
            "description": one.description,
            "rows": one.content.count(b"\r\n") - 1,
        }
        for one in attachments
    ]
    return attachments, records


def _cells(columns: Sequence[str], record: Mapping[str, Any]) -> list[Cell]:
    return [_cell(record[column]) for column in columns]


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {count}" for key, count in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} is no value of a table")


def _place(row: Sequence[Any]) -> tuple[int, int]:
    return row[0], row[1]


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    lines = [csv_row([*columns]), *(csv_row([*row]) for row in rows)]
    return "".join(lines).encode()
