"""Makes a row of one TLS session, from its record, for the table of `sessions` and `summary`."""

from typing import Any

from analyzer.cli.table import Cell
from analyzer.cli.table import Column as TableColumn
from analyzer.text.before_text import before_text
from analyzer.text.chain_text import chain_text
from analyzer.text.escape import harmless
from analyzer.text.formatting import endpoint_text, established_text
from analyzer.text.language import noted, say
from analyzer.text.session_csv import alerts_text

COLUMNS = (
    TableColumn("id", 0, right=True, style="bold"),
    TableColumn("time", 6),
    TableColumn("client", 1, limit=47),
    TableColumn("server", 2, limit=47),
    TableColumn("server name", 3, limit=40, style="cyan"),
    TableColumn("version", 4),
    TableColumn("cipher suite", 7, limit=45),
    TableColumn("group", 8),
    TableColumn("ALPN", 9, limit=12),
    TableColumn("resumed", 10),
    TableColumn("established", 5),
    TableColumn("alerts", 11, limit=40),
    TableColumn("certificate", 12, limit=40),
    TableColumn("chain", 11, limit=40),
    TableColumn("JA4", 13),
    TableColumn("before TLS", 5, limit=60),
    TableColumn("inside", 6, right=True),
    TableColumn("capture", 12, limit=40),
)


RESUMPTIONS = noted(("session_id", "ticket", "psk"))
"""The ways of resumption, as records name them."""


def table_row(record: dict[str, Any]) -> list[Cell]:
    """Return the cells of `COLUMNS` for a record."""
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
        say(record["resumption"] or "yes") if record["resumed"] else "",
        (established_text(established), "green" if established else "yellow"),
        (alerts_text(record["alerts"]), "red" if any(alert["level"] == "fatal" for alert in record["alerts"]) else ""),
        harmless(certificates[0]["subject"] or say("unreadable")) if certificates else "",
        chain_cell(record["chain"]),
        record["ja4"] or "",
        harmless(before_text(record["before"])),
        "" if record["inside"] is None else str(record["inside"]),
        capture_cell(record),
    ]


def capture_cell(record: dict[str, Any]) -> Cell:
    """Return the capture of the first frame, and its number there; empty in a run of one capture."""
    return "" if record["frame_in_capture"] is None else f"{harmless(record['capture'])} {record['frame_in_capture']}"


def chain_cell(chain: dict[str, Any]) -> Cell:
    """Return the verdict on the server's chain, or its problems if it is invalid."""
    return "" if chain["verdict"] == "absent" else chain_text(chain)


def owner_text(process: dict[str, Any] | None) -> str:
    """Return the local process of a session as in `curl[4711] alice in 3f2a1b0c9d8e`, harmless; empty if it is not known.

    Of the id of a container, the first 12 characters are shown, as `docker ps` does.
    """
    if process is None:
        return ""
    name = harmless(process["name"] or "")
    number = "" if process["pid"] is None else f"[{process['pid']}]"
    container = "" if process["container"] is None else say("in {container}", container=harmless(process["container"][:12]))
    return " ".join(part for part in (name + number, harmless(process["user"] or ""), container) if part)


def endpoint(end: dict[str, Any]) -> str:
    """Return address and port."""
    return endpoint_text(end["address"], end["port"])


def clock(time: str | None) -> str:
    """Return date and time to the second, from a time in RFC 3339."""
    return time[:19].replace("T", " ") if time else ""
