"""`analyzer interfaces`: lists the interfaces of this machine, and what is missing to capture there."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from analyzer.analysis.traffic import link_name
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.interface_facts import InterfaceFacts, list_interfaces
from analyzer.capture.live.privileges import capture_command, explain_missing, missing_right
from analyzer.cli.output import CommandError, Output
from analyzer.cli.table import Cell, Column, Table, wrap
from analyzer.store.declaration import columns
from analyzer.store.output_schemas import INTERFACE
from analyzer.store.session_record import json_line
from analyzer.text.escape import harmless
from analyzer.text.language import noted, retold, say
from analyzer.text.session_csv import csv_head, csv_line

COLUMNS = (
    Column("name", 0, style="bold"),
    Column("state", 1),
    Column("addresses", 2, limit=60),
    Column("hardware address", 5),
    Column("speed", 4, right=True),
    Column("MTU", 6, right=True),
    Column("link type", 7),
    Column("received", 8, right=True),
    Column("dropped", 3, right=True),
)

CSV_COLUMNS = columns(
    INTERFACE,
    "name", "index", ("addresses", "addresses", " ".join), "hardware_address", "state", "speed", "mtu", "link_type", "loopback",
    "received_packets", "sent_packets", "dropped_in", "dropped_out", "can_capture", "missing", "command",
)  # fmt: skip

STATES = noted(("up", "no carrier", "down"))
"""The states of an interface, as `list_interfaces` names them."""

_STYLES = {"up": "green", "no carrier": "yellow", "down": "dim"}


def run(options: Namespace, output: Output) -> int:
    """Print the interfaces in the order of their numbers, and return the exit status."""
    missing = missing_right()
    try:
        found = list_interfaces()
    except CaptureError as error:
        raise CommandError(str(error)) from error
    for one in options.outputs:
        _write(one, found, missing)
    return 0


def _write(output: Output, found: list[InterfaceFacts], missing: str | None) -> None:
    if output.form == "text":
        _print(output, found, missing)
        return
    if output.form == "csv":
        output.head = csv_head(CSV_COLUMNS)
    for facts in found:
        record = _record(facts, missing)
        output.write(csv_line(CSV_COLUMNS, record) if output.form == "csv" else json_line(record))


def _record(facts: InterfaceFacts, missing: str | None) -> dict[str, Any]:
    return {
        **asdict(facts),
        "link_type": None if facts.link_type is None else link_name(facts.link_type),
        "can_capture": missing is None,
        "missing": missing,
        "command": None if missing is None else capture_command(facts.name),
    }


def _print(output: Output, found: list[InterfaceFacts], missing: str | None) -> None:
    table = Table(COLUMNS, output)
    for facts in found:
        table.add(_cells(facts))
    table.close()
    output.line()
    advice = say("Every interface can be captured here: analyzer live NAME, or `any` for all.")
    if missing is not None:
        advice = say("Nothing can be captured: {why}", why=retold(explain_missing()))
    for line in wrap(harmless(advice), output.width):
        output.line(output.paint(line, "" if missing is None else "yellow"))


def _cells(facts: InterfaceFacts) -> list[Cell]:
    return [
        harmless(facts.name),
        (say(facts.state) if facts.state else "", _STYLES.get(facts.state or "", "")),
        harmless(" ".join(facts.addresses)),
        facts.hardware_address or "",
        "" if facts.speed is None else f"{facts.speed} Mbit/s",
        "" if facts.mtu is None else str(facts.mtu),
        "" if facts.link_type is None else link_name(facts.link_type),
        "" if facts.received_packets is None else str(facts.received_packets),
        "" if facts.dropped_in is None else str(facts.dropped_in),
    ]
