"""Which frames of its captures a command reads: those that `-c` counts, and that a capture filter behind the captures passes.

The last words of a command line that are no files are a filter: a display filter, as tshark takes it there, or an expression
of pcap-filter(7), as tcpdump takes it. A word that may be both means the same in both. A display filter is tried first, because
libpcap looks up names that it does not know.
"""

import os
from argparse import Namespace
from collections.abc import Sequence

from analyzer.capture.frame_choice import choice_of
from analyzer.cli.output import STANDARD_STREAM, CommandError, complain

WITH_EXPRESSION = frozenset(
    {
        "summary", "sessions", "http", "certificates", "inventory", "packets", "keys", "report", "stats", "show", "follow",
        "packet", "export",
    }
)  # fmt: skip
"""The commands behind whose captures, and what is looked for in them, a filter may stand."""


def take_expression(options: Namespace) -> None:
    """Take a filter from behind the captures of the options: `filter` is set, or `frame_expression`. Raises CommandError."""
    if options.command not in WITH_EXPRESSION:
        return
    captures: list[str] = options.captures
    end = len(captures)
    while end and not _is_capture(captures[end - 1]):
        end -= 1
    words = captures[end:]
    if not end or not words:
        return
    text = " ".join(words)
    if options.filter is None and _is_display_filter(text, options):
        options.filter = text
    elif len(words) > 1 or " " in text or text in _PROTOCOLS:
        options.frame_expression = text
    else:
        return  # it can only be a file, which is missing
    options.captures = captures[:end]


def with_choice(captures: list[str], options: Namespace) -> list[str]:
    """Return the captures with the choice of the frames that are read. Raises CommandError for a filter that is none."""
    most = getattr(options, "n_frames", None)
    text: str | None = getattr(options, "frame_expression", None)
    if most is None and text is None:
        return captures
    from analyzer.capture.frame_choice import ChosenCaptures, FrameChoice

    if text is None:
        return ChosenCaptures(captures, FrameChoice(most))
    from analyzer.capture.packet_filter import CaptureError, PacketFilter

    try:
        return ChosenCaptures(captures, FrameChoice(most, PacketFilter(text)))
    except CaptureError as error:
        raise CommandError(str(error)) from error


def complain_of_filter(captures: Sequence[str]) -> None:
    """Say on standard error if no frame of captures that were read has passed their capture filter."""
    choice = choice_of(captures)
    if choice is None or choice.passes is None:
        return
    from analyzer.capture.packet_filter import PacketFilter

    if isinstance(choice.passes, PacketFilter) and not choice.passes.passed:
        complain(f"no packet passes {choice.passes.expression}")


def _is_capture(word: str) -> bool:
    return word == STANDARD_STREAM or os.path.lexists(word)


def _is_display_filter(text: str, options: Namespace) -> bool:
    from analyzer.cli.filter_options import filter_of

    try:
        filter_of(text, options)
    except CommandError:
        return False
    return True


_PROTOCOLS = frozenset(
    {"ip", "ip6", "arp", "rarp", "icmp", "icmp6", "tcp", "udp", "sctp", "vlan", "mpls", "ether", "igmp", "esp", "ah"}
)
"""Words that are a whole expression of pcap-filter(7)."""
