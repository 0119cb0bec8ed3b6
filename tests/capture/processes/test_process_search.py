"""The process that holds a socket: of this machine, and in folders that look like /proc."""

import itertools
import os
import socket
import sys
from pathlib import Path

import pytest

from analyzer.capture.processes import process_search
from analyzer.capture.processes.process_search import ProcessSearch, container_of, parent_in, start_in

ID = "3f" * 32


@pytest.fixture(autouse=True)
def longest_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search ends with its result on a busy machine too."""
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 60.0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system has no /proc")
def test_a_socket_of_this_process():
    with socket.socket() as own:
        search = ProcessSearch()
        inode = os.fstat(own.fileno()).st_ino
        assert search.pid_of(inode) == os.getpid()
        found = search.describe(os.getpid(), "somebody")
    assert (found.pid, found.user) == (os.getpid(), "somebody")
    assert found.name == Path("/proc/self/comm").read_text().strip()
    assert found.ancestors[0] == os.getppid()


class Machine:
    """A folder with processes and their sockets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last(0)

    def last(self, pid: int) -> None:
        (self.folder / "loadavg").write_text(f"0.1 0.1 0.1 1/100 {pid}\n")

    def add(self, pid: int, *inodes: int, start: int = 1) -> None:
        descriptors = self.folder / str(pid) / "fd"
        descriptors.mkdir(parents=True, exist_ok=True)
        for inode in inodes:
            (descriptors / str(inode)).symlink_to(f"socket:[{inode}]")
        if not (descriptors / "0").is_symlink():
            (descriptors / "0").symlink_to("/dev/null")
        (descriptors.parent / "stat").write_text(f"{pid} (a) b) S 1 {'0 ' * 17}{start} 0 0\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_one_of_many_processes(machine: Machine):
    for pid in range(1, 101):
        machine.add(pid, 1000 + pid)
    search = ProcessSearch(str(machine.folder))
    assert search.pid_of(1005) == 5
    assert search.pid_of(1099) == 99
    assert search.pid_of(1) is None


def test_a_process_that_has_ended_is_not_remembered(machine: Machine):
    machine.add(5, 55)
    search = ProcessSearch(str(machine.folder))
    assert search.pid_of(55) == 5
    (machine.folder / "5").rename(machine.folder / "gone")
    machine.add(6, 55)
    assert search.pid_of(55) == 6


def test_another_process_with_the_same_number_is_not_taken_for_it(machine: Machine):
    machine.add(5, 55)
    search = ProcessSearch(str(machine.folder))
    assert search.pid_of(55) == 5
    (machine.folder / "5").rename(machine.folder / "gone")
    machine.add(5, 66, start=2)
    assert search.pid_of(55) is None
    assert search.pid_of(66) == 5


def test_the_youngest_is_found_while_a_search_rests(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process_search, "_REST", 1_000_000)
    for pid in range(1, 60):
        machine.add(pid, 1000 + pid)
    search = ProcessSearch(str(machine.folder))
    machine.last(59)
    assert search.pid_of(1) is None  # searched all, and rests now
    machine.add(60, 2000)
    machine.last(60)
    assert search.pid_of(2000) == 60
    machine.add(3, 3000)
    assert search.pid_of(3000) is None


def test_after_the_numbers_began_again_the_youngest_has_a_small_one(machine: Machine):
    for pid in (*range(4, 9), *range(30_000, 30_050)):
        machine.add(pid)
    machine.last(8)
    assert ProcessSearch(str(machine.folder))._youngest_first()[:6] == [8, 7, 6, 5, 4, 30_049]


def test_a_search_that_takes_too_long_goes_on_where_it_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    for pid in range(1, 201):
        machine.add(pid, 1000 + pid)
    """Each look at the clock is a millisecond later; there is one before each process."""
    clock = itertools.count()
    monkeypatch.setattr(process_search, "monotonic", lambda: next(clock) / 1000)
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 0.0505)
    monkeypatch.setattr(process_search, "_REST", 0)
    search = ProcessSearch(str(machine.folder))
    tries = 1
    while search.pid_of(1001) is None:
        tries += 1
        assert tries < 20
    assert tries == 4


@pytest.mark.parametrize(
    ("stat", "parent"),
    [
        (b"5 (curl) S 4 5 5", 4),
        (b"5 (a) S 1 (b) c) R 77 5", 77),
        (b"5 (curl", None),
        (b"", None),
        (b"5 (curl) S x", None),
    ],
)
def test_the_parent_of_a_process(stat: bytes, parent: int | None):
    assert parent_in(stat) == parent


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system has no /proc")
def test_when_a_process_started():
    ticks = os.sysconf("SC_CLK_TCK")
    start = start_in(Path("/proc/self/stat").read_bytes())
    assert start is not None
    with open("/proc/uptime", encoding="ascii") as file:
        assert 0 < start <= float(file.read().split()[0]) * ticks
    for stat in (b"5 (curl) S 4 5 5", b"5 (curl", b"", b"5 (curl) " + b"x " * 30):
        assert start_in(stat) is None


@pytest.mark.parametrize(
    ("groups", "container"),
    [
        (f"12:memory:/docker/{ID}\n0::/", ID),
        (f"0::/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container", ID),
        (f"0::/docker/{'ab' * 32}/docker/{ID}", ID),
        ("0::/lxc.payload.web1/init.scope", "web1"),
        ("0::/machine.slice/machine-deb.scope", "deb"),
        ("0::/user.slice/user-1000.slice/session-2.scope", None),
        (f"0::/{ID[:-1]}", None),
        ("", None),
        ("\x1b[31m", None),
    ],
)
def test_the_container_of_a_process(groups: str, container: str | None):
    assert container_of(groups) == container


@pytest.mark.skipif(sys.platform.startswith("linux"), reason="for systems without /proc")
def test_without_proc_nothing_is_found():
    assert ProcessSearch().pid_of(1) is None
