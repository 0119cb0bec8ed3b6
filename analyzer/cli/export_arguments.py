"""Defines the options of `analyzer export`, and its examples."""

import argparse

from analyzer.cli.number_argument import read_size
from analyzer.cli.part_arguments import add_numbers

EXAMPLES = """\
examples:
  analyzer export trace.pcapng -o DIR -k keys.log           HTTP objects and certificates, with a manifest.json
  analyzer export trace.pcapng -o files.zip -k keys.log     the same as one file
  analyzer export trace.pcapng -o DIR -k keys.log --session 0-3,7 --what objects,streams
  analyzer export trace.pcapng --har web.har -k keys.log    every HTTP exchange, for the developer tools of a browser
  analyzer export trace.pcap -o open.pcapng -k keys.log     the capture with its secrets: wireshark opens it as it is
  analyzer export trace.pcap -o one.pcapng -k keys.log --session 3 --only
  analyzer export call.pcap --srtp-keys call.srtp.jsonl -k keys.log
  analyzer export trace.pcap --plaintext plain.pcapng -k keys.log && suricata -r plain.pcapng"""


def add_export(command: argparse.ArgumentParser) -> None:
    """Add where to, and what, to a command that has its captures."""
    command.add_argument(
        "-o",
        "--output",
        dest="target",
        metavar="FILE",
        help="a new or empty folder for the files, or FILE.zip; or FILE.pcapng for the capture with the secrets of the "
        "sessions inside, which opens them for everybody who gets it",
    )
    command.add_argument(
        "--plaintext",
        metavar="FILE",
        help="instead of -o: what the sessions carried as packets of plain TCP, for detectors that have no keys; "
        "addresses and ports stay, so let the reader know that port 443 is not encrypted here",
    )
    command.add_argument(
        "--har",
        metavar="FILE",
        help="instead of -o: every HTTP exchange, decrypted or plain, as an HTTP Archive (HAR 1.2), which browsers open; "
        "cookies and passwords are in it as they were sent",
    )
    command.add_argument(
        "--srtp-keys",
        metavar="FILE",
        help="instead of -o: the keys of SRTP of each decrypted session over DTLS that agreed on a profile (RFC 5764), an "
        "object of JSON a line; they open its media for everybody who gets them",
    )
    command.add_argument(
        "--what",
        metavar="KINDS",
        help="which files, with commas between: objects (bodies of HTTP, decoded), certificates (PEM), "
        "streams (all bytes that each side sent); the first two are the default",
    )
    add_numbers(command, "session")
    command.add_argument("--only", action="store_true", help="only the packets of these sessions (FILE.pcapng)")
    command.add_argument("--force", action="store_true", help="write over a file, or into a folder that is not empty")
    command.add_argument(
        "--max-size",
        type=read_size,
        default=read_size("10G"),
        metavar="SIZE",
        help="write at most SIZE bytes in total (k, M and G for thousands; 10G is the default)",
    )
