"""Writes results to standard output or to the file of `-o`, and knows their width and colours.

Only results go there. Warnings go to standard error, through `complain`.
"""

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from typing import BinaryIO

from analyzer.text.escape import harmless
from analyzer.text.language import retold_error

STANDARD_STREAM = "-"

_PIPE_WIDTH = 120
"""Width of text that does not go to a terminal, in columns."""

_STYLES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36",
    "alarm": "1;31",
}  # fmt: skip


class CommandError(Exception):
    """The command cannot do what was asked. The text says why, in one line. The command ends with status 2."""


class Output:
    """The stream of results. It is opened at the first result, so a command that fails does not change an existing file.

    path: of the file, None for standard output. terminal: whether the output goes to a terminal. width: columns that text
    should not exceed. fitted: whether wider text is truncated; this is so if a person reads. colored: whether `paint` adds
    colours. head: the bytes with which every output begins, even one without results. form: what is written, `text`, `json` or
    `csv`.
    """

    def __init__(self, path: str | None, inputs: Sequence[str], color: str) -> None:
        """color: `auto`, `always` or `never`. Raises CommandError if the output is one of the inputs."""
        self.path = None if path == STANDARD_STREAM else path
        self.head = b""
        self.form = "text"
        self._stream: BinaryIO | None = None
        self._refuse_inputs(inputs)
        terminal = self.path is None and sys.stdout.isatty()
        self.terminal = terminal
        self.fitted = terminal or os.environ.get("COLUMNS", "").isdigit()
        self.width = max(40, shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns) if self.fitted else _PIPE_WIDTH
        self.colored = color == "always" or (
            color == "auto" and terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self.encoding = "utf-8" if self.path is not None else sys.stdout.encoding or "utf-8"

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style: `bold`, `dim`, `alarm` or a colour. Without colours or a style, it is unchanged."""
        if not self.colored or not style or not text:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self._stream is None:
            self._open()
        if self._stream is not None:
            self._stream.write(data)

    def line(self, text: str = "") -> None:
        """Write a line of text. Text from a capture in it must already be `harmless`."""
        self.write((text.rstrip() + "\n").encode(self.encoding, "backslashreplace"))

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

    def _open(self) -> None:
        self._stream = sys.stdout.buffer if self.path is None else open(self.path, "wb")  # noqa: SIM115 - closed by `close`
        self._stream.write(self.head)

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


class ErrorOutput(Output):
    """The same on standard error: text for people beside the results on standard output."""

    def __init__(self, color: str) -> None:
        super().__init__(None, (), color)
        self.terminal = sys.stderr is not None and sys.stderr.isatty()
        self.colored = color == "always" or (self.colored and self.terminal)
        self.fitted = self.terminal or self.fitted
        if sys.stderr is not None:
            self._stream = sys.stderr.buffer


def complain(text: str) -> None:
    """Write one line to standard error. The text may contain file names and text from captures; it is made harmless."""
    with contextlib.suppress(OSError, ValueError):  # standard error is closed: there is no reader
        print("analyzer: " + harmless(retold_error(text)), file=sys.stderr, flush=True)
