"""The option -z of tshark: reads what it asks for, and writes tables that have the form of tshark's.

Everything that is asked about frames is asked in one reading. As in tshark, the last table that was asked for comes first, a
filter stands behind the name of a table, and -Y does not concern it.
"""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.exit_status import FAILED
from analyzer.cli.filter_options import filter_of
from analyzer.cli.frame_reading import FrameReading, View
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.stats_arguments import WHATS

if TYPE_CHECKING:
    from analyzer.analysis.conversations import Conversations
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field

KNOWN = (
    "conv,eth|ip|ipv6|tcp|udp[,FILTER]",
    "endpoints,eth|ip|ipv6|tcp|udp[,FILTER]",
    "io,phs[,FILTER]",
    "io,stat,INTERVAL[,FILTER]...",
    "http,tree[,FILTER]",
    "http_req,tree[,FILTER]",
    "http_srv,tree[,FILTER]",
    "dns,tree[,FILTER]",
    "expert[,error|warn|note|chat][,FILTER]",
    "follow,tcp|udp|tls|dtls,ascii|hex|raw|yaml,N[,RANGE]",
    "follow,quic|http2,ascii|hex|raw|yaml,N,STREAM[,RANGE]",
)
"""What -z takes."""


class Span(NamedTuple):
    """The time of the captures. start: of the first frame; duration: to the last one; in nanoseconds, start -1 without one."""

    start: int
    duration: int


class Tap:
    """One table. Subclasses take frames, and return the lines of the table.

    filters: what is asked of each frame; None if all pass. fields: whose values the table needs. counted: counts all that
    passes, for a table that is nothing else; None for others.
    """

    counted: "Conversations | None" = None

    filters: "Sequence[CompiledFilter | None]" = (None,)
    fields: "frozenset[Field]" = frozenset()

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """Take a frame. passed: whether it passes each of the filters."""

    def lines(self, span: Span) -> Iterator[str]:
        """Yield the lines of the table, when all frames were taken."""
        return iter(())


def read_filter(text: str, options: Namespace) -> "CompiledFilter | None":
    """Return the filter behind the name of a table; None without one. Raises CommandError for a mistake in it."""
    if not text:
        return None
    compiled = filter_of(text, options)
    if compiled.reference_fields:
        raise CommandError("a reference such as ${ip.src} cannot be used with -z")
    return compiled


def run_taps(options: Namespace, output: Output) -> int:
    """Write the tables that -z asks for, and return the exit status."""
    if any(one.form != "text" for one in options.outputs):
        raise CommandError("-z writes text as tshark does: for JSON, CSV and SVG name WHAT, as in `stats trace.pcapng io`")
    for path in options.captures:
        if path in WHATS and not os.path.lexists(path):
            raise CommandError(f"-z is instead of {path}: give one of them")
    if options.filter is not None:
        complain("-Y does not concern -z, as in tshark: write the filter behind the name of the table, as in conv,tcp,FILTER")
        options.filter = None
    taps = [_made(text, options) for text in options.taps]
    captures = CaptureRun(options.captures, output)
    framed = [tap for tap in taps if isinstance(tap, Tap)]
    if len(taps) > 1 and not captures.rereadable():
        raise CommandError("several tables of a pipe: save it to a file first")
    if framed or not taps:
        _read(options, output, captures, framed)
        if captures.has_no_capture():
            captures.status()
            return FAILED
    status = captures.status() if framed else 0
    span = _span(captures)
    for tap in reversed(taps):
        if isinstance(tap, Tap):
            for line in tap.lines(span):
                output.line(line, keep=True)
        else:
            status = tap(output) or status
    output.flush()
    return status


def _read(options: Namespace, output: Output, captures: CaptureRun, taps: Sequence[Tap]) -> None:
    captures.part = part_of(options)
    counted = taps[0].counted if len(taps) == 1 else None
    if counted is not None:
        FrameReading(options, output, taps[0].filters).count(captures, counted)
        return
    filters = [one for tap in taps for one in tap.filters]
    fields = {field for tap in taps for field in tap.fields}
    places, at = [], 0
    for tap in taps:
        places.append((tap, at, at + len(tap.filters)))
        at += len(tap.filters)

    def take(view: View) -> None:
        for tap, first, last in places:
            tap.take(view, view.passed[first:last])

    FrameReading(options, output, [None, *filters], fields).run(captures, take)


def _span(captures: CaptureRun) -> Span:
    files = captures.reader.files
    first = min((facts.first_time for facts in files if facts.first_time is not None), default=-1)
    last = max((facts.last_time for facts in files if facts.last_time is not None), default=-1)
    return Span(first, max(0, last - first))


Write = Callable[[Output], int]
"""Reads the captures itself, writes what it found, and returns the exit status."""


def _made(text: str, options: Namespace) -> Tap | Write:
    """Return the table for a value of -z. Raises CommandError for one that is not known."""
    parts = text.split(",")
    name = parts[0]
    if name in ("conv", "endpoints") and len(parts) > 1:
        from analyzer.cli.tshark_conversations import ConversationTap, EndpointTap

        made = ConversationTap if name == "conv" else EndpointTap
        return made(parts[1], read_filter(",".join(parts[2:]), options), ",".join(parts[2:]))
    if text == "io,phs" or text.startswith("io,phs,"):
        from analyzer.cli.tshark_hierarchy import HierarchyTap

        return HierarchyTap(read_filter(text[7:], options), text[7:])
    if text.startswith("io,stat,"):
        from analyzer.cli.tshark_intervals import interval_tap

        return interval_tap(text[8:], options)
    if len(parts) > 1 and parts[1] == "tree" and name in ("http", "http_req", "http_srv"):
        from analyzer.cli.tshark_http import http_tap

        return http_tap(name, read_filter(",".join(parts[2:]), options))
    if len(parts) > 1 and parts[:2] == ["dns", "tree"]:
        from analyzer.cli.tshark_dns import DnsCounter

        return DnsCounter(read_filter(",".join(parts[2:]), options))
    if name == "expert":
        from analyzer.cli.tshark_expert import expert_tap

        return expert_tap(parts[1:], options)
    if name == "follow":
        from analyzer.cli.tshark_follow import follow_tap

        return follow_tap(parts[1:], options)
    unknown = CommandError(f"-z {text}: no such table; there are:")
    unknown.lines = tuple(f"    {one}" for one in KNOWN)
    raise unknown
