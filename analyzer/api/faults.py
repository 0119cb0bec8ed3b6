"""What can be wrong with files, as exceptions, warnings and facts."""

from typing import NamedTuple

from analyzer.codec.errors import ParseError


class NotACapture(ValueError):  # noqa: N818 - what it says
    """None of the files is a capture.

    path: the first one. field, offset, why: what is wrong with its bytes, as in `CaptureFault`.
    """

    def __init__(self, path: str, field: str, offset: int, why: str) -> None:
        super().__init__(path, field, offset, why)
        self.path = path
        self.field = field
        self.offset = offset
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: not a capture: {self.field} at byte {self.offset}: {self.why}"


class UnusableFile(ValueError):  # noqa: N818
    """A file of keys or certificates has other contents than it must have, or its password is missing. path: the file."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class ReadOnce(ValueError):  # noqa: N818
    """A pipe or standard input was read before, and cannot be read again. path: what was given."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        what = "standard input" if self.path == "-" else f"{self.path} is a pipe, which"
        return f"{what} can be read only once: keep what the first loop gives, or save the capture to a file"


class CaptureWarning(UserWarning):
    """A capture is damaged or cut short, one of several files is no capture, or a key log has bad lines.

    What could be read was given.
    """


class CaptureFault(NamedTuple):
    """Where the reading of a damaged capture ended: everything before was read. Or a file that is no capture.

    path: as given. offset: in bytes of the decompressed capture; of the stored file if `field` names a compression. field: what
    was being read. why: what is wrong. cut_short: whether the file just ends too early. last_frame: number of the last frame
    that was read, 0 if none. no_capture: whether the file is no capture at all.
    """

    path: str
    offset: int
    field: str
    why: str
    cut_short: bool
    last_frame: int
    no_capture: bool = False

    def __str__(self) -> str:
        if self.no_capture:
            return f"{self.path}: not a capture: {self.field} at byte {self.offset}: {self.why}"
        what = "cut short" if self.cut_short else "damaged"
        where = f"after frame {self.last_frame}" if self.last_frame else "before its first frame"
        return f"{self.path}: {what} at byte {self.offset}, {where}: {self.field}: {self.why}"


class KeyLogFault(NamedTuple):
    """A line of a key log that could not be used. `why` has no secret in it."""

    path: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.path}: line {self.line}: {self.why}"


def not_a_capture(path: str, error: ParseError) -> NotACapture:
    """Return the exception for a file whose first bytes are no capture."""
    return NotACapture(path, error.field, error.offset, error.why)
