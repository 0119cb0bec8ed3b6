"""The errors for bytes that do not match their format: three kinds of parse error.

Decoders raise them internally and translate them once, at the end of a message. The decoder then continues at the next
boundary that the bytes declare.
"""


class ParseError(Exception):
    """A parse error: what is wrong, and where.

    field: the field's name in the RFC. offset: in bytes from the start of what was being read. why: the reason.
    """

    def __init__(self, field: str, offset: int, why: str) -> None:
        super().__init__(field, offset, why)
        self.field = field
        self.offset = offset
        self.why = why

    def __str__(self) -> str:
        return f"{self.field} at 0x{self.offset:x}: {self.why}"


class Incomplete(ParseError):  # noqa: N818 - the base says that it is an error
    """The bytes end before the field does. More bytes may follow."""


class Truncated(Incomplete):
    """The bytes end because the snapshot length truncated the frame. No more bytes follow. It is not the sender's fault."""


class Malformed(ParseError):  # noqa: N818
    """The bytes contradict the format."""


class Anomaly(ParseError):  # noqa: N818
    """The bytes are well-formed, but an honest sender does not write them."""
