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
from analyzer.text.language import noted, say
from analyzer.text.punctuation import labelled, listing

SHOWN_INTERFACES = 16

PLACES = noted(("kernel", "interface", "own queue"))
"""Where packets are dropped."""


def print_live_summary(
    output: Output, what: str, summary: Summary, live_run: LiveRun, processes: LiveProcesses | None = None
) -> None:
    """Print the summary of a run. what: what was captured. processes: None if no processes were looked for."""
    seconds = duration_text(max(0, time.time_ns() - live_run.began))
    output.line(output.paint(harmless(what), "bold"))
    print_fact(
        output, "captured", say("{packets} in {time}", packets=count_text(live_run.engine.frames, "packet"), time=seconds)
    )
    print_counters(output, live_run.source.statistics())
    if processes is not None and processes.asked:
        asked = count_text(processes.asked, "TCP session")
        print_fact(output, "processes", say("found for {n:,} of {sessions}", n=processes.found, sessions=asked))
    print_contents(summary, output)


def print_counters(output: Output, statistics: Sequence[InterfaceStatistics]) -> None:
    """Print what each interface has received and lost."""
    for one in statistics[:SHOWN_INTERFACES]:
        print_fact(output, "interface", labelled(one.name or say("unnamed"), counters_text(one)), "alarm" if lost(one) else "")
    if len(statistics) > SHOWN_INTERFACES:
        print_fact(output, "", say("and {n} further interfaces", n=len(statistics) - SHOWN_INTERFACES))


def counters_text(one: InterfaceStatistics) -> str:
    """Return the counters of an interface; what the system does not say is `unknown`."""
    received = say("an unknown number of packets") if one.received is None else count_text(one.received, "packet")
    drops = listing(
        drop_text(count, place)
        for place, count in (
            ("kernel", one.dropped_by_kernel),
            ("interface", one.dropped_by_interface),
            ("own queue", one.dropped_by_queue),
        )
    )
    text = say("{packets} received; dropped {drops}", packets=received, drops=drops)
    return text + ("" if one.up else say("; it is down"))


def drop_text(count: int | None, place: str) -> str:
    """Return how many packets were dropped in one of `PLACES`; None is not known."""
    return say("{n} by the {place}", n=say("unknown") if count is None else f"{count:,}", place=say(place))


def lost(one: InterfaceStatistics) -> int:
    """Return how many packets of an interface were lost, as far as is known."""
    return sum(count or 0 for count in (one.dropped_by_kernel, one.dropped_by_interface, one.dropped_by_queue))
