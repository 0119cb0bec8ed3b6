"""The event of a record that was opened, for views of single packets: filters and trees."""

from analyzer.tls.events import Event


class RecordOpened(Event):
    """A protected record that a key opened, also one that came before.

    raw: the record with its header, as it was on the wire. content_type, content: what was in it. epoch, number: of the record,
    in full; a unified header has only their last bits.
    """

    __slots__ = ("content", "content_type", "epoch", "number", "raw")

    def __init__(
        self, role: int, raw: bytes, epoch: int, number: int, content_type: int, content: bytes, frame: int, at: int
    ) -> None:
        self.role = role
        self.raw = raw
        self.epoch = epoch
        self.number = number
        self.content_type = content_type
        self.content = content
        self.frame = frame
        self.at = at
