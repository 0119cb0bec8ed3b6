"""Finds the process that holds a socket, in /proc (proc(5)), and what is known of that process.

A process has a link `socket:[inode]` in /proc/PID/fd for each of its sockets. There is no table the other way round, so the
folders have to be searched. That costs some milliseconds for a hundred processes, and it is done only when a session begins
whose process is not known yet: first in the processes that were found last, because the same browser opens most connections,
then in the rest, the youngest first. All sockets that are passed on the way are remembered. A search ends after LONGEST_SEARCH,
and goes on there the next time; and a search rests ten times as long as it took, so that it never takes more than a tenth of
the time of a processor.

To read /proc/PID/fd of other users' processes, a process needs CAP_SYS_PTRACE. Without it, only the user id of a socket is
known, which is part of what sock_diag says.
"""

import os
import re
from collections.abc import Iterator
from time import monotonic

from analyzer.capture.processes.process_identity import Process, text_of

LONGEST_SEARCH = 0.05
"""Seconds of one search. A process with ten thousand descriptors takes about twenty milliseconds."""

_REST = 10
"""How many times as long as a search the pause after it is."""

_RECENT = 32
"""Processes that are searched first, and in every search."""

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
        self._pids: dict[int, int] = {}
        self._recent: list[int] = []
        self._next = 0
        self._rest_until = 0.0

    def pid_of(self, inode: int) -> int | None:
        """Return the id of a process that holds the socket with this inode number; None if none was found yet.

        If several processes hold it, as after fork(2), the youngest one that was found is returned.
        """
        pid = self._pids.get(inode)
        if pid is not None and os.path.exists(f"{self._proc}/{pid}"):
            return pid
        now = monotonic()
        if now < self._rest_until:
            return None
        pid = self._search(inode, now + LONGEST_SEARCH)
        self._rest_until = monotonic() + _REST * (monotonic() - now)
        if pid is not None:
            self._recent = [pid, *(one for one in self._recent if one != pid)][:_RECENT]
        return pid

    def describe(self, pid: int, user: str | None) -> Process:
        """Return what is known of a process. user: the name of its user."""
        name = self._read(pid, "comm", 256)
        groups = self._read(pid, "cgroup", _MOST_CGROUPS)
        return Process(text_of(name), pid, user, container_of(groups.decode("utf-8", "replace")))

    def _search(self, inode: int, until: float) -> int | None:
        for pid in list(self._recent):
            self._pass(pid)
            if inode in self._pids:
                return self._pids[inode]
        try:
            pids = sorted((int(name) for name in os.listdir(self._proc) if name.isdigit()), reverse=True)
        except OSError:
            return None
        # Where the last search had to end, this one begins.
        place = next((index for index, pid in enumerate(pids) if pid <= self._next), 0) if self._next else 0
        for pid in (*pids[place:], *pids[:place]):
            if monotonic() > until:
                self._next = pid
                return None
            self._pass(pid)
            if inode in self._pids:
                break
        self._next = 0
        return self._pids.get(inode)

    def _pass(self, pid: int) -> None:
        """Remember all sockets of a process."""
        for inode in self._sockets(pid):
            if len(self._pids) >= _REMEMBERED:
                self._pids.clear()
            self._pids[inode] = pid

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


def container_of(groups: str) -> str | None:
    """Return the container that /proc/PID/cgroup names, the innermost if there are several; None if there is none."""
    for line in groups.splitlines():
        path = line.split(":", 2)[-1]
        found = _CONTAINER.findall(path)
        if found:
            return str(found[-1][0] or found[-1][1])
    return None
