"""Finds the process that holds a socket, in /proc (proc(5)), and what is known of that process.

A process has a link `socket:[inode]` in /proc/PID/fd for each of its sockets. There is no table the other way round, so the
folders have to be searched, the most likely first: the processes that were found last, because the same browser opens most
connections, and the youngest ones, because a command opens its connection when it has just started. /proc/loadavg ends with the
process id that was given last. Only if that finds nothing, all others are searched. That costs some milliseconds for a hundred
processes. So it ends after LONGEST_SEARCH, and goes on there the next time; and it rests ten times as long as it took, so that
it never takes more than a tenth of a processor. All sockets that are passed on the way are remembered, with the start time
of their process: its number may be given to another one.

To read /proc/PID/fd of other users' processes, a process needs CAP_SYS_PTRACE. Without it, only the user id of a socket is
known, which is part of what sock_diag says.
"""

import os
import re
from collections.abc import Iterable, Iterator
from math import inf
from time import monotonic

from analyzer.capture.processes.process_identity import Process, text_of

LONGEST_SEARCH = 0.05
"""Seconds of one search. A process with ten thousand descriptors takes about twenty milliseconds."""

_REST = 10
"""How many times as long as a search the pause after it is."""

_LIKELY = 16
"""Processes that were found last, and youngest processes, that are searched in every search: half a millisecond."""

_DEEPEST = 32
"""Ancestors of a process that are told."""

_REMEMBERED = 1 << 16
"""Sockets whose process is remembered."""

_MOST_CGROUPS = 1 << 14
"""Bytes of /proc/PID/cgroup that are read."""

_CONTAINER = re.compile(
    r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)|/(?:lxc\.payload\.|lxc/|machine-)([\w.-]{1,64}?)(?:\.scope)?(?:/|$)"
)
"""A container's name in a path of control groups: the id that Docker, containerd, CRI-O and Podman use, or LXC's name."""

_LINK = re.compile(r"socket:\[(\d+)\]")


class ProcessSearch:
    """Searches the processes of this machine. Only Linux has /proc/PID/fd; on other systems nothing is found."""

    def __init__(self, proc: str = "/proc") -> None:
        """proc: where the proc file system is mounted."""
        self._proc = proc
        self._pids: dict[int, tuple[int, int]] = {}
        self._recent: list[int] = []
        self._next = 0
        self._rest_until = 0.0

    def pid_of(self, inode: int) -> int | None:
        """Return the id of a process that holds the socket with this inode number; None if none was found yet.

        If several processes hold it, as after fork(2), the youngest one that was found is returned.
        """
        known = self._pids.get(inode)
        if known is not None:
            if self._start(known[0]) == known[1]:
                return known[0]
            del self._pids[inode]
        try:
            pids = self._youngest_first()
        except OSError:
            return None
        pid = self._search(inode, [*self._recent, *pids[:_LIKELY]])
        began = monotonic()
        if pid is None and began >= self._rest_until:
            # Where the last search had to end, this one begins.
            place = pids.index(self._next) if self._next in pids else 0
            self._next = 0
            pid = self._search(inode, [*pids[place:], *pids[:place]], began + LONGEST_SEARCH)
            self._rest_until = monotonic() + _REST * (monotonic() - began)
        if pid is not None:
            self._recent = [pid, *(one for one in self._recent if one != pid)][:_LIKELY]
        return pid

    def describe(self, pid: int, user: str | None) -> Process:
        """Return what is known of a process. user: the name of its user."""
        name = self._read(pid, "comm", 256)
        groups = self._read(pid, "cgroup", _MOST_CGROUPS)
        container = container_of(groups.decode("utf-8", "replace"))
        return Process(text_of(name), pid, user, container, tuple(self._ancestors(pid)))

    def _ancestors(self, pid: int) -> Iterator[int]:
        for _ in range(_DEEPEST):
            parent = parent_in(self._read(pid, "stat", 4096))
            if parent is None or parent == 0:
                return
            yield parent
            pid = parent

    def _youngest_first(self) -> list[int]:
        """Return all process ids: down from the one that was given last, then those from before the numbers began again."""
        pids = sorted((int(name) for name in os.listdir(self._proc) if name.isdigit()), reverse=True)
        with open(f"{self._proc}/loadavg", "rb") as file:
            last = file.read(256).split()[-1:]
        if last and last[0].isdigit():
            pids.sort(key=lambda pid: pid > int(last[0]))
        return pids

    def _search(self, inode: int, pids: Iterable[int], until: float = inf) -> int | None:
        for pid in pids:
            if monotonic() > until:
                self._next = pid
                return None
            self._pass(pid)
            if inode in self._pids:
                return pid
        return None

    def _pass(self, pid: int) -> None:
        """Remember all sockets of a process."""
        inodes = list(self._sockets(pid))
        start = self._start(pid) if inodes else None
        if start is None:  # it has none, or has ended
            return
        for inode in inodes:
            if len(self._pids) >= _REMEMBERED:
                self._pids.clear()
            self._pids[inode] = pid, start

    def _start(self, pid: int) -> int | None:
        return start_in(self._read(pid, "stat", 4096))

    def _sockets(self, pid: int) -> Iterator[int]:
        folder = f"{self._proc}/{pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:  # another user's, or it has ended
            return
        for name in names:
            try:
                link = _LINK.fullmatch(os.readlink(f"{folder}/{name}"))
            except OSError:
                continue
            if link:
                yield int(link[1])

    def _read(self, pid: int, name: str, most: int) -> bytes:
        try:
            with open(f"{self._proc}/{pid}/{name}", "rb") as file:
                return file.read(most)
        except OSError:  # it has ended
            return b""


def parent_in(stat: bytes) -> int | None:
    """Return the parent of a process, from /proc/PID/stat; None if it cannot be read. The second field may contain anything."""
    fields = stat.rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else None


def start_in(stat: bytes) -> int | None:
    """Return when a process started, from /proc/PID/stat, in ticks since the machine did; None if it cannot be read."""
    fields = stat.rpartition(b")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[19].isdigit() else None


def container_of(groups: str) -> str | None:
    """Return the container that /proc/PID/cgroup names, the innermost if there are several; None if there is none."""
    for line in groups.splitlines():
        path = line.split(":", 2)[-1]
        found = _CONTAINER.findall(path)
        if found:
            return str(found[-1][0] or found[-1][1])
    return None
