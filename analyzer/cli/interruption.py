"""Ends the input of a command at the first SIGINT or SIGTERM, so that the results so far still come.

Ctrl-C sends SIGINT to all programs of a pipe, and `kill` or a service manager sends SIGTERM (signal(7)). A command that reads
without end has no other way to its results. The second signal does what it did before: mostly, it ends the program at once.
A command that leaves something behind which has to be removed asks for `exceptions` too: then a signal that would end the
program is KeyboardInterrupt, and what has to be removed is removed.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within this block, the first signal calls `stop`. Outside the main thread, where Python allows no handlers, none does."""

    def __init__(self, stop: Callable[[], None], signals: Sequence[signal.Signals] = SIGNALS) -> None:
        """signals: those of SIGNALS that count. The others stay as they are."""
        self._stop = stop
        self._signals = signals
        self._stopped = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._interrupt) for number in self._signals}
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        # The handlers stay in their places: both signals may have come at once, and Python cannot call one that is gone.
        if not self._stopped:
            self._stopped = True
            self._stop()
            return
        handler = self._before[number]
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            signal.signal(number, handler)
            signal.raise_signal(number)


@contextmanager
def exceptions() -> Iterator[None]:
    """Within this block, signals that would end the program at once raise KeyboardInterrupt: SIGTERM, and SIGHUP of a terminal
    that is closed. SIGINT does so always, in Python."""
    changed = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in changed:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
