"""Ends the input of a command at the first SIGINT or SIGTERM, so that the results so far still come.

Ctrl-C sends SIGINT to all programs of a pipe, and `kill` or a service manager sends SIGTERM (signal(7)). A command that reads
without end has no other way to its results. After the first signal both signals are again what they were before, so the second
one ends the program at once.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within this block, the first signal calls `stop`. Outside the main thread, where Python allows no handlers, none does."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: list[tuple[int, object]] = []

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._before = [(number, signal.signal(number, self._interrupt)) for number in _SIGNALS]
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._restore()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._restore()
        self._stop()

    def _restore(self) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)  # type: ignore[arg-type]  # it came from signal.signal
        self._before = []
