"""The record layer: records out of a stream, wherever its segments end and whatever lacks."""

import itertools
import random

import pytest
from accounting import Account
from conversations import CLIENT, SERVER, stream, talk

from analyzer.tls.records import RecordReader, RecordSink, plausible


class Recorder(RecordSink):
    """Everything that a reader tells."""

    def __init__(self, wanted=True):
        self.wanted = wanted
        self.records = []
        self.violations = []
        self.losses = 0

    def wants(self, side, content_type):
        return self.wanted

    def record(self, side, content_type, version, body, length, missing, frame, at):
        self.records.append((content_type, version, body, length, missing))

    def violation(self, side, offset, why, frame):
        self.violations.append(offset)

    def lost(self, side, frame, at):
        self.losses += 1


def record(content_type, body, version=0x0303):
    return bytes([content_type]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def read(data, cuts=(), wanted=True):
    """What a reader tells of a stream in pieces."""
    sink = Recorder(wanted)
    reader = RecordReader(sink, 0)
    bounds = [0, *cuts, len(data)]
    for start, end in itertools.pairwise(bounds):
        if start < end:
            reader.feed(data, start, end, start, 1, 1)
    reader.finish(2, 2)
    return sink


RECORDS = [record(22, b"hello"), record(20, b"\1"), record(23, b"x" * 40), record(22, b""), record(21, b"\1\0")]
STREAM = b"".join(RECORDS)


def test_records_whole():
    sink = read(STREAM)
    assert [found[:2] for found in sink.records] == [(data[0], 0x0303) for data in RECORDS]
    assert [found[2] for found in sink.records] == [data[5:] for data in RECORDS]
    assert all(length == len(body) and not missing for _, _, body, length, missing in sink.records)
    assert not sink.violations


def test_wherever_segments_end():
    whole = read(STREAM).records
    for cut in range(1, len(STREAM)):
        assert read(STREAM, [cut]).records == whole
    assert read(STREAM, range(1, len(STREAM))).records == whole


def test_bodies_nobody_wants_are_stepped_over():
    found = read(STREAM, range(0, len(STREAM), 7), wanted=False).records
    assert [(kind, length) for kind, _, _, length, _ in found] == [(data[0], len(data) - 5) for data in RECORDS]
    assert all(body == b"" for _, _, body, _, _ in found)


def test_the_end_inside_a_record_gives_what_was_there():
    assert read(record(22, b"abcdef")[:-2]).records == [(22, 0x0303, b"abcd", 6, 2)]
    assert read(record(22, b"abcdef")[:4]).records == []


def test_a_hole_inside_a_record_keeps_its_front_and_the_boundary():
    sink = Recorder()
    reader = RecordReader(sink, 0)
    data = record(22, b"abcdef") + RECORDS[1]
    reader.feed(data, 0, 7, 0, 1, 1)
    reader.gap(2, 1, 1)
    reader.feed(data, 9, len(data), 9, 2, 2)
    assert sink.records == [(22, 0x0303, b"ab", 6, 2), (20, 0x0303, b"\1", 1, 0)]
    assert sink.losses == 0


@pytest.mark.parametrize("step", [1, 2, 4, 1000])
def test_behind_a_hole_over_boundaries_the_next_header_is_found(step):
    for lost in range(6, 60):
        sink = Recorder()
        reader = RecordReader(sink, 0)
        tail = STREAM[lost:] + record(23, b"z" * 30) + record(23, b"y" * 30)
        reader.feed(STREAM, 0, 2, 0, 1, 1)
        reader.gap(lost - 2, 1, 1)
        for pos in range(0, len(tail), step):
            reader.feed(tail, pos, min(pos + step, len(tail)), lost + pos, 2, 2)
        assert (23, 0x0303, b"y" * 30, 30, 0) in sink.records
        assert sink.losses == 1
        assert not sink.violations


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_where_no_record_begins_the_next_one_is_searched(step):
    data = RECORDS[0] + b"no record here" + RECORDS[2] + RECORDS[2]
    sink = read(data, range(step, len(data), step))
    assert sink.violations == [len(RECORDS[0])]
    assert [body for _, _, body, _, _ in sink.records] == [b"hello", b"x" * 40, b"x" * 40]


def test_a_length_beyond_the_limit_is_no_record():
    assert plausible(b"\x17\x03\x03\x48\x00", 0, 5)
    assert not plausible(b"\x17\x03\x03\x48\x01", 0, 5)
    assert read(b"\x17\x03\x03\xff\xff" + bytes(100)).violations == [0]


def test_ssl2_records():
    sink = Recorder()
    reader = RecordReader(sink, 0)
    reader.ssl2 = True
    data = b"\x80\x03abc" + b"\x00\x04\x01abcd" + b"\x80\x01z"
    for pos in range(len(data)):
        reader.feed(data, pos, pos + 1, pos, 1, 1)
    assert [body for _, _, body, _, _ in sink.records] == [b"abc", b"abcd", b"z"]
    assert {version for _, version, _, _, _ in sink.records} == {2}


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_real_streams_add_up(version, side):
    data = stream(talk(version), side)
    sink = read(data)
    assert sum(5 + length for _, _, _, length, _ in sink.records) == len(data)
    assert not sink.violations


class Accountant(RecordSink):
    """Holds every record against the stream that it is said to come from."""

    def __init__(self, stream, wanted):
        self.account = Account()
        self.stream = stream
        self.wanted = wanted
        self.begun = self.fed = 0

    def wants(self, side, content_type):
        return self.wanted

    def record(self, side, content_type, version, body, length, missing, frame, at):
        def end_at(start):
            if version == 2:
                two = (self.stream[start] or 0) & 0x80 if start < len(self.stream) else 0
                mask, n_header = (0x7F, 2) if two else (0x3F, 3)
                header = self.stream[start : start + n_header]
                if None in header or len(header) < n_header or (header[0] & mask) << 8 | header[1] != length:
                    return None
            else:
                n_header = 5
                header = bytes([content_type]) + version.to_bytes(2, "big") + length.to_bytes(2, "big")
                if list(self.stream[start : start + n_header]) != list(header):
                    return None
            held = self.stream[start + n_header : start + n_header + length]
            present = [byte for byte in held if byte is not None]
            if len(present) != length - missing:
                return None
            front = held[: len(body)]
            whole = not missing or len(body) == len(held) or held[len(body)] is None
            return start + n_header + length if list(body) == list(front) and (whole or not self.wanted) else None

        assert len(body) <= length - missing if self.wanted else body == b""
        self.account.unit(end_at, self.fed)

    def violation(self, side, offset, why, frame):
        assert self.account.lost or offset in self.account.places
        self.account.lose(self.begun)

    def lost(self, side, frame, at):
        self.account.lose(self.begun)


def test_any_bytes_any_cuts_any_holes_add_up():
    real = stream(talk("TLSv1_2"), SERVER)
    n_units = 0
    for seed in range(300):
        chance = random.Random(seed)
        data = bytearray(real[:800] if seed % 2 else chance.randbytes(200))
        for _ in range(chance.randrange(8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        sent = [*data]
        sink = Accountant(sent, seed % 3 > 0)
        reader = RecordReader(sink, 0)
        reader.ssl2 = seed % 5 == 0
        position = 0
        while position < len(data):
            n_bytes = min(chance.randrange(1, 60), len(data) - position)
            sink.begun, sink.fed = position, position + n_bytes
            if chance.random() < 0.1:
                sent[position : position + n_bytes] = [None] * n_bytes
                reader.gap(n_bytes, 1, 1)
            else:
                reader.feed(bytes(data), position, position + n_bytes, position, 1, 1)
            position += n_bytes
        reader.finish(2, 2)
        assert min(sink.account.rests(len(data)), default=0) < 5, "only the start of a header is neither reported nor skipped"
        n_units += sink.account.n_units
    assert n_units > 500
