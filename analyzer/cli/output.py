"""Where results go: standard output or the file of `-o`, how wide they may be, and in which colours.

Results and nothing else go there; warnings go to standard error through `complain`.
"""

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from typing import BinaryIO

from analyzer.cli.escape import harmless

STANDARD_STREAM = "-"

_PIPE_WIDTH = 120
"""Columns of text that goes to no terminal."""

_STYLES = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36",
    "alarm": "1;31",
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - what it is called where people read it
    """Nothing can be done, and why, in one line: the command ends with status 2."""


class Output:
    """The stream of results; opened with the first of them, so that a command that fails leaves an existing file as it is.

    path: of the file, None for standard output. width: columns that text should keep to; fitted: whether text wider than that
    is to be cut, which is so where a person reads. colored: whether `paint` paints. head: what every output begins with, even
    one without results.
    """

    def __init__(self, path: str | None, inputs: Sequence[str], color: str) -> None:
        """color: `auto`, `always` or `never`. Raises Refusal when the output is one of the inputs."""
        self.path = None if path == STANDARD_STREAM else path
        self.head = b""
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
        """The text in a style: `bold`, `dim`, `alarm` or a colour; as it is when there are no colours, or `style` is empty."""
        if not self.colored or not style or not text:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def write(self, data: bytes) -> None:
        """Write bytes that are ready."""
        if self._stream is None:
            self._open()
        if self._stream is not None:
            self._stream.write(data)

    def line(self, text: str = "") -> None:
        """Write a line of text; whatever in it came from a capture has to be `harmless` already."""
        self.write((text.rstrip() + "\n").encode(self.encoding, "backslashreplace"))

    def flush(self) -> None:
        """Let the reader have what was written so far."""
        if self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Write out all that is left; of a command without results that leaves an empty file."""
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
        """Reading what one writes at the same time destroys the input, or never ends."""
        with contextlib.suppress(OSError, ValueError):  # no file there yet, or no standard output: nothing to destroy
            status = os.fstat(sys.stdout.fileno()) if self.path is None else os.stat(self.path)
            if not stat.S_ISREG(status.st_mode):
                return
            for path in inputs:
                with contextlib.suppress(OSError, ValueError):  # told by whoever opens it
                    other = os.fstat(0) if path == STANDARD_STREAM else os.stat(path)
                    if os.path.samestat(status, other):
                        raise Refusal(f"{path}: the output would overwrite this input")


def complain(text: str) -> None:
    """One line on standard error; the text may have names of files and words from captures in it."""
    with contextlib.suppress(OSError, ValueError):  # standard error is closed: nobody wants to know
        print("analyzer: " + harmless(text), file=sys.stderr, flush=True)
