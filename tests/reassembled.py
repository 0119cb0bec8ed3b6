"""Collects what the readers of TCP connections receive for the segments of a test."""

from conversations import (
    ACK,
    CLIENT,
    SYN,
    Segment,
    timeless,
)

from analyzer.flows.listener import Listener
from analyzer.flows.sink import Sink
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


class Recorder(Sink):
    """Records all calls to a connection's reader."""

    def __init__(self):
        self.wanted = True
        self.streams = [b"", b""]
        self.frames = [[], []]
        self.gaps = []
        self.conflicts = []
        self.closed = []

    def feed(self, side, data, start, end, offset, frame, at):
        assert not self.closed
        assert start < end
        lacking = sum(length for who, _, length, _ in self.gaps if who == side)
        assert offset == len(self.streams[side]) + lacking
        self.streams[side] += data[start:end]
        self.frames[side].append((offset, end - start, frame))

    def gap(self, side, offset, length, frame, at):
        assert length > 0
        self.gaps.append((side, offset, length, frame))

    def conflict(self, side, offset, first, second, frame, at):
        assert len(first) == len(second)
        self.conflicts.append((side, offset, first, second, frame))

    def close(self, reason, frame, at):
        self.closed.append(reason)


class Watch(Listener):
    """Makes a recorder for each connection."""

    def __init__(self):
        super().__init__()
        self.sinks = []

    def open(self, connection):
        self.sinks.append(Recorder())
        return self.sinks[-1]


def reassemble(segments, apart=1_000_000):
    """Return what the readers of all connections received; frames count from 1."""
    watch = Watch()
    connections = Connections(watch)
    packet = Packet()
    at = 0
    for number, segment in enumerate(segments, 1):
        data = segment.frame()
        at += apart
        assert read(packet, data, 0, len(data) - segment.cut, 1, len(data))
        connections.feed(packet, number, at)
    connections.close(len(segments), at)
    assert all(len(sink.closed) == 1 for sink in watch.sinks)
    return watch.sinks


def syn(sequence, **changes):
    return Segment(CLIENT, sequence, 0, SYN, **changes)


def client(sequence, payload, **changes):
    return Segment(CLIENT, sequence, 1, ACK, payload, **changes)


def to_himself(segment):
    """Return the segment's frame with the destination as its source: address and port."""
    data = bytearray(segment.frame())
    data[26:30] = data[30:34]
    data[34:36] = data[36:38]
    return bytes(data)


def unordered(found):
    """Records without the order of messages and alerts."""
    plain = [timeless(record) for record in found]
    for record in plain:
        record["handshake"].sort(key=repr)
        record["alerts"].sort(key=repr)
    return plain
