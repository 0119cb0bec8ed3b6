"""Defines the options of `analyzer crosscheck`, and its help."""

import argparse

from analyzer.cli.output_arguments import add_format

EXAMPLES = """\
examples:
  analyzer crosscheck trace.pcapng -k keys.log      what tshark and we see in it, and every difference
  analyzer crosscheck trace.pcapng --tshark /opt/wireshark/bin/tshark
  analyzer crosscheck trace.pcapng --format json | jq '.differences[] | select(.reason == null)'"""

STATUS = """\
exit status:
  0  both agree, or the reason of every difference is known
  1  a capture is damaged or cut short; what could be read is compared
  2  nothing could be done: no such file, not a capture, no tshark, bad option
  3  both disagree, without a known reason"""

LONGEST_WAIT = 300
"""Seconds to wait for tshark. It says nothing about packets that need no comparison, and reads a million of them in less."""


def add_crosscheck(command: argparse.ArgumentParser) -> None:
    """Add the captures and the options of `crosscheck`, without those of the keys."""
    command.add_argument("captures", nargs="+", metavar="CAPTURE", help="a capture file, which tshark can read too; not -")
    add_tshark(command)
    add_format(command, "text", "json", "csv")


def add_tshark(command: argparse.ArgumentParser) -> None:
    """Add the options that choose tshark and limit its time."""
    command.add_argument("--tshark", metavar="PATH", help="the tshark to ask, from version 4.0 on (default: that in PATH)")
    command.add_argument(
        "--timeout",
        type=_seconds,
        default=LONGEST_WAIT,
        metavar="SECONDS",
        help=f"end tshark when it says nothing for so long ({LONGEST_WAIT} is the default)",
    )


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 86400 or len(text) > 5:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 86400")
    return int(text)
