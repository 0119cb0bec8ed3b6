"""`analyzer summary`: prints what is in the captures on one page: files, protocols, conversations, TLS sessions, findings."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.capture_findings import CaptureFindings
from analyzer.analysis.failures import Failures
from analyzer.analysis.http_totals import HttpTotals
from analyzer.analysis.session_totals import SessionTotals
from analyzer.analysis.tally import MOST_VALUES
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.frame import Frame
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.chain_summary import ChainSummary
from analyzer.cli.decryption_counts import Decryptions
from analyzer.cli.exit_status import FAILED
from analyzer.cli.failure_text import print_failures
from analyzer.cli.files import print_files
from analyzer.cli.findings import Findings
from analyzer.cli.http_totals_text import print_http
from analyzer.cli.key_files import read_keys
from analyzer.cli.not_examined import NotExamined, not_examined, print_not_examined
from analyzer.cli.output import Output
from analyzer.cli.page import dim_line, headline
from analyzer.cli.part_arguments import part_of, part_text
from analyzer.cli.part_frames import frames_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.session_totals_text import SHOWN_SESSIONS, print_sessions, session_row
from analyzer.cli.sessions import InOrder, record_text
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.summary_record import summary_record
from analyzer.cli.table import Cell
from analyzer.cli.traffic_text import print_conversations, print_hosts, print_protocols
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import Chains
from analyzer.store.part import Part
from analyzer.store.quic_record import path_keys
from analyzer.store.session_record import json_line, session_record
from analyzer.text.language import say
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionEnded

if TYPE_CHECKING:
    from analyzer.store.shards import Shards, SharedSession

SHOWN_ROWS, SHOWN_RECORDS = 5, 50
"""Rows of each table, and entries of each list of the JSON form, unless `--top` says how many."""

FEW = 3
"""Rows of the tables that need most room, and values of each total, in the place of SHOWN_ROWS."""

LEAST_PROTOCOLS, LEAST_FINDINGS = 3, 3
"""Lines that protocols and findings have beside SHOWN_ROWS: they are short."""

SHOWN_FILES = 2
"""Captures whose facts are shown as blocks; of more there is a table."""

MOST_CONVERSATIONS = 4096
"""Conversations that a live run holds one by one, at most, with 700 bytes each. Of others it has the sums by protocol."""


class Summary(SharedListener):
    """Collects everything for the summary of one run. material: the secrets. shards: None if one process reads."""

    sees_packets = True
    finds_patterns = True
    """Whether findings about the capture as a whole are collected. The summary of a live run does not show them."""

    most_values = MOST_VALUES
    """Values of each total that are told apart, at most."""

    def __init__(self, material: KeyMaterial, chains: Chains, shards: "Shards | None" = None) -> None:
        self.material = material
        self.chains = chains
        self.chain_summary = ChainSummary()
        self.findings = Findings()
        self.capture_findings = CaptureFindings()
        self.failures = Failures()
        self.decryptions = Decryptions()
        self.rows: list[list[Cell]] = []
        self.totals = SessionTotals(self.most_values)
        self.http = HttpTotals(self.most_values)
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
            elif isinstance(event, ConnectionFailed):
                self.failures.take_connection(event.key, event.first_frame, event.last_frame, event.outcome)
            elif isinstance(event, OtherTraffic) and self.finds_patterns:
                self.capture_findings.take_other(event.key, event.frame, event.head)

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._take(orjson.loads(session.describe(self.chains)), session.key)
        if self._shards is not None:
            for failed in self._shards.take_failed():
                self.failures.take_connection(*failed)

    def _take(self, record: dict[str, Any], key: bytes) -> None:
        self.totals.take(record)
        self.http.take(record)
        self.findings.take(record)
        self.failures.take_record(record)
        if self.finds_patterns:
            self.capture_findings.take_record(record)
        self.decryptions.take(record, self.material.given)
        self.chain_summary.take(record)
        if key in self.traffic.tcp:
            self.tls.add(key)
        if record["protocol"] != "tls":
            self.traffic.followed.update(path_keys(record))
        elif key in self.traffic.udp:  # RADIUS
            self.traffic.followed.add(key)
        if record["id"] < SHOWN_SESSIONS:  # the others are only counted, so that a run may last for days
            self._in_order.add(record["id"], session_row(record))

    def leave_out(self, session: int) -> None:
        """See `SharedListener.leave_out`."""
        if session < SHOWN_SESSIONS:
            self._in_order.add(session, None)

    def not_examined(self, files: Sequence[FileFacts]) -> list[NotExamined]:
        """Return what was not looked into. files: the captures."""
        return list(not_examined(files, self.traffic, self.tls, self.decryptions.statuses["none"]))

    def _keep(self, row: list[Cell]) -> None:
        self.rows.append(row)


class LiveSummary(Summary):
    """The same in memory that does not grow, for a run of days."""

    finds_patterns = False
    most_values = 1 << 12

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        if self._traffic.held > MOST_CONVERSATIONS:
            self._traffic.fold(MOST_CONVERSATIONS // 2, self.tls)
            self.tls.intersection_update(self._traffic.tcp)
            self.traffic.followed.intersection_update(self._traffic.udp)


def run(options: Namespace, output: Output) -> int:
    """Print the summary of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, hashing=True)
    chains = read_chains(options)
    keys = read_keys(options, capture_run)
    part = capture_run.part = part_of(options)
    settings: dict[str, Any] = {"fields": False, "watches_revocation": True, "watches_https": True, "watches_failures": True}
    shards = make_shards(options, capture_run, keys, record_text(False, False), chains, settings, traffic=True, records=True)
    if shards is not None:
        summary = Summary(KeyMaterial(None, keys["keylog"], keys["private_keys"], keys["psks"]), chains, shards)
        run_shared(capture_run, shards, summary)
        for other in shards.others:
            summary.capture_findings.take_other(*other)
        forgotten = shards.repetitions.forgotten
    else:
        engine = Engine(**settings, **keys)
        summary = Summary(engine.material, chains)
        wanted = frames_of(part, options, output, keys)
        capture_run.run(engine, [chains, summary if part is None else PartListener(summary, part, chains, wanted)])
        forgotten = engine.dispatcher.repetitions is not None and engine.dispatcher.repetitions.forgotten
    if capture_run.has_no_capture():
        capture_run.status()
        return FAILED
    summary.findings.take_files(capture_run.reader.files)
    summary.findings.take_traffic(summary.traffic)
    summary.findings.take_capture(summary.capture_findings.findings(summary.traffic, forgotten))
    for one in options.outputs:
        _write(one, summary, capture_run.reader, options.top, part)
    return capture_run.status()


def _write(output: Output, summary: Summary, reader: CaptureReader, top: int | None, part: Part | None) -> None:
    if output.form == "json":
        output.write(json_line(summary_record(summary, reader, top or SHOWN_RECORDS, part)))
        return
    n, files = top or SHOWN_ROWS, reader.files
    print_files(files, output, SHOWN_FILES, n)
    if part is not None:
        headline(output, say("A part of the capture"), part_text(part))
    print_contents(summary, output, files, n)
    output.line()
    dim_line(output, say("more: --top N for longer tables, `analyzer show` for one session, --help for the rest"))


def print_contents(summary: Summary, output: Output, files: Sequence[FileFacts] = (), n: int = SHOWN_ROWS) -> None:
    """Print everything of a summary but the facts about the files, with `n` rows in each table."""
    traffic = summary.traffic
    few = max(1, n * FEW // SHOWN_ROWS)
    print_failures(summary.failures, output, n)
    print_protocols(traffic, summary.tls, output, LEAST_PROTOCOLS + n)
    print_hosts(traffic, summary.totals.names, output, n)
    print_conversations(traffic, summary.tls, output, few)
    print_sessions(summary.totals, summary.rows, output, few)
    summary.decryptions.print(output)
    print_http(summary.http, output, few)
    summary.chain_summary.print(output, summary.chains.stores(), n)
    summary.findings.print(output, LEAST_FINDINGS + n)
    print_not_examined(summary.not_examined(files), output)
    output.flush()
