"""Reassembles fragmented IP datagrams: in any order, with copies, overlaps, too long, and too late."""

import itertools
import random

import pytest

from analyzer.flows import fragments
from analyzer.flows.fragments import Defragmenter
from analyzer.packet import headers
from analyzer.packet.packet import Packet

SECOND = 1_000_000_000


def ipv4(payload, offset=0, more=False, number=7, protocol=17, source=b"\xc0\x00\x02\x01", options=b"", df=0):
    header = bytearray(20 + len(options))
    header[0] = 0x40 | len(header) // 4
    header[2:4] = (len(header) + len(payload)).to_bytes(2, "big")
    header[4:6] = number.to_bytes(2, "big")
    header[6:8] = (df << 14 | more << 13 | offset // 8).to_bytes(2, "big")
    header[8:10] = bytes((64, protocol))
    header[12:20] = source + b"\xc0\x00\x02\x02"
    header[20:] = options
    return bytes(header) + payload


def ipv6(payload, offset=0, more=False, number=7, next_header=17, before=b""):
    fragment = bytes((next_header, 0)) + (offset | more).to_bytes(2, "big") + number.to_bytes(4, "big")
    first = 44 if not before else 60
    body = before + fragment + payload
    return bytes((0x60, 0, 0, 0)) + len(body).to_bytes(2, "big") + bytes((first, 64)) + bytes(range(32)) + body


def udp(n_bytes):
    payload = bytes(i * 7 & 255 for i in range(n_bytes))
    return (4000).to_bytes(2, "big") + (53).to_bytes(2, "big") + (8 + n_bytes).to_bytes(2, "big") + bytes(2) + payload


def fragment(datagram, sizes, build, **more):
    pieces, at = [], 0
    for n_bytes in [*sizes, len(datagram) - sum(sizes)]:
        pieces.append(build(datagram[at : at + n_bytes], at, at + n_bytes < len(datagram), **more))
        at += n_bytes
    return pieces


def feed(defragmenter, pieces, at=0):
    packet, results = Packet(), []
    for frame, piece in enumerate(pieces, 1):
        assert not headers.read_ip(packet, piece, 0, len(piece))
        assert packet.fragment
        results.append(defragmenter.feed(packet, at, frame))
    return results


def kinds(defragmenter):
    return [report.kind for report in defragmenter.take_reports()]


@pytest.mark.parametrize("build", [ipv4, ipv6])
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_fragments_in_any_order_become_the_datagram(build, order):
    datagram = udp(92)
    pieces = fragment(datagram, [24, 32, 8], build)
    defragmenter = Defragmenter()
    results = feed(defragmenter, [pieces[i] for i in order])
    assert results[:3] == [None] * 3
    packet = Packet()
    assert headers.read_ip(packet, results[3], 0, len(results[3]))
    assert not packet.fragment
    assert packet.problem == ""
    assert (packet.source_port, packet.destination_port) == (4000, 53)
    assert results[3][packet.payload : packet.payload_end] == datagram[8:]
    assert len(packet.key()) == (12 if build is ipv4 else 36)
    assert defragmenter.frames == (1, 2, 3, 4)
    assert kinds(defragmenter) == []


def test_what_a_defragmented_datagram_keeps_of_its_first_header():
    pieces = fragment(udp(100), [48], ipv4, options=b"\x94\x04\x00\x00", df=1)
    whole = feed(Defragmenter(), pieces)[-1]
    assert whole == ipv4(udp(100), options=b"\x94\x04\x00\x00", df=1)


def test_ipv6_extension_headers_before_the_fragment_header_stay():
    before = bytes((44, 0)) + bytes(6)
    whole = feed(Defragmenter(), fragment(udp(100), [48], ipv6, before=before))[-1]
    packet = Packet()
    assert headers.read_ip(packet, whole, 0, len(whole))
    assert packet.payload_end - packet.payload == 100
    assert packet.transport == 48
    assert whole[40] == 17


@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_copies_of_fragments_are_ignored(build):
    datagram = udp(92)
    pieces = fragment(datagram, [24, 32], build)
    defragmenter = Defragmenter()
    results = feed(defragmenter, [pieces[0], pieces[0], pieces[1], pieces[1], pieces[2]])
    assert results[-1] is not None
    assert results[-1].endswith(datagram)
    assert defragmenter.frames == (1, 3, 5)
    assert kinds(defragmenter) == []


def test_the_first_copy_of_ipv4_bytes_wins_and_both_are_reported():
    defragmenter = Defragmenter()
    results = feed(
        defragmenter,
        [
            ipv4(b"A" * 16, 0, True),
            ipv4(b"C" * 16, 24, True),
            # Overlaps both neighbours and fills the hole between them.
            ipv4(b"B" * 24, 8, True),
            ipv4(b"D" * 4, 40, False),
        ],
    )
    assert results[-1][20:] == b"A" * 16 + b"B" * 8 + b"C" * 16 + b"D" * 4
    (report,) = defragmenter.take_reports()
    assert (report.kind, report.frame, report.frames, report.offset) == ("conflict", 3, (1, 2), 8)
    assert (report.first, report.second) == (b"A" * 8, b"B" * 8)


def test_an_overlap_of_equal_bytes_is_distinguished_from_a_conflict():
    defragmenter = Defragmenter()
    results = feed(defragmenter, [ipv4(b"A" * 16, 0, True), ipv4(b"A" * 12, 8, False)])
    assert results[-1][20:] == b"A" * 20
    assert kinds(defragmenter) == ["overlap"]


@pytest.mark.parametrize("second", [(b"A" * 16, 8), (b"B" * 16, 0), (b"B" * 8, 0), (b"B" * 24, 16)])
def test_an_overlap_in_ipv6_discards_the_datagram(second):
    defragmenter = Defragmenter()
    pieces = [ipv6(b"A" * 16, 0, True), ipv6(b"C" * 16, 32, True), ipv6(*second, True), ipv6(b"A" * 16, 16, True)]
    results = feed(defragmenter, [*pieces, ipv6(b"C" * 16, 32, False), ipv6(b"A" * 16, 0, True)])
    assert results == [None] * 6
    assert len(kinds(defragmenter)) == 1


def test_datagrams_of_other_addresses_numbers_and_protocols_are_others():
    defragmenter = Defragmenter()
    first = ipv4(b"A" * 8, 0, True)
    for other in (
        ipv4(b"B" * 4, 8, False, number=8),
        ipv4(b"B" * 4, 8, False, protocol=6),
        ipv4(b"B" * 4, 8, False, source=b"\xc0\x00\x02\x09"),
    ):
        assert feed(defragmenter, [first, other]) == [None, None]
    assert feed(defragmenter, [ipv4(b"B" * 4, 8, False)])[0][20:] == b"A" * 8 + b"B" * 4


def test_a_datagram_too_long_for_ip_is_never_returned():
    for order in (1, -1):
        defragmenter = Defragmenter()
        pieces = [ipv4(bytes(65512), 0, True), ipv4(bytes(16), 65512, False)][::order]
        assert feed(defragmenter, pieces) == [None, None]
        assert kinds(defragmenter) == ["too_long"]


def test_bytes_behind_the_end_and_second_ends_are_left_out():
    defragmenter = Defragmenter()
    pieces = [ipv4(b"B" * 8, 8, False), ipv4(b"X" * 8, 16, True), ipv4(b"X" * 4, 8, False), ipv4(b"A" * 8, 0, True)]
    assert feed(defragmenter, pieces)[-1][20:] == b"A" * 8 + b"B" * 8
    assert kinds(defragmenter) == ["end", "end"]


def test_a_length_that_is_not_a_multiple_of_eight_is_rounded_down():
    defragmenter = Defragmenter()
    assert feed(defragmenter, [ipv4(b"A" * 13, 0, True), ipv4(b"B" * 8, 8, False)])[-1][20:] == b"A" * 8 + b"B" * 8
    assert kinds(defragmenter) == ["length"]
    assert feed(defragmenter, [ipv6(b"A" * 13, 0, True), ipv6(b"B" * 8, 8, False)])[-1] is None
    assert kinds(defragmenter) == ["length"]


def test_a_fragment_truncated_by_the_snapshot_length_is_not_used():
    defragmenter, packet = Defragmenter(), Packet()
    frame = bytes(12) + b"\x08\x00" + ipv4(b"A" * 16, 0, True)
    headers.read(packet, frame, 0, len(frame) - 5, 1, len(frame))
    assert (packet.fragment, packet.missing) == (True, 5)
    assert defragmenter.feed(packet, 0, 1) is None
    assert feed(defragmenter, [ipv4(b"B" * 8, 16, False)]) == [None]
    assert kinds(defragmenter) == ["cut"]


def test_datagrams_have_a_timeout():
    defragmenter = Defragmenter()
    feed(defragmenter, [ipv4(b"A" * 8, 0, True)], at=100 * SECOND)
    assert feed(defragmenter, [ipv4(b"B" * 8, 8, False)], at=161 * SECOND) == [None]
    (report,) = defragmenter.take_reports()
    assert (report.kind, report.offset) == ("timeout", 8)
    defragmenter.finish()
    (report,) = defragmenter.take_reports()
    assert (report.kind, report.offset) == ("incomplete", 0)


def test_open_datagrams_and_their_bytes_are_bounded(monkeypatch):
    monkeypatch.setattr(fragments, "MAX_DATAGRAMS", 8)
    defragmenter = Defragmenter()
    feed(defragmenter, [ipv4(b"A" * 8, 0, True, number=i) for i in range(20)])
    assert kinds(defragmenter) == ["evicted"] * 12
    assert feed(defragmenter, [ipv4(b"B", 8, False, number=0)]) == [None]
    assert feed(defragmenter, [ipv4(b"B", 8, False, number=19)]) != [None]
    monkeypatch.setattr(fragments, "MAX_BYTES", 4000)
    feed(defragmenter, [ipv4(b"A" * 8, 16 * i, True, number=99) for i in range(30)])
    assert "evicted" in kinds(defragmenter)


def test_reports_are_bounded(monkeypatch):
    monkeypatch.setattr(fragments, "MAX_REPORTS", 3)
    defragmenter = Defragmenter()
    feed(defragmenter, [ipv4(b"A" * 5, 8 * i, True, number=i) for i in range(10)])
    assert kinds(defragmenter) == ["length"] * 3


def test_a_packet_that_is_no_fragment_is_an_error():
    packet = Packet()
    whole = ipv4(udp(4))
    assert headers.read_ip(packet, whole, 0, len(whole))
    with pytest.raises(ValueError, match="no fragment"):
        Defragmenter().feed(packet, 0, 1)


def test_random_fragments_agree_with_a_byte_by_byte_model():
    """The model keeps the first copy of each byte: a slow but simple way to define the result."""
    chance = random.Random(791)
    for _ in range(300):
        n_units = chance.randrange(3, 12)
        defragmenter, packet, model = Defragmenter(), Packet(), {}
        for frame in range(1, 40):
            start = chance.randrange(n_units)
            stop = chance.randrange(start, n_units) + 1
            payload = bytes(chance.randrange(256) for _ in range(8 * (stop - start)))
            piece = ipv4(payload, 8 * start, stop < n_units)
            headers.read_ip(packet, piece, 0, len(piece))
            if not packet.fragment:
                continue
            whole = defragmenter.feed(packet, 0, frame)
            for i, octet in enumerate(payload, 8 * start):
                model.setdefault(i, octet)
            assert (whole is not None) == (len(model) == 8 * n_units)
            if whole is not None:
                assert whole[20:] == bytes(model[i] for i in range(8 * n_units))
                break
