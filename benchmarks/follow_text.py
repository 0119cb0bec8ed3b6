"""Time `analyzer follow` beside tshark's `-z follow,tls`: `python -m benchmarks.follow_text`, a table on standard output.

The workload `text` is one TLS session that carries 50 MB of text. Each program decrypts it and writes the text, in turn, a few
times in one run; the table has the medians.
"""

import argparse
import shlex
import statistics
import sys
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.workloads import cached, default_folder, facts_of

FORMS = ("text", "ascii", "hex", "raw", "json")
MEGABYTE = 1_000_000


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
    walls: dict[str, list[float]] = {label: [] for label in asked}
    failed = False
    for _ in range(args.rounds):
        for label, command in asked.items():
            run = measure(command, 900)
            walls[label].append(run.wall)
            failed = failed or run.status != 0
    base = statistics.median(walls["tshark follow,tls,ascii"])
    print("| command | seconds | MB/s | tshark's ascii / it |\n| --- | ---: | ---: | ---: |")
    for label, found in walls.items():
        wall = statistics.median(found)
        print(f"| {label} | {wall:.2f} | {n_bytes / wall / MEGABYTE:.0f} | {base / wall:.1f} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
