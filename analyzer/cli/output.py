"""Writes results to standard output or to the file of `-o`, and knows their width and colours.

Only results go there. Warnings go to standard error, through `complain`.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from analyzer.text.escape import harmless
from analyzer.text.language import retold_error

if TYPE_CHECKING:
    from analyzer.cli.pager import Pager

STANDARD_STREAM = "-"

_PIPE_WIDTH = 120
"""Width of text that does not go to a terminal, in columns."""

_LEAST_WIDTH = 40
"""Width of text in a window that is narrower."""

_STYLES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36",
    "alarm": "1;31",
}  # fmt: skip


class CommandError(Exception):
    """The command cannot do what was asked. The text says why, in one line. The command ends with status 2.

    lines: what is printed below it as it is, such as the place of a mistake.
    """

    lines: tuple[str, ...] = ()


class Output:
    """The stream of results. It is opened at the first result, so a command that fails does not change an existing file.

    path: of the file, None for standard output. terminal: whether the output goes to a terminal. width: columns that text
    should not exceed. fitted: whether wider text is truncated; this is so if a person reads. colored: whether `paint` adds
    colours. head: the bytes with which every output begins, even one without results. form: what is written, `text`, `json` or
    `csv`. pager: the words of the pager that the results go through; empty for none.
    """

    def __init__(self, path: str | None, inputs: Sequence[str], color: str) -> None:
        """color: `auto`, `always` or `never`. Raises CommandError if the output is one of the inputs."""
        self.path = None if path == STANDARD_STREAM else path
        self.head = b""
        self.form = "text"
        self.pager: Sequence[str] = ()
        self._stream: BinaryIO | None = None
        self._refuse_inputs(inputs)
        terminal = self.path is None and sys.stdout.isatty()
        self.terminal = terminal
        self.fitted = terminal or os.environ.get("COLUMNS", "").isdigit()
        self.width = max(_LEAST_WIDTH, self._columns())
        self.colored = color == "always" or (
            color == "auto" and terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self.encoding = "utf-8" if self.path is not None else sys.stdout.encoding or "utf-8"

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style: `bold`, `dim`, `alarm`, a colour, or parameters of Select Graphic Rendition (ECMA-48).

        Without colours or a style, it is unchanged.
        """
        if not self.colored or not style or not text:
            return text
        return f"\x1b[{_STYLES.get(style, style)}m{text}\x1b[0m"

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self._stream is None:
            self._open()
        if self._stream is not None:
            self._stream.write(data)

    def line(self, text: str = "", *, keep: bool = False) -> None:
        """Write a line of text. Text from a capture in it must already be `harmless`. keep: also the spaces at its end."""
        self.write(((text if keep else text.rstrip()) + "\n").encode(self.encoding, "backslashreplace"))

    def flush(self) -> None:
        """Flush what was written so far to the reader."""
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Write everything that is left. A command without results writes only `head`, which may be empty."""
        if self._stream is None:
            self._open()
        if self._stream is not None:
            self._stream.flush()
            if self.path is not None:
                self._stream.close()
            elif self.pager:
                leave_pager()

    def _open(self) -> None:
        if self.path is not None:
            self._stream = open(self.path, "wb")  # noqa: SIM115 - closed by `close`
        else:
            self._stream = _through_pager(self.pager) if self.pager else sys.stdout.buffer
        self._stream.write(self.head)

    def _columns(self) -> int:
        """Return the width of the window. A pipe into a program such as `less` has the terminal of the other streams."""
        if self.fitted:
            import shutil  # which imports much

            return shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns
        with contextlib.suppress(OSError, ValueError):  # without standard output, nothing is written
            if self.path is None and stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                return _width_of_terminal() or _PIPE_WIDTH
        return _PIPE_WIDTH

    def _refuse_inputs(self, inputs: Sequence[str]) -> None:
        """Raise CommandError if the output is one of the inputs. Writing a file while it is read destroys it, or never ends."""
        with contextlib.suppress(OSError, ValueError):  # no file exists yet, or no standard output: nothing can be destroyed
            status = os.fstat(sys.stdout.fileno()) if self.path is None else os.stat(self.path)
            if not stat.S_ISREG(status.st_mode):
                return
            for path in inputs:
                with contextlib.suppress(OSError, ValueError):  # reported when the input is opened
                    other = os.fstat(0) if path == STANDARD_STREAM else os.stat(path)
                    if os.path.samestat(status, other):
                        raise CommandError(f"{path}: the output would overwrite this input")


def _width_of_terminal() -> int:
    """Return the columns of the terminal that standard error or input is; 0 without one."""
    for descriptor in (2, 0):
        with contextlib.suppress(OSError):
            return os.get_terminal_size(descriptor).columns
    return 0


class ErrorOutput(Output):
    """The same on standard error: text for people beside the results on standard output."""

    def __init__(self, color: str) -> None:
        super().__init__(None, (), color)
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        self.colored = color == "always" or (self.colored and self.terminal)
        self.fitted = self.terminal or self.fitted
        if sys.stderr is not None:
            self._stream = sys.stderr.buffer


class _Paging:
    """The pager that runs, if one does, and the complaints that wait until the user has left it."""

    pager: "Pager | None" = None
    held: ClassVar[list[str]] = []


def _through_pager(words: Sequence[str]) -> BinaryIO:
    """Start a pager, and return its input; standard output if it does not start."""
    from analyzer.cli.pager import Pager

    try:
        _Paging.pager = Pager(words)
    except OSError as error:
        complain(f"{words[0]}: {error.strerror}")
        return sys.stdout.buffer
    return _Paging.pager.stream


def leave_pager() -> bool:
    """Wait until the user has left the pager, then write the complaints that waited. Return whether there was a pager."""
    pager, _Paging.pager = _Paging.pager, None
    if pager is None:
        return False
    with contextlib.suppress(BrokenPipeError):  # it was left before the end of the text
        pager.close()
    for text in _Paging.held:
        complain(text)
    _Paging.held.clear()
    return True


def complain(text: str, *lines: str) -> None:
    """Write one line to standard error. The text may contain file names and text from captures; it is made harmless.

    lines: what comes below it as it is. A pager that is open shows only the text.
    """
    if _Paging.pager is not None:
        _Paging.held.append(text)
        return
    with contextlib.suppress(OSError, ValueError):  # standard error is closed: there is no reader
        print("\n".join(("analyzer: " + harmless(retold_error(text)), *lines)), file=sys.stderr, flush=True)
