"""Counts work instead of time: the lines of the analyzer's Python that run, the same on every machine.

Lines in compiled modules, and the work of libraries, are not counted. A test must check that there was something to count.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import analyzer

PACKAGE = str(Path(analyzer.__file__).parent)


class Work:
    """How many lines have run."""

    def __init__(self) -> None:
        self.n_lines = 0


@contextmanager
def at_most(n_lines: int) -> Iterator[Work]:
    """Count the lines of the analyzer that run in the block. Raises AssertionError at the first line beyond the limit."""
    work = Work()

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        return count if frame.f_code.co_filename.startswith(PACKAGE) else None

    def count(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            work.n_lines += 1
            if work.n_lines > n_lines:
                sys.settrace(None)
                raise AssertionError(f"more than {n_lines} lines have run")
        return count

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield work
    finally:
        sys.settrace(before)
