"""Checksums of packets that another function computed, whole and changed, and those that are not compared."""

import re
import struct
from pathlib import Path

import pytest
from frames_by_hand import Segment, datagram

from analyzer.analysis import internet_checksum as module
from analyzer.analysis.internet_checksum import (
    GOOD,
    LARGEST_CHECKED,
    UNCHECKED,
    UNFINISHED,
    WRONG,
    check_ip,
    check_transport,
)  # fmt: skip
from analyzer.capture.capture_reader import CaptureReader
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

PLAIN = re.compile(r"(ip4|ip[46]-(tcp|udp))-bad-chksum\.pcap")
"""Files with a bad checksum of IPv4, TCP or UDP, without options and extension headers."""

V6 = {"source": ("2001:db8::1", 1), "destination": ("2001:db8::2", 2)}


def results(frame: bytes, wire: int | None = None) -> tuple[int, int]:
    packet = Packet()
    read(packet, b"before" + frame + b"after", 6, 6 + len(frame), 1, len(frame) if wire is None else wire)
    return check_ip(packet), check_transport(packet)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 63, 64, 65, 1460, 8999])
def test_packets_of_all_sizes_fit(size: int) -> None:
    payload = bytes((at * 31 + 7) & 0xFF for at in range(size))
    assert results(Segment(payload=payload).frame()) == (GOOD, GOOD)
    assert results(Segment(payload=payload, **V6).frame()) == (UNCHECKED, GOOD)  # type: ignore[arg-type]
    assert results(datagram(payload)) == (GOOD, GOOD)
    assert results(datagram(payload, source="::1", destination="::2")) == (UNCHECKED, GOOD)


def test_every_changed_byte_is_noticed() -> None:
    frame = Segment(payload=b"some bytes of text", tsval=7).frame()
    for at in range(len(frame)):
        changed = bytearray(frame)
        changed[at] ^= 0x10
        found = results(bytes(changed))
        if at < 14:  # the Ethernet header has another checksum
            assert at in (12, 13) or found == (GOOD, GOOD)
        elif at not in (14, 23) and not 16 <= at < 18 and at not in (20, 21, 46):  # version, protocol, lengths, fragment
            assert WRONG in found or UNFINISHED in found, at


def test_sums_of_pseudo_headers_are_unfinished() -> None:
    frame = bytearray(Segment(payload=b"abc").frame())
    pseudo = sum(struct.unpack(">4H", frame[26:34])) + 6 + len(frame) - 34
    for value in (pseudo % 0xFFFF, (pseudo - (len(frame) - 34)) % 0xFFFF, 0):
        frame[50:52] = value.to_bytes(2)
        assert results(bytes(frame))[1] == UNFINISHED
    frame[24:26] = b"\0\0"
    assert results(bytes(frame))[0] == UNFINISHED


def test_what_is_not_whole_or_has_no_checksum_is_not_compared() -> None:
    frame = Segment(payload=b"x" * 100).frame()
    assert results(frame[:100], len(frame)) == (GOOD, UNCHECKED)
    without = bytearray(datagram(b"x"))
    without[40:42] = b"\0\0"
    assert results(bytes(without)) == (GOOD, UNCHECKED)
    assert results(Segment(payload=bytes(LARGEST_CHECKED)).frame()) == (GOOD, UNCHECKED)
    fragment = bytearray(frame)
    fragment[20] = 0x20
    assert results(bytes(fragment)) == (WRONG, UNCHECKED)
    assert results(b"\xff" * 60) == (UNCHECKED, UNCHECKED)
    for cut in range(len(frame)):
        assert results(frame[:cut])[1] == UNCHECKED


@pytest.mark.corpus
def test_captures_with_a_known_checksum(corpus: Path) -> None:
    """The names say which are bad."""
    n_bad = 0
    for path in sorted(corpus.glob("zeek/checksums/*.pcap")):
        reader, packet = CaptureReader([str(path)]), Packet()
        found = set()
        for packet_reader in reader.packet_readers():
            while packet_reader.advance():
                frame = reader.frame
                read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
                found |= {check_ip(packet), check_transport(packet)}
        bad = PLAIN.fullmatch(path.name) is not None
        n_bad += bad
        assert (WRONG in found) == bad, path.name
    assert n_bad == 5


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
