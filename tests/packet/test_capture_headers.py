"""Headers that capturing systems put before the frames of another link type."""

import pytest

from analyzer.packet import headers
from analyzer.packet.capture_headers import WRAPPERS
from analyzer.packet.packet import Packet

from .test_link_layers import IPV4, IPV6, MACS, read

WIRELESS = "0801 0000" + MACS + "020000000003 0000 aaaa03 000000 0800"

FRAMES = {
    "ENC": (109, "02000000 00000001 00000000", IPV4),
    "PFLOG": (117, "3d020000" + "00" * 60, IPV4),
    "PFLOG of an older system": (117, "2d020000" + "00" * 44, IPV6),
    "Prism": (119, "44000000 90000000" + "00" * 136 + WIRELESS, IPV4),
    "PKTAP of USER2": (149, "6c000000 01000000 01000000" + "00" * 96 + MACS + "0800", IPV4),
    "AVS": (163, "80211001 00000040" + "00" * 56 + WIRELESS, IPV4),
    "PPP of pppd": (166, "00 ff03 0021", IPV4),
    "Juniper": (178, "4d4743 00" + MACS + "86dd", IPV6),
    "Juniper with extensions": (178, "4d4743 80 0006 010203040506" + MACS + "0800", IPV4),
    "Juniper without Ethernet": (178, "4d4743 02 00000002", IPV4),
    "PPI": (192, "00 00 0800 01000000" + MACS + "0800", IPV4),
    "PPI with a field and 802.11": (192, "00 00 1000 69000000 0200 0400 aabbccdd" + WIRELESS, IPV4),
    "PPP with direction": (204, "01 0057", IPV6),
    "Cisco HDLC with direction": (205, "00 0f00 0800", IPV4),
    "PKTAP": (258, "6c000000 01000000 0c000000" + "00" * 96, IPV4),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_packet_after_the_header(name):
    link_type, shim, ip = FRAMES[name]
    packet, good = read(bytes.fromhex(shim) + ip, link_type)
    assert good, packet.problem
    assert (packet.problem, packet.ip_version) == ("", 4 if ip is IPV4 else 6)
    assert packet.data[packet.payload : packet.payload_end] == b"hello"


@pytest.mark.parametrize("name", FRAMES)
def test_every_truncation_is_distinguished_from_damage(name):
    link_type, shim, ip = FRAMES[name]
    whole = bytes.fromhex(shim) + ip
    for n_bytes in range(len(whole) - len(ip)):
        packet, good = read(whole[:n_bytes], link_type, len(whole))
        assert (good, packet.truncated) == (False, True)
        packet, good = read(whole[:n_bytes], link_type)
        assert (good, packet.truncated) == (False, False)
        assert packet.problem


def test_every_wrapper_has_a_frame_here():
    assert {link_type for link_type, _, _ in FRAMES.values()} == WRAPPERS


@pytest.mark.parametrize(
    ("link_type", "frame", "problem"),
    [
        (117, "00" * 60, "PFLOG header of 0 bytes"),
        (163, "80211001 00000000", "AVS header of 0 bytes"),
        (163, "80211001 80000040", "AVS header needs 64 bytes, but 8 are left"),
        (178, "4d4744 00" + MACS, "Juniper header without its magic number"),
        (192, "00 00 0000 01000000", "PPI header of 0 bytes"),
        (192, "00 00 0800 c0000000", "link type 192 is not known"),
        (192, "00 00 0800 ffffffff", "link type 2147483647 is not known"),
        (258, "6c000000 02000000 01000000" + "00" * 96, "PKTAP header that announces no packet"),
        (258, "00000000 01000000 01000000" + "00" * 96, "PKTAP header of 0 bytes"),
    ],
)
def test_wrong_headers(link_type, frame, problem):
    packet, good = read(bytes.fromhex(frame), link_type)
    assert (good, packet.problem, packet.ip) == (False, problem, -1)


def test_a_header_in_a_header_is_not_followed():
    frame = bytes.fromhex("00 00 0800 c0000000") * 10_000
    packet = Packet()
    assert not headers.read(packet, frame, 0, len(frame), 192, len(frame))
    assert packet.payload == 8
