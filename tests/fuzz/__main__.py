"""Fuzzes every target in turn, guided by coverage (atheris, which is libFuzzer for Python).

    python -m tests.fuzz --minutes 60                     all targets, each for its share; the installed build
    PYTHONPATH=. python -m tests.fuzz --minutes 60        the checkout
    python -m tests.fuzz --minutes 5 headers segments     only these
    python -m tests.fuzz --replay FILE headers            one input again, with its traceback

Each target runs in a process of its own. Coverage is that of plain Python: with the interpreted build of all readers, with the
compiled one only of the modules that are not compiled. So an hour with the interpreted build finds more, and one with the
compiled build finds what only C does. What was learned is kept in a folder for each target under `--corpus`, and is where the
next run begins. An input that fails is written to `--findings`, with the traceback beside it; failures at the same place count
once. An input that takes more than 10 s, or 1 GB of memory, ends the target, and is kept too. The status is 1 if anything was
found.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

MAX_SECONDS = 10
"""What one input may take."""

MAX_MEGABYTES = 1000
"""What the process may take: the readers, the captures of the seeds, and the library."""


def fuzz(name: str, seconds: int, corpus: Path, findings: Path, seed: int) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["analyzer"], enable_loader_override=False):
        from fuzz.targets import TARGETS
    target = TARGETS[name]
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
            f"-max_len={target.longest}", f"-seed={seed}", f"-artifact_prefix={findings / name}-", "-verbosity=0",
            "-print_final_stats=1", str(folder), str(begin),
        ],
        one_input,
    )  # fmt: skip
    atheris.Fuzz()


def replay(name: str, path: Path) -> None:
    """Run one input."""
    from fuzz.targets import TARGETS

    TARGETS[name].read(path.read_bytes())


def names() -> list[str]:
    """The names of all targets, without importing them here."""
    script = f"import sys; sys.path[:0] = {[str(HERE.parent)]}; from fuzz.targets import TARGETS; print(*TARGETS)"
    return subprocess.run([sys.executable, "-P", "-c", script], check=True, capture_output=True, text=True).stdout.split()


def main() -> int:
    """Fuzz the targets in turn. Return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing of every reader.")
    parser.add_argument("targets", nargs="*", help="names of targets; all if left out")
    parser.add_argument("--minutes", type=float, default=60, help="for all of them together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-corpus")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run this input, and nothing else")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        fuzz(options.targets[0], round(options.minutes * 60), options.corpus, options.findings, options.seed)
    if options.replay:
        replay(options.targets[0], options.replay)
        return 0
    chosen = options.targets or names()
    share = options.minutes / len(chosen)
    n_before = sum(1 for _ in options.findings.glob("*"))
    for name in chosen:
        end = time.monotonic() + share * 60
        n_lines = 0
        while (left := end - time.monotonic()) > 1 and n_lines < 20:  # a target ends early with an input that is slow or large
            command = [sys.executable, str(HERE), "--here", "--minutes", str(left / 60), "--seed", str(options.seed + n_lines)]
            command += ["--corpus", str(options.corpus), "--findings", str(options.findings), name]
            ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            n_lines += 1
            print(ran.stdout, end="")
            units = [line.split()[-1] for line in ran.stderr.splitlines() if "number_of_executed_units" in line]
            print(f"{name}: {units[0] if units else '?'} inputs, status {ran.returncode}", flush=True)
            if ran.returncode:
                print(*ran.stderr.splitlines()[-30:], sep="\n", flush=True)
    n_found = sum(1 for _ in options.findings.glob("*")) - n_before
    print(f"{len(chosen)} targets, {n_found // 2} findings in {options.findings}")
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if entry and Path(entry).resolve() != HERE)]
    sys.exit(main())
