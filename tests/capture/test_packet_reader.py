"""Tests the packet reader with known captures, every format and byte order, every truncation, and mutations."""

import gzip
import json
import os
import random
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from analyzer.capture import file_facts
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.codec.errors import Incomplete, Malformed, ParseError

CORPUS = Path(os.environ["ANALYZER_CORPUS"])

ORDERS = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])


class Seen(NamedTuple):
    number: int
    at: int
    data: bytes
    wire_length: int
    link_type: int
    interface: int
    offset: int


class Result(NamedTuple):
    frames: list[Seen]
    error: ParseError | None
    packet_reader: PacketReader

    def facts(self) -> tuple[object, ...]:
        w, t = self.packet_reader, self.error
        anomalies = [str(anomaly) for anomaly in w.anomalies]
        counted = (w.frames, w.truncated_frames, w.earliest, w.latest, w.n_interfaces)
        error = t and (type(t), t.args)
        return (
            self.frames,
            error,
            w.format,
            counted,
            w.sections,
            w.interfaces,
            w.comments,
            w.secrets,
            w.names,
            w.statistics,
            anomalies,
        )


def read_frames(data: bytes, step: int = 1 << 20) -> Result:
    frame = Frame()
    packet_reader = PacketReader(frame)
    frames: list[Seen] = []
    error = None
    try:
        for start in range(0, len(data), step):
            packet_reader.feed(data[start : start + step])
            while packet_reader.advance():
                frames.append(
                    Seen(
                        frame.number,
                        frame.at,
                        frame.data[frame.start : frame.end],
                        frame.wire_length,
                        frame.link_type,
                        frame.interface,
                        frame.offset,
                    )
                )
        packet_reader.close()
    except ParseError as raised:
        error = raised
    return Result(frames, error, packet_reader)


def block(order: str, kind: int, body: bytes) -> bytes:
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str, options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def interface(order: str, link_type: int = 1, snap_length: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snap_length) + options)


def packet(order: str, ticks: int, data: bytes, wire: int | None = None, index: int = 0, options: bytes = b"") -> bytes:
    length = len(data) if wire is None else wire
    fixed = struct.pack(order + "5I", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    return block(order, 6, fixed + data + bytes(-len(data) % 4) + options)


def pcap(order: str, magic: int, records: list[tuple[int, int, bytes, int]], version: tuple[int, int] = (2, 4)) -> bytes:
    parts = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65535, 0x44000001)]
    for seconds, rest, data, wire in records:
        parts.append(struct.pack(order + "4I", seconds, rest, len(data), wire))
        if magic == 0xA1B2CD34:
            parts.append(struct.pack(order + "IHBB", 3, 0x0800, 0, 0))
        parts.append(data)
    return b"".join(parts)


def rich(order: str) -> bytes:
    """A capture with every kind of block, in two sections of opposite byte order."""
    other = "<" if order == ">" else ">"
    texts = option(order, 1, b"of the section") + option(order, 3, b"Linux") + option(order, 4, b"dumpcap") + bytes(4)
    named = (
        option(order, 2, b"eth0") + option(order, 9, b"\x09") + option(order, 11, b"\0tcp port 443") + option(order, 13, b"\4")
    )
    names = struct.pack(order + "HH4s12s", 1, 16, bytes([192, 0, 2, 1]), b"a.test\0b.te\0") + bytes(4)
    key_log = b"CLIENT_RANDOM 00 11\n"
    counters = option(order, 4, struct.pack(order + "Q", 1000)) + option(order, 5, struct.pack(order + "Q", 7)) + bytes(4)
    return b"".join(
        [
            section(order, texts),
            interface(order, 1, 0, named + bytes(4)),
            interface(order, 101, 96, option(order, 1, b"of the interface")),
            block(order, 10, struct.pack(order + "II", 0x544C534B, len(key_log)) + key_log),
            packet(order, 1_700_000_000_123_456_789, b"first", options=option(order, 1, b"of the frame") + bytes(4)),
            packet(order, 1_700_000_000_000_001, b"second", 60, 1, option(order, 2, bytes(4))),
            block(order, 4, names),
            block(order, 0x7777, b"nobody knows"),
            block(order, 3, struct.pack(order + "I", 6) + b"simple\0\0"),
            block(order, 2, struct.pack(order + "HHIIII", 1, 0, 0, 5, 3, 3) + b"old\0"),
            block(order, 5, struct.pack(order + "III", 0, 0, 9) + counters),
            section(other),
            interface(other, 113),
            packet(other, 1_700_000_000_000_000, b"fourth"),
        ]
    )


def corpus() -> Iterator[tuple[str, bytes, int]]:
    """Return the name of each capture, its bytes, and its known number of frames."""
    for name, known in json.loads((CORPUS / "expected" / "meta.json").read_text()).items():
        data = (CORPUS / name).read_bytes()
        yield name, gzip.decompress(data) if name.endswith(".gz") else data, known["frames"]


@pytest.mark.corpus
def test_every_capture_of_the_corpus_has_its_frames() -> None:
    for name, data, n_frames in corpus():
        seen = read_frames(data)
        assert (name, len(seen.frames), seen.error) == (name, n_frames, None)
        assert [frame.number for frame in seen.frames] == list(range(1, n_frames + 1))
        assert not seen.packet_reader.anomalies


@pytest.mark.corpus
def test_the_corpus_in_small_chunks_gives_the_same() -> None:
    for name, data, _ in corpus():
        if len(data) < 20_000:
            whole = read_frames(data).facts()
            assert all(read_frames(data, step).facts() == whole for step in (1, 7, 4096)), name


@pytest.mark.corpus
def test_damaged_captures_of_the_corpus_raise_only_parse_errors() -> None:
    chance = random.Random(20)
    for _, whole, _ in corpus():
        data = bytearray(whole[:8000])
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(min(len(data), chance.choice((48, 200, 8000))))] = chance.randrange(256)
        assert read_frames(bytes(data)).facts() == read_frames(bytes(data), 13).facts()


@ORDERS
@pytest.mark.parametrize(
    ("magic", "format", "tick"),
    [(0xA1B2C3D4, "pcap", 1000), (0xA1B23C4D, "nanosecond pcap", 1), (0xA1B2CD34, "modified pcap", 1000)],
)
def test_pcap_in_each_resolution_and_byte_order(order: str, magic: int, format: str, tick: int) -> None:  # noqa: A002
    large = bytes(range(256)) * 2000
    seen = read_frames(
        pcap(order, magic, [(0xFFFFFFFF, 999_999, b"one", 3), (5, 7, b"cut", 1500), (6, 0, large, len(large)), (7, 0, b"", 0)])
    )
    header = 24 if format == "modified pcap" else 16
    assert seen.error is None
    assert [frame.data for frame in seen.frames] == [b"one", b"cut", large, b""]
    assert [frame.at for frame in seen.frames] == [
        0xFFFFFFFF * 10**9 + 999_999 * tick,
        5 * 10**9 + 7 * tick,
        6 * 10**9,
        7 * 10**9,
    ]
    assert [frame.wire_length for frame in seen.frames] == [3, 1500, len(large), 0]
    assert [frame.offset for frame in seen.frames[:3]] == [24, 24 + header + 3, 24 + 2 * (header + 3)]
    found = seen.packet_reader
    assert (found.format, found.frames, found.truncated_frames) == (format, 4, 1)
    assert (found.earliest, found.latest) == (5 * 10**9 + 7 * tick, 0xFFFFFFFF * 10**9 + 999_999 * tick)
    assert found.interfaces[0].link_type == 1, "the bits of the frame check sequence are no part of the link type"
    assert found.interfaces[0].fcs_length == 8
    assert found.sections[0].byte_order == ("little" if order == "<" else "big")


def test_lengths_of_old_pcap_versions_are_swapped() -> None:
    data = bytearray(pcap("<", 0xA1B2C3D4, [(1, 0, b"abc", 60)], (2, 2)))
    data[24 + 8 : 24 + 16] = struct.pack("<II", 60, 3)
    assert [(frame.data, frame.wire_length) for frame in read_frames(bytes(data)).frames] == [(b"abc", 60)]


def test_more_bytes_captured_than_were_on_the_wire_is_tolerated() -> None:
    assert [(f.data, f.wire_length) for f in read_frames(pcap("<", 0xA1B2C3D4, [(1, 0, b"abcdef", 4)])).frames] == [
        (b"abcdef", 4)
    ]


@ORDERS
def test_every_block_of_pcapng(order: str) -> None:
    seen = read_frames(rich(order))
    assert seen.error is None
    assert [(f.number, f.at, f.data, f.wire_length, f.link_type, f.interface) for f in seen.frames] == [
        (1, 1_700_000_000_123_456_789, b"first", 5, 1, 0),
        (2, 1_700_000_000_000_001_000, b"second", 60, 101, 1),
        (3, -1, b"simple", 6, 1, 0),
        (4, 5000, b"old", 3, 101, 1),
        (5, 1_700_000_000_000_000_000, b"fourth", 6, 113, 2),
    ]
    found = seen.packet_reader
    assert found.comments == [(0, "of the section"), (0, "of the interface"), (1, "of the frame")]
    assert found.secrets == [(0x544C534B, b"CLIENT_RANDOM 00 11\n")]
    assert found.names == {"192.0.2.1": ("a.test", "b.te")}
    assert [(s.os, s.application) for s in found.sections] == [("Linux", "dumpcap"), (None, None)]
    assert [(i.name, i.resolution, i.filter, i.fcs_length, i.section) for i in found.interfaces] == [
        ("eth0", "10^-9 s", "tcp port 443", 4, 0),
        (None, "10^-6 s", None, None, 0),
        (None, "10^-6 s", None, None, 1),
    ]
    assert (found.statistics[0].received, found.statistics[0].dropped_by_interface, found.statistics[0].at) == (1000, 7, 9)
    assert (found.truncated_frames, found.earliest, found.latest) == (1, 5000, 1_700_000_000_123_456_789)
    assert [one.why for one in found.anomalies] == ["a second section begins here: two files were joined"]


@ORDERS
def test_chunks_of_any_size_give_the_same(order: str) -> None:
    long = packet("<", 1, bytes(300_000)) + packet("<", 2, b"after")
    for data in (rich(order), pcap(order, 0xA1B2C3D4, [(n, 0, bytes(n), n) for n in range(200)])):
        whole = read_frames(data).facts()
        assert all(read_frames(data, step).facts() == whole for step in (1, 2, 3, 5, 17, 100, 4095))
    data = section("<") + interface("<") + long * 3
    assert all(read_frames(data, step).facts() == read_frames(data).facts() for step in (997, 65_536, 300_040))


def test_chunks_fed_before_the_last_ones_were_read() -> None:
    data = rich("<") + packet(">", 9, bytes(9000)) * 3
    frame = Frame()
    packet_reader = PacketReader(frame)
    for start in range(0, len(data), 700):
        packet_reader.feed(data[start : start + 700])
        if start % 2100 == 0:
            packet_reader.advance()
    while packet_reader.advance():
        pass
    packet_reader.close()
    assert (packet_reader.frames, frame.end - frame.start) == (8, 9000)


@ORDERS
def test_a_file_truncated_anywhere_keeps_the_frames_before_and_is_incomplete(order: str) -> None:
    for data, header in ((rich(order), 12), (pcap(order, 0xA1B2CD34, [(n, 0, bytes(n), n) for n in range(9)]), 4)):
        whole = read_frames(data)
        ends = {frame.offset for frame in whole.frames}
        for size in range(len(data)):
            truncated = read_frames(data[:size])
            assert truncated.frames == whole.frames[: len(truncated.frames)]
            assert sum(offset < size for offset in ends) - len(truncated.frames) in (0, 1)
            assert (truncated.packet_reader.format is None) == (size < header)
            if truncated.error is not None:
                assert isinstance(truncated.error, Incomplete if size else Malformed)
                assert 0 <= truncated.error.offset <= size
        assert read_frames(data[:-1]).error is not None


@pytest.mark.parametrize(
    ("resolution", "ticks", "at"),
    [
        (None, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (0, 1_700_000_000, 1_700_000_000_000_000_000),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (9, 2**63 - 1, 2**63 - 1),
        (9, 2**63, -1),
        (6, 2**63 // 1000 + 1, -1),
        (12, 2**64 - 1, (2**64 - 1) // 1000),
        (127, 2**64 - 1, 0),
        (0x80 | 10, 1_700_000_000 << 10 | 512, 1_700_000_000_500_000_000),
        (0x80 | 3, 1_700_000_000 << 3 | 1, 1_700_000_000_125_000_000),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, 1_700_000_000_500_000_000),
        (0xFF, 2**64 - 1, 0),
        (0, 2**64 - 1, -1),
    ],
)
@ORDERS
def test_times_of_each_resolution(order: str, resolution: int | None, ticks: int, at: int) -> None:
    options = b"" if resolution is None else option(order, 9, bytes([resolution])) + bytes(4)
    seen = read_frames(section(order) + interface(order, options=options) + packet(order, ticks, b"x"))
    assert [frame.at for frame in seen.frames] == [at]


@pytest.mark.parametrize(
    ("offset", "at"), [(100, 105_000_000_000), (-4, 1_000_000_000), (-6, -1), (2**63 - 1, -1), (-(2**63), -1)]
)
def test_times_with_an_offset(offset: int, at: int) -> None:
    options = option("<", 14, struct.pack("<q", offset)) + bytes(4)
    seen = read_frames(section("<") + interface("<", options=options) + packet("<", 5_000_000, b"x"))
    assert [frame.at for frame in seen.frames] == [at]


def test_a_simple_packet_is_truncated_by_the_snapshot_length_of_its_interface() -> None:
    seen = read_frames(section("<") + interface("<", 1, 5) + block("<", 3, struct.pack("<I", 1500) + b"abcde\0\0\0"))
    assert [(frame.data, frame.wire_length, frame.at) for frame in seen.frames] == [(b"abcde", 1500, -1)]


def test_blocks_that_wireshark_lists_as_packets_take_a_number() -> None:
    custom = block("<", 0xBAD, struct.pack("<I", 12345) + b"data") + block("<", 0x40000BAD, struct.pack("<I", 12345))
    seen = read_frames(section("<") + interface("<") + packet("<", 1, b"a") + custom + packet("<", 2, b"b"))
    assert [frame.number for frame in seen.frames] == [1, 4]
    assert seen.packet_reader.frames == 2


def test_numbers_continue_over_several_files() -> None:
    frame = Frame()
    first = PacketReader(frame)
    first.feed(rich("<"))
    while first.advance():
        pass
    first.close()
    second = PacketReader(frame, first.n_interfaces)
    second.feed(pcap("<", 0xA1B2C3D4, [(1, 0, b"abc", 3)]))
    assert second.advance()
    assert (frame.number, frame.interface) == (6, 3)


START = section("<") + interface("<") + packet("<", 1, b"a")


@pytest.mark.parametrize(
    ("damage", "offset"),
    [
        (struct.pack("<II", 6, 37), 4),
        (struct.pack("<II", 6, 8), 4),
        (struct.pack("<II", 6, 0xFFFFFFFC), 4),
        (block("<", 6, bytes(20))[:-4] + struct.pack("<I", 36), 28),
        (block("<", 6, bytes(16)), 0),
        (block("<", 6, struct.pack("<5I", 0, 0, 0, 0xFFFFFFFF, 1)), 20),
        (block("<", 6, struct.pack("<5I", 0, 0, 0, 5, 5) + bytes(4)), 20),
        (block("<", 6, struct.pack("<5I", 1, 0, 0, 0, 0)), 8),
        (block("<", 2, struct.pack("<HHIIII", 9, 0, 0, 0, 0, 0)), 8),
        (block("<", 3, struct.pack("<I", 9) + bytes(8)), 8),
        (block("<", 3, b""), 0),
        (block("<", 1, bytes(4)), 0),
        (section("<")[:8] + bytes(20), 0),
        (block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)), 12),
        (block("<", 0x0A0D0D0A, struct.pack("<IHH", 0x1A2B3C4D, 1, 0)), 0),
        (section("<") + packet("<", 1, b"no interface in this section"), 28 + 8),
        (section("<") + block("<", 3, struct.pack("<I", 0)), 28),
    ],
)
def test_damage_ends_the_file_at_its_offset_after_the_frames_before(damage: bytes, offset: int) -> None:
    seen = read_frames(START + damage + packet("<", 2, b"b"))
    assert [frame.data for frame in seen.frames] == [b"a"]
    assert isinstance(seen.error, Malformed)
    assert seen.error.offset == len(START) + offset
    assert seen.packet_reader.format == "pcapng"


def test_an_absurd_captured_length_of_pcap_is_damage() -> None:
    data = pcap("<", 0xA1B2C3D4, [(1, 0, b"abc", 3)]) + struct.pack("<4I", 2, 0, 0x7FFFFFFF, 3) + bytes(100)
    seen = read_frames(data)
    assert (len(seen.frames), type(seen.error)) == (1, Malformed)


@pytest.mark.parametrize("data", [b"", b"\x0a", b"no capture at all, but a text", b"\x0a\x0d\x0d\x0a" + bytes(40), bytes(1000)])
def test_a_file_that_is_not_a_capture_has_no_format(data: bytes) -> None:
    seen = read_frames(data)
    assert seen.error is not None
    assert seen.error.offset == 0
    assert (seen.packet_reader.format, seen.frames) == (None, [])


@pytest.mark.parametrize(
    "lie",
    [
        interface("<", options=option("<", 2, b"name") + struct.pack("<HH", 3, 500)),
        block("<", 4, struct.pack("<HH", 1, 500)),
        block("<", 5, struct.pack("<III", 99, 0, 0)),
        block("<", 5, b"tiny"),
        block("<", 10, struct.pack("<II", 0x544C534B, 500) + b"tiny"),
        block("<", 10, b"tiny"),
        packet("<", 2, b"b", options=struct.pack("<HH", 1, 500)),
    ],
)
def test_a_wrong_length_in_a_fact_is_an_anomaly_and_costs_no_frame(lie: bytes) -> None:
    seen = read_frames(START + lie + packet("<", 3, b"c"))
    assert seen.error is None
    assert seen.frames[-1].data == b"c"
    assert len(seen.packet_reader.anomalies) == 1


def test_facts_of_a_file_are_bounded() -> None:
    names = block("<", 4, option("<", 1, bytes([192, 0, 2, 1]) + b"".join(b"n%d\0" % n for n in range(2000))))
    comment = option("<", 1, b"c" * 60_000)
    seen = read_frames(START + names + packet("<", 2, b"b", options=comment * 300))
    assert len(seen.packet_reader.names["192.0.2.1"]) == file_facts.MAX_NAMES
    assert sum(len(text) for _, text in seen.packet_reader.comments) <= file_facts.MAX_COMMENT_BYTES
    secret = block("<", 10, struct.pack("<II", 1, 1 << 20) + bytes(1 << 20))
    seen = read_frames(START + secret * 66)
    assert len(seen.packet_reader.secrets) == 63
    assert len(seen.packet_reader.anomalies) == 3


def test_a_recording_packet_reader_keeps_its_error() -> None:
    packet_reader = PacketReader(Frame(), 0, True)
    packet_reader.feed(START + bytes(40))
    assert packet_reader.advance()
    assert not packet_reader.advance()
    assert not packet_reader.advance()
    assert isinstance(packet_reader.error, Malformed)


@ORDERS
def test_mutations_raise_only_parse_errors(order: str) -> None:
    chance = random.Random(7)
    whole = rich(order)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 4, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        assert read_frames(bytes(data)).facts() == read_frames(bytes(data), chance.randint(1, 50)).facts()


def one_frame(order: str = "<", magic: int = 0xA1B2C3D4, link_type: int = 1) -> bytes:
    """A file with one frame, `hello`."""
    header = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link_type)
    return header + struct.pack(order + "IIII", 7, 0, 5, 5) + b"hello"


def pcapng() -> bytes:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 101, 0, 0, 20)
    return section + interface + struct.pack("<III8sI", 3, 24, 5, b"world", 24)


JOINED = {
    "pcap": one_frame() + one_frame(),
    "byte orders": one_frame(">") + one_frame(),
    "units of time": one_frame() + one_frame(">", 0xA1B23C4D),
    "pcap and pcapng": one_frame() + pcapng(),
    "pcapng and pcap": pcapng() + one_frame(link_type=113),
}


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize("name", JOINED)
def test_captures_that_were_joined_are_read_and_this_is_said(name: str, step: int) -> None:
    data = JOINED[name]
    reader = PacketReader(Frame())
    frames = []
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
        while reader.advance():
            frame = reader.frame
            frames.append((frame.number, frame.interface, frame.link_type, frame.data[frame.start : frame.end]))
    reader.close()
    other = b"world" if "pcapng" in name else b"hello"
    numbers = [101 if text == b"world" else 113 if name == "pcapng and pcap" else 1 for *_, text in frames]
    assert sorted(text for *_, text in frames) == sorted([b"hello", other])
    assert [(number, interface, kind) for number, interface, kind, _ in frames] == [(1, 0, numbers[0]), (2, 1, numbers[1])]
    at = len(data) - len(JOINED["pcap"]) // 2 if name != "pcap and pcapng" else len(one_frame())
    assert [(one.offset, one.why) for one in reader.anomalies] == [(at, "a second capture begins here: two files were joined")]
    assert {number: link.frames for number, link in reader.links.items()} == dict(Counter(numbers))


def test_so_many_files_are_not_joined() -> None:
    reader = PacketReader(Frame())
    reader.feed(one_frame()[:24] * 10_000)
    with pytest.raises(Malformed, match="more than 50 files were joined"):
        reader.advance()


def test_an_empty_frame_is_no_file_header() -> None:
    reader = PacketReader(Frame())
    reader.feed(one_frame()[:24] + struct.pack("<IIII", 0xA1B2C3D4, 3, 0, 0) + struct.pack("<IIII", 8, 0, 0, 0))
    assert [reader.advance(), reader.advance(), reader.advance()] == [True, True, False]
    assert reader.anomalies == []
