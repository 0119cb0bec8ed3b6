"""Makes the CSV line of one TLS session, from its record."""

from collections.abc import Sequence
from typing import Any

from analyzer.store.declaration import Column, columns
from analyzer.store.schema import SESSION
from analyzer.text.before_text import before_text
from analyzer.text.escape import csv_row
from analyzer.text.language import noted, say
from analyzer.text.punctuation import apart

_SIDES = noted(("client", "server"))


def alerts_text(alerts: list[dict[str, Any]]) -> str:
    """Return the alerts, equal ones once: `fatal handshake_failure from server`."""
    texts = [
        say("encrypted from {side}", side=say(alert["from"]))
        if alert["description"] is None
        else say("{alert} from {side}", alert=f"{alert['level']} {alert['description']}", side=say(alert["from"]))
        for alert in alerts
    ]
    return apart(dict.fromkeys(texts))


def _codes(entries: list[dict[str, Any]]) -> str:
    return " ".join(dict.fromkeys(entry["code"] for entry in entries))


CSV_COLUMNS = columns(
    SESSION,
    "id", "protocol", ("client_address", "client.address"), ("client_port", "client.port"),
    ("server_address", "server.address"), ("server_port", "server.port"), "first_frame", "last_frame", "start_time",
    "end_time", "version", "cipher_suite", "cipher_suite_id", "group", "server_name", "alpn", "established",
    ("outcome", "outcome.result"), ("ended_by", "outcome.ended_by"), ("step", "outcome.step"), ("cause", "outcome.cause"),
    ("certainty", "outcome.certainty"), "resumed",
    "resumption", "resumes", "ja3", "ja3s", "ja4",
    ("handshake", "handshake", lambda messages: " ".join(message["type"] for message in messages)),
    ("alerts", "alerts", alerts_text),
    ("certificates", "certificates.server", len),
    ("certificate_subject", "certificates.server.0.subject"),
    ("certificate_issuer", "certificates.server.0.issuer"),
    ("certificate_not_before", "certificates.server.0.not_before"),
    ("certificate_not_after", "certificates.server.0.not_after"),
    ("certificate_subject_alt_names", "certificates.server.0.subject_alt_names", "; ".join),
    ("certificate_sha256", "certificates.server.0.sha256"),
    ("decryption_status", "decryption.status"), ("decryption_reason", "decryption.reason"),
    ("gaps", "gaps", len), ("findings", "findings", _codes),
    ("chain_verdict", "chain.verdict"), ("chain_problems", "chain.problems", _codes),
    ("before", "before", before_text), "inside",
    ("process_name", "process.name"), ("process_pid", "process.pid"), ("process_user", "process.user"),
    ("process_container", "process.container"), "capture", "frame_in_capture",
)  # fmt: skip
"""The columns `certificates` and `gaps` are counts. The columns `certificate_…` are of the server's first certificate."""


def csv_head(declared: Sequence[Column]) -> bytes:
    """Return the first line of a CSV file: the names of its columns."""
    return csv_row([column.name for column in declared]).encode()


def csv_line(declared: Sequence[Column], record: dict[str, Any]) -> bytes:
    """Return the CSV line of a record."""
    return csv_row([column.value(record) for column in declared]).encode()
