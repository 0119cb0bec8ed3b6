"""Prints the summary of a live run: what was captured and lost, and then what `analyzer summary` prints of a file."""

import time
from collections.abc import Sequence

from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.cli.files import print_fact
from analyzer.cli.live_processes import LiveProcesses
from analyzer.cli.live_run import LiveRun
from analyzer.cli.output import Output
from analyzer.cli.summary import Summary, print_contents
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text

SHOWN_INTERFACES = 16


def print_live_summary(
    output: Output, what: str, summary: Summary, live_run: LiveRun, processes: LiveProcesses | None = None
) -> None:
    """Print the summary of a run. what: what was captured. processes: None if no processes were looked for."""
    seconds = duration_text(max(0, time.time_ns() - live_run.began))
    output.line(output.paint(harmless(what), "bold"))
    print_fact(output, "captured", f"{count_text(live_run.engine.frames, 'packet')} in {seconds}")
    print_counters(output, live_run.source.statistics())
    if processes is not None and processes.asked:
        print_fact(output, "processes", f"found for {processes.found:,} of {count_text(processes.asked, 'TCP session')}")
    print_contents(summary, output)


def print_counters(output: Output, statistics: Sequence[InterfaceStatistics]) -> None:
    """Print what each interface has received and lost."""
    for one in statistics[:SHOWN_INTERFACES]:
        print_fact(output, "interface", f"{one.name or 'unnamed'}: {counters_text(one)}", "alarm" if lost(one) else "")
    if len(statistics) > SHOWN_INTERFACES:
        print_fact(output, "", f"and {len(statistics) - SHOWN_INTERFACES} further interfaces")


def counters_text(one: InterfaceStatistics) -> str:
    """Return the counters of an interface; what the system does not say is `unknown`."""
    received = "an unknown number of packets" if one.received is None else count_text(one.received, "packet")
    drops = ", ".join(
        f"{'unknown' if count is None else f'{count:,}'} by the {place}"
        for place, count in (
            ("kernel", one.dropped_by_kernel),
            ("interface", one.dropped_by_interface),
            ("own queue", one.dropped_by_queue),
        )
    )
    return f"{received} received; dropped {drops}" + ("" if one.up else "; it is down")


def lost(one: InterfaceStatistics) -> int:
    """Return how many packets of an interface were lost, as far as is known."""
    return sum(count or 0 for count in (one.dropped_by_kernel, one.dropped_by_interface, one.dropped_by_queue))
