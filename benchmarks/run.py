"""Time the analyzer and tshark, ssldump and tcpdump: `python -m benchmarks.run`, a Markdown report on standard output.

All numbers of a report come from one run of this program on one machine. In each round every tool reads the capture once, one
after the other, so other load on the machine affects all of them. The report has the median of the rounds.
`benchmarks/README.md` explains the numbers.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure import Run, measure

KEYED = " with keys"
"""At the end of a workload's name: the same capture, decrypted."""

WORKLOADS = ("handshakes", "mixed", "bulk", "handshakes" + KEYED, "bulk" + KEYED)
TSHARK_FIELDS = (
    "frame.number",
    "tls.handshake.extensions_server_name",
    "tls.handshake.version",
    "tls.handshake.ciphersuite",
    "tls.handshake.ja3",
    "tls.handshake.certificate",
)
TSHARK_HTTP_FIELDS = ("frame.number", "http.request.method", "http.host", "http.request.uri", "http.response.code")
TOOLS: dict[str, tuple[str, ...]] = {
    "analyzer": ("{analyzer}", "sessions", "{capture}", "--format", "json"),
    "analyzer --messages": ("{analyzer}", "sessions", "{capture}", "--format", "json", "--messages"),
    "tshark": (
        *("{tshark}", "-n", "-r", "{capture}", "-T", "fields", "-Y", "tls.handshake"),
        *(word for field in TSHARK_FIELDS for word in ("-e", field)),
    ),
    "ssldump": ("ssldump", "-j", "-n", "-r", "{capture}"),
    "tcpdump": ("tcpdump", "-n", "-r", "{capture}", "-w", "/dev/null"),
}
KEYED_TOOLS: dict[str, tuple[str, ...]] = {
    "analyzer": ("{analyzer}", "sessions", "{capture}", "-k", "{keys}", "--format", "json"),
    "tshark": (
        *("{tshark}", "-n", "-r", "{capture}", "-o", "tls.keylog_file:{keys}", "-T", "fields", "-Y", "http"),
        *(word for field in TSHARK_HTTP_FIELDS for word in ("-e", field)),
    ),
    "floor": (sys.executable, "-m", "benchmarks.floor", "{capture}"),
}
"""The tools that run on workloads with keys; `floor` only on `bulk`, and tshark only in the first round."""

FLOOR = "floor"
DECRYPTED = b'"decryption":{"status":"decrypted"'
MIB = 1 << 20
# A start takes so little time that a few more cost nothing and make the median stable.
MIN_STARTS = 5

Timings = dict[str, list[Run]]
Programs = Mapping[str, Sequence[str]]
"""The words that start `analyzer` and `tshark`."""


def command_of(tool: str, programs: Programs, capture: Path, keyed: bool = False) -> list[str]:
    """Return the command line of `tool` for `capture`, with its key log or without."""
    words: list[str] = []
    for word in (KEYED_TOOLS if keyed else TOOLS)[tool]:
        spelled = word.replace("{capture}", str(capture)).replace("{keys}", str(capture.with_suffix(".keys")))
        words += programs.get(word.strip("{}"), [spelled])
    return words


def tools_for(name: str, tools: Sequence[str]) -> list[str]:
    """Which of the tools run on a workload."""
    if not name.endswith(KEYED):
        return [tool for tool in tools if tool in TOOLS]
    return [tool for tool in tools if tool in KEYED_TOOLS and (tool != FLOOR or name.startswith("bulk"))]


def made(name: str, scale: float, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the capture of a workload and its facts. Another process makes it if it does not exist, to keep this one small."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.workloads",
        name.removesuffix(KEYED),
        "--scale",
        str(scale),
        "--folder",
        str(folder),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    path, facts = done.stdout.split("\n", 1)
    return Path(path), json.loads(facts)


def sessions_printed(programs: Programs, capture: Path, keyed: bool, folder: Path, limit: float) -> tuple[int, str]:
    """Return how many sessions the analyzer prints for `capture`, in a run that is not timed, and the end of its standard
    error.

    With keys only completely decrypted sessions count. The run also loads the capture into the page cache.
    """
    output, errors = folder / "check.out", folder / "check.err"
    measure(command_of("analyzer", programs, capture, keyed), limit, str(output), str(errors))
    with output.open("rb") as lines:
        n_lines = sum(1 for line in lines if not keyed or DECRYPTED in line)
    complaint = errors.read_text(errors="replace").strip()[-300:]
    output.unlink()
    errors.unlink()
    return n_lines, complaint


def time_tools(tools: Sequence[str], programs: Programs, capture: Path, keyed: bool, rounds: int, limit: float) -> Timings:
    """The runs of every tool on `capture`, by tool."""
    timings: Timings = {tool: [] for tool in tools}
    for number in range(rounds):
        for tool in tools:
            if keyed and tool == "tshark" and number > 0:  # a minute and gigabytes each time
                continue
            run = measure(command_of(tool, programs, capture, keyed), limit)
            timings[tool].append(run)
            print(f"{capture.name} {number + 1}/{rounds} {tool}: {run.wall:.2f} s, status {run.status}", file=sys.stderr)
    return timings


def failures(name: str, timings: Timings) -> list[str]:
    """Return a note for every tool with a failed run."""
    return [
        f"* {name}, {tool}: ended with status {', '.join(str(status) for status in sorted(statuses))}"
        for tool, runs in timings.items()
        if (statuses := {run.status for run in runs if run.status})
    ]


def median(runs: Sequence[Run], figure: str) -> float:
    """The median of one figure of `runs`."""
    return float(statistics.median(getattr(run, figure) for run in runs))


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head, all columns but the first are numbers."""
    head, *body = rows
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def median_or_none(timings: Timings, tool: str, figure: str) -> float | None:
    """Return the median of one value; None for a tool that did not run."""
    return median(timings[tool], figure) if tool in timings else None


def render_seconds(results: dict[str, tuple[dict[str, Any], Timings]], tools: Sequence[str]) -> str:
    """How long each tool took on each workload."""
    rows = [["workload", "packets", "sessions", *(f"{tool}, s" for tool in tools)]]
    for name, (facts, timings) in results.items():
        found = [median_or_none(timings, tool, "wall") for tool in tools]
        seconds = ["-" if wall is None else f"{wall:.2f}" for wall in found]
        rows.append([name, f"{facts['packets']:,}", f"{facts['sessions']:,}", *seconds])
    return table(rows)


def render_ratios(results: dict[str, tuple[dict[str, Any], Timings]], tools: Sequence[str]) -> str:
    """Return how many times as long as the analyzer the other tools took, in elapsed and in processor time."""
    others = [tool for tool in tools if not tool.startswith("analyzer")]

    def ratio(timings: Timings, other: str, tool: str, figure: str) -> str:
        above, below = median_or_none(timings, other, figure), median_or_none(timings, tool, figure)
        return "-" if above is None or not below else f"{above / below:.3g}"

    rows = [["workload, tool", *(f"{other} / it" for other in others), *(f"{other} / it, processor" for other in others)]]
    for name, (_, timings) in results.items():
        for tool in tools:
            if tool not in others and tool in timings:
                ratios = [ratio(timings, other, tool, figure) for figure in ("wall", "processor") for other in others]
                rows.append([f"{name}, {tool}", *ratios])
    return table(rows)


def render_costs(results: dict[str, tuple[dict[str, Any], Timings]], tools: Sequence[str]) -> str:
    """Return processor time and peak memory of every tool, and its cost for a packet and for a session."""
    rows = [["workload, tool", "fastest to slowest, s", "processor, s", "µs a packet", "µs a session", "peak MiB", "status"]]
    for name, (facts, timings) in results.items():
        for tool in timings:
            runs = timings[tool]
            wall = median(runs, "wall")
            rows.append(
                [
                    f"{name}, {tool}",
                    f"{min(run.wall for run in runs):.2f} to {max(run.wall for run in runs):.2f}",
                    f"{median(runs, 'processor'):.2f}",
                    f"{wall * 1e6 / facts['packets']:.2f}",
                    f"{wall * 1e6 / facts['sessions']:.0f}",
                    f"{median(runs, 'peak_memory') / MIB:.0f}",
                    "/".join(str(status) for status in sorted({run.status for run in runs})),
                ]
            )
    return table(rows)


def time_start(analyzer: Sequence[str], demo: Path, rounds: int, limit: float) -> Timings:
    """The runs in which the analyzer prints its version, and the summary of the small `demo` capture."""
    commands = [("analyzer --version", [*analyzer, "--version"])]
    if demo.exists():
        commands.append((f"analyzer {demo.name}", [*analyzer, str(demo)]))
    return {label: [measure(command, limit) for _ in range(max(rounds, MIN_STARTS))] for label, command in commands}


def render_start(timings: Timings) -> str:
    """Return how long the analyzer takes for very little work."""
    rows = [["command", "median, s", "fastest, s", "peak MiB"]]
    for label, runs in timings.items():
        least = min(run.wall for run in runs)
        rows.append([label, f"{median(runs, 'wall'):.3f}", f"{least:.3f}", f"{median(runs, 'peak_memory') / MIB:.0f}"])
    return table(rows)


def first_line(*command: str) -> str:
    """The first line that a program prints, on standard output or error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("Running as")]
    return lines[0] if lines else "says nothing"


def render_machine(programs: Programs, tools: Sequence[str]) -> str:
    """Return the time, the machine and the versions."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    lines = [
        f"* Date: {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        f"* Machine: {processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load before the first run {load}",
        f"* analyzer: {first_line(*programs['analyzer'], '--version')}",
    ]
    flags = {"tshark": "--version", "ssldump": "-v", "tcpdump": "--version"}
    lines += [f"* {tool}: {first_line(*programs.get(tool, [tool]), flags[tool])}" for tool in tools if tool in flags]
    return "\n".join(lines)


def main() -> int:
    """Read the command line, run, print the report. Return 1 if the analyzer missed sessions or a tool failed."""
    root = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Time the analyzer beside other tools.")
    parser.add_argument("-n", "--rounds", type=int, default=3, help="runs of each tool on each workload (default 3)")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="some of: %(default)s")
    parser.add_argument("--tools", default=",".join([*TOOLS, FLOOR]), help="some of: %(default)s")
    parser.add_argument("--analyzer", default="analyzer", help="the command to time (default: the installed `analyzer`)")
    parser.add_argument("--tshark", default="tshark", help="the tshark to time, such as a newer one than the installed")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full workloads, such as 0.1")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", root / ".cache")))
    parser.add_argument("--demo", type=Path, default=root.parent / "captures" / "demo.pcapng", help="for the start-up time")
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is killed")
    parser.add_argument("--json", type=Path, help="write every run to this file too")
    args = parser.parse_args()
    programs = {"analyzer": shlex.split(args.analyzer), "tshark": shlex.split(args.tshark)}
    asked = [tool.strip() for tool in args.tools.split(",")]
    unknown = [name for name in asked if name not in TOOLS and name != FLOOR]
    unknown += [name for name in args.workloads.split(",") if name not in WORKLOADS]
    if unknown:
        parser.error(f"not known: {', '.join(unknown)}")
    tools = [tool for tool in asked if shutil.which(command_of(tool, programs, Path("capture"), tool == FLOOR)[0])]
    absent = [tool for tool in asked if tool not in tools]
    machine = render_machine(programs, tools)

    results: dict[str, tuple[dict[str, Any], Timings]] = {}
    notes = [f"* {tool}: not installed" for tool in absent]
    for name in args.workloads.split(","):
        keyed = name.endswith(KEYED)
        capture, facts = made(name, args.scale, args.folder)
        if "analyzer" in tools:
            printed, complaint = sessions_printed(programs, capture, keyed, args.folder, args.limit)
            if printed != facts["sessions"]:
                notes.append(f"* {name}: the analyzer printed {printed} of {facts['sessions']} sessions. {complaint}")
        timings = time_tools(tools_for(name, tools), programs, capture, keyed, args.rounds, args.limit)
        results[name] = facts, timings
        notes += failures(name, timings)
    parts = [machine, render_seconds(results, tools), render_ratios(results, tools), render_costs(results, tools)]
    if "analyzer" in tools:
        starts = time_start(programs["analyzer"], args.demo, args.rounds, args.limit)
        parts.append(render_start(starts))
        notes += failures("start", starts)
    print("\n\n".join([*parts, *(["\n".join(notes)] if notes else [])]))
    if args.json:
        raw = {
            name: {"facts": facts, "runs": {tool: [asdict(run) for run in runs] for tool, runs in timings.items()}}
            for name, (facts, timings) in results.items()
        }
        args.json.write_text(json.dumps(raw, indent=1) + "\n")
    return 1 if notes else 0


if __name__ == "__main__":
    sys.exit(main())
