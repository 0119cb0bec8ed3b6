"""Finds the tshark that gives the second opinion, and its version.

pyshark would also take a path from a file `config.ini` in the current folder, and a program named `tshark` beside the one that
was asked for. Here the program is exactly what the user named, or the first `tshark` in PATH.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

OLDEST = (4, 0, 0)
"""The oldest version whose names of fields and preferences are known to fit."""

_PATIENCE = 60
"""Seconds within which `tshark --version` has to answer."""

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
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            preexec_fn=dies_with(os.getpid()),
        )
    except subprocess.TimeoutExpired as error:
        raise TsharkError(f"{path}: does not tell its version within {_PATIENCE} s") from error
    except OSError as error:
        raise TsharkError(f"{path}: {error.strerror}") from error
    found = _VERSION.search(answer.stdout[:4096].decode("utf-8", "replace").partition("\n")[0])
    if found is None:
        raise TsharkError(f"{path}: does not say that it is TShark, and which version")
    version = int(found[1]), int(found[2]), int(found[3])
    if version < OLDEST:
        raise TsharkError(f"{path}: is tshark {'.'.join(found.groups())}; from 4.0 on, its fields are known")
    return TsharkProgram(path, version)


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
