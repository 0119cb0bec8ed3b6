"""What every frame needs of its interface, in a form for arithmetic in C, and the count of frames by link type."""

from analyzer.capture.blocks import NANOSECONDS, Clock, Interface
from analyzer.capture.frame import Frame

MAX_INNER = 64
"""Link types of inner frames that are counted; damaged headers name any number."""

_NAMES_ANOTHER_AT = {149: 8, 192: 4, 258: 8}
"""Link types whose header names the link type of the rest, PKTAP and PPI, and where: four bytes, little-endian."""


class LinkType:
    """A link type of a file. frames: how many frames of it so far.

    another_at: the offset in a frame at which another link type is named, -1 if none is. inner: how many frames of each such
    link type.
    """

    __slots__ = ("another_at", "frames", "inner", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.another_at = _NAMES_ANOTHER_AT.get(number, -1)
        self.frames = 0
        self.inner: dict[int, int] = {}

    def count(self, frame: Frame) -> None:
        """Count a frame of this link type."""
        self.frames += 1
        if self.another_at >= 0 and frame.end - frame.start >= self.another_at + 4:
            at = frame.start + self.another_at
            number = int.from_bytes(frame.data[at : at + 4], "little") & 0x7FFFFFFF
            if number in self.inner or len(self.inner) < MAX_INNER:
                self.inner[number] = self.inner.get(number, 0) + 1


class Channel:
    """An interface of the current section.

    link: its link type, shared by the interfaces that have it. multiplier: nanoseconds per tick, valid for up to `most_ticks`;
    0 if only `clock` can compute the time.
    """

    __slots__ = ("clock", "link", "most_ticks", "multiplier", "number", "snap_length")

    def __init__(self, interface: Interface, clock: Clock, links: dict[int, LinkType]) -> None:
        """links: the link types of the file by number, to which that of the interface is added."""
        self.number = interface.number
        self.link = links.setdefault(interface.link_type, LinkType(interface.link_type))
        self.snap_length = interface.snap_length
        self.clock = clock
        whole: bool = NANOSECONDS % clock.unit == 0 and clock.offset == 0
        self.multiplier = NANOSECONDS // clock.unit if whole else 0
        self.most_ticks = (2**63 - 1) // self.multiplier if whole else 0
