"""Finds the tshark that gives the second opinion, and its version.

pyshark would also take a path from a file `config.ini` in the current folder, and a program named `tshark` beside the one that
was asked for. Here the program is exactly what the user named, or the first `tshark` in PATH.
"""

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

OLDEST = (4, 0, 0)
"""The oldest version whose names of fields and preferences are known to fit."""

_PATIENCE = 60
"""Seconds within which `tshark --version` has to answer."""

_LONGEST_LINE = 4096
"""Bytes of the answer in which the version is looked for."""

_PR_SET_PDEATHSIG = 1

_VERSION = re.compile(r"\bTShark\b.*?\b(\d{1,4})\.(\d{1,4})\.(\d{1,4})\b")


class TsharkError(Exception):
    """tshark is missing, too old, does not answer, or failed. The text says it in one line; it may contain text of tshark."""


@dataclass(frozen=True, slots=True)
class TsharkProgram:
    """A tshark that runs here. path: absolute. version: its three numbers."""

    path: str
    version: tuple[int, int, int]

    @property
    def version_text(self) -> str:
        """The version as tshark writes it: `4.6.9`."""
        return ".".join(str(number) for number in self.version)


def find_tshark(given: str | None = None) -> TsharkProgram:
    """Return the tshark at a path, or the first one in PATH, after it has told its version. Raises TsharkError."""
    path = shutil.which("tshark" if given is None else os.path.abspath(given))
    if path is None:
        if given is None:
            raise TsharkError("tshark is not installed (Debian: apt install tshark), or name one with --tshark PATH")
        raise TsharkError(f"{given}: no program that can be run (--tshark)")
    path = os.path.abspath(path)
    try:
        found = _VERSION.search(_first_line(path))
    except OSError as error:
        raise TsharkError(f"{path}: {error.strerror}") from error
    if found is None:
        raise TsharkError(f"{path}: does not say that it is TShark, and which version")
    version = int(found[1]), int(found[2]), int(found[3])
    if version < OLDEST:
        raise TsharkError(f"{path}: is tshark {'.'.join(found.groups())}; from 4.0 on, its fields are known")
    return TsharkProgram(path, version)


def _first_line(path: str) -> str:
    """Return the first line that a program prints for `--version`. Nothing of it runs on. Raises TsharkError, OSError."""
    until = time.monotonic() + _PATIENCE
    said = b""
    with subprocess.Popen(
        [path, "--version"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with(os.getpid()),
    ) as program:
        output = program.stdout.fileno() if program.stdout is not None else -1
        try:
            while b"\n" not in said and len(said) < _LONGEST_LINE:
                if not select.select([output], [], [], max(0, until - time.monotonic()))[0]:
                    raise TsharkError(f"{path}: does not tell its version within {_PATIENCE} s")
                more = os.read(output, _LONGEST_LINE)
                if not more:
                    break
                said += more
        finally:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(program.pid, signal.SIGKILL)
    return said.decode("utf-8", "replace").partition("\n")[0]


def dies_with(parent: int) -> Callable[[], None] | None:
    """Return what a child runs before tshark: it asks the kernel to be killed when this process dies (PR_SET_PDEATHSIG of
    prctl(2)). None where the system is not Linux."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before_tshark() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it has died in between
            os._exit(1)

    return before_tshark
