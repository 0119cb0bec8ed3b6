"""Several processes that share the packets of the interfaces: `analyzer live -j N`.

The kernel gives each packet to one of the workers by the hash of its flow (PACKET_FANOUT, packet(7)), so that a worker has
whole connections. Each worker is a run of its own that writes its lines into a pipe; this process writes them out, one after
another. A worker knows nothing of the others: it counts its own frames, and a session that resumes one of another worker does
not name it. The numbers of its sessions are its place, and then every Nth, so that no number comes twice.
"""

import os
import selectors
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import NoReturn

import orjson

from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.capture.live.privileges import drop
from analyzer.capture.processes.connection_witness import end_with_parent
from analyzer.cli.escape import harmless
from analyzer.cli.files import print_fact
from analyzer.cli.formatting import count_text, duration_text
from analyzer.cli.interruption import Interruption
from analyzer.cli.live_settings import names
from analyzer.cli.live_summary import print_counters
from analyzer.cli.output import CommandError, ErrorOutput, Output, complain

_READ = 1 << 16

_COUNTS = b"\0"
"""Begins the last line of a worker: no line of results has this byte."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a worker has counted: frames, sessions, and what its sockets say of the interfaces."""

    n_frames: int
    n_sessions: int
    statistics: list[InterfaceStatistics]


Work = Callable[[Namespace, Output, int, tuple[int, int]], Counts]


@dataclass(slots=True)
class _Worker:
    """A worker, as this process sees it. rest: the beginning of its next line. counts: None before its end."""

    pid: int
    descriptor: int
    rest: bytes = b""
    counts: Counts | None = None


def run_workers(options: Namespace, output: Output, work: Work) -> int:
    """Run `work` in as many processes as `--jobs` says, and write their lines. Return the exit status. Raises CommandError."""
    began = monotonic()
    sys.stdout.flush()
    fanout = (1 + os.getpid() % 0xFFFF, options.jobs)
    workers = [_start(options, output, work, place, fanout) for place in range(options.jobs)]
    try:
        drop(options.user)
        with Interruption(lambda: _signal(workers, signal.SIGINT)):
            _copy(workers, output)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    finally:
        _signal(workers, signal.SIGKILL)  # those that have ended are zombies still, and get none
        statuses = [os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1]) for worker in workers]
    output.flush()
    counts = [worker.counts for worker in workers if worker.counts is not None]
    if len(counts) < len(workers):
        complain(f"{len(workers) - len(counts)} of {len(workers)} processes ended early: status {max(statuses, key=abs)}")
    _print_summary(options, counts, monotonic() - began)
    return 0 if len(counts) == len(workers) else 1 if counts else 2


def _start(options: Namespace, output: Output, work: Work, place: int, fanout: tuple[int, int]) -> _Worker:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        os.dup2(theirs, 1)
        _work_and_exit(options, "always" if output.colored else "never", work, place, fanout)
    os.close(theirs)
    return _Worker(pid, ours)


def _work_and_exit(options: Namespace, color: str, work: Work, place: int, fanout: tuple[int, int]) -> NoReturn:
    """Be a worker. Nothing of the parent's may run here, so it ends without cleaning up."""
    status = 1
    try:
        end_with_parent()
        os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which passes it on once
        output = Output(None, (), color)
        counts = work(options, output, place, fanout)
        output.flush()
        output.write(_COUNTS + orjson.dumps(asdict(counts)) + b"\n")
        output.flush()
        status = 0
    except CommandError as error:
        complain(str(error))
        status = 2
    finally:
        os._exit(status)


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
        worker.counts = Counts(read["n_frames"], read["n_sessions"], statistics)
        results = results.removesuffix(b"\n")
    if results:
        output.write(results + b"\n")


def _signal(workers: list[_Worker], number: int) -> None:
    for worker in workers:
        os.kill(worker.pid, number)


def _print_summary(options: Namespace, counts: list[Counts], seconds: float) -> None:
    output = ErrorOutput(options.color)
    frames = count_text(sum(one.n_frames for one in counts), "packet")
    sessions = count_text(sum(one.n_sessions for one in counts), "TLS session")
    output.line(output.paint(harmless(names(options.interfaces)), "bold"))
    shares = ", ".join(f"{one.n_frames:,}" for one in counts)
    print_fact(output, "captured", f"{frames} in {duration_text(int(seconds * 1e9))}, {sessions}; by process: {shares}")
    print_counters(output, _sums(counts))
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
