"""Time decrypted QUIC beside tshark: `python -m benchmarks.quic_decryption`, Markdown on standard output.

Both programs read the workload `quic` with its key log: tshark lists the frames of HTTP/3, the analyzer prints the records of
all sessions with their HTTP exchanges, in one process and in as many as it chooses. The runs alternate.
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


def main() -> int:
    """Read the command line, time, and print the report. The status is 1 when a program failed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quic_decryption", description="Time QUIC beside tshark.")
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
    capture, facts = made("quic", options.scale, options.folder)
    keys = str(capture.with_suffix(".keys"))
    sessions = [*shlex.split(options.analyzer), "sessions", str(capture), "-k", keys]
    commands = {
        TSHARK: [
            *(tshark, "-n", "-r", str(capture), "-o", f"tls.keylog_file:{keys}", "-T", "fields", "-Y", "http3"),
            *("-e", "frame.number", "-e", "http3.headers.path"),
        ],
        "sessions, JSON": [*sessions, "--format", "json"],
        "sessions, JSON, one process": [*sessions, "--format", "json", "-j", "1"],
        "sessions, CSV": [*sessions, "--format", "csv"],
    }
    timings = timed(commands, options.rounds, options.limit)
    print(f"{facts['packets']:,} packets, {facts['sessions']} connections\n")
    rows = [["command", "seconds", "processor, s", "µs a packet, processor", "tshark / it", "tshark / it, processor"]]
    for name, runs in timings.items():
        wall, processor = median(runs, "wall"), median(runs, "processor")
        ratios = [median(timings[TSHARK], figure) / median(runs, figure) for figure in ("wall", "processor")]
        each = processor * 1e6 / facts["packets"]
        rows.append([name, f"{wall:.2f}", f"{processor:.2f}", f"{each:.1f}", *[f"{ratio:.1f}" for ratio in ratios]])
    print(table(rows))
    return int(any(run.status for runs in timings.values() for run in runs))


if __name__ == "__main__":
    sys.exit(main())
