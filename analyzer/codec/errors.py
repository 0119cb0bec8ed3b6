"""Why bytes could not be read as their format says: three kinds of parse error.

They are raised inside decoders and translated once, where a message ends; the decoder then goes on at the next boundary that
the bytes declare.
"""


class ParseError(Exception):
    """What is wrong, and where: `field` by its RFC name, `offset` in bytes from the start of what was being read, `why`."""

    def __init__(self, field: str, offset: int, why: str) -> None:
        super().__init__(field, offset, why)
        self.field = field
        self.offset = offset
        self.why = why

    def __str__(self) -> str:
        return f"{self.field} at 0x{self.offset:x}: {self.why}"


class Incomplete(ParseError):  # noqa: N818 - the base says that it is an error
    """The bytes end before the field does; more may come."""


class Truncated(Incomplete):
    """The bytes end because the capture's snapshot length cut the frame: nothing more comes, and the sender is not at fault."""


class Malformed(ParseError):  # noqa: N818
    """The bytes contradict the format."""


class Anomaly(ParseError):  # noqa: N818
    """Well-formed, but not what an honest sender writes."""
