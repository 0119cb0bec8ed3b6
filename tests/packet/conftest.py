"""Frames of real captures, and a packet's facts as one tuple."""

import gzip
import os
from pathlib import Path

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.walker import Walker

CORPUS = Path(os.environ.get("ANALYZER_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus"))


@pytest.fixture
def corpus():
    if not CORPUS.is_dir():
        pytest.skip(f"no captures in {CORPUS}; ANALYZER_CORPUS names their folder")
    return CORPUS


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
