"""One TLS session as a row, from its record: for the table of `sessions` and `summary`, and for CSV."""

from typing import Any

from analyzer.cli.escape import csv_row, harmless
from analyzer.cli.table import Cell, Column

COLUMNS = (
    Column("id", 0, right=True, style="bold"),
    Column("time", 6),
    Column("client", 1, limit=47),
    Column("server", 2, limit=47),
    Column("server name", 3, limit=40, style="cyan"),
    Column("version", 4),
    Column("cipher suite", 7, limit=45),
    Column("group", 8),
    Column("ALPN", 9, limit=12),
    Column("resumed", 10),
    Column("established", 5),
    Column("alerts", 11, limit=40),
    Column("certificate", 12, limit=40),
    Column("chain", 11, limit=40),
    Column("JA4", 13),
)

CSV_COLUMNS = (
    "id", "protocol", "client_address", "client_port", "server_address", "server_port", "first_frame", "last_frame",
    "start_time", "end_time", "version", "cipher_suite", "cipher_suite_id", "group", "server_name", "alpn", "established",
    "resumed", "resumption", "resumes", "ja3", "ja3s", "ja4", "handshake", "alerts", "certificates", "certificate_subject",
    "certificate_issuer", "certificate_not_before", "certificate_not_after", "certificate_subject_alt_names",
    "certificate_sha256", "decryption_status", "decryption_reason", "gaps", "findings",
    "chain_verdict", "chain_problems",
)  # fmt: skip
"""`certificates` and `gaps` are counts; `certificate_…` is the server's first one."""


def table_row(record: dict[str, Any]) -> list[Cell]:
    """The cells of `COLUMNS`."""
    certificates = record["certificates"]["server"]
    established = record["established"]
    return [
        str(record["id"]),
        clock(record["start_time"]),
        endpoint(record["client"]),
        endpoint(record["server"]),
        harmless(record["server_name"] or ""),
        record["version"] or "",
        record["cipher_suite"] or "",
        record["group"] or "",
        harmless(record["alpn"] or ""),
        (record["resumption"] or "yes") if record["resumed"] else "",
        ("yes", "green") if established else ("no", "yellow"),
        (alerts_text(record), "red" if any(alert["level"] == "fatal" for alert in record["alerts"]) else ""),
        harmless(certificates[0]["subject"] or "unreadable") if certificates else "",
        chain_cell(record["chain"]),
        record["ja4"] or "",
    ]


def csv_line(record: dict[str, Any]) -> str:
    """The line of `CSV_COLUMNS`."""
    certificates = record["certificates"]["server"]
    first = certificates[0] if certificates else {}
    client, server, decryption = record["client"], record["server"], record["decryption"] or {}
    return csv_row(
        [
            record["id"], record["protocol"], client["address"], client["port"], server["address"], server["port"],
            record["first_frame"], record["last_frame"], record["start_time"], record["end_time"], record["version"],
            record["cipher_suite"], record["cipher_suite_id"], record["group"], record["server_name"], record["alpn"],
            record["established"], record["resumed"], record["resumption"], record["resumes"], record["ja3"], record["ja3s"],
            record["ja4"], " ".join(message["type"] for message in record["handshake"]), alerts_text(record),
            len(certificates), first.get("subject"), first.get("issuer"), first.get("not_before"), first.get("not_after"),
            "; ".join(first.get("subject_alt_names") or ()), first.get("sha256"), decryption.get("status"),
            decryption.get("reason"), len(record["gaps"]),
            " ".join(dict.fromkeys(finding["code"] for finding in record["findings"])), record["chain"]["verdict"],
            " ".join(dict.fromkeys(problem["code"] for problem in record["chain"]["problems"])),
        ]
    )  # fmt: skip


def chain_cell(chain: dict[str, Any]) -> Cell:
    """The verdict on the server's chain, or all that is wrong with it."""
    if chain["verdict"] == "absent":
        return ""
    if chain["verdict"] == "valid":
        return "valid", "green"
    return ", ".join(dict.fromkeys(problem["code"].replace("_", " ") for problem in chain["problems"])), "red"


def endpoint(end: dict[str, Any]) -> str:
    """Address and port; an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    address = end["address"]
    return f"[{address}]:{end['port']}" if ":" in address else f"{address}:{end['port']}"


def clock(time: str | None) -> str:
    """Date and time to the second, of a time in RFC 3339."""
    return time[:19].replace("T", " ") if time else ""


def alerts_text(record: dict[str, Any]) -> str:
    """The alerts, each once: `fatal handshake_failure from server`."""
    told = [
        f"encrypted from {alert['from']}"
        if alert["description"] is None
        else f"{alert['level']} {alert['description']} from {alert['from']}"
        for alert in record["alerts"]
    ]
    return "; ".join(dict.fromkeys(told))
