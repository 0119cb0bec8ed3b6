"""Trials of repetition: the same capture gives the same bytes, whatever the process, and no run changes its material.

The commands are started as a user starts them, each in a process of its own with another seed for the hashes of Python
(PYTHONHASHSEED), on which the order of sets depends.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import analyzer
from analyzer.validation.capture_reading import placeless, read_capture, read_in_two_processes
from analyzer.validation.material import KnownCapture, Material
from analyzer.validation.validation_trial import CannotRunError, Trial, Value, value

_TIMEOUT = 300
"""Seconds that a command may take on the demonstration capture, which needs one or two."""

_SEEDS = ("0", "1")


def repeat_trials(material: Material, scratch: str) -> Iterator[Trial]:
    """Yield the trials of repetition. scratch: a folder for what the commands write."""
    for one in material.captures:
        yield Trial("R14", "again", one.file_name, partial(_again, one))
        yield Trial("R14", "two_processes", one.file_name, partial(_two_processes, one))
    demo = material.capture("demo")
    yield Trial("R14", "command", demo.file_name, partial(_commands, demo, ["sessions", demo.path, "--format", "json"], None))
    for ending in ("json", "html", "md", "pdf"):
        target = os.path.join(scratch, f"report.{ending}")
        words = ["report", demo.path, "--force", "-o", target]
        yield Trial("R14", f"report.{ending}", demo.file_name, partial(_commands, demo, words, target))


def unchanged_trial(material: Material, before: dict[str, str]) -> Trial:
    """Return the trial that comes last: every file of the material has the SHA-256 that it had before."""

    def run() -> Sequence[Value]:
        after = material.digests()
        changed = [name for name in before | after if before.get(name) != after.get(name)]
        return [value("files", len(before), len(after)), value("changed_files", [], changed)]

    return Trial("R15", "unchanged", "", run)


def _again(one: KnownCapture) -> Sequence[Value]:
    first, second = (read_capture(one.path, one.keylog, root=one.root).lines for _ in range(2))
    return [value("records", digest_of(first), digest_of(second))]


def _two_processes(one: KnownCapture) -> Sequence[Value]:
    if sys.platform != "linux":
        raise CannotRunError("not_linux")
    alone = read_capture(one.path, one.keylog, root=one.root).lines
    return [value("records", digest_of(alone), digest_of(read_in_two_processes(one.path, one.keylog, one.root)))]


def _commands(one: KnownCapture, words: list[str], target: str | None) -> Sequence[Value]:
    """Run a command twice. target: the file that it writes, None for standard output."""
    values, found = [], []
    for seed in _SEEDS:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "analyzer", *words],
            env=_environment(seed),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        values.append(value(f"exit_status.{seed}", 0, done.returncode))
        found.append(_content(target) if target is not None and done.returncode == 0 else done.stdout)
    values.append(value("output", hashlib.sha256(found[0]).hexdigest(), hashlib.sha256(found[1]).hexdigest()))
    if target is None:
        lines = [placeless(line, one.path) for line in found[0].splitlines()]
        values.append(value("records", digest_of(read_capture(one.path).lines), digest_of(lines)))
    return values


def digest_of(lines: Sequence[bytes]) -> str:
    """Return how many records there are, and the SHA-256 of all."""
    return f"{len(lines)}: {hashlib.sha256(b''.join(line + b'|' for line in lines)).hexdigest()}"


def _environment(seed: str) -> dict[str, str]:
    """Return the environment of a command: of this very installation, with the seed, and in English."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(analyzer.__file__)))
    paths = [package, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONHASHSEED": seed,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
    }


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
