"""Time `analyzer follow` beside tshark's `-z follow,tls`: `python -m benchmarks.follow_text`, a table on standard output.

The workload `text` is one TLS session that carries 50 MB of text. Each program decrypts it and writes the text, in turn, a few
times in one run; the table has the medians. `tshark / it` is how many times as long tshark's ascii took.
"""

import argparse
import shlex
import statistics
import sys
from pathlib import Path

from benchmarks.measure import Run, measure
from benchmarks.workloads import cached, default_folder, facts_of

FORMS = ("text", "ascii", "hex", "raw", "json")
MEGABYTE = 1_000_000
BASE = "tshark follow,tls,ascii"


def commands(analyzer: list[str], tshark: list[str], capture: str, keys: str) -> dict[str, list[str]]:
    """The command lines by what the table calls them."""
    found = {}
    for form in FORMS:
        option = {"text": [], "json": ["--format", "json"]}.get(form, [f"--{form}"])
        found[f"analyzer follow, {form}"] = [*analyzer, "follow", capture, "0", "-k", keys, *option]
    for form in ("ascii", "hex"):
        follow = ["-q", "-z", f"follow,tls,{form},0"]
        found[f"tshark follow,tls,{form}"] = [*tshark, "-n", "-r", capture, "-o", f"tls.keylog_file:{keys}", *follow]
    return found


def main() -> int:
    """Read the command line, run, and print the table. Return 1 if a program failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.follow_text", description="Time follow beside tshark.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the 50 MB, such as 0.1")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="for captures and certificates (BENCH_DIR)")
    args = parser.parse_args()
    capture = cached("text", args.scale, args.folder)
    n_bytes = facts_of(capture)["application_bytes"]
    keys = str(capture.with_suffix(".keys"))
    asked = commands(shlex.split(args.analyzer), shlex.split(args.tshark), str(capture), keys)
    runs: dict[str, list[Run]] = {label: [] for label in asked}
    failed = False
    for _ in range(args.rounds):
        for label, command in asked.items():
            run = measure(command, 900)
            runs[label].append(run)
            failed = failed or run.status != 0
    walls = {label: statistics.median(run.wall for run in found) for label, found in runs.items()}
    busy = {label: statistics.median(run.processor for run in found) for label, found in runs.items()}
    print("| command | seconds | tshark / it | processor, s | tshark / it, processor | MB a second of processor |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for label in runs:
        ratios = walls[BASE] / walls[label], busy[BASE] / busy[label]
        rate = n_bytes / busy[label] / MEGABYTE
        print(f"| {label} | {walls[label]:.2f} | {ratios[0]:.2f} | {busy[label]:.2f} | {ratios[1]:.2f} | {rate:.0f} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
