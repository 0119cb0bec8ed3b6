"""Defines the options of `analyzer compare`, and its help."""

import argparse

from analyzer.cli.output_arguments import add_format
from analyzer.store.compare_modes import PLACES, TIMES

EXAMPLES = """\
examples:
  analyzer compare client.pcapng server.pcapng         one traffic at two places: clocks, losses, interception
  analyzer compare last-week.pcapng this-week.pcapng   two times: what is new, what is gone, what changed
  analyzer compare good.pcap new.pcap --new-findings   for CI: status 3 if there is a finding that was not there
  analyzer compare monday tuesday --format json | jq '.differences.listed[] | select(.kind == "certificate")'"""

STATUS = """\
exit status:
  0  there is no difference; with --new-findings, no new finding
  1  a capture is damaged or cut short; what could be read is compared
  2  nothing could be done: no such file, not a capture, bad option
  3  there are differences; with --new-findings, new findings"""


ONE = "a capture, a folder of captures, or - for standard input"


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add the captures and the options of `compare`, without those of keys and trust."""
    command.add_argument("captures", action="append", metavar="A", help=ONE)
    command.add_argument("captures", action="append", metavar="B", help="what is compared with it")
    modes = command.add_mutually_exclusive_group()
    modes.add_argument(
        "--places",
        dest="mode",
        action="store_const",
        const=PLACES,
        help="one traffic at two places; the default where both have a connection in common",
    )
    modes.add_argument(
        "--times",
        dest="mode",
        action="store_const",
        const=TIMES,
        help="two times, A before B; the default where nothing is common",
    )
    modes.add_argument(
        "--new-findings",
        action="store_true",
        help="only findings in B that are not in A, as two times; status 3 if there are any",
    )
    add_format(command, "text", "json", "csv")
