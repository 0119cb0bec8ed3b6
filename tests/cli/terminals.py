"""Runs the command on a terminal of its own, as a person would."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

LONGEST = 60.0
"""Seconds after which a run that has not ended is a failure."""


def on_terminal(
    words: list[str], folder: Path, columns: int = 80, lines: int = 24, keys: bytes = b"", **variables: str
) -> tuple[int, str]:
    """Run words on a terminal, and return status and what was on it. keys: are typed as soon as something was written."""
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "LESS", "PAGER")}
    environment |= {"TERM": "xterm", "ANALYZER_PAGER": "less -FRX", **variables}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, preexec_fn=_take_terminal
    )
    os.close(theirs)
    written = b""
    until = time.monotonic() + LONGEST
    while True:
        assert time.monotonic() < until, written[-2000:]
        if not select.select([ours], [], [], 0.2)[0]:
            if written and keys:
                os.write(ours, keys)
                keys = b""
            continue
        try:
            read = os.read(ours, 1 << 16)
        except OSError:  # the other side is closed: Linux says so by EIO
            break
        if not read:
            break
        written += read
    os.close(ours)
    return process.wait(LONGEST), written.decode().replace("\r\n", "\n")


def analyzer(*words: object) -> list[str]:
    """Return the words that start the command."""
    return [sys.executable, "-m", "analyzer", *map(str, words)]


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
