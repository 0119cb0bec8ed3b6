"""Time `analyzer stats` beside tables of tshark's -z: `python -m benchmarks.stats_tables`, Markdown on standard output.

Both count the workload `mixed`, or the capture that is named. Beside each table of tshark stand the same table of ours (-z),
and what counts the same in our own form.
"""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from benchmarks.crosscheck_cost import timed
from benchmarks.run import made, median, table

COUNTED = {
    "conv,tcp": ["conversations", "--format", "json"],
    "endpoints,ip": ["endpoints", "--format", "json"],
    "io,stat,1": ["io", "--format", "json"],
    "io,phs": ["protocols", "--format", "json"],
}
"""Tables of tshark, and the command of ours that counts the same."""


def main() -> int:
    """Read the command line, time, and print the report. The status is 1 when a program failed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stats_tables", description="Time stats beside tshark.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time, such as a newer one than the installed")
    parser.add_argument(
        "--table", action="append", choices=COUNTED, help="a table that is timed; may be repeated (default: all)"
    )
    parser.add_argument("--capture", type=Path, help="a capture instead of the workload")
    parser.add_argument("--scale", type=float, default=0.25, help="a part of the full workload (default %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", root / ".cache")))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is killed")
    options = parser.parse_args()
    tshark = shutil.which(options.tshark)
    if tshark is None:
        parser.error(f"{options.tshark}: no program that can be run (--tshark)")
    capture = options.capture or made("mixed", options.scale, options.folder)[0]
    own = [*shlex.split(options.analyzer), "stats", str(capture)]
    rows = [["table", "command", "s", "processor s", "tshark / it", "tshark / it, processor"]]
    failed = False
    for tap in options.table or COUNTED:
        words = COUNTED[tap]
        commands = {"stats " + words[0]: [*own, *words], f"stats -z {tap}": [*own, "-z", tap]}
        commands["tshark"] = [tshark, "-n", "-q", "-r", str(capture), "-z", tap]
        timings = timed(commands, options.rounds, options.limit)
        for name, runs in timings.items():
            failed = failed or any(run.status for run in runs)
            times = {kind: median(runs, kind) for kind in ("wall", "processor")}
            ratios = [f"{median(timings['tshark'], kind) / spent:.1f}" for kind, spent in times.items()]
            rows.append([tap, name, *(f"{spent:.2f}" for spent in times.values()), *ratios])
    print(table(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
