"""Processes that work side by side: each gets the same function, messages in, and gives one reply to each, in order.

They are forked, and so have all that was read before. A pipe leads to each and one back; while the sender waits for room in
one it takes in what comes from the others, so that nobody waits for ever. A worker ends when its pipe does, whatever became of
who hired it.
"""

import gc
import marshal
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from types import TracebackType
from typing import Any

PIPE_SIZE = 1 << 20
"""Bytes that a pipe is asked to hold: the most that Linux gives to anybody."""

_SET_PIPE_SIZE = 1031
"""`F_SETPIPE_SZ` of fcntl(2), which Python has no name for on all systems."""

_HEAD = 8
"""Bytes of a message's length, which stands before it."""

_WORKER_FAILED = 70


class WorkerLost(Exception):  # noqa: N818 - what it is called where people read it
    """A worker ended before its work did: out of memory, or killed. What was in its hands is lost."""


def dumps(value: Any) -> bytes:
    """Write a message, of what Python's `marshal` knows; this form does not look for equal objects, which costs most time."""
    return marshal.dumps(value, 2)


def loads(message: bytes | bytearray) -> Any:
    """Read a message. It comes from this very program, and from nobody else."""
    return marshal.loads(message)  # noqa: S302 - see above


def usable_processors() -> int:
    """How many processors this process may use; 1 where processes cannot be forked."""
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """The processes; use them in a `with`, which ends them. `send` and `receive` take turns as their user likes."""

    def __init__(self, n_workers: int, work: Callable[[bytearray], bytes]) -> None:
        """Fork at once: `work` sees everything as it is now."""
        self._workers: list[_Worker] = []
        for _ in range(n_workers):
            self._workers.append(_Worker(work, self._workers))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.end(in_haste=error is not None)

    def send(self, messages: Sequence[bytes | memoryview]) -> None:
        """Give each worker its next message. Raises `WorkerLost`."""
        waiting = {
            worker: [memoryview(len(message).to_bytes(_HEAD, "little")), memoryview(message)]
            for worker, message in zip(self._workers, messages, strict=True)
        }
        with DefaultSelector() as selector:
            for worker in self._workers:
                selector.register(worker.sink, EVENT_WRITE, worker)
                selector.register(worker.source, EVENT_READ, worker)
            while waiting:
                for key, _ in selector.select():
                    worker = key.data
                    if key.fd == worker.source:
                        worker.read()
                        continue
                    if not worker.write(waiting[worker]):
                        del waiting[worker]
                        selector.unregister(worker.sink)

    def receive(self) -> list[bytearray]:
        """Give each worker's reply to the oldest message that has none yet. Raises `WorkerLost`."""
        with DefaultSelector() as selector:
            for worker in self._workers:
                if not worker.replies:
                    selector.register(worker.source, EVENT_READ, worker)
            while selector.get_map():
                for key, _ in selector.select():
                    worker = key.data
                    worker.read()
                    if worker.replies:
                        selector.unregister(worker.source)
        return [worker.replies.popleft() for worker in self._workers]


class _Worker:
    """One process, as seen from here. replies: those that came whole."""

    def __init__(self, work: Callable[[bytearray], bytes], elders: "Sequence[_Worker]") -> None:
        source, self.sink = os.pipe()
        self.source, sink = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for elder in elders:  # their pipes end when the parent closes them, and not when this process does
                os.close(elder.sink)
                os.close(elder.source)
            os.close(self.sink)
            os.close(self.source)
            gc.freeze()  # whoever looks at what both have writes to it, and then it is no longer shared
            _serve(work, source, sink)
        os.close(source)
        os.close(sink)
        for descriptor in (self.sink, self.source):
            _widen(descriptor)
        os.set_blocking(self.sink, False)
        self.replies: deque[bytearray] = deque()
        self._data: bytearray
        self._room: memoryview
        self._in_head: bool
        self._expect(_HEAD, in_head=True)

    def write(self, parts: list[memoryview]) -> bool:
        """Write as much as there is room for, and take it from the parts; whether any is left."""
        try:
            n_bytes = os.writev(self.sink, parts)
        except BrokenPipeError as error:
            raise self._lost() from error
        while parts and n_bytes >= len(parts[0]):
            n_bytes -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][n_bytes:]
        return bool(parts)

    def read(self) -> None:
        """Read what there is."""
        n_bytes = os.readv(self.source, [self._room])
        if not n_bytes:
            raise self._lost()
        self._room = self._room[n_bytes:]
        if self._room:
            return
        if self._in_head:
            self._expect(int.from_bytes(self._data, "little"), in_head=False)
        if self._room:
            return
        self.replies.append(self._data)
        self._expect(_HEAD, in_head=True)

    def _expect(self, n_bytes: int, in_head: bool) -> None:
        """Make room for what comes next, which is read to where it stays."""
        self._data = bytearray(n_bytes)
        self._room = memoryview(self._data)
        self._in_head = in_head

    def end(self, in_haste: bool) -> None:
        """Let the process end, in haste without what it still has to do, and wait until it has."""
        os.close(self.sink)
        os.close(self.source)
        if in_haste:
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # somebody waits for all children of this process
            os.waitpid(self.pid, 0)

    def _lost(self) -> WorkerLost:
        return WorkerLost(f"process {self.pid}, one of those that share the work, has ended too early")


def _widen(descriptor: int) -> None:
    """Ask for a pipe with more room; without it everything works the same, with more waiting."""
    try:
        from fcntl import fcntl
    except ImportError:
        return
    with suppress(OSError):
        fcntl(descriptor, _SET_PIPE_SIZE, PIPE_SIZE)


def _serve(work: Callable[[bytearray], bytes], source: int, sink: int) -> None:
    """Be a worker until the pipe ends; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is in front ends, and then the pipe does
    status = _WORKER_FAILED
    try:
        while (head := _take(source, _HEAD)) is not None:
            message = _take(source, int.from_bytes(head, "little"))
            if message is None:
                break
            reply = work(message)
            _give(sink, len(reply).to_bytes(_HEAD, "little"))
            _give(sink, reply)
        status = 0
    except BrokenPipeError:
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is: nobody above would hear of it
        traceback.print_exc()
    finally:
        os._exit(status)


def _take(source: int, length: int) -> bytearray | None:
    """So many bytes; None where the pipe ends before them."""
    data = bytearray(length)
    left = memoryview(data)
    while left:
        n_bytes = os.readv(source, [left])
        if not n_bytes:
            return None
        left = left[n_bytes:]
    return data


def _give(sink: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(sink, left) :]
