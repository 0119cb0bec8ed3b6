"""Which frames of captures are read at all: the first so many, and those that pass a capture filter.

For everything that reads, other frames are not there. Frames keep the numbers that they have in the captures.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.packet_reader import PacketReader


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """most: the number of the last frame that is read, None for no limit. passes: a test of frames, None for all."""

    most: int | None = None
    passes: Callable[[Frame], bool] | None = None


class ChosenCaptures(list[str]):
    """Paths of captures, with the choice of the frames that are read of them."""

    def __init__(self, paths: Iterable[str], choice: FrameChoice) -> None:
        super().__init__(paths)
        self.choice = choice


class ChoosingReader(FrameReader):
    """Goes through the frames of a packet reader, and stops at those of a choice. full: no further frame is wanted."""

    def __init__(self, inner: PacketReader, choice: FrameChoice) -> None:
        super().__init__(inner.frame)
        self.inner = inner
        self.full = choice.most is not None and inner.frame.number >= choice.most
        self._most = choice.most
        self._passes = choice.passes
        self.secrets, self.interfaces, self.processes = inner.secrets, inner.interfaces, inner.processes

    def advance(self) -> bool:
        """See `FrameReader.advance`."""
        advance, frame, passes = self.inner.advance, self.frame, self._passes
        while not self.full and advance():
            if self._most is not None and frame.number >= self._most:
                self.full = True
            if passes is None or passes(frame):
                return True
        return False

    def __getattr__(self, name: str) -> Any:
        """What the file says is what the packet reader has read of it."""
        return getattr(self.inner, name)


def choice_of(paths: object) -> FrameChoice | None:
    """Return the choice that paths of captures come with, None for all frames."""
    return paths.choice if isinstance(paths, ChosenCaptures) else None


def with_choice_of(paths: object, files: list[str]) -> list[str]:
    """Return files, read as the paths are from which they come."""
    choice = choice_of(paths)
    return files if choice is None else ChosenCaptures(files, choice)
