"""Run one program and measure it: time on the wall, processor time, peak memory."""

import os
import signal
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program; times in seconds, memory in bytes, `status` as a shell has it (128 + n after signal n)."""

    wall: float
    processor: float
    peak_memory: int
    status: int


def measure(command: list[str], limit: float, output: str = os.devnull, errors: str = os.devnull) -> Run:
    """Run `command` with standard output and error in files, and kill it after `limit` seconds.

    The peak memory is that of the program and the children it waited for. It is never below this process' own, which
    the kernel counts between fork and exec: keep the caller small.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, errors, flags, 0o600),
    ]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    guard = threading.Timer(limit, os.kill, (pid, signal.SIGKILL))
    guard.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        guard.cancel()
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, code if code >= 0 else 128 - code)
