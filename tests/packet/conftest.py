"""Frames of real captures, and a packet's facts as one tuple."""

import gzip

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.walker import Walker


@pytest.fixture
def frames(corpus):
    """From a capture's name to its frames: (bytes, link type, wire length)."""

    def read(name):
        data = (corpus / name).read_bytes()
        walker = Walker(frame := Frame())
        walker.feed(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        found = []
        while walker.advance():
            found.append((frame.data[frame.start : frame.end], frame.link_type, frame.wire_length))
        assert found
        return found

    return read
