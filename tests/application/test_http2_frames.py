import random
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from work import at_most

from analyzer.application import http2_frames
from analyzer.application.http2_frames import DATA, PREFACE, SEEK_MAX, FrameReader


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


class Collected:
    """Collects what a reader reports about one side's stream."""

    def __init__(self, preface: bool = False) -> None:
        self.frames: list[tuple[Any, ...]] = []
        self.notes: list[str] = []
        self.n_lost = 0
        self.data = b""
        self.reader = FrameReader(self, 0, preface)

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        self.data = b""

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        self.data += data

    def lose_data(self, side: int, stream: int, length: int) -> None:
        self.data += b"?" * length

    def end_data(self, side: int, flags: int, stream: int) -> None:
        self.frames.append((DATA, flags, stream, self.data))

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self.frames.append((kind, flags, stream, payload))

    def lose_frames(self, side: int, why: str) -> None:
        self.n_lost += 1

    def note(self, side: int, code: str, detail: str) -> None:
        self.notes.append(code)


STREAM = (
    frame(4, 0, 0, bytes(12)) + frame(1, 4, 1, b"section") + frame(0, 0, 1, b"x" * 3000) + frame(0, 8, 1, b"\2ab\0\0")
    + frame(0, 1, 1) + frame(8, 0, 0, b"\0\0\1\0") + frame(6, 0, 0, bytes(8)) + frame(3, 0, 3, bytes(4)) + frame(0, 8, 5, b"\0")
)  # fmt: skip
FRAMES = [
    (4, 0, 0, bytes(12)), (1, 4, 1, b"section"), (0, 0, 1, b"x" * 3000), (0, 8, 1, b"ab"), (0, 1, 1, b""),
    (8, 0, 0, b"\0\0\1\0"), (6, 0, 0, bytes(8)), (3, 0, 3, bytes(4)), (0, 8, 5, b""),
]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 7, 50, 1 << 20])
@pytest.mark.parametrize("preface", [True, False])
def test_frames_are_separated_for_any_split_of_the_stream(n: int, preface: bool) -> None:
    stream = (PREFACE if preface else b"") + STREAM
    collected = Collected(preface)
    for pos in range(0, len(stream), n):
        collected.reader.feed(stream[pos : pos + n])
    collected.reader.close()
    assert (collected.frames, collected.notes) == (FRAMES, [])


def test_a_gap_anywhere_ends_at_a_frame_that_is_there() -> None:
    """A frame that is reported after a gap of unknown length was really sent, and one is reported soon."""
    for start in range(1, len(STREAM) - 200, 13):
        for n_lost in (1, 9, 40, 3100):
            rest = STREAM[start + n_lost :]
            collected = Collected()
            collected.reader.feed(STREAM[:start])
            n_before = len(collected.frames)
            collected.reader.gap(None)
            collected.reader.feed(rest)
            collected.reader.feed(STREAM)
            assert [f for f in collected.frames[n_before:] if f not in FRAMES] == []
            assert collected.frames[-len(FRAMES) :] == FRAMES


def test_gaps_within_data_are_exact() -> None:
    whole = frame(0, 9, 1, b"\3" + b"x" * 100 + bytes(3)) + frame(6, 0, 0, bytes(8))
    for start in range(10, 112):
        for n_lost in range(1, 113 - start, 7):
            collected = Collected()
            collected.reader.feed(whole[:start])
            collected.reader.gap(n_lost)
            collected.reader.feed(whole[start + n_lost :])
            kind, flags, stream, data = collected.frames[0]
            assert (kind, flags, stream, len(data)) == (0, 9, 1, 100)
            assert collected.frames[1:] == [(6, 0, 0, bytes(8))]
            assert collected.n_lost == 0


class Looked:
    """A pattern that counts the bytes that it searches."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.n_bytes = 0

    def finditer(self, data: bytes, pos: int) -> Iterator[re.Match[bytes]]:
        for match in self.pattern.finditer(data, pos):
            self.n_bytes += match.end() - pos
            pos = match.end()
            yield match
        self.n_bytes += len(data) - pos


@pytest.mark.parametrize("n", [1000, 16384])
@pytest.mark.parametrize("filler", [b"\0", b"\0\0\1\0\0\0\0\0\1", b"\0\1\0", random.Random(8).randbytes(1000)], ids=len)
def test_seeking_is_bounded_in_work_and_space(filler: bytes, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte is searched about once, and a possible header is followed over a few others and no further."""
    looked = Looked(http2_frames._HEADER_LIKE)
    monkeypatch.setattr(http2_frames, "_HEADER_LIKE", looked)
    collected = Collected()
    collected.reader.gap(None)
    piece = (filler * n)[:n]
    n_fed = 1 << 20
    with at_most(4 * n_fed) as work:
        for _ in range(0, n_fed, n):
            collected.reader.feed(piece)
            assert len(collected.reader._held) <= SEEK_MAX + n
    assert work.n_lines > 0
    assert 0 < looked.n_bytes < 2 * n_fed


def test_frames_that_are_too_long_to_hold_are_left_out() -> None:
    collected = Collected()
    collected.reader.feed(b"\4\0\0\1\4\0\0\0\1" + bytes(1 << 18) + frame(6, 0, 0, bytes(8)))
    assert (collected.frames, collected.n_lost) == ([(6, 0, 0, bytes(8))], 1)
    assert collected.notes == ["frame_too_large", "frame_too_large"]


def test_a_stream_that_ends_within_a_frame_is_reported() -> None:
    for n in (3, 9, 15):
        collected = Collected()
        collected.reader.feed(STREAM[:n])
        collected.reader.close()
        assert collected.notes == ["truncated_frame"]
