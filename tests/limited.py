"""Limits the size of files, and makes disks that are soon full."""

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


@contextlib.contextmanager
def files_up_to(n_bytes: int) -> Iterator[None]:
    """Let no file of this process, or of those it starts, become longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def disk_of(n_bytes: int, folder: Path) -> Iterator[None]:
    """Mount a disk of that size on a folder, for this thread and the processes that it starts (mount_namespaces(7)).

    Raises PermissionError without CAP_SYS_ADMIN.
    """
    before, working = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY), os.getcwd()
    libc = ctypes.CDLL(None, use_errno=True)

    def done(status: int) -> None:
        if status != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    try:
        done(libc.unshare(CLONE_NEWNS))
        try:
            done(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None))
            done(libc.mount(b"disk", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(0), b"mode=1777,size=%d" % n_bytes))
            yield
        finally:
            done(libc.setns(before, CLONE_NEWNS))
            os.chdir(working)
    finally:
        os.close(before)
