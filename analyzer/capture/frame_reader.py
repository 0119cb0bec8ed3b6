"""What the engine needs of every source of frames, a file or a live interface: frame after frame, in one shared `Frame`."""

from __future__ import annotations

from typing import Any

from analyzer.capture.blocks import Interface
from analyzer.capture.frame import Frame


class FrameReader:
    """The base of all readers of frames. It has no frames itself.

    frame: the current frame, filled again by `advance`. secrets: (type, bytes) of Decryption Secrets Blocks; the list grows as
    frames are read. interfaces: the descriptions of the interfaces, which also grow; `frame.interface` is the number of one.
    processes: which frames belong to which process (`FrameProcesses`), None where nothing says so.
    """

    __slots__ = ("frame", "interfaces", "processes", "secrets")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.secrets: list[tuple[int, bytes]] = []
        self.interfaces: list[Interface] = []
        frame.interfaces = self.interfaces
        self.processes: Any = None

    def advance(self) -> bool:
        """Move `frame` to the next frame. Return False if there is none now."""
        return False


COMPILED: bool = not __file__.endswith(".py")
