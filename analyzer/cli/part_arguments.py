"""The options that choose a part of a capture: `--since`, `--until` and `--host`."""

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.number_argument import read_numbers
from analyzer.cli.output import CommandError
from analyzer.store.named_host import read_host
from analyzer.store.validation_time import CAPTURE, NOW, read_moment

if TYPE_CHECKING:
    from analyzer.capture.capture_reader import FileFacts
    from analyzer.store.part import Part

PARTED = frozenset(
    {
        "summary", "sessions", "show", "http", "certificates", "inventory", "stats", "follow", "export", "packets", "packet",
        "keys", "report", "crosscheck", "compare",
    }
)  # fmt: skip
"""The commands that read captures."""


def add_part(command: argparse.ArgumentParser) -> None:
    """Add the options to a command that reads captures."""
    part = command.add_argument_group("a part of the capture")
    part.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="only what happened at this time or later, such as 2026-10-03T12:00:00Z, or a date for its first moment in UTC",
    )
    part.add_argument("--until", type=_moment, metavar="TIME", help="only what happened before this time")
    part.add_argument(
        "--host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="only what has this address or server name on one side; may be repeated",
    )


def add_numbers(command: argparse.ArgumentParser, dest: str = "numbers") -> None:
    """Add --session to a command that lists or writes what is in sessions."""
    command.add_argument(
        "--session",
        dest=dest,
        type=read_numbers,
        action="extend",
        default=[],
        metavar="IDS",
        help="only the sessions with these numbers, such as 3 or 0-3,7; may be repeated",
    )


def part_of(options: Namespace) -> "Part | None":
    """Return the part that the options choose; None for all of the capture. Raises CommandError for an empty span of time."""
    since, until, hosts = getattr(options, "since", None), getattr(options, "until", None), getattr(options, "host", [])
    numbers = frozenset(getattr(options, "numbers", ()))
    matches = getattr(options, "matches", None)
    if since is None and until is None and not hosts and not numbers and matches is None:
        return None
    if since is not None and until is not None and since >= until:
        raise CommandError("--since is not before --until: nothing can be between them")
    from analyzer.store.part import Part

    addresses = frozenset(address for address, _ in hosts if address is not None)
    return Part(since, until, addresses, frozenset(name for _, name in hosts if name is not None), numbers, matches)


def beside_the_part(part: "Part | None", files: "list[FileFacts]") -> str:
    """Return a line about captures that have no frame in the span of time; empty if they have some."""
    known = [(facts.first_time, facts.last_time) for facts in files if facts.first_time is not None]
    if part is None or not known:
        return ""
    first = min(one for one, _ in known if one is not None)
    last = max(one for _, one in known if one is not None)
    if (part.until is None or first < part.until) and (part.since is None or last >= part.since):
        return ""
    from analyzer.store.clock import rfc3339

    return f"no frame is in the time of --since and --until: the captures go from {rfc3339(first)} to {rfc3339(last)}"


def part_text(part: "Part") -> str:
    """Return the part as the options that choose it."""
    chosen = part.record()
    options = [("--since", chosen["since"]), ("--until", chosen["until"]), *(("--host", host) for host in chosen["hosts"])]
    options.append(("-Y", chosen["filter"]))
    return " ".join(f"{option} {value}" for option, value in options if value is not None)


def _moment(text: str) -> int:
    try:
        if text not in (CAPTURE, NOW):
            found = read_moment(text)
            assert isinstance(found, int)
            return found
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no time: say it with its zone, as in 2026-10-03T12:00:00Z, or a date")


def _host(text: str) -> tuple[str | None, str | None]:
    try:
        return read_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
