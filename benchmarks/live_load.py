"""Find the highest rate that is captured without loss: `python -m benchmarks.live_load`, as root; a Markdown report.

Two network namespaces are joined by a pair of virtual Ethernet interfaces. `benchmarks.replay` sends the workload `live` into
one end at a steady rate, and one program at a time captures at the other: the analyzer, dumpcap and tcpdump, each with a buffer
of the same size. A rate holds if the program has received every frame that was sent, and the kernel dropped none for it, as the
statistics of its own socket say. Rates are tried upwards, then halved between the last that held and the first that did not.
Everything shares one machine: the sender, the kernel's own work for both ends, and the program.
"""

import argparse
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.workloads import cached, default_folder, facts_of

NEAR, FAR = "load0", "load1"
LADDER = (25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000)
"""Thousands of frames a second that are tried, in this order."""

SETTLE = 0.7
"""Seconds after the last frame in which a program may take what is in its buffer."""

ENDINGS = ("session_ended", "finding")
"""Events that come when a connection is over: some time after its last frame, so that late packets still belong to it."""

COUNTERS = {
    "analyzer": re.compile(r"interface +\S+: ([\d,]+) packets received; dropped ([\d,]+) by the kernel"),
    "dumpcap": re.compile(r"Packets received/dropped on interface '.*': (\d+)/(\d+)"),
    "tcpdump": re.compile(r"(\d+) packets received by filter\n(\d+) packets dropped by kernel"),
}
"""Where each program says what its socket has counted: received and dropped. dumpcap counts apart, the others do not."""


@dataclass(frozen=True, slots=True)
class Step:
    """One program at one rate. rate: asked for; reached: frames a second that went out. processor: seconds of the program."""

    tool: str
    rate: int
    reached: float
    sent: int
    received: int
    dropped: int
    processor: float

    @property
    def held(self) -> bool:
        """Whether nothing was lost."""
        return self.dropped == 0 and self.received >= self.sent


class Line:
    """Two namespaces, and the sender that waits in one of them. programs: the words that start each tool."""

    def __init__(self, programs: dict[str, list[str]], python: str, capture: Path, n_frames: int) -> None:
        self._programs = programs
        self.near, self.far = (f"load-{end}-{os.getpid()}" for end in ("a", "b"))
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "add", name], check=True)
        words = ["ip", "-n", self.near, "link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", self.far]
        subprocess.run(words, check=True)
        for namespace, interface in ((self.near, NEAR), (self.far, FAR)):
            words = ["sysctl", "-qw", f"net.ipv6.conf.{interface}.disable_ipv6=1"]
            subprocess.run(["ip", "netns", "exec", namespace, *words], check=True)
            subprocess.run(["ip", "-n", namespace, "link", "set", interface, "mtu", "9000", "up"], check=True)
        words = [python, "-m", "benchmarks.replay", NEAR, str(capture), "--lines", "--most", str(n_frames)]
        self._sender = subprocess.Popen(
            ["ip", "netns", "exec", self.near, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.facts = self.answer()

    def close(self) -> None:
        """End the sender, and remove the namespaces."""
        assert self._sender.stdin is not None
        self._sender.stdin.close()
        self._sender.wait()
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", name], check=True)

    def begin(self, rate: int, seconds: float) -> None:
        """Begin to send at a rate; 0 for as fast as it goes."""
        assert self._sender.stdin is not None
        self._sender.stdin.write(f"{rate} {seconds}\n")
        self._sender.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return what was sent, when all is sent."""
        assert self._sender.stdout is not None
        line = self._sender.stdout.readline()
        if not line:
            raise SystemExit("the sender has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def start(self, tool: str, output: int) -> subprocess.Popen[str]:
        """Start a program, and wait until its socket is bound."""
        words = ["ip", "netns", "exec", self.far, *self._programs[tool]]
        started = subprocess.Popen(words, stdout=output, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            bound = subprocess.run(
                ["ip", "netns", "exec", self.far, "cat", "/proc/net/packet"], capture_output=True, text=True, check=True
            )
            if len(bound.stdout.splitlines()) > 1:
                time.sleep(0.5)
                return started
            if started.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"{tool} does not capture: {started.communicate()[1]}")


@contextmanager
def line(programs: dict[str, list[str]], python: str, capture: Path, n_frames: int) -> Iterator[Line]:
    """The namespaces and the sender, removed at the end."""
    made = Line(programs, python, capture, n_frames)
    try:
        yield made
    finally:
        made.close()


def programs_of(analyzer: Sequence[str], buffer: int) -> dict[str, list[str]]:
    """The command of each tool that is installed, with a buffer of so many MiB."""
    commands = {
        "analyzer": [*analyzer, "live", FAR, "-B", str(buffer), "--format", "json"],
        "events": [*analyzer, "live", FAR, "-B", str(buffer), "--events"],
        "dumpcap": ["dumpcap", "-q", "-i", FAR, "-B", str(buffer), "-w", "/dev/null"],
        "tcpdump": ["tcpdump", "-n", "-i", FAR, "-B", str(buffer * 1024), "-w", "/dev/null"],
    }
    return {tool: words for tool, words in commands.items() if words[0] != tool or shutil.which(tool)}


def step(on: Line, tool: str, rate: int, seconds: float) -> Step:
    """Run a program at one rate."""
    before = os.times()
    running = on.start(tool, subprocess.DEVNULL)
    on.begin(rate, seconds)
    sent = on.answer()
    time.sleep(SETTLE)
    running.send_signal(signal.SIGINT)
    errors = running.communicate(timeout=60)[1]
    after = os.times()
    found = COUNTERS[tool].search(errors)
    if found is None:
        raise SystemExit(f"{tool} does not say what it received: {errors}")
    received, dropped = (int(number.replace(",", "")) for number in found.groups())
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    if tool == "dumpcap":
        received += dropped
    return Step(tool, rate, sent["sent"] / sent["seconds"], sent["sent"], received, dropped, processor)


def highest(on: Line, tool: str, seconds: float, halvings: int) -> tuple[list[Step], Step | None]:
    """Try rates. Return all steps, and the highest that held; None if none did."""
    steps: list[Step] = []
    best: Step | None = None
    too_high = 0
    for thousands in LADDER:
        steps.append(tell(step(on, tool, thousands * 1000, seconds)))
        if not steps[-1].held:
            too_high = steps[-1].rate
            break
        best = max(steps, key=lambda one: one.reached)
        if steps[-1].reached < 0.95 * steps[-1].rate:  # the sender cannot do more
            break
    for _ in range(halvings if best is not None and too_high else 0):
        assert best is not None
        rate = (best.rate + too_high) // 2
        steps.append(tell(step(on, tool, rate, seconds)))
        if steps[-1].held:
            best = steps[-1]
        else:
            too_high = rate
    return steps, best


def tell(one: Step) -> Step:
    """Report a step on standard error."""
    lost = one.sent - one.received + one.dropped
    rates = f"{one.rate:,} a second asked, {one.reached:,.0f} sent"
    print(f"{one.tool}: {rates}, {lost:,} of {one.sent:,} lost ({one.dropped:,} dropped)", file=sys.stderr, flush=True)
    return one


def delays(on: Line, rate: int, seconds: float) -> list[float]:
    """Milliseconds from the time of each event's frame to the moment when its line could be read, in ascending order."""
    running = on.start("events", subprocess.PIPE)
    on.begin(rate, seconds)
    assert running.stdout is not None
    descriptor = running.stdout.fileno()
    found: list[float] = []
    rest = b""
    until = time.time() + seconds + SETTLE
    while (left := until - time.time()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            break
        *lines, rest = (rest + os.read(descriptor, 1 << 20)).split(b"\n")
        now = time.time()
        for one in lines:
            event = json.loads(one)
            if event["time"] and event["event"] not in ENDINGS:
                found.append((now - datetime.fromisoformat(event["time"]).timestamp()) * 1000)
    on.answer()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    return sorted(found)


def report(line_facts: dict[str, Any], results: dict[str, tuple[list[Step], Step | None]], args: argparse.Namespace) -> None:
    """Print the table of the rates."""
    size = line_facts["bytes"] / line_facts["frames"]
    print(f"Frames of {size:.0f} bytes on average, {args.seconds:g} s a step, a buffer of {args.buffer} MiB for each program;")
    print(f"{os.cpu_count()} cores, shared with the sender, the kernel and whatever else runs on this machine.\n")
    print("| program | highest rate without loss | Mbit/s | first loss at | lost there | processor, with the start |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for tool, (steps, best) in results.items():
        lost = min((one for one in steps if not one.held), key=lambda one: one.rate, default=None)
        cells = ["none", "", ""] if best is None else [f"{best.reached:,.0f}", f"{best.reached * size * 8 / 1e6:,.0f}"]
        cells += (
            ["none", ""] if lost is None else [f"{lost.reached:,.0f}", f"{1 - (lost.received - lost.dropped) / lost.sent:.1%}"]
        )
        cells.append("" if best is None else f"{best.processor / best.sent * 1e6:.2f} µs a frame")
        print(f"| {tool} | {' | '.join(cells)} |")


def report_delays(found: Sequence[float], rate: int) -> None:
    """Print how late events are."""
    if not found:
        print(f"\nNo events came at {rate:,} frames a second.")
        return
    middle, most, last = found[len(found) // 2], found[len(found) * 99 // 100], found[-1]
    print(f"\nAt {rate:,} frames a second, {len(found):,} events could be read {middle:.0f} ms after their frame (median),")
    print(f"{most:.0f} ms (99 of 100), {last:.0f} ms (the latest).")


def main() -> None:
    """Read the command line, make the workload if it does not exist, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_load", description="Measure live capture without loss.")
    parser.add_argument("--seconds", type=float, default=30, help="seconds of each step (30)")
    parser.add_argument("--buffer", type=int, default=32, help="MiB of every program's buffer (32)")
    parser.add_argument("--halvings", type=int, default=2, help="steps between the last that held and the first that did not")
    parser.add_argument("--tools", default="dumpcap,tcpdump,analyzer", help="some of: %(default)s")
    parser.add_argument("--analyzer", default=f"{sys.executable} -m analyzer", help="the command to measure (%(default)s)")
    parser.add_argument("--scale", type=float, default=0.25, help="size of the workload: 1 has two million frames (0.25)")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="for captures and certificates (BENCH_DIR)")
    parser.add_argument("--delays-at", type=int, help="frames a second for the delays (a tenth of the analyzer's highest rate)")
    args = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("network namespaces need root")
    capture = cached("live", args.scale, args.folder)
    programs = programs_of(args.analyzer.split(), args.buffer)
    tools = [tool for tool in args.tools.split(",") if tool in programs]
    with line(programs, sys.executable, capture, facts_of(capture)["packets"]) as on:
        on.begin(0, 2)
        alone = on.answer()
        print(f"the sender alone: {alone['sent'] / alone['seconds']:,.0f} frames a second", file=sys.stderr)
        results = {tool: highest(on, tool, args.seconds, args.halvings) for tool in tools}
        report(on.facts, results, args)
        best = results["analyzer"][1] if "analyzer" in results else None
        rate = args.delays_at or (0 if best is None else best.rate // 10)
        if rate:
            report_delays(delays(on, rate, args.seconds), rate)


if __name__ == "__main__":
    main()
