"""Time display filters and fields beside tshark: `python -m benchmarks.display_filter`, Markdown on standard output.

Both print what passes a filter in the workload `mixed`, as rows of the packet list (`-Y`) or as fields (`-T fields -e`).
The runs of both programs alternate.
"""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from benchmarks.crosscheck_cost import timed
from benchmarks.run import made, median, table

TSHARK, ANALYZER = "tshark", "analyzer"

ENDS = ("-e", "frame.number", "-e", "ip.src", "-e", "ip.dst", "-e", "tcp.srcport", "-e", "tcp.dstport")
HELLO = ("-e", "frame.number", "-e", "ip.src", "-e", "tls.handshake.extensions_server_name")

CASES = {
    "address": ("-Y", "ip.addr == 10.1.0.1"),
    "port": ("-Y", "tcp.port == 443"),
    "hello": ("-Y", "tls.handshake.type == 1"),
    "fields of headers": ("-T", "fields", *ENDS),
    "filtered fields of headers": ("-Y", "tcp.flags.syn == 1", "-T", "fields", *ENDS),
    "fields of TLS": ("-Y", "tls.handshake.type == 1", "-T", "fields", *HELLO),
}
"""The options of both programs. Headers alone decide the first two, and those of headers; for the others TLS has to be read."""


def main() -> int:
    """Read the command line, time, and print the report. The status is 1 when a program failed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.display_filter", description="Time filters beside tshark.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each command (default 3)")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time, such as a newer one than the installed")
    parser.add_argument("--scale", type=float, default=0.25, help="a part of the full workload (default %(default)s)")
    parser.add_argument("--cases", default=",".join(CASES), help="some of: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", root / ".cache")))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is killed")
    options = parser.parse_args()
    cases = options.cases.split(",")
    if not set(cases) <= set(CASES):
        parser.error(f"{options.cases}: the cases are {', '.join(CASES)} (--cases)")
    tshark = shutil.which(options.tshark)
    if tshark is None:
        parser.error(f"{options.tshark}: no program that can be run (--tshark)")
    capture, facts = made("mixed", options.scale, options.folder)
    print(f"{facts['packets']} packets\n")
    rows = [["case", "options", "tshark, s", "analyzer, s", "tshark / it", "tshark / it, processor"]]
    failed = False
    for name in cases:
        words = CASES[name]
        commands = {
            TSHARK: [tshark, "-n", "-r", str(capture), *words],
            ANALYZER: [*shlex.split(options.analyzer), "packets", str(capture), *words],
        }
        timings = timed(commands, options.rounds, options.limit)
        failed = failed or any(run.status for runs in timings.values() for run in runs)
        wall = {program: median(runs, "wall") for program, runs in timings.items()}
        processor = median(timings[TSHARK], "processor") / median(timings[ANALYZER], "processor")
        seconds = [f"{wall[program]:.2f}" for program in (TSHARK, ANALYZER)]
        ratios = [f"{wall[TSHARK] / wall[ANALYZER]:.1f}", f"{processor:.1f}"]
        rows.append([name, f"`{shlex.join(words)}`", *seconds, *ratios])
    print(table(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
