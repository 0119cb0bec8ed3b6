"""`analyzer summary`: prints what is in the captures on one page: files, protocols, conversations, TLS sessions, findings."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.capture_findings import CaptureFindings
from analyzer.analysis.traffic import Traffic
from analyzer.capture.frame import Frame
from analyzer.cli.capture_run import FAILED, CaptureRun
from analyzer.cli.chain_summary import ChainSummary
from analyzer.cli.decryption_counts import Decryptions
from analyzer.cli.files import print_file
from analyzer.cli.findings import Findings
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.rows import COLUMNS, table_row
from analyzer.cli.sessions import InOrder, record_text
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.summary_record import summary_record
from analyzer.cli.table import Cell, Column, Table, pad, width
from analyzer.cli.trust_options import read_chains
from analyzer.codec.registry import registry
from analyzer.engine import Engine
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import json_line, session_record
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, endpoint_text, size_text
from analyzer.text.language import retold, say
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionEnded

if TYPE_CHECKING:
    from analyzer.store.shards import Shards, SharedSession

SHOWN_SESSIONS = 1000
"""The most sessions that are listed; `analyzer sessions` lists all."""

SHOWN_CONVERSATIONS = 10

MOST_CONVERSATIONS = 4096
"""Conversations that a live run holds one by one, at most, with 700 bytes each. Of others it has the sums by protocol."""

_BAR = 24
"""Columns of the longest bar."""

_CONVERSATIONS = (
    Column("bytes", 0, right=True),
    Column("packets", 4, right=True),
    Column("from", 1, limit=47),
    Column("to", 2, limit=47),
    Column("sent", 7, right=True),
    Column("answered", 8, right=True),
    Column("duration", 5, right=True),
    Column("carries", 3),
)


class Summary(SharedListener):
    """Collects everything for the summary of one run. material: the secrets. shards: None if one process reads."""

    sees_packets = True
    finds_patterns = True
    """Whether findings about the capture as a whole are collected. The summary of a live run does not show them."""

    def __init__(self, material: KeyMaterial, chains: Chains, shards: "Shards | None" = None) -> None:
        self.material = material
        self.chains = chains
        self.chain_summary = ChainSummary()
        self.findings = Findings()
        self.capture_findings = CaptureFindings()
        self.decryptions = Decryptions()
        self.rows: list[list[Cell]] = []
        self.n_sessions = 0
        self.n_established = 0
        self.tls: set[bytes] = set()
        self._in_order = InOrder(self._keep)
        self._shards = shards
        self._traffic = Traffic()
        self._count = self._traffic.count

    @property
    def traffic(self) -> Traffic:
        """What was counted of all packets so far."""
        return self._traffic if self._shards is None else self._shards.traffic

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        self._count(packet, frame)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                session = event.ended
                self._take(session_record(session, False, self.chains, False), session.flow.key)
            elif isinstance(event, OtherTraffic) and self.finds_patterns:
                self.capture_findings.take_other(event.key, event.frame, event.head)

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._take(orjson.loads(session.describe(self.chains)), session.key)

    def _take(self, record: dict[str, Any], key: bytes) -> None:
        self.n_sessions += 1
        self.n_established += record["established"] is True
        self.findings.take(record)
        if self.finds_patterns:
            self.capture_findings.take_record(record)
        self.decryptions.take(record, self.material.given)
        self.chain_summary.take(record)
        if key in self.traffic.tcp:
            self.tls.add(key)
        if record["id"] < SHOWN_SESSIONS:  # the others are only counted, so that a run may last for days
            self._in_order.add(record["id"], table_row(record))

    def _keep(self, row: list[Cell]) -> None:
        self.rows.append(row)


class LiveSummary(Summary):
    """The same in memory that does not grow, for a run of days."""

    finds_patterns = False

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        if self._traffic.held > MOST_CONVERSATIONS:
            self._traffic.fold(MOST_CONVERSATIONS // 2, self.tls)
            self.tls.intersection_update(self._traffic.tcp)


def run(options: Namespace, output: Output) -> int:
    """Print the summary of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, hashing=True)
    chains = read_chains(options)
    keys = read_keys(options, capture_run)
    settings = {"fields": False, "watches_revocation": True, "watches_https": True}
    shards = make_shards(options, capture_run, keys, record_text(False, False), chains, settings, traffic=True, records=True)
    if shards is not None:
        summary = Summary(KeyMaterial(None, keys["keylog"], keys["private_keys"], keys["psks"]), chains, shards)
        run_shared(capture_run, shards, summary)
        for other in shards.others:
            summary.capture_findings.take_other(*other)
        forgotten = shards.repetitions.forgotten
    else:
        engine = Engine(fields=False, watches_revocation=True, watches_https=True, **keys)
        summary = Summary(engine.material, chains)
        capture_run.run(engine, [chains, summary])
        forgotten = engine.dispatcher.repetitions is not None and engine.dispatcher.repetitions.forgotten
    if capture_run.has_no_capture():
        capture_run.status()
        return FAILED
    summary.findings.take_files(capture_run.reader.files)
    summary.findings.take_traffic(summary.traffic)
    summary.findings.take_capture(summary.capture_findings.findings(summary.traffic, forgotten))
    if options.format == "json":
        output.write(json_line(summary_record(summary, capture_run.reader.files, SHOWN_CONVERSATIONS)))
        return capture_run.status()
    for number, facts in enumerate(capture_run.reader.files):
        if number:
            output.line()
        print_file(facts, output)
    print_contents(summary, output)
    return capture_run.status()


def print_contents(summary: Summary, output: Output) -> None:
    """Print everything of a summary but the facts about the files."""
    _print_protocols(summary, output)
    _print_conversations(summary, output)
    _print_sessions(summary, output)
    summary.decryptions.print(output)
    summary.chain_summary.print(output, summary.chains.stores())
    summary.findings.print(output)
    output.flush()


def headline(output: Output, title: str, note: str = "") -> None:
    """Print the heading of a part of the page."""
    output.line()
    output.line(output.paint(title, "bold") + (output.paint(f"  {note}", "dim") if note else ""))


def _print_protocols(summary: Summary, output: Output) -> None:
    traffic = summary.traffic
    shares = traffic.shares(summary.tls)
    if not shares:
        return
    headline(output, say("Protocols"), say("packets, bytes on the wire, their share"))
    labels = ["  " * share.depth + harmless(retold(share.label)) for share in shares]
    room = max(12, *map(width, labels))
    bar = max(0, min(_BAR, output.width - room - 36))
    for share, label in zip(shares, labels, strict=True):
        part = share.n_bytes / traffic.n_bytes if traffic.n_bytes else 0.0
        line = f"  {pad(label, room)}  {share.n_packets:>11,}  {pad(size_text(share.n_bytes), 9, True)}  {percent(part):>5}"
        output.line(f"{line}  {output.paint(bar_text(part, bar), 'blue')}" if bar >= 8 else line)
    if traffic.tunnelled:
        output.line(
            output.paint(
                "  " + say("of these {packets} inside tunnels", packets=count_text(traffic.tunnelled, "packet")), "dim"
            )
        )


def percent(part: float) -> str:
    """Return a part of 1 in percent. A part above 0 is never shown as 0 %."""
    if 0 < part < 0.0005:
        return "<0.1%"
    return f"{part * 100:.1f}%" if part < 0.9995 else "100%"


def bar_text(part: float, room: int) -> str:
    """Return a bar in eighths of a column; its length is `room` columns for 1. For a part above 0 it is never empty."""
    eighths = max(1, round(part * room * 8)) if part > 0 else 0
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def _print_conversations(summary: Summary, output: Output) -> None:
    traffic = summary.traffic
    if not traffic.conversations:
        return
    top = traffic.top(SHOWN_CONVERSATIONS, summary.tls)
    shown = say("the {n} with the most bytes of {all:,}", n=len(top), all=traffic.conversations)
    headline(output, say("Conversations"), shown if traffic.conversations > len(top) else "")
    table = Table(_CONVERSATIONS, output, indent=2)
    protocols = registry("ip_protocols").names
    for one in top:
        table.add(
            [
                size_text(sum(one.n_bytes)),
                f"{sum(one.packets):,}",
                endpoint_text(*one.source),
                endpoint_text(*one.destination),
                size_text(one.n_bytes[0]),
                size_text(one.n_bytes[1]),
                duration_text(one.last - one.first) if 0 <= one.first <= one.last else "",
                retold(one.application) or protocols[one.protocol],
            ]
        )
    table.close()


def _print_sessions(summary: Summary, output: Output) -> None:
    n_sessions = summary.n_sessions
    if not n_sessions:
        headline(output, say("TLS sessions"), say("none found"))
        return
    counts = say("{n:,}, {established:,} established", n=n_sessions, established=summary.n_established)
    headline(output, say("TLS sessions"), counts)
    table = Table(COLUMNS, output, indent=2)
    for row in summary.rows:
        table.add(row)
    table.close()
    if n_sessions > len(summary.rows):
        rest = count_text(n_sessions - len(summary.rows), "further session")
        output.line(output.paint("  " + say("and {further}: `analyzer sessions` lists all", further=rest), "dim"))
