"""Programs in the place of tshark that run the real one and then misbehave, and a look at which processes are left."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path


def script(path: Path, then: str) -> Path:
    """Write a program that tells the version of the real tshark, and does `then` instead of reading a capture."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\ncase "$1" in --version) exec tshark --version;; esac\n{then}\n')
    path.chmod(0o755)
    return path


def stopped(folder: Path) -> Path:
    """Return a program that stops before it becomes tshark, as one that hangs. Its number is then in the file `started`."""
    return script(folder / "tshark", f'echo $$ > "{folder}/started"\nkill -STOP $$\nexec tshark "$@"')


def with_options(folder: Path, *words: str) -> Path:
    """Return a program that is tshark with further options behind the given ones."""
    return script(folder / "tshark", f'exec tshark "$@" {shlex.join(words)}')


def running(path: Path) -> list[int]:
    """Return the processes whose command line names this program, without those that have ended and are not waited for."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            state = (process / "stat").read_text().rpartition(") ")[2][:1]
        except OSError:  # it has ended meanwhile
            continue
        if str(path).encode() in words.split(b"\0")[:2] and state != "Z":
            found.append(int(process.name))
    return found


def has_ended(pid: int) -> bool:
    """Whether a process has ended. Nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] == "Z"
    except OSError:  # nothing is left of it
        return True


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until something is so. Return whether it was in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
