"""Time `analyzer crosscheck` beside tshark alone: `python -m benchmarks.crosscheck_cost`, a Markdown report on standard output.

crosscheck runs tshark and reads what it prints. So it cannot be faster than tshark; the report says how many times as long it
takes, and how much of that is tshark printing the fields that are compared. All runs of a capture are made one after the other,
as in `benchmarks.run`.
"""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from analyzer.crosscheck.tshark_settings import FRAMES, arguments
from benchmarks.measure import measure
from benchmarks.run import MIB, Timings, made, median, table

WORKLOADS = ("handshakes", "mixed")
PLAIN, PRINTING, CROSSCHECK = "tshark", "tshark, fields", "crosscheck"


def commands(analyzer: Sequence[str], tshark: str, capture: Path) -> dict[str, list[str]]:
    """Return the command lines to time, by name: tshark alone, tshark as crosscheck starts it, and crosscheck."""
    keys = str(capture.with_suffix(".keys"))
    return {
        PLAIN: [tshark, "-n", "-r", str(capture), "-o", f"tls.keylog_file:{keys}"],
        PRINTING: [tshark, "-n", "-r", str(capture), "-T", "pdml", "-Y", FRAMES, *arguments(keys)],
        CROSSCHECK: [*analyzer, "crosscheck", str(capture), "-k", keys, "--tshark", tshark, "--format", "json"],
    }


def timed(words: dict[str, list[str]], rounds: int, limit: float) -> Timings:
    """The runs of every command, by its name."""
    timings: Timings = {name: [] for name in words}
    for number in range(rounds):
        for name, command in words.items():
            run = measure(command, limit)
            timings[name].append(run)
            print(f"{number + 1}/{rounds} {name}: {run.wall:.2f} s, status {run.status}", file=sys.stderr)
    return timings


def row(name: str, timings: Timings, packets: int) -> list[str]:
    """The figures of one workload."""
    wall = {command: median(runs, "wall") for command, runs in timings.items()}
    processor = median(timings[CROSSCHECK], "processor") / median(timings[PLAIN], "processor")
    peak = max(run.peak_memory for run in timings[CROSSCHECK]) / MIB
    seconds = [f"{wall[command]:.2f}" for command in (PLAIN, PRINTING, CROSSCHECK)]
    ratios = [f"{wall[CROSSCHECK] / wall[PLAIN]:.2f}", f"{processor:.2f}", f"{wall[CROSSCHECK] / wall[PRINTING]:.2f}"]
    return [name, str(packets), *seconds, *ratios, f"{peak:.0f}"]


def main() -> int:
    """Read the command line, time, and print the report. The status is 1 when a program failed or both disagreed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crosscheck_cost", description="Time crosscheck beside tshark.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each command on each workload (default 3)")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="some of: %(default)s")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time, such as a newer one than the installed")
    parser.add_argument("--scale", type=float, default=0.05, help="a part of the full workloads (default %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", root / ".cache")))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is killed")
    options = parser.parse_args()
    tshark = shutil.which(options.tshark)
    if tshark is None:
        parser.error(f"{options.tshark}: no program that can be run (--tshark)")
    heads = ["workload", "packets", *(f"{name} s" for name in (PLAIN, PRINTING, CROSSCHECK))]
    rows = [[*heads, "/ tshark", "/ tshark, processor", "/ tshark, fields", "peak MiB"]]
    failed = False
    for name in options.workloads.split(","):
        capture, facts = made(name, options.scale, options.folder)
        timings = timed(commands(shlex.split(options.analyzer), tshark, capture), options.rounds, options.limit)
        rows.append(row(name, timings, facts["packets"]))
        for command, runs in timings.items():
            if statuses := sorted({run.status for run in runs} - {0}):
                failed = True
                print(f"{name}, {command}: ended with status {', '.join(map(str, statuses))}", file=sys.stderr)
    print(table(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
