"""Time `analyzer packets` beside tshark's list of packets: `python -m benchmarks.packet_list`, Markdown on standard output.

Both print one row for each packet of the workload `mixed`. With keys both decrypt TLS, and name the requests inside.
"""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from benchmarks.crosscheck_cost import timed
from benchmarks.run import made, median, table

TSHARK = "tshark"
FORMS = ("text", "json", "csv")


def main() -> int:
    """Read the command line, time, and print the report. The status is 1 when a program failed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packet_list", description="Time packets beside tshark.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time, such as a newer one than the installed")
    parser.add_argument("--scale", type=float, default=0.25, help="a part of the full workload (default %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", root / ".cache")))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is killed")
    options = parser.parse_args()
    tshark = shutil.which(options.tshark)
    if tshark is None:
        parser.error(f"{options.tshark}: no program that can be run (--tshark)")
    capture, facts = made("mixed", options.scale, options.folder)
    keys = str(capture.with_suffix(".keys"))
    rows = [["packets", "keys", "command", "s", "µs a packet", "tshark / it", "tshark / it, processor"]]
    failed = False
    for keyed in (False, True):
        own = [*shlex.split(options.analyzer), "packets", str(capture), *(["-k", keys] if keyed else [])]
        commands = {form: [*own, "--format", form] for form in FORMS}
        commands[TSHARK] = [tshark, "-n", "-r", str(capture), *(["-o", f"tls.keylog_file:{keys}"] if keyed else [])]
        timings = timed(commands, options.rounds, options.limit)
        for name, runs in timings.items():
            failed = failed or any(run.status for run in runs)
            wall, processor = median(runs, "wall"), median(runs, "processor")
            ratios = median(timings[TSHARK], "wall") / wall, median(timings[TSHARK], "processor") / processor
            each = wall * 1_000_000 / facts["packets"]
            shown = [f"{wall:.2f}", f"{each:.1f}", *(f"{ratio:.2f}" for ratio in ratios)]
            rows.append([str(facts["packets"]), "yes" if keyed else "no", name, *shown])
    print(table(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
