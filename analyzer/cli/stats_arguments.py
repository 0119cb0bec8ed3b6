"""Defines the options of `analyzer stats`, and its help."""

import argparse
import re
from argparse import Action, Namespace
from collections.abc import Sequence
from typing import Any

from analyzer.cli.number_argument import read_rows
from analyzer.cli.output_arguments import add_format

EXAMPLES = """\
examples:
  analyzer stats trace.pcapng conversations         who talked to whom, how much and how long, by kind of address
  analyzer stats trace.pcapng io --interval 10s     packets and bytes over time, as plots and rows
  analyzer stats trace.pcapng io --column tcp.analysis.retransmission --column 'tls.alert_message'
  analyzer stats trace.pcapng tls -k keys.log       what TLS agreed on, why it failed, how long handshakes took
  analyzer stats trace.pcapng endpoints --format csv -o endpoints.csv
  analyzer stats trace.pcapng io -o traffic.svg     the same as a picture
  analyzer -r trace.pcapng -q -z conv,tcp           as tshark writes it; also endpoints, io,phs, io,stat, http,tree, expert"""

PROTOCOLS, CONVERSATIONS, ENDPOINTS, IO, TLS, HTTP = WHATS = (
    "protocols", "conversations", "endpoints", "io", "tls", "http",
)  # fmt: skip
"""What can be counted."""

WHAT = "protocols, conversations, endpoints, io, tls or http"

_UNITS = {"us": 1_000, "ms": 1_000_000, "": 1_000_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}
_SPAN = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(us|ms|s|m|h|)", re.ASCII)

MOST_TAPS = 32
"""How often -z may be given."""


def add_stats(command: argparse.ArgumentParser) -> None:
    """Add the options that are those of `stats` alone."""
    what = command.add_argument("what", choices=WHATS, metavar="WHAT", help=WHAT)
    command.add_argument(
        "--interval",
        type=read_interval,
        metavar="TIME",
        help="with io: the length of an interval, such as 10s, 0.5, 100ms or 5m (default: one of which some 60 are needed)",
    )
    command.add_argument(
        "--column",
        dest="columns",
        action="append",
        default=[],
        metavar="EXPR",
        help="with io: a column with the packets that pass this display filter; may be repeated",
    )
    command.add_argument("--top", type=read_rows, metavar="N", help="rows in each table of text (default: 10; at most 100)")
    command.add_argument(
        "-z",
        dest="taps",
        action=_tap_instead_of(what),
        default=[],
        metavar="TAP",
        help="instead of WHAT: a table as tshark writes it, such as conv,tcp or io,stat,1,tcp.port==443; may be repeated",
    )
    command.add_argument(
        "-q", dest="quiet", action="store_true", help="accepted, as tshark has it: packets are not listed anyway"
    )
    add_format(command, "text", "json", "csv", "svg")


def _tap_instead_of(what: Action) -> type[Action]:
    """Return the action of -z, in whose presence the positional argument `what` is not asked for.

    Options come before all positional arguments (`word_order`), so it is known in time.
    """

    class TakeTap(Action):
        """Takes a tap."""

        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: Namespace,
            values: str | Sequence[Any] | None,
            option_string: str | None = None,
        ) -> None:
            taps = [*getattr(namespace, self.dest), values]
            if len(taps) > MOST_TAPS:
                raise argparse.ArgumentError(self, f"more than {MOST_TAPS} of them")
            setattr(namespace, self.dest, taps)
            what.nargs = "?"

    return TakeTap


def read_interval(text: str) -> int:
    """Read a length of time, and return it in nanoseconds. Raises ArgumentTypeError."""
    found = _SPAN.fullmatch(text)
    length = 0
    if found is not None:
        unit = _UNITS[found[3]]
        length = int(found[1]) * unit + int((found[2] or "0").ljust(9, "0")) * unit // 1_000_000_000
    if not 1_000 <= length <= 10**18:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: say seconds, or as in 100ms, 10s, 5m or 1h")
    return length
