"""Frames of real captures."""

import gzip

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader


@pytest.fixture
def frames(corpus):
    """Return a function from a capture's name to its frames: (bytes, link type, wire length)."""

    def read(name):
        data = (corpus / name).read_bytes()
        packet_reader = PacketReader(frame := Frame())
        packet_reader.feed(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        found = []
        while packet_reader.advance():
            found.append((frame.data[frame.start : frame.end], frame.link_type, frame.wire_length))
        assert found
        return found

    return read
