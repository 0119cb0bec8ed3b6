from typing import Any

import pytest
from http3_peers import frame

from analyzer.application.http3_frames import DATA, FRAME_KEPT_MAX, GOAWAY, HEADERS, SETTINGS, FrameReader, Frames
from analyzer.codec.varint import write_varint

GREASE = 0x21


class Events(Frames):
    """Lists what a reader reports. Content is joined, so that the list does not depend on how the bytes were cut."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []
        self.reader: FrameReader | None = None
        self.pause_at: int | None = None

    def begin_data(self, length: int) -> None:
        self.all.append(("begin", length))

    def read_data(self, data: bytes) -> None:
        self._join("data", data)

    def lose_data(self, length: int) -> None:
        self.all.append(("lost", length))

    def read_frame(self, kind: int, length: int, payload: bytes | None) -> None:
        self.all.append((kind, length, payload))
        if self.reader is not None and kind == self.pause_at:
            self.reader.paused = True

    def begin_raw(self, session: int) -> None:
        self.all.append(("session", session))

    def read_raw(self, data: bytes) -> None:
        self._join("raw", data)

    def lose(self) -> None:
        self.all.append(("unknown from here",))

    def note(self, code: str, detail: str) -> None:
        self.all.append((code,))

    def _join(self, kind: str, data: bytes) -> None:
        if self.all and self.all[-1][0] == kind:
            data = self.all.pop()[1] + data
        self.all.append((kind, data))


def read(*pieces: bytes | int | None, webtransport: bool = False) -> list[tuple[Any, ...]]:
    events = Events()
    reader = FrameReader(events, webtransport)
    for piece in pieces:
        if isinstance(piece, bytes):
            assert reader.feed(piece) == len(piece)
        else:
            reader.gap(piece)
    reader.end()
    return events.all


STREAM = (
    frame(HEADERS, b"section") + frame(GREASE, b"whatever") + frame(DATA, b"body") + frame(DATA, b"")
    + frame(SETTINGS, b"") + write_varint(DATA) + b"\x40\x05again"
)  # fmt: skip
WHOLE = [
    (HEADERS, 7, b"section"), (GREASE, 8, None), ("begin", 4), ("data", b"body"), ("begin", 0), (SETTINGS, 0, b""),
    ("begin", 5), ("data", b"again"),
]  # fmt: skip


def test_frames_are_found_however_the_bytes_are_cut() -> None:
    for n in range(1, len(STREAM) + 1):
        assert read(*[STREAM[i : i + n] for i in range(0, len(STREAM), n)]) == WHOLE


def test_an_end_within_a_frame_is_reported() -> None:
    ends = {0, 9, 19, 25, 27, 29, len(STREAM)}
    for end in range(len(STREAM)):
        assert (("truncated_frame",) in read(STREAM[:end])) == (end not in ends), end


def test_missing_bytes_within_a_frame_do_not_hide_the_next() -> None:
    assert read(STREAM[:4], 5, STREAM[9:]) == [(HEADERS, 7, None), *WHOLE[1:]]
    assert read(STREAM[:13], 6, STREAM[19:]) == WHOLE
    lost = [*WHOLE[:3], ("data", b"b"), ("lost", 2), ("data", b"y"), *WHOLE[4:]]
    assert read(STREAM[:22], 2, STREAM[24:]) == lost


@pytest.mark.parametrize("length", [None, 8, 100])
def test_nothing_is_read_after_a_gap_that_may_hide_a_header(length: int | None) -> None:
    assert read(STREAM[:4], length, STREAM[4:]) == [("unknown from here",)]
    assert read(STREAM[:9], length, STREAM[9:], 5) == [WHOLE[0], ("unknown from here",)]
    data = read(STREAM[:22], length, STREAM)
    assert data == [*WHOLE[:3], ("data", b"b"), ("lost", 3), ("unknown from here",)]


def test_a_long_frame_is_left_out_and_the_next_is_read() -> None:
    found = read(write_varint(HEADERS) + write_varint(FRAME_KEPT_MAX + 1) + bytes(FRAME_KEPT_MAX + 1) + frame(GOAWAY, b"\0"))
    assert found == [("frame_too_large",), (HEADERS, FRAME_KEPT_MAX + 1, None), (GOAWAY, 1, b"\0")]


def test_a_huge_length_costs_nothing() -> None:
    huge = b"\xff" * 8
    assert read(b"\x01" + huge + b"x") == [("frame_too_large",), ("truncated_frame",)]
    assert read(b"\x00" + huge + b"x") == [("begin", (1 << 62) - 1), ("data", b"x"), ("truncated_frame",)]


def test_a_webtransport_stream_has_no_frames() -> None:
    data = b"\x40\x41\x04" + STREAM
    assert read(*[data[i : i + 1] for i in range(len(data))], webtransport=True) == [("session", 4), ("raw", STREAM)]
    assert read(data)[0] == (0x41, 4, None)
    assert read(STREAM + data, webtransport=True)[: len(WHOLE)] == WHOLE


def test_a_paused_reader_reads_on_from_where_it_stopped() -> None:
    events = Events()
    reader = events.reader = FrameReader(events)
    events.pause_at = HEADERS
    assert reader.feed(STREAM[:5]) == 5
    n = reader.feed(STREAM[5:])
    assert n == 4
    assert reader.feed(STREAM[5 + n :]) == 0
    reader.paused = False
    assert reader.feed(STREAM[5 + n :]) == len(STREAM) - 9
    assert events.all == WHOLE
