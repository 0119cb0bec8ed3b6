"""The fields of the frame itself: number, times, lengths (`frame_fields.csv`)."""

from analyzer.filters.frame_view import Found, FrameView, found
from analyzer.filters.packet_values import Occurrence


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
            ("frame.interface_id", frame.interface),
        )
        fields["frame"] = [Occurrence(data, data, 1)]
        if frame.at >= 0:
            fields |= found(
                ("frame.time", frame.at),
                ("frame.time_utc", frame.at),
                ("frame.time_epoch", frame.at),
                ("frame.time_relative", frame.at - self._first),
            )
            if self._before >= 0:
                fields |= found(("frame.time_delta", frame.at - self._before))
        return fields
