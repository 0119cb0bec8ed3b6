"""Fuzzes every target in turn, guided by coverage (atheris, which is libFuzzer for Python).

    python -m tests.fuzz --minutes 60                     all targets, each for its share; the installed build
    PYTHONPATH=. python -m tests.fuzz --minutes 60        the checkout
    python -m tests.fuzz --minutes 5 headers segments     only these
    python -m tests.fuzz --replay FILE headers            one input again, with its traceback

Each target runs in a process of its own, a fork of the one that loaded and instrumented all modules. Coverage is that of plain
Python: with the interpreted build of all readers, with the compiled one only of the modules that are not compiled. So an hour
with the interpreted build finds more, and one with the compiled build finds what only C does. What was learned is kept in a
folder for each target under `--corpus`, and is where the next run begins. An input that fails is written to `--findings`, with
the traceback beside it; failures at the same place count once. An input that takes more than 10 s, or 1 GB of memory, ends the
target, and is kept too. The status is 1 if anything was found.
"""

import argparse
import contextlib
import io
import os
import re
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

MAX_SECONDS = 10
"""What one input may take."""

MAX_MEGABYTES = 1000
"""What the process may take: the readers, the captures of the seeds, and the library."""


def load(instrumented: bool) -> dict[str, Any]:
    """The targets by name. instrumented: their modules count coverage, which takes the longest of all beginnings."""
    if not instrumented:
        from fuzz.targets import TARGETS

        return TARGETS
    import atheris

    with (
        contextlib.redirect_stderr(io.StringIO()),
        atheris.instrument_imports(include=["analyzer"], enable_loader_override=False),
    ):
        from fuzz.targets import TARGETS
    return TARGETS


def fuzz(name: str, target: Any, seconds: int, corpus: Path, findings: Path, seed: int) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    begin = corpus / f"{name}.seeds"
    begin.mkdir(exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (begin / f"{number:04}").write_bytes(data[: target.longest])
    places: set[tuple[str, int]] = set()

    def one_input(data: bytes) -> None:
        try:
            target.read(data)
        except Exception as error:  # noqa: BLE001 - whatever a target raises is a finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            if (last.filename, last.lineno or 0) in places:
                return
            places.add((last.filename, last.lineno or 0))
            place = findings / f"{name}-{Path(last.filename).stem}-{last.lineno}"
            place.write_bytes(data)
            text = traceback.format_exc()
            place.with_suffix(".txt").write_text(text, encoding="utf-8")
            print(f"--- {name}: {place}\n{text}", flush=True)

    atheris.Setup(
        [
            "fuzz", f"-max_total_time={seconds}", f"-timeout={MAX_SECONDS}", f"-rss_limit_mb={MAX_MEGABYTES}",
            f"-max_len={target.longest}", f"-seed={seed}", f"-artifact_prefix={findings / name}-", "-verbosity=1",
            "-print_final_stats=1", str(folder), str(begin),
        ],
        one_input,
    )  # fmt: skip
    atheris.Fuzz()


def in_child(run: Callable[[], None]) -> tuple[int, str, str]:
    """Run in a process of its own, which has all that is loaded here. Return its status, and its output and errors."""
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                run()
                status = 0
            except BaseException:  # noqa: BLE001 - the parent prints it
                traceback.print_exc()
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = []
        for file in (out, err):
            file.seek(0)
            told.append(file.read().decode("utf-8", "replace"))
        return status, told[0], told[1]


def is_slow(read: Callable[[bytes], None], path: Path) -> bool:
    """Whether an input takes too long of a processor: libFuzzer looks at a clock, also while the machine does other work."""

    def again() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS + 1, MAX_SECONDS + 1))  # an endless loop is killed
        begun = time.process_time()
        read(path.read_bytes())
        if time.process_time() - begun > MAX_SECONDS:
            raise SystemExit(1)

    return in_child(again)[0] != 0


def progress(log: str) -> str:
    """What libFuzzer's log says of a run: its inputs, and the coverage with the seeds alone and at the end."""
    inputs, rate = (re.search(rf"stat::{what}: *(\d+)", log) for what in ("number_of_executed_units", "average_exec_per_sec"))
    seen = re.findall(r"^#\d+\s+(INITED|DONE) .*?cov: (\d+) ft: (\d+) corp: (\d+)", log, re.MULTILINE)
    grown = " to ".join(f"{cov} ({features} features, {corpus} inputs kept)" for _, cov, features, corpus in seen)
    return f"{inputs[1] if inputs else '?'} inputs, {rate[1] if rate else '?'} a second, coverage {grown or '?'}"


def main() -> int:
    """Fuzz the targets in turn. Return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing of every reader.")
    parser.add_argument("targets", nargs="*", help="names of targets; all if left out")
    parser.add_argument("--minutes", type=float, default=60, help="for all of them together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-corpus")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run this input, and nothing else")
    options = parser.parse_args()
    if options.replay:
        load(False)[options.targets[0]].read(options.replay.read_bytes())
        return 0
    end = time.monotonic() + options.minutes * 60
    targets = load(True)
    chosen = options.targets or list(targets)
    before = set(options.findings.glob("*"))
    for place, name in enumerate(chosen):
        targets[name].seeds()  # what is made once for them is made here
        begun = time.monotonic()
        share = max(1.0, (end - begun) / (len(chosen) - place))
        n_runs = 0
        while (
            left := begun + share - time.monotonic()
        ) > 0.5 and n_runs < 20:  # an input that is slow or large ends the target
            seed = options.seed + n_runs
            run = partial(fuzz, name, targets[name], max(1, round(left)), options.corpus, options.findings, seed)
            status, out, err = in_child(run)
            n_runs += 1
            for path in [*options.findings.glob(f"{name}-slow-unit-*"), *options.findings.glob(f"{name}-timeout-*")]:
                if path not in before and not is_slow(targets[name].read, path):
                    path.unlink()
            print(out, end="")
            print(f"{name}: {progress(err)}, status {status}", flush=True)
            if status:
                print(*err.splitlines()[-30:], sep="\n", flush=True)
    n_found = sum(path.suffix != ".txt" for path in set(options.findings.glob("*")) - before)
    print(f"{len(chosen)} targets, {n_found} findings in {options.findings}")
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if entry and Path(entry).resolve() != HERE)]
    sys.exit(main())
