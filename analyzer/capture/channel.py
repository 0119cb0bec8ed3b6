"""What every frame needs of its interface, in a form for arithmetic in C, and the count of frames by link type."""

from analyzer.capture.blocks import NANOSECONDS, Clock, Interface


class LinkType:
    """A link type of a file. frames: how many frames of it so far."""

    __slots__ = ("frames", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.frames = 0


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
