"""Reads what another program captures, from a pipe: `dumpcap -w -` or `tcpdump -U -w -`, here or through ssh on another one.

It is used like a capture of interfaces, with the same turns. The frames have the times of the other program's clock.
"""

from collections.abc import Iterator

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.capture.packet_reader import PacketReader


class PipeCapture:
    """Captures through the pipe `path`, `-` for standard input. Use it once.

    captured: the facts of the pipe, after its end. notes: what happened besides frames.
    """

    def __init__(self, path: str) -> None:
        """Raises OSError if there is no such pipe or file."""
        self.captured = CaptureReader([path])
        self.captured.check()
        self.notes: list[str] = []
        self._packet_reader: PacketReader | None = None

    def packet_readers(self) -> Iterator[PacketReader]:
        """Yield the packet reader each time that frames have arrived, and several times per second if none has."""
        for packet_reader in self.captured.packet_readers():
            self._packet_reader = packet_reader
            yield packet_reader

    def statistics(self) -> list[InterfaceStatistics]:
        """Return what the other program says of its interfaces (in pcapng): its counters come at its end, or never."""
        reader = self._packet_reader
        if reader is None:
            return []
        counted = {one.interface: one for one in reader.statistics.values()}
        statistics = []
        for interface in reader.interfaces:
            one = counted.get(interface.number)
            statistics.append(
                InterfaceStatistics(
                    name=interface.name or "",
                    received=None if one is None else one.received,
                    dropped_by_kernel=None if one is None else one.dropped_by_system,
                    dropped_by_interface=None if one is None else one.dropped_by_interface,
                    dropped_by_queue=0,
                    link_type=interface.link_type,
                    up=True,
                )
            )
        return statistics

    def stop(self) -> None:
        """End the capture: what already stands in the pipe is read."""
        self.captured.stop()

    def close(self) -> None:
        """Nothing is left to close: a pipe is closed when its last turn is over."""
