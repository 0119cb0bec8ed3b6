"""Defines the options of `analyzer inventory`, and its help."""

import argparse
import re

from analyzer.cli.output_arguments import add_format
from analyzer.text.language import noted

EXAMPLES = """\
examples:
  analyzer inventory trace.pcapng                    every part in short
  analyzer inventory trace.pcapng --weak             which servers still speak TLS 1.0, RC4 or SHA-1
  analyzer inventory trace.pcapng --expiring 30d     which certificates expire within 30 days, and who serves them
  analyzer inventory trace.pcapng --ja4              which fingerprints are rare, and which hosts have them
  analyzer inventory *.pcap --servers --format csv -o servers.csv
  analyzer inventory trace.pcapng --format cbom -o trace.cdx.json"""

SERVERS, CLIENTS, CERTIFICATES, JA4, WEAK, POST_QUANTUM = TABLES = (
    "servers", "clients", "certificates", "ja4", "weak", "post_quantum",
)  # fmt: skip
"""The parts of an inventory, as options choose them."""

_ABOUTS = noted(
    {
        SERVERS: "every server: names, versions, suites, certificates",
        CLIENTS: "every client address: JA4, versions and groups that it offers, its servers",
        CERTIFICATES: "every certificate by its expiry, with who serves it",
        JA4: "every JA4 fingerprint, the rarest first, with the hosts that have it",
        WEAK: "what is weak or legacy: agreed on by servers, and, apart from that, offered by clients",
        POST_QUANTUM: "what resists quantum computers, and what is recorded today and can be opened later",
    }
)

SOON = 30 * 86_400
"""Seconds before the end of its validity in which a certificate counts as expiring."""

_UNITS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d{1,6})([hdw])", re.ASCII)


def add_inventory(command: argparse.ArgumentParser) -> None:
    """Add the options that are those of `inventory` alone."""
    chosen = command.add_argument_group("one part in full (in CSV one part is the table; servers is the default)")
    for name in TABLES:
        chosen.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=_ABOUTS[name])
    chosen.add_argument(
        "--expiring",
        type=_span,
        metavar="TIME",
        help="certificates that expire within that time, such as 30d, 8w or 12h, after the last packet or --at; and those that "
        "have expired, or are not yet valid",
    )
    add_format(command, "text", "json", "csv", "cbom")


def _span(text: str) -> int:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: say days, weeks or hours, as in 30d, 8w or 12h")
    return int(found[1]) * _UNITS[found[2]]
