"""Writes one table of an inventory as CSV."""

from collections.abc import Iterable, Mapping
from typing import Any

from analyzer.cli.inventory_arguments import CERTIFICATES, CLIENTS, JA4, POST_QUANTUM, SERVERS, WEAK
from analyzer.cli.output import Output
from analyzer.store.declaration import Column, columns
from analyzer.store.inventory_schema import (
    CERTIFICATE,
    CLIENT,
    FINGERPRINT,
    INVENTORY,
    SERVER,
    WEAK_ROW,
)
from analyzer.store.seen_certificates import VALID
from analyzer.text.session_csv import csv_head, csv_line


def _listed(values: Mapping[str, Any], key: str = "value") -> str:
    """Return the values of a count; further ones that were not told apart are an ellipsis."""
    return "; ".join([*(one[key] for one in values["values"]), *(["…"] if values["beyond"] else [])])


def _names(values: Mapping[str, Any]) -> str:
    return _listed(values, "server_name")


_DEFINED = {"$defs": INVENTORY["$defs"]}

_SERVERS = columns(
    SERVER,
    "address", "port", ("names", "names", _names), ("versions", "versions", _listed),
    ("cipher_suites", "cipher_suites", _listed), ("groups", "groups", _listed), ("alpn", "alpn", _listed),
    ("signature_schemes", "signature_schemes", _listed),
    ("certificates", "certificates.sent", lambda sent: " ".join(one["sha256"] for one in sent)),
    ("certificates_visible", "certificates.visible"), ("certificates_not_visible", "certificates.not_visible"),
    ("weak", "weak", " ".join), "sessions", "established", "first_seen", "last_seen",
)  # fmt: skip

_CLIENTS = columns(
    CLIENT,
    "address", ("ja4", "ja4", _listed), ("rare_ja4", "rare_ja4", " ".join),
    ("versions", "versions", _listed), ("highest_versions", "highest_versions", _listed),
    ("post_quantum_groups", "post_quantum_groups", _listed), ("weak_offers", "weak_offers", " ".join),
    ("servers", "servers", _listed), "sessions", "hellos", "established", "first_seen", "last_seen",
)  # fmt: skip

_CERTIFICATES = columns(
    CERTIFICATE | _DEFINED,
    "sha256", "type", "subject", "issuer", "serial", "not_before", "not_after", "state", "days_left",
    ("subject_alt_names", "subject_alt_names", "; ".join), ("public_key_type", "public_key.type"),
    ("public_key_bits", "public_key.bits"), ("public_key_curve", "public_key.curve"), "signature_algorithm", "role",
    ("servers", "servers", _listed), ("clients", "clients", _listed), "sessions", "first_seen", "last_seen",
    ("verdicts", "verdicts", " ".join), ("problems", "problems", " ".join),
)  # fmt: skip

_JA4 = columns(
    FINGERPRINT,
    "ja4", "sessions", ("clients", "clients.count"), ("hosts", "clients.first", " ".join), "rare",
)  # fmt: skip

_WEAK = columns(
    WEAK_ROW,
    "what", "code", "severity", ("address", "server.address"), ("port", "server.port"), ("names", "names", "; ".join),
    "sessions", "session", "frame", "detail", "sha256",
)  # fmt: skip

_POST_QUANTUM = columns(
    SERVER,
    "address", "port", ("names", "names", _names), ("groups", "groups", _listed),
    ("accepted", "post_quantum.answers.accepted"), ("refused", "post_quantum.answers.refused"),
    ("not_offered", "post_quantum.answers.not_offered"), ("unknown", "post_quantum.answers.unknown"),
    ("classical_sessions", "post_quantum.openable_later.sessions"), ("classical_bytes", "post_quantum.openable_later.bytes"),
    ("classical_with_psk_sessions", "post_quantum.perhaps_openable_later.sessions"),
    ("classical_with_psk_bytes", "post_quantum.perhaps_openable_later.bytes"),
)  # fmt: skip

_TABLES: dict[str, tuple[Column, ...]] = {
    SERVERS: _SERVERS, CLIENTS: _CLIENTS, CERTIFICATES: _CERTIFICATES, JA4: _JA4, WEAK: _WEAK, POST_QUANTUM: _POST_QUANTUM,
}  # fmt: skip


def write_csv(output: Output, record: dict[str, Any], table: str, expiring: bool) -> None:
    """Write one table. expiring: of the certificates, leave out those that stay valid."""
    output.head = csv_head(_TABLES[table])
    for one in _rows(record, table, expiring):
        output.write(csv_line(_TABLES[table], one))


def _rows(record: dict[str, Any], table: str, expiring: bool) -> Iterable[dict[str, Any]]:
    if table == WEAK:
        return _weak_rows(record["weak"])
    rows: list[dict[str, Any]] = record[SERVERS if table == POST_QUANTUM else table]
    return [one for one in rows if one["state"] != VALID] if expiring and table == CERTIFICATES else rows


def _weak_rows(weak: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what servers agreed on, then what clients offer, then certificates, one row for each server that sent one."""
    rows: list[dict[str, Any]] = [{"what": "agreed", **one} for one in weak["agreed"]]
    rows += [
        {"what": "offered", "code": one["code"], "server": {"address": one["client"]}, "sessions": one["sessions"]}
        for one in weak["offered"]
    ]
    for one in weak["certificates"]:
        for end in one["servers"] or [""]:
            address, _, port = end.rpartition(":")
            server = {"address": address.strip("[]") or None, "port": int(port) if port else None}
            rows.append({"what": "certificate", "code": one["code"], "server": server, "sha256": one["sha256"]})
    return rows
