"""`analyzer stats`: counts protocols, conversations, endpoints, traffic over time, TLS or HTTP; and the tables of tshark's -z.

Conversations, endpoints and traffic over time need headers only, and no connection is followed for them.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.conversations import KINDS, Conversations
from analyzer.analysis.http_statistics import HttpStatistics
from analyzer.analysis.intervals import Intervals
from analyzer.analysis.tls_statistics import TlsStatistics
from analyzer.analysis.traffic import Traffic
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of
from analyzer.cli.exit_status import FAILED
from analyzer.cli.filter_options import filter_of as read_filter
from analyzer.cli.frame_reading import FrameReading, View
from analyzer.cli.http import JsonLines
from analyzer.cli.key_files import read_keys
from analyzer.cli.number_argument import MOST_ROWS
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import frames_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.stats_arguments import CONVERSATIONS, ENDPOINTS, HTTP, IO, PROTOCOLS, TLS
from analyzer.cli.stats_csv import write_csv
from analyzer.cli.stats_record import (
    conversation_tables,
    endpoint_tables,
    http_record,
    io_record,
    protocol_records,
    tls_record,
)
from analyzer.cli.stats_text import print_stats
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.store.clock import rfc3339
from analyzer.store.session_record import json_line
from analyzer.store.stats_schema import STATS

if TYPE_CHECKING:
    from analyzer.capture.frame import Frame
    from analyzer.packet.packet import Packet
    from analyzer.store.chain_verdicts import Chains
    from analyzer.store.shards import SharedSession
    from analyzer.tls.events import Event

SHOWN_ROWS, SHOWN_VALUES = 10, 100
"""Rows of each table of text, and values of each count in the other forms, unless `--top` says how many."""


def run(options: Namespace, output: Output) -> int:
    """Print the statistics of the captures, and return the exit status."""
    if options.taps:
        from analyzer.cli.tshark_taps import run_taps

        return run_taps(options, output)
    if options.what != IO and (options.interval is not None or options.columns):
        raise CommandError("--interval and --column are for stats io")
    if filter_of(options) is not None and options.what in (PROTOCOLS, TLS, HTTP):
        from analyzer.cli.filtered_frames import matches_of

        options.matches = matches_of(options, output)
    capture_run = CaptureRun(options.captures, output)
    capture_run.part = part_of(options)
    found = _COUNTERS[options.what](options, capture_run, output)
    if capture_run.has_no_capture():
        capture_run.status()
        return FAILED
    times = [facts for facts in capture_run.reader.files if facts.first_time is not None]
    first = min((facts.first_time for facts in times if facts.first_time is not None), default=None)
    last = max((facts.last_time for facts in times if facts.last_time is not None), default=None)
    part = capture_run.part
    empty = dict.fromkeys(STATS["properties"])
    record = empty | {
        "what": options.what,
        "part": _part_record(part, options),
        "first_time": None if first is None else rfc3339(first),
        "last_time": None if last is None else rfc3339(last),
        **found(-1 if first is None else first),
    }
    for one in options.outputs:
        _write(one, record, options)
    return capture_run.status()


Finish = Callable[[int], dict[str, Any]]
"""Returns what was counted, as keys of the record. It is given the time of the first frame, -1 without one."""


def _part_record(part: Any, options: Namespace) -> dict[str, Any] | None:
    compiled = filter_of(options)
    if part is None and compiled is None:
        return None
    chosen: dict[str, Any] = {"since": None, "until": None, "hosts": []} if part is None else part.record()
    return chosen | {"filter": None if compiled is None else compiled.text}


def _count_protocols(options: Namespace, capture_run: CaptureRun, output: Output) -> Finish:
    keys, part = read_keys(options, capture_run), capture_run.part
    wanted = frames_of(part, options, output, keys)
    listener = _Protocols()
    engine = Engine(fields=False, reads_data=False, **keys)
    capture_run.run(engine, [listener if part is None else _Chosen(listener, part, None, wanted)])
    traffic = listener.traffic
    return lambda _: {
        "packets": traffic.packets,
        "bytes": traffic.n_bytes,
        "protocols": protocol_records(traffic.shares(listener.tls), traffic.packets, traffic.n_bytes),
    }


class _Protocols(SharedListener):
    """Counts the protocols of a run. tls: the keys of connections with TLS."""

    sees_packets = True

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.tls: set[bytes] = set()

    def packet(self, packet: "Packet", frame: "Frame", events: "Sequence[Event]") -> None:
        """See `Listener.packet`."""
        self.traffic.count(packet, frame)

    def take(self, events: "Sequence[Event]") -> None:
        """See `Listener.take`."""
        from analyzer.tls.events import SessionEnded

        for event in events:
            if isinstance(event, SessionEnded) and event.ended.flow.key in self.traffic.tcp:
                self.tls.add(event.ended.flow.key)


class _Chosen(PartListener):
    """Passes on the frames of a part, and all sessions: what a connection carries does not depend on what is chosen of it."""

    def take(self, events: "Sequence[Event]") -> None:
        """See `Listener.take`."""
        self._listener.take(events)


def _count_headers(options: Namespace, capture_run: CaptureRun, output: Output) -> Finish:
    counted = Conversations()
    FrameReading(options, output, [filter_of(options)]).count(capture_run, counted)
    _say_beyond(counted)
    what = options.what
    most = None if any(one.form in ("json", "csv") for one in options.outputs) else MOST_ROWS  # text and pictures have few rows

    def finish(start: int) -> dict[str, Any]:
        tables = conversation_tables(counted, start, most) if what == CONVERSATIONS else endpoint_tables(counted, most)
        return {"packets": counted.n_packets, "bytes": counted.n_bytes, what: tables}

    return finish


def _say_beyond(counted: Conversations) -> None:
    for kind, beyond in zip(KINDS, counted.beyond, strict=True):
        if beyond:
            n = len(counted.opened[KINDS.index(kind)])
            complain(f"only the first {n:,} conversations of {kind} are told apart; {beyond:,} packets are in further ones")


def _count_io(options: Namespace, capture_run: CaptureRun, output: Output) -> Finish:
    filters = [read_filter(text, options) for text in options.columns]
    if any(one.reference_fields for one in filters):
        raise CommandError("a reference such as ${ip.src} cannot be used with --column")
    main = filter_of(options)
    reading = FrameReading(options, output, [None, main, *filters])
    length = options.interval or 0
    counted, columns = Intervals(length), [Intervals(length) for _ in filters]

    def take(view: View) -> None:
        at, n_bytes = view.frame.at, view.frame.wire_length
        if counted.start < 0 <= at:
            for one in (counted, *columns):
                one.start = at
        if view.passed[0]:
            counted.count(at, n_bytes)
            for place, one in enumerate(columns, 1):
                if view.passed[place]:
                    one.count(at, n_bytes)

    reading.run(capture_run, take)
    if counted.beyond:
        complain(
            f"{counted.beyond:,} packets are in intervals beyond the first {len(counted.counts):,}: choose a longer --interval"
        )

    def finish(_: int) -> dict[str, Any]:
        record = io_record(counted, columns, [one.text for one in filters])
        return {"packets": counted.n_packets, "bytes": counted.n_bytes, IO: record}

    return finish


def _count_tls(options: Namespace, capture_run: CaptureRun, output: Output) -> Finish:
    chains, keys, part = read_chains(options), read_keys(options, capture_run), capture_run.part
    listener = _Tls(chains)
    settings: dict[str, Any] = {"fields": False, "watches_revocation": True}
    from analyzer.cli.sessions import record_text

    shards = make_shards(options, capture_run, keys, record_text(False, False), chains, settings, records=True)
    if shards is not None:
        run_shared(capture_run, shards, listener)
    else:
        engine = Engine(**settings, **keys)
        capture_run.run(engine, [chains, listener if part is None else PartListener(listener, part, chains)])
    return lambda _: {TLS: tls_record(listener.statistics, options.top or SHOWN_VALUES)}


class _Tls(SharedListener):
    """Counts the sessions of a run."""

    def __init__(self, chains: "Chains") -> None:
        self.statistics = TlsStatistics()
        self._chains = chains

    def take(self, events: "Sequence[Event]") -> None:
        """See `Listener.take`."""
        from analyzer.store.session_record import session_record
        from analyzer.tls.events import SessionEnded

        for event in events:
            if isinstance(event, SessionEnded):
                self.statistics.take(session_record(event.ended, False, self._chains, False))

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self.statistics.take(orjson.loads(session.describe(self._chains)))


class _Http(JsonLines):
    """Counts the exchanges of a run."""

    def __init__(self, output: Output, part: Any) -> None:
        super().__init__(output, lambda frame: {}, part)
        self.statistics = HttpStatistics()

    def add(self, record: dict[str, Any]) -> None:
        """See `JsonLines.add`."""
        self.statistics.take(record)


def _count_http(options: Namespace, capture_run: CaptureRun, output: Output) -> Finish:
    from analyzer.cli.http import describe_exchanges
    from analyzer.store.chain_verdicts import NO_VERDICTS

    keys, part = read_keys(options, capture_run), capture_run.part
    listener = _Http(output, part)
    settings: dict[str, Any] = {"fields": False, "watches_http": True}
    shards = make_shards(options, capture_run, keys, describe_exchanges, NO_VERDICTS, settings)
    if shards is not None:
        run_shared(capture_run, shards, listener)
    else:
        capture_run.run(Engine(**settings, **keys), [listener if part is None else PartListener(listener, part)])
    return lambda _: {HTTP: http_record(listener.statistics, options.top or SHOWN_VALUES)}


_COUNTERS: dict[str, Callable[[Namespace, CaptureRun, Output], Finish]] = {
    PROTOCOLS: _count_protocols,
    CONVERSATIONS: _count_headers,
    ENDPOINTS: _count_headers,
    IO: _count_io,
    TLS: _count_tls,
    HTTP: _count_http,
}


def _write(output: Output, record: dict[str, Any], options: Namespace) -> None:
    if output.form == "json":
        output.write(json_line(record))
    elif output.form == "csv":
        write_csv(output, record)
    elif output.form == "svg":
        from analyzer.cli.stats_svg import stats_svg

        output.write(stats_svg(record).encode())
    else:
        print_stats(output, record, options.top or SHOWN_ROWS)
    output.flush()
