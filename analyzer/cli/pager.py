"""Shows long text on a terminal through a pager, as git does.

The pager is `$ANALYZER_PAGER`, else `$PAGER`, else `less -FRX`, which ends at once if the text fits the screen. An empty value
or `cat` means none, and so does a terminal that can do nothing (`TERM=dumb`). It starts with the first byte of the results, so
a command that fails shows nothing through it. Warnings wait until the user has left it: standard error is the same terminal.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import BinaryIO, cast

_LESS = "less -FRX"

_OF_LESS = "FRX"
"""What `$LESS` is for a pager that reads it, if the user has not set it: as git sets it."""


def pager_command(environment: Mapping[str, str]) -> list[str]:
    """Return the words of the pager that these variables choose; empty for none, and where it is not installed."""
    chosen = next((environment[name] for name in ("ANALYZER_PAGER", "PAGER") if name in environment), _LESS)
    try:
        words = shlex.split(chosen)
    except ValueError:  # a quotation mark without its other one
        return []
    if not words or words == ["cat"] or environment.get("TERM", "dumb") == "dumb" or shutil.which(words[0]) is None:
        return []
    return words


class Pager:
    """A pager that runs. stream: its input."""

    def __init__(self, words: Sequence[str]) -> None:
        """words: as `pager_command` returns them. Raises OSError if it does not start."""
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, env={"LESS": _OF_LESS, **os.environ})
        assert self._process.stdin is not None
        self.stream = cast(BinaryIO, self._process.stdin)

    def close(self) -> None:
        """End its input, and wait until the user has left it. Ctrl-C is for the pager then. Raises BrokenPipeError."""
        kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.stream.close()
        finally:
            self._process.wait()
            signal.signal(signal.SIGINT, kept)
