"""The record layer: records from a stream, for any segments and any missing bytes.

A playbook lists the input of a reader, which is bytes of the stream and numbers of missing bytes, and everything that it
reports.
"""

import itertools
import random
from typing import NamedTuple

import pytest
from conversations import CLIENT, SERVER, stream, talk

from analyzer.tls.record.record import GAP, LOST, NO_RECORD, Record, RecordSink
from analyzer.tls.record.record_reader import RecordReader, plausible

Step = bytes | int


class Read(NamedTuple):
    """A record as its reader reports it."""

    content_type: int
    offset: int
    body: bytes
    length: int
    missing: int = 0
    version: int = 0x0303
    header: int = 5


class MissingBytes(NamedTuple):
    """Bytes that are not in the capture."""

    offset: int
    length: int


class Lost(NamedTuple):
    """The record boundary is not known."""

    offset: int


class NoRecord(NamedTuple):
    """No record begins where one should."""

    offset: int


Told = Read | MissingBytes | Lost | NoRecord


class Recorder(RecordSink):
    """Everything that a reader reports, in order."""

    def __init__(self, wanted: bool = True) -> None:
        self.wanted = wanted
        self.told: list[Told] = []
        self.places: list[tuple[int, int]] = []

    def wants(self, role: int, content_type: int) -> bool:
        return self.wanted

    def take(self, record: Record) -> None:
        assert record.role == SERVER
        self.places.append((record.frame, record.at))
        if record.content_type == GAP:
            self.told.append(MissingBytes(record.offset, record.length))
        elif record.content_type == LOST:
            self.told.append(Lost(record.offset))
        elif record.content_type == NO_RECORD:
            assert record.problem == "no record begins here"
            self.told.append(NoRecord(record.offset))
        else:
            numbers = (record.length, record.missing, record.version, record.header)
            self.told.append(Read(record.content_type, record.offset, record.body, *numbers))


def play(*steps: Step, size: int = 1 << 20, wanted: bool = True, ssl2: bool = False, start: int = 0) -> list[Told]:
    """What a reader reports for bytes, in pieces of that size, and for gaps of these lengths."""
    return played(*steps, size=size, wanted=wanted, ssl2=ssl2, start=start).told


def played(*steps: Step, size: int = 1 << 20, wanted: bool = True, ssl2: bool = False, start: int = 0) -> Recorder:
    sink = Recorder(wanted)
    reader = RecordReader(sink, SERVER)
    reader.ssl2 = ssl2
    position, frame = start, 0
    for step in steps:
        if isinstance(step, int):
            reader.gap(position, step, frame, frame * 10)
            position += step
            continue
        for at in range(0, len(step), size):
            frame += 1
            n_bytes = min(size, len(step) - at)
            reader.feed(b"?" + step + b"?", 1 + at, 1 + at + n_bytes, position, frame, frame * 10)
            position += n_bytes
    reader.finish(99, 990)
    return sink


def record(content_type: int, body: bytes, version: int = 0x0303) -> bytes:
    return bytes([content_type]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def whole(content_type: int, offset: int, body: bytes, version: int = 0x0303) -> Read:
    return Read(content_type, offset, body, len(body), 0, version)


RECORDS = [record(22, b"hello"), record(20, b"\1"), record(23, b"x" * 40), record(22, b""), record(21, b"\1\0")]
STREAM = b"".join(RECORDS)
ALL = [whole(22, 0, b"hello"), whole(20, 10, b"\1"), whole(23, 16, b"x" * 40), whole(22, 61, b""), whole(21, 66, b"\1\0")]
SIZES = (1, 2, 3, 5, 7, 1000)


# Records.


def test_records_whole():
    assert play(STREAM) == ALL


@pytest.mark.parametrize("size", SIZES)
def test_records_dripped(size: int):
    assert play(STREAM, size=size) == ALL


def test_wherever_one_segment_ends():
    for cut in range(1, len(STREAM)):
        assert play(STREAM[:cut], STREAM[cut:]) == ALL


def test_a_stream_that_begins_later_has_later_offsets():
    assert play(STREAM, size=1, start=1 << 40) == [one._replace(offset=one.offset + (1 << 40)) for one in ALL]


def test_each_record_has_the_frame_and_time_that_completed_it():
    bounds = [0, 6, 8, 30, 56, 64, len(STREAM)]
    parts = [STREAM[first:last] for first, last in itertools.pairwise(bounds)]
    ends = [one.offset + 5 + one.length for one in ALL]
    frames = [next(number for number, bound in enumerate(bounds) if bound >= end) for end in ends]
    assert played(*parts).places == [(frame, frame * 10) for frame in frames]


@pytest.mark.parametrize("size", SIZES)
def test_bodies_that_are_not_wanted_are_skipped(size: int):
    assert play(STREAM, size=size, wanted=False) == [one._replace(body=b"") for one in ALL]


def test_the_sink_is_asked_for_each_record_before_its_body():
    asked: list[tuple[int, int]] = []

    class Choosy(Recorder):
        def wants(self, role: int, content_type: int) -> bool:
            asked.append((content_type, len(self.told)))
            return content_type == 22

    sink = Choosy()
    reader = RecordReader(sink, SERVER)
    for position in range(len(STREAM)):
        reader.feed(STREAM, position, position + 1, position, 1, 1)
    assert asked == [(one.content_type, number) for number, one in enumerate(ALL)]
    assert sink.told == [one if one.content_type == 22 else one._replace(body=b"") for one in ALL]


def test_a_copy_outlives_the_record():
    kept: list[Record] = []

    class Keeper(RecordSink):
        def take(self, record: Record) -> None:
            kept.append(record.copy())

    reader = RecordReader(Keeper(), SERVER)
    reader.feed(STREAM, 0, len(STREAM), 0, 1, 1)
    assert [(one.content_type, one.offset, one.body) for one in kept] == [
        (one.content_type, one.offset, one.body) for one in ALL
    ]
    assert reader.record.body == b""


def test_the_end_inside_a_record_gives_what_was_there():
    assert play(record(22, b"abcdef")[:-2]) == [Read(22, 0, b"abcd", 6, 2)]
    assert play(record(22, b"abcdef")[:5]) == [Read(22, 0, b"", 6, 6)]
    assert play(record(22, b"abcdef")[:4]) == []


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_real_streams_add_up(version: str, side: int):
    data = stream(talk(version), side)
    told = play(data)
    assert b"".join(data[one.offset : one.offset + 5] + one.body for one in told if isinstance(one, Read)) == data
    assert play(data, size=1) == told


# Gaps.


@pytest.mark.parametrize("size", SIZES)
def test_a_gap_inside_a_record_keeps_its_front_and_the_boundary(size: int):
    data = record(22, b"abcdef")
    assert play(data[:7], 2, data[9:] + RECORDS[1], size=size) == [
        MissingBytes(7, 2),
        Read(22, 0, b"ab", 6, 2),
        whole(20, 11, b"\1"),
    ]


def test_of_two_gaps_in_a_record_the_first_ends_its_front():
    data = record(22, b"abcdefgh")
    assert play(data[:7], 1, data[8:10], 2, data[12:]) == [MissingBytes(7, 1), MissingBytes(10, 2), Read(22, 0, b"ab", 8, 3)]


def test_a_gap_to_the_very_end_of_a_record_leaves_the_next_one_where_it_is():
    data = record(22, b"abcdef")
    assert play(data[:8], 3, RECORDS[1]) == [MissingBytes(8, 3), Read(22, 0, b"abc", 6, 3), whole(20, 11, b"\1")]


def test_a_gap_of_a_whole_body():
    assert play(record(22, b"abc")[:5], 3, RECORDS[1]) == [MissingBytes(5, 3), Read(22, 0, b"", 3, 3), whole(20, 8, b"\1")]


def test_a_gap_in_a_body_that_is_not_wanted_is_counted_too():
    data = record(23, b"abcdef")
    assert play(data[:7], 2, data[9:], wanted=False) == [MissingBytes(7, 2), Read(23, 0, b"", 6, 2)]


def test_after_a_gap_over_a_boundary_the_boundary_is_lost():
    tail = record(23, b"z" * 30) + record(23, b"y" * 30)
    assert play(RECORDS[0][:7], 10, b"rest of a body" + tail) == [
        MissingBytes(7, 10),
        Read(22, 0, b"he", 5, 3),
        Lost(7),
        whole(23, 31, b"z" * 30),
        whole(23, 66, b"y" * 30),
    ]


@pytest.mark.parametrize("lost", [1, 5, 100])
def test_a_gap_between_records_may_hide_any_number_of_them(lost: int):
    assert play(RECORDS[0], lost, RECORDS[2] + RECORDS[4]) == [
        whole(22, 0, b"hello"),
        MissingBytes(10, lost),
        Lost(10),
        whole(23, 10 + lost, b"x" * 40),
        whole(21, 55 + lost, b"\1\0"),
    ]


def test_a_gap_in_a_header_loses_it():
    assert play(RECORDS[0] + RECORDS[2][:3], 2, b"x" * 40 + RECORDS[2] + RECORDS[4]) == [
        whole(22, 0, b"hello"),
        MissingBytes(13, 2),
        Lost(13),
        whole(23, 55, b"x" * 40),
        whole(21, 100, b"\1\0"),
    ]


def test_a_gap_before_the_first_byte():
    assert play(7, RECORDS[2] + RECORDS[4]) == [MissingBytes(0, 7), Lost(0), whole(23, 7, b"x" * 40), whole(21, 52, b"\1\0")]


@pytest.mark.parametrize("size", [1, 2, 4, 1000])
def test_after_a_gap_over_boundaries_the_next_header_is_found(size: int):
    for lost in range(6, 60):
        tail = STREAM[lost:] + record(23, b"z" * 30) + record(23, b"y" * 30)
        told = play(STREAM[:2], lost - 2, tail, size=size)
        assert told[:2] == [MissingBytes(2, lost - 2), Lost(2)]
        assert told[-1] == whole(23, len(STREAM) + 35, b"y" * 30)
        assert not any(isinstance(one, Lost | NoRecord | MissingBytes) for one in told[2:])
        assert all(one in [*ALL, whole(23, len(STREAM), b"z" * 30)] for one in told[2:-1])


def test_after_a_gap_bytes_with_another_version_are_no_record():
    other = record(23, b"w" * 30, 0x0302)
    told = play(RECORDS[0] + RECORDS[1], 9, other + RECORDS[2] + RECORDS[4])
    assert told[4:] == [whole(23, 25 + len(other), b"x" * 40), whole(21, 25 + len(other) + 45, b"\1\0")]
    first = record(22, b"hello", 0x0301)  # a ClientHello comes in a record of TLS 1.0, whatever follows
    assert play(first, 9, RECORDS[2] + RECORDS[4])[3:] == [whole(23, 19, b"x" * 40), whole(21, 64, b"\1\0")]


# Bytes that are not a record.


def test_bytes_behind_a_gap_that_only_look_like_a_record_accuse_nobody():
    first = record(23, b"a" * 20)
    false = b"\x17\3\3\0\x08" + b"x" * 8
    told = play(first, 50, false, b"noise" * 4 + record(23, b"b" * 10) + record(23, b"c" * 10))
    assert NoRecord not in {type(one) for one in told}
    assert [one.body for one in told if isinstance(one, Read)] == [b"a" * 20, b"x" * 8, b"b" * 10, b"c" * 10]
    assert sum(isinstance(one, Lost) for one in told) == 2


def test_behind_two_records_that_were_found_noise_is_told():
    first, found = record(23, b"a" * 20), record(23, b"b" * 10) + record(23, b"c" * 10)
    assert NoRecord in {type(one) for one in play(first, 50, found, b"noise" * 4)}


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_where_no_record_begins_the_next_one_is_searched(size: int):
    data = RECORDS[0] + b"no record here" + RECORDS[2] + RECORDS[2]
    assert play(data, size=size) == [
        whole(22, 0, b"hello"),
        NoRecord(10),
        Lost(10),
        whole(23, 24, b"x" * 40),
        whole(23, 69, b"x" * 40),
    ]


def test_a_length_beyond_the_limit_is_no_record():
    assert plausible(b"\x17\x03\x03\x48\x00", 0, 5)
    assert not plausible(b"\x17\x03\x03\x48\x01", 0, 5)
    assert play(b"\x17\x03\x03\xff\xff" + bytes(100)) == [NoRecord(0), Lost(0)]


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b"\x13\x03\x03\0\1", False),
        (b"\x14\x03\x00\0\0", True),
        (b"\x18\x03\x04\0\0", True),
        (b"\x19\x03\x03\0\0", False),
        (b"\x16\x02\x03\0\0", False),
        (b"\x16\x03\x05\0\0", False),
        (b"\x16\x03\x03\0", False),
    ],
)
def test_what_a_header_may_be(head: bytes, is_one: bool):
    assert plausible(b"?" + head, 1, 1 + len(head)) == is_one


# SSL 2.0.


@pytest.mark.parametrize("size", SIZES)
def test_ssl2_records(size: int):
    data = b"\x80\x03abc" + b"\x00\x04\x01abcd" + b"\x80\x01z"
    assert play(data, size=size, ssl2=True) == [
        Read(22, 0, b"abc", 3, 0, 2, 2),
        Read(22, 5, b"abcd", 4, 0, 2, 3),
        Read(22, 12, b"z", 1, 0, 2, 2),
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("offered", "goes_on"), [(b"\0\2", True), (b"\3\1", False)])
def test_after_a_hello_of_ssl2_records_are_of_the_version_that_it_offers(offered: bytes, goes_on: bool, size: int):
    hello = b"\1" + offered + b"rest"
    following = b"\x80\x01z" if goes_on else RECORDS[0]
    after = Read(22, 9, b"z", 1, 0, 2, 2) if goes_on else whole(22, 9, b"hello")
    assert play(b"\x80\x07" + hello + following, size=size, ssl2=True) == [Read(22, 0, hello, 7, 0, 2, 2), after]


@pytest.mark.parametrize("hello", [b"\1", b"\1\0"])
def test_after_a_hello_that_offers_nothing_records_are_of_tls(hello: bytes):
    length = len(hello)
    told = play(bytes([0x80, length]) + hello + RECORDS[0], ssl2=True)
    assert told == [Read(22, 0, hello, length, 0, 2, 2), whole(22, 2 + length, b"hello")]


def test_an_empty_record_of_ssl2_is_none():
    assert play(b"\x80\x00" + RECORDS[2] + RECORDS[4], ssl2=True) == [
        NoRecord(0),
        Lost(0),
        whole(23, 2, b"x" * 40),
        whole(21, 47, b"\1\0"),
    ]


# The input bytes are the reported bytes plus the skipped bytes.


class StreamCheck(RecordSink):
    """Compares every record with the stream to which it belongs; None is a byte that is missing.

    expected: where the next record begins; while `lost`, the earliest position.
    """

    def __init__(self, held: list[int | None], wanted: bool) -> None:
        self.held = held
        self.wanted = wanted
        self.expected = 0
        self.lost = False
        self.n_records = 0
        self.fed = 0

    def wants(self, role: int, content_type: int) -> bool:
        return self.wanted

    def take(self, record: Record) -> None:
        start, n_header = record.offset, record.header
        if record.content_type == GAP:
            assert self.held[start : start + record.length] == [None] * record.length
            return
        if record.content_type == NO_RECORD:
            assert start >= self.expected if self.lost else start == self.expected
            return
        if record.content_type == LOST:
            self.expected = max(self.expected, start)  # a record can end in the same gap in which the next ones begin
            self.lost = True
            return
        assert start >= self.expected if self.lost else start == self.expected
        assert start + n_header <= self.fed
        if record.version == 2:
            head = self.held[start : start + n_header]
            assert n_header == (2 if (head[0] or 0) & 0x80 else 3)
            assert ((head[0] or 0) & (0x7F if n_header == 2 else 0x3F)) << 8 | (head[1] or 0) == record.length
        else:
            header = bytes([record.content_type]) + record.version.to_bytes(2, "big") + record.length.to_bytes(2, "big")
            assert self.held[start : start + n_header] == list(header)
        end = start + n_header + record.length
        present = self.held[start + n_header : min(end, self.fed)]
        front = present.index(None) if None in present else len(present)
        assert record.missing == record.length - len([byte for byte in present if byte is not None])
        assert list(record.body) == (present[:front] if self.wanted else [])
        self.expected = end
        self.lost = False
        self.n_records += 1


def test_any_bytes_any_pieces_any_gaps_add_up():
    real = stream(talk("TLSv1_2"), SERVER)
    n_records = 0
    for seed in range(600):
        chance = random.Random(seed)
        data = bytearray(real[:800] if seed % 2 else chance.randbytes(200))
        for _ in range(chance.randrange(8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        held: list[int | None] = [*data]
        sink = StreamCheck(held, seed % 3 > 0)
        reader = RecordReader(sink, SERVER)
        reader.ssl2 = seed % 5 == 0
        position = 0
        while position < len(data):
            n_bytes = min(chance.randrange(1, 60), len(data) - position)
            sink.fed = position + n_bytes
            if chance.random() < 0.1:
                held[position : position + n_bytes] = [None] * n_bytes
                reader.gap(position, n_bytes, 1, 1)
            else:
                reader.feed(bytes(data), position, position + n_bytes, position, 1, 1)
            position += n_bytes
        reader.finish(2, 2)
        rest = len(data) - sink.expected
        assert sink.lost or rest < 5, "only the start of a header is neither reported nor skipped"
        n_records += sink.n_records
    assert n_records > 1000
