"""Walks over blocks of a ring that were made by hand: what the kernel writes, and what it never would."""

import random
import struct
import sys

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.live.ring_reader import RingChannel, RingReader

LOOPBACK, ETHERNET = 772, 1
HERE, OUTGOING = 0, 4
CHECKSUM_NOT_READY, VLAN_VALID, TPID_VALID = 8, 0x10, 0x40


def packet(
    data: bytes,
    at: int = 0,
    *,
    wire: int | None = None,
    status: int = 1,
    tci: int = 0,
    tpid: int = 0,
    kind: int = HERE,
    hardware: int = ETHERNET,
    step: int | None = None,
) -> bytes:
    """`struct tpacket3_hdr`, `struct sockaddr_ll` and the bytes, as long as `step` says."""
    start = 82
    length = (start + len(data) + 7) & ~7
    lengths = (length if step is None else step, *divmod(at, 10**9), len(data), wire or len(data))
    head = struct.pack("IIIIIIHHIIHH8x", *lengths, status, start, start, 0, tci, tpid, 0)
    address = struct.pack("H2siHBB8s", 17, b"\x08\0", 3, hardware, kind, 6, b"\2\0\0\0\0\1")
    return (head + address).ljust(start, b"\0") + data + bytes(length - start - len(data))


def block(*packets: bytes, count: int | None = None, first: int = 48) -> bytes:
    body = b"".join(packets)
    n_packets = len(packets) if count is None else count
    return struct.pack("IIIIIIQ4I", 1, 0, 1, n_packets, first, 48 + len(body), 1, 0, 0, 0, 0) + body


def reader_of(*blocks: bytes, cooked: bool = False) -> RingReader:
    channels = [RingChannel(number, 276 if cooked else 1, cooked) for number in range(len(blocks))]
    for channel, one in zip(channels, blocks, strict=True):
        channel.load(one)
        channel.idle = True
    return RingReader(Frame(), channels)


def data_of(reader: RingReader) -> list[bytes]:
    found = []
    while reader.advance():
        found.append(reader.frame.data[reader.frame.start : reader.frame.end])
    return found


def test_a_packet_has_its_time_and_both_lengths() -> None:
    reader = reader_of(block(packet(b"x" * 60, 4_000_000_000_123_456_789, wire=1514), packet(b"y" * 61, 5)))
    frame = reader.frame
    assert reader.advance()
    assert (frame.number, frame.at, frame.wire_length) == (1, 4_000_000_000_123_456_789, 1514)
    assert (frame.data[frame.start : frame.end], frame.link_type, frame.interface, frame.offset) == (b"x" * 60, 1, 0, -1)
    assert reader.advance()
    assert (frame.number, frame.at, frame.wire_length) == (2, 5, 61)
    assert not reader.advance()
    assert not reader.advance()
    assert reader.frames == 2


def test_the_frames_of_several_rings_come_in_the_order_of_time() -> None:
    one = block(packet(b"a", 10), packet(b"c", 30), packet(b"e", 50))
    other = block(packet(b"b", 20), packet(b"d", 30))
    reader = reader_of(one, other)
    assert data_of(reader) == [b"a", b"b", b"c", b"d", b"e"]


def test_a_frame_waits_for_a_ring_whose_next_frame_is_not_known() -> None:
    reader = reader_of(block(packet(b"a", 10), packet(b"c", 30)), block(packet(b"b", 20)))
    reader.channels[1].idle = False
    assert data_of(reader) == [b"a", b"b"]
    assert not reader.ready()
    reader.channels[1].load(block(packet(b"d", 40)))
    assert reader.ready()
    assert data_of(reader) == [b"c", b"d"]


def test_a_frame_waits_until_the_other_rings_have_handed_over_all_before_it() -> None:
    reader = reader_of(block(packet(b"a", 10), packet(b"b", 20), packet(b"c", 30)), block())
    reader.horizon = 20
    assert data_of(reader) == [b"a", b"b"]
    reader.horizon = 29
    assert not reader.advance()
    reader.horizon = 30
    assert data_of(reader) == [b"c"]


def test_a_block_takes_the_place_of_the_block_before() -> None:
    reader = reader_of(block(packet(b"a"), packet(b"b")))
    assert reader.advance()
    reader.channels[0].load(block(packet(b"c")))
    assert data_of(reader) == [b"c"]


@pytest.mark.parametrize(("status", "tpid", "expected"), [(VLAN_VALID, 0, "8100"), (VLAN_VALID | TPID_VALID, 0x88A8, "88a8")])
def test_a_tag_goes_after_the_addresses(status: int, tpid: int, expected: str) -> None:
    reader = reader_of(block(packet(bytes(range(60)), status=status, tci=0xA123, tpid=tpid, wire=100)))
    assert data_of(reader) == [bytes(range(12)) + bytes.fromhex(expected + "a123") + bytes(range(12, 60))]
    assert reader.frame.wire_length == 104


def test_a_frame_that_is_cut_inside_its_addresses_gets_no_tag() -> None:
    assert data_of(reader_of(block(packet(b"short", status=VLAN_VALID, tci=5)))) == [b"short"]


def test_a_status_without_a_tag_leaves_the_frame_alone() -> None:
    assert data_of(reader_of(block(packet(bytes(60), status=1 | CHECKSUM_NOT_READY, tci=5)))) == [bytes(60)]


def test_a_cooked_packet_gets_a_header_of_sll2() -> None:
    plain, tagged = packet(b"E..."), packet(b"E...", status=VLAN_VALID, tci=7)
    reader = reader_of(block(plain, tagged), cooked=True)
    after = bytes.fromhex("000000000003000100060200000000010000")
    assert data_of(reader) == [b"\x08\0" + after + b"E...", b"\x81\0" + after + b"\0\7\x08\0E..."]
    assert reader.frame.wire_length == 28


def test_what_the_loopback_sends_is_skipped_but_not_what_others_send() -> None:
    sent = packet(b"sent", kind=OUTGOING, hardware=LOOPBACK)
    reader = reader_of(block(sent, packet(b"same", hardware=LOOPBACK), packet(b"out", kind=OUTGOING), sent, sent))
    assert data_of(reader) == [b"same", b"out"]
    assert reader.channels[0].duplicates == 3


def test_thousands_of_skipped_packets_need_no_stack() -> None:
    sent = packet(b"", kind=OUTGOING, hardware=LOOPBACK)
    assert data_of(reader_of(block(*[sent] * 20_000, packet(b"x")))) == [b"x"]


def test_the_last_packet_has_no_step() -> None:
    assert data_of(reader_of(block(packet(b"a"), packet(b"b", step=0), count=9))) == [b"a", b"b"]


@pytest.mark.parametrize("length", range(0, 48 + 90, 3))
def test_a_block_that_is_too_short_has_no_packet_outside_it(length: int) -> None:
    found = data_of(reader_of(block(packet(b"a" * 8))[:length]))
    assert found in ([], [b"a" * max(0, length - 130)])


@pytest.mark.parametrize(
    "bad",
    [
        block(packet(b"a"), first=0xFFFFFFFF),
        block(packet(b"a"), first=0x7FFFFFFF),
        block(packet(b"a", step=0xFFFFFFFF), count=0xFFFFFFFF),
        block(packet(b"a", step=1), count=0xFFFFFFFF),
    ],
)
def test_lengths_that_lie_lead_nowhere(bad: bytes) -> None:
    reader = reader_of(bad)
    for data in data_of(reader):
        assert len(data) <= len(bad)


def test_no_bytes_at_all_can_do_harm() -> None:
    chance = random.Random(12)
    good = block(packet(b"a" * 70, status=VLAN_VALID), packet(b"b" * 70), packet(b"c" * 70))
    for _ in range(3000):
        bad = bytearray(good[: chance.randrange(len(good) + 1)])
        for _ in range(chance.randrange(8)):
            if bad:
                bad[chance.randrange(len(bad))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        reader = reader_of(bytes(bad), cooked=chance.random() < 0.5)
        for data in data_of(reader):
            assert len(data) <= len(bad) + 24


def test_the_byte_order_is_that_of_the_machine() -> None:
    assert struct.pack("I", 1) == (1).to_bytes(4, sys.byteorder)
