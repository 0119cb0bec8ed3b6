"""The fields of the frame itself: number, times, lengths (`frame_fields.csv`)."""

from analyzer.capture.frame import Frame
from analyzer.filters.frame_view import Found, FrameView, found
from analyzer.filters.packet_values import Occurrence

_ENCAPSULATIONS = {
    0: 15, 1: 1, 6: 3, 9: 4, 10: 6, 12: 7, 14: 7, 50: 19, 51: 19, 101: 7, 104: 28, 105: 20, 108: 15, 113: 25, 119: 21, 127: 23,
    192: 45, 228: 129, 229: 130, 239: 141, 276: 210,
}  # fmt: skip
"""Wireshark's numbers of encapsulations, by LINKTYPE_ number."""


class FrameFields:
    """The source of `frame.*`."""

    def __init__(self) -> None:
        self._first = -1
        self._before = -1
        self._at = -1

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        at = view.frame.at
        if at >= 0:
            self._before = self._at
            self._at = at
            if self._first < 0:
                self._first = at

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        frame = view.frame
        data = frame.data[frame.start : frame.end]
        fields = found(
            ("frame.number", frame.number),
            ("frame.len", frame.wire_length),
            ("frame.cap_len", len(data)),
            ("frame.marked", False),
            ("frame.ignored", False),
            ("frame.offset_shift", 0),
        )
        fields["frame"] = [Occurrence(data, data, 1)]
        if frame.link_type in _ENCAPSULATIONS:
            fields |= found(("frame.encap_type", _ENCAPSULATIONS[frame.link_type]))
        fields |= _interface(frame)
        if frame.at >= 0:
            fields |= found(
                ("frame.time", frame.at),
                ("frame.time_utc", frame.at),
                ("frame.time_epoch", frame.at),
                ("frame.time_relative", frame.at - self._first),
            )
            if self._before >= 0:
                fields |= found(("frame.time_delta", frame.at - self._before))
            if view.shown >= 0:
                fields |= found(("frame.time_delta_displayed", frame.at - view.shown))
        return fields


def _interface(frame: Frame) -> Found:
    """Return the fields of the interface, which pcap does not describe."""
    interfaces = frame.interfaces
    index = frame.interface - interfaces[0].number if interfaces else -1
    if not 0 <= index < len(interfaces):
        return {}
    one = interfaces[index]
    fields = found(
        ("frame.section_number", one.section + 1),
        ("frame.interface_id", index),
        ("frame.interface_name", one.name or "unknown"),
    )
    return fields | found(("frame.interface_description", one.description)) if one.description else fields
