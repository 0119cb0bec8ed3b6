"""Observations on the integrity of captures: those of all packets, and what the files say of themselves against what is in
them.

A program that captures writes its name, the resolution of its clock and its counters. Later programs that join, cut or convert
captures leave traces: a second section, their own name, counters that do not fit the frames, secrets that no network has. All
of that is usual, and most evidence was handled so before it is examined; whoever reads the report has to know it.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.analysis.capture_integrity import CaptureIntegrity
from analyzer.analysis.integrity_observations import Observation
from analyzer.capture.blocks import Interface, Statistics
from analyzer.capture.capture_reader import FileFacts
from analyzer.capture.frame import Frame
from analyzer.engine.run import Listener
from analyzer.packet.packet import Packet
from analyzer.store.capture_record import COMMENT_LENGTH
from analyzer.store.declaration import path_text

EDITORS = ("editcap", "mergecap", "reordercap", "text2pcap", "randpkt", "tracewrangler", "tcprewrite", "bittwiste", "joincap")
"""Programs that make captures out of captures or of text, and capture nothing themselves, by a word of their name."""

DUMPCAP = "Dumpcap"
"""How the program that captures for Wireshark and TShark names itself. Since version 1.8 it writes its system, the name of each
interface, and counters at the end.
"""

MOST_OBSERVATIONS = 100
"""Observations on one file, and on the packets of all interfaces. A stranger can describe 65,536 interfaces in a file."""

OLDEST = 567_993_600_000_000_000
"""1988-01-01, in nanoseconds since the epoch: nobody wrote such captures before it."""

FEWER = 0.1
"""Part of the counted packets that may be missing: those that were still on their way when the capture was stopped."""

FEWEST = 1000
"""Packets that may be missing in any case, for the same reason."""

FEWEST_TIMES = 100
"""Frames from which the digits of their times say something about the clock."""


class CaptureWatch(Listener):
    """Takes all packets of a run. integrity: what was counted."""

    sees_packets = True

    def __init__(self) -> None:
        self.integrity = CaptureIntegrity()
        self._count = self.integrity.count

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Any]) -> None:
        """See `Listener.packet`."""
        self._count(packet, frame)

    def observations(self, files: Sequence[FileFacts]) -> list[Observation]:
        """Return the entry `integrity` of the facts of a report. Call it when the run has ended.

        files: `CaptureRun.reader.files`. Each is `{"code", "args", "frames"}`: see `integrity_observations`; those of a file
        have its `path` among the values.
        """
        of_packets = self.integrity.observations()[:MOST_OBSERVATIONS]
        return [*of_packets, *(one for facts in files for one in file_observations(facts, self.integrity))]


def file_observations(facts: FileFacts, integrity: CaptureIntegrity) -> list[Observation]:
    """Return what a file says of itself, where it differs from what is in it, or from what programs write that capture.

    There are at most MOST_OBSERVATIONS.
    """
    found: list[Observation] = []
    path = path_text(facts.path)

    def add(code: str, **args: Any) -> None:
        found.append({"code": code, "args": {"path": path, **args}, "frames": []})

    if len(facts.sections) > 1:
        add("several_sections", count=len(facts.sections))
    for application in dict.fromkeys(one.application for one in facts.sections if one.application):
        if any(name in application.lower() for name in EDITORS):
            add("edited_by", application=application[:COMMENT_LENGTH])
    if any((one.application or "").startswith(DUMPCAP) for one in facts.sections):
        if any(not one.name for one in facts.interfaces) or any(not one.os for one in facts.sections):
            add("dumpcap_without_names", application=DUMPCAP)
        if not facts.statistics and facts.error is None:
            add("dumpcap_without_counters", application=DUMPCAP)
    if facts.n_secrets:
        add("secrets_inside", count=facts.n_secrets)
    if facts.first_time is not None and facts.first_time < OLDEST:
        add("clock_not_set", seconds=facts.first_time // 1_000_000_000)
    counters = {one.interface: one for one in facts.statistics}
    for interface in facts.interfaces:
        series = integrity.interfaces.get(interface.number)
        frames = 0 if series is None else series.frames
        _compare_counters(add, interface, counters.get(interface.number), frames)
        if series is None:
            continue
        if 0 < interface.snap_length < series.longest:
            add("longer_than_snap_length", interface=interface.number, length=interface.snap_length, longest=series.longest)
        times = series.n_nano + series.n_micro + series.n_milli
        if times >= FEWEST_TIMES and not series.n_nano:
            shown = "10^-6 s" if series.n_micro else "10^-3 s"
            finer = interface.resolution == "10^-9 s" or (interface.resolution == "10^-6 s" and not series.n_micro)
            if finer:
                add("coarse_times", interface=interface.number, resolution=interface.resolution, shown=shown, count=times)
    if facts.anomalies:
        add("damaged_blocks", count=len(facts.anomalies), field=facts.anomalies[0].field, offset=facts.anomalies[0].offset)
    return found[:MOST_OBSERVATIONS]


def _compare_counters(add: Any, interface: Interface, counters: Statistics | None, frames: int) -> None:
    """Compare the frames of an interface with what the capturing program has counted."""
    if counters is None:
        return
    dropped = [n for n in (counters.dropped_by_interface, counters.dropped_by_system) if n is not None]
    if sum(dropped):
        add("dropped", interface=interface.number, count=sum(dropped))
    if not counters.received:
        return
    expected = counters.received - sum(dropped)
    if frames > counters.received:
        add("more_frames_than_counted", interface=interface.number, frames=frames, received=counters.received)
    elif expected - frames > max(FEWEST, FEWER * expected):
        add(
            "fewer_frames_than_counted",
            interface=interface.number,
            frames=frames,
            received=counters.received,
            dropped=sum(dropped),
        )
