"""Several processes that share the packets of the interfaces: `analyzer live -j N`.

The kernel gives each packet to one of the workers by the hash of its flow (PACKET_FANOUT, packet(7)), so that a worker has
whole connections. Each worker is a run of its own that writes its lines into a pipe; this process writes them out, one after
another. A worker knows nothing of the others: it counts its own frames, and a session that resumes one of another worker does
not name it. The numbers of its sessions are its place, and then every Nth, so that no number comes twice.

A worker opens its sockets with the rights of this process, gives the rights up, and says when it captures. Until all have said
so, this process keeps its rights too: without them it could not end a worker that still has them (kill(2)). Signals of the
terminal and of a service manager go to all processes; workers ignore them, and end when this process tells them, once.
"""

import contextlib
import os
import selectors
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import Any, NoReturn

import orjson

from analyzer.analysis.failures import Failures
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.capture.live.privileges import drop
from analyzer.capture.processes.connection_witness import end_with_parent
from analyzer.cli.failure_text import print_failures
from analyzer.cli.files import print_fact
from analyzer.cli.interruption import SIGNALS, Interruption
from analyzer.cli.live_settings import names
from analyzer.cli.live_summary import print_counters
from analyzer.cli.output import CommandError, ErrorOutput, Output, complain
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text
from analyzer.text.language import say
from analyzer.text.punctuation import listing

_READ = 1 << 16

SHOWN_FAILURES = 5
"""Groups of failures in the summary of a run."""

READY = b"\1"
"""The first byte of a worker."""

_COUNTS = b"\0"
"""Begins the last line of a worker that has ended well: no line of results has this byte."""

_ERROR = b"\2"
"""The same of one that has not: with what was wrong. All workers may say the same, and this process says it once."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a worker has counted: frames, sessions, what its sockets say of the interfaces, and `Failures.record`."""

    n_frames: int
    n_sessions: int
    statistics: list[InterfaceStatistics]
    failures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Share:
    """The place of a worker among `number` workers, from 0. fanout: see `LiveCapture.open`. parent: the one that started it."""

    place: int
    number: int
    fanout: Mapping[str, int]
    parent: int

    def end_with_parent(self) -> None:
        """Let this process end when its parent does. To become another user takes that back (prctl(2)), so call it again then.

        Raises CommandError if the parent has ended.
        """
        end_with_parent()
        if os.getppid() != self.parent:
            raise CommandError("the process that started this one has ended")


Work = Callable[[Namespace, Output, Share], Counts]
"""A worker. It writes READY when it has given up its rights, and SIGINT ends its capture; then its lines."""


@dataclass(slots=True)
class _Worker:
    """A worker, as this process sees it. rest: the beginning of its next line. counts: None before its end.

    error: why it has ended early, in lines; "" if it does not say so.
    """

    pid: int
    descriptor: int
    rest: bytes = b""
    counts: Counts | None = None
    error: str = ""


def run_workers(options: Namespace, output: Output, work: Work, fanout: Mapping[str, int]) -> int:
    """Run `work` in as many processes as `--jobs` says, and write their lines. Return the exit status. Raises CommandError.

    fanout: see `LiveCapture.open`.
    """
    began = monotonic()
    sys.stdout.flush()
    workers: list[_Worker] = []
    stop = _Stop(workers)
    try:
        with Interruption(stop):
            for place in range(options.jobs):
                workers.append(_start(options, output, work, Share(place, options.jobs, fanout, os.getpid()), workers))
            _wait_until_ready(workers)
            drop(options.user)
            stop.may_signal()
            _copy(workers, output)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    finally:
        _signal(workers, signal.SIGKILL)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1]) for worker in workers]
    output.flush()
    for said in dict.fromkeys(worker.error for worker in workers):
        for line in said.splitlines():
            complain(line)
    counts = [worker.counts for worker in workers if worker.counts is not None]
    if len(counts) < len(workers):
        complain(f"{len(workers) - len(counts)} of {len(workers)} processes ended early: status {max(statuses, key=abs)}")
    _print_summary(options, counts, monotonic() - began)
    return 0 if len(counts) == len(workers) else 1 if counts else 2


class _Stop:
    """Ends the captures of the workers, once they listen: a signal that comes before that is remembered."""

    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers
        self._asked = self._ready = False

    def __call__(self) -> None:
        """End the captures soon. For a signal handler."""
        self._asked = True
        if self._ready:
            _signal(self._workers, signal.SIGINT)

    def may_signal(self) -> None:
        """The workers listen now."""
        self._ready = True
        if self._asked:
            _signal(self._workers, signal.SIGINT)


def _start(options: Namespace, output: Output, work: Work, share: Share, others: list[_Worker]) -> _Worker:
    ours, theirs = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # a worker that does not ignore them yet must not hear of them
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs, 1)
        strange = [ours, theirs, *(worker.descriptor for worker in others)]
        _work_and_exit(options, "always" if output.colored else "never", work, share, strange)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(theirs)
    return _Worker(pid, ours)


def _work_and_exit(options: Namespace, color: str, work: Work, share: Share, strange: list[int]) -> NoReturn:
    """Be a worker. Nothing of the parent's may run here, so it ends without cleaning up. strange: descriptors of the parent."""
    status, error = 2, ""
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for descriptor in strange:
            os.close(descriptor)
        os.setsid()  # without a terminal: a question for a password would stop a process in the background for ever
        output = Output(None, (), color)
        share.end_with_parent()
        counts = work(options, output, share)
        output.flush()
        output.write(_COUNTS + orjson.dumps(asdict(counts)) + b"\n")
        output.flush()
        status = 0
    except CommandError as raised:
        error = str(raised)
    except BrokenPipeError:  # the parent has ended
        pass
    except OSError as raised:
        error = f"{raised.filename or 'output'}: {raised.strerror or raised}"
    except Exception:  # noqa: BLE001 - nobody else could tell it
        error = traceback.format_exc()
    finally:
        if error:
            with contextlib.suppress(OSError):  # the parent has ended
                os.write(1, _ERROR + orjson.dumps(error.encode("utf-8", "backslashreplace").decode()) + b"\n")
        os._exit(status)


def _wait_until_ready(workers: list[_Worker]) -> None:
    """Wait until each worker has said that it is ready, or has ended."""
    for worker in workers:
        first = os.read(worker.descriptor, len(READY))
        worker.rest = first.removeprefix(READY)


def _copy(workers: list[_Worker], output: Output) -> None:
    """Write the lines of the workers, whole ones only, until all have ended."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.descriptor, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, _READ)
                if not data:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    continue
                _take(key.data, data, output)
            output.flush()


def _take(worker: _Worker, data: bytes, output: Output) -> None:
    lines, _, worker.rest = (worker.rest + data).rpartition(b"\n")
    results, found, counts = lines.partition(_COUNTS)
    if found:
        read = orjson.loads(counts)
        statistics = [InterfaceStatistics(**one) for one in read["statistics"]]
        worker.counts = Counts(read["n_frames"], read["n_sessions"], statistics, read["failures"])
        results = results.rpartition(b"\n")[0]
    results, found, error = results.partition(_ERROR)
    if found:
        worker.error = orjson.loads(error)
        results = results.rpartition(b"\n")[0]  # of a line that is not whole nobody can use the part
    if results:
        output.write(results + b"\n")


def _signal(workers: list[_Worker], number: int) -> None:
    """Signal all workers that are not waited for. One that could not give up its rights has ended, and hears nothing."""
    for worker in workers:
        with contextlib.suppress(PermissionError):
            os.kill(worker.pid, number)


def _print_summary(options: Namespace, counts: list[Counts], seconds: float) -> None:
    output = ErrorOutput(options.color)
    frames = count_text(sum(one.n_frames for one in counts), "packet")
    sessions = count_text(sum(one.n_sessions for one in counts), "TLS session")
    output.line(output.paint(harmless(names(options.interfaces)), "bold"))
    shares = listing(f"{one.n_frames:,}" for one in counts)
    lasted = duration_text(int(seconds * 1e9))
    text = say(
        "{packets} in {time}, {sessions}; by process: {shares}", packets=frames, time=lasted, sessions=sessions, shares=shares
    )
    print_fact(output, "captured", text)
    print_counters(output, _sums(counts))
    failures = Failures()
    for one in counts:
        failures.add_record(one.failures)
    print_failures(failures, output, SHOWN_FAILURES)
    output.flush()


def _sums(counts: list[Counts]) -> list[InterfaceStatistics]:
    """Add what the workers have counted. What the interface itself dropped, each of them knows of the whole."""
    sums: list[InterfaceStatistics] = []
    for ones in zip(*(one.statistics for one in counts), strict=True):
        received = [one.received for one in ones if one.received is not None]
        dropped = [one.dropped_by_kernel for one in ones if one.dropped_by_kernel is not None]
        sums.append(
            replace(
                ones[0],
                received=sum(received) if len(received) == len(ones) else None,
                dropped_by_kernel=sum(dropped) if len(dropped) == len(ones) else None,
                dropped_by_queue=sum(one.dropped_by_queue for one in ones),
            )
        )
    return sums
