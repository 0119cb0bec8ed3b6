"""Finds the captures that paths name, and puts several captures into the order of their times.

Several captures of a run are one. Programs that capture for days begin a new file from time to time (dumpcap -b, tcpdump -C and
-G), and a connection goes on in the next file. So the files have to be read in the order of their times, in whatever order the
shell has named them: the frame numbers and the numbers of sessions are then the same for the same files. The time of a capture
is that of its first frame with a time. Captures that begin at the same time are taken in the order of their names, where `9`
comes before `10`.
"""

import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from analyzer.capture.frame import Frame
from analyzer.capture.other_formats import advice
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.source import STANDARD_INPUT, Source
from analyzer.codec.errors import ParseError

LOOKED_AT = 16 << 20
"""Bytes at the beginning of a capture in which its first frame is looked for. Before it there may be a block of secrets."""

_NUMBER = re.compile(r"(\d{1,4000})", re.ASCII)


class EmptyFolderError(ValueError):
    """A folder has no capture in it. path: of the folder."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: no capture is in this folder")
        self.path = path


class Beginning(NamedTuple):
    """The beginning of a file. is_capture: pcap, pcapng, or another format of captures. time: of the first frame, ns since the
    epoch; None if it has none.
    """

    is_capture: bool
    time: int | None


def captures_of(paths: Sequence[str]) -> list[str]:
    """Return the captures to read, in their order. A folder stands for the captures in it, without those in its folders.

    What has no time (`-`, a pipe, a file without frames) keeps its place. Raises EmptyFolderError; OSError for a file that
    cannot be read.
    """
    if len(paths) == 1 and not os.path.isdir(paths[0]):
        return list(paths)
    found: list[tuple[str, int | None]] = []
    for path in paths:
        if path != STANDARD_INPUT and os.path.isdir(path):
            found += _in_folder(path)
        else:
            found.append((path, beginning_of(path).time if path != STANDARD_INPUT and os.path.isfile(path) else None))
    timed = iter(sorted((time, _in_words(path), path) for path, time in found if time is not None))
    return [path if time is None else next(timed)[2] for path, time in found]


def beginning_of(path: str) -> Beginning:
    """Look at the beginning of a regular file. Raises OSError."""
    packet_reader = PacketReader(Frame(), 0, True)
    is_capture, n_bytes = False, 0
    with Source(path) as source:
        try:
            for chunk in source.chunks():
                n_bytes += len(chunk)
                is_capture = is_capture or "editcap" in (advice(chunk[:512]) or "")
                packet_reader.feed(chunk)
                while packet_reader.advance():
                    if packet_reader.earliest >= 0:
                        return Beginning(True, packet_reader.earliest)
                if packet_reader.error is not None or n_bytes > LOOKED_AT:
                    break
        except ParseError:  # reported when the file is read for its frames
            pass
    return Beginning(is_capture or packet_reader.format is not None, None)


def _in_folder(folder: str) -> Iterable[tuple[str, int | None]]:
    """Yield the captures of a folder and their times, in the order of their names. Raises EmptyFolderError, OSError."""
    found = []
    for name in sorted(os.listdir(folder), key=_in_words):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            beginning = beginning_of(path)
            if beginning.is_capture:
                found.append((path, beginning.time))
    if not found:
        raise EmptyFolderError(folder)
    return found


def _in_words(path: str) -> list[str | tuple[int, str]]:
    """Return the name of a file as words and numbers, to sort by: each number has its digits behind it."""
    parts = _NUMBER.split(os.path.basename(path))
    return [(int(part), part) if number % 2 else part for number, part in enumerate(parts)]
