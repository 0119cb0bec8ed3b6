"""One frame of a capture, in the buffer of the packet reader."""

from __future__ import annotations

from typing import Any


class Frame:
    """The current frame of a packet reader.

    A packet reader owns one `Frame` and fills it again for every frame. So no memory is allocated per packet. To keep the
    bytes of a frame, copy `data[start:end]`.

    number: counts from 1 over all captures of a run, as Wireshark does.
    at: time of capture in nanoseconds since 1970-01-01 UTC; -1 if the format has no time (Simple Packet Block of pcapng).
    data, start, end: the captured bytes are `data[start:end]`.
    wire_length: bytes that were on the wire; more than `end - start` if the snapshot length truncated the frame.
    link_type: the LINKTYPE_ number (https://www.tcpdump.org/linktypes.html).
    interface: counts from 0 over all interfaces of a run. interfaces: the descriptions (`Interface`) of those of the file; the
    list grows, and stays empty in a file that describes none.
    offset: where the frame's record begins in the (decompressed) file, in bytes.
    """

    __slots__ = ("at", "data", "end", "interface", "interfaces", "link_type", "number", "offset", "start", "wire_length")

    def __init__(self) -> None:
        self.number = 0
        self.at = 0
        self.data = b""
        self.start = 0
        self.end = 0
        self.wire_length = 0
        self.link_type = 0
        self.interface = 0
        self.interfaces: list[Any] = []
        self.offset = 0


COMPILED: bool = not __file__.endswith(".py")
