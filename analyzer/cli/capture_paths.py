"""The captures that a command reads: files in the order of their times, and those in folders."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.cli.output import CommandError
from analyzer.text.escape import harmless
from analyzer.text.punctuation import listing

if TYPE_CHECKING:
    from analyzer.capture.frame_places import FramePlaces

CAPTURES = "a capture file, a folder of captures, or - for standard input; several are one, in the order of their times"
"""The help of the captures of a command."""

SHOWN = 3
"""The most paths that a message names."""


def captures_in_order(paths: Sequence[str]) -> list[str]:
    """Return the captures to read, in their order, as `capture_order.captures_of` does.

    Raises CommandError for a folder without captures; OSError.
    """
    from analyzer.capture.capture_order import EmptyFolderError, captures_of

    try:
        return captures_of(paths)
    except EmptyFolderError as error:
        raise CommandError(str(error)) from error


def place_text(places: "FramePlaces", frame: int) -> str:
    """Return the file of a frame, and its number there, as `b.pcap 12`; empty in a run of one file. It is harmless."""
    place = places.of(frame)
    return "" if place is None or place[1] is None else f"{harmless(place[0])} {place[1]}"


def names_of(paths: Sequence[str]) -> str:
    """Return the paths of captures for the beginning of a message, with an ellipsis where there are more."""
    return listing([*paths[:SHOWN], *(["…"] if len(paths) > SHOWN else [])])
