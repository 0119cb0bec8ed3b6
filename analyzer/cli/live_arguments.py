"""Defines the options of `analyzer live`, with the names that dumpcap and tcpdump use."""

import argparse
from collections.abc import Callable
from typing import TypeVar

EXAMPLES = """\
examples:
  analyzer live eth0                        on a terminal: the view; else one row for every session that ends
  analyzer live -i eth0 -i lo -f 'tcp port 443' --format json | jq -r .server_name
  analyzer live any -w trace.pcapng --rotate 100MB --keep 10 -a duration:3600
  analyzer live eth0 -k keys.log --events   every event as a line of JSON, while it happens
  analyzer live eth0 --keep-before 60s --trigger fatal_alert,downgrade --incidents DIR
  analyzer live eth0 -Y 'analyzer.outcome.result == "failed" && ip.addr == 192.0.2.0/24'
  analyzer live eth0 --trigger-filter 'tls.handshake.extensions_server_name contains "shop"'
  analyzer live -- curl https://example.com only the connections of this command, decrypted
  ssh host tcpdump -U -w - not port 22 | analyzer live -"""

Value = TypeVar("Value")


def add_live(command: argparse.ArgumentParser) -> None:
    """Add the options that only `live` has."""
    command.usage = "analyzer live [INTERFACE]... [OPTION]... [-- COMMAND [ARGUMENT]...]"
    command.add_argument("interfaces", nargs="*", metavar="INTERFACE", help="an interface, any for all, or - for a pipe")
    command.add_argument(
        "-i", "--interface", action="append", default=[], metavar="INTERFACE", help="the same, as in dumpcap; may be repeated"
    )
    command.add_argument("--format", choices=("text", "json"), help="a row or an object for every session that ends")
    command.add_argument("--events", action="store_true", help="every event as a line of JSON, while it happens")
    socket = command.add_argument_group("capturing")
    socket.add_argument("-f", "--capture-filter", metavar="BPF", help="the packets that the kernel lets through, as in tcpdump")
    socket.add_argument(
        "-B", "--buffer", type=_checked(_from_1_to(4096)), metavar="MIB", help="the kernel's buffer, in MiB (32)"
    )
    socket.add_argument(
        "-s", "--snapshot-length", type=_checked(_from_1_to(262_144)), metavar="BYTES", help="bytes of each packet (262144)"
    )
    socket.add_argument("-p", "--no-promiscuous", action="store_true", help="only packets for this machine")
    socket.add_argument(
        "--backend", choices=("ring", "scapy"), help="how to capture: ring (Linux), or scapy's sockets, far slower"
    )
    socket.add_argument(
        "--user", metavar="NAME", help="the user to become when the interfaces are open (default: who called sudo)"
    )
    socket.add_argument(
        "-j", "--jobs", type=_checked(_from_1_to(64)), metavar="N", help="share the packets between N processes (default: 1)"
    )
    ends = command.add_argument_group("ending")
    ends.add_argument("-c", "--count", type=_checked(_from_1_to(10**15)), metavar="N", help="end after N packets")
    ends.add_argument(
        "-a",
        "--autostop",
        action="append",
        default=[],
        metavar="WHAT:N",
        help="end after duration:SECONDS, packets:N or filesize:KILOBYTES; may be repeated",
    )
    keeping = command.add_argument_group("keeping packets")
    keeping.add_argument("-w", "--write", metavar="FILE", help="write the packets into FILE (pcapng)")
    keeping.add_argument("--rotate", metavar="SIZE|TIME", help="begin another file every 100MB, or every 5min")
    keeping.add_argument(
        "--keep", type=_checked(_from_1_to(100_000)), metavar="N", help="keep the last N of these files (default: all)"
    )
    keeping.add_argument("--embed-keys", action="store_true", help="put the secrets of the sessions into the file too")
    keeping.add_argument("--keep-before", metavar="TIME", help="hold the packets of so long in memory, for incidents (60s)")
    keeping.add_argument("--trigger", metavar="CODES", help="write an incident at such a finding, or cause of a failure")
    keeping.add_argument(
        "--trigger-filter", metavar="EXPR", help="the same for a session that passes this filter: at its packet, or at its end"
    )
    keeping.add_argument("--incidents", default=".", metavar="DIR", help="the folder for incidents (default: this one)")


def _from_1_to(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 18 or not 1 <= int(text) <= most:
            raise ValueError(f"{text!r} is no number from 1 to {most}")
        return int(text)

    return read


def _checked(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Make a function that argparse calls report its ValueError as it is."""

    def checked(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked
