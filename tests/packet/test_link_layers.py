"""Each link type and each shim, before the same IP packet."""

import pytest

from analyzer.packet import headers
from analyzer.packet.link_layers import READABLE_LINK_TYPES
from analyzer.packet.packet import Packet

SEGMENT = bytes.fromhex("0fa001bb 00000001 00000002 50180100 00000000") + b"hello"
IPV4 = bytes.fromhex("4500002d 00000000 40060000 c0000201 c0000202") + SEGMENT
IPV6 = bytes.fromhex("60000000 0019 06 40" + "00" * 15 + "01" + "00" * 15 + "02") + SEGMENT
MACS = "020000000001 020000000002 "


def read(frame, link_type=1, wire_length=None):
    packet = Packet()
    good = headers.read(packet, frame, 0, len(frame), link_type, len(frame) if wire_length is None else wire_length)
    return packet, good


SHIMS = {
    "plain": (1, MACS + "0800", IPV4),
    "802.1Q": (1, MACS + "8100 6064 0800", IPV4),
    "802.1ad": (1, MACS + "88a8 0001 8100 0064 86dd", IPV6),
    "QinQ": (1, MACS + "9100 0001 9100 0002 8100 0064 0800", IPV4),
    "SNAP": (1, MACS + "0035 aaaa03 000000 0800", IPV4),
    "802.1H": (1, MACS + "0035 aaaa03 0000f8 0800", IPV4),
    "LLC IP": (1, MACS + "0030 060603", IPV4),
    "VLAN and SNAP": (1, MACS + "8100 0064 0035 aaaa03 000000 0800", IPV4),
    "MPLS": (1, MACS + "8847 00001040 00002140", IPV4),
    "MPLS to IPv6": (1, MACS + "8848 00002140", IPV6),
    "pseudowire": (1, MACS + "8847 00002140 00000000" + MACS + "0800", IPV4),
    "PPPoE": (1, MACS + "8864 11000001 002f 0021", IPV4),
    "PPPoE to IPv6": (1, MACS + "8864 11000001 0043 0057", IPV6),
    "802.1ah": (1, MACS + "88e7 00000001" + MACS + "0800", IPV4),
    "FabricPath": (1, MACS + "8903 0001" + MACS + "0800", IPV4),
    "VN-Tag": (1, MACS + "8926 00010002 0800", IPV4),
    "Cisco metadata": (1, MACS + "8909 0101 0001 0010 0800", IPV4),
    "timestamp tag": (1, MACS + "8988 000102030405 86dd", IPV6),
    "MACsec without encryption": (1, MACS + "88e5 00 00 00000001 0800", IPV4),
    "MACsec with a channel": (1, MACS + "88e5 20 00 00000001 0200000000010001 8100 0064 86dd", IPV6),
    "IP over InfiniBand": (242, "00" * 40 + "0800 0000", IPV4),
    "cooked": (113, "0000 0001 0006 0200000000010000 0800", IPV4),
    "cooked VLAN": (113, "0000 0001 0006 0200000000010000 8100 0064 86dd", IPV6),
    "cooked 802.2": (113, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 0800", IPV4),
    "cooked v2": (276, "86dd 0000 00000002 0001 00 06 0200000000010000", IPV6),
    "raw": (101, "", IPV4),
    "raw IPv6": (101, "", IPV6),
    "raw of OpenBSD": (14, "", IPV4),
    "raw of BSD": (12, "", IPV6),
    "IPv4": (228, "", IPV4),
    "IPv6": (229, "", IPV6),
    "null, little": (0, "02000000", IPV4),
    "null, big": (0, "00000002", IPV4),
    "null, macOS": (0, "1e000000", IPV6),
    "null, FreeBSD": (0, "0000001c", IPV6),
    "loop": (108, "00000018", IPV6),
    "PPP": (9, "0021", IPV4),
    "PPP, framed": (9, "ff03 0057", IPV6),
    "PPP, compressed": (9, "21", IPV4),
    "PPP, framed and compressed": (9, "ff03 57", IPV6),
    "PPP to MPLS": (9, "0281 00002140", IPV4),
    "PPP in HDLC": (50, "ff03 0021", IPV4),
    "Cisco HDLC": (50, "0f00 0800", IPV4),
    "Cisco HDLC by its own number": (104, "8f00 86dd", IPV6),
    "FDDI": (10, "57" + MACS + "aaaa03 000000 0800", IPV4),
    "802.11": (105, "0801 0000" + MACS * 1 + "020000000003 0000 aaaa03 000000 0800", IPV4),
    "802.11 QoS": (105, "8802 0000" + MACS + "020000000003 0000 0000 aaaa03 000000 0800", IPV4),
    "802.11 bridge": (105, "0803 0000" + MACS + "020000000003 0000 020000000004 aaaa03 000000 86dd", IPV6),
    "radiotap": (127, "00000900 00000000 00 0801 0000" + MACS + "020000000003 0000 aaaa03 000000 0800", IPV4),
    "NFLOG": (239, "0200 0000 0800 0100 08000100 0500 0a00 41000000 3100 0900", IPV4),
    "NFLOG, big": (239, "0a00 0000 0008 0001 08000100 0045 0009", IPV6),
}


@pytest.mark.parametrize("name", SHIMS)
def test_the_packet_after_the_shim(name):
    link_type, shim, ip = SHIMS[name]
    frame = bytes.fromhex(shim) + ip
    packet, good = read(frame, link_type)
    assert good, packet.problem
    assert packet.problem == ""
    assert packet.ip == len(frame) - len(ip)
    assert packet.data[packet.payload : packet.payload_end] == b"hello"
    assert packet.ether_type == (0x86DD if ip is IPV6 else 0x0800)
    # 0x064 is the innermost VLAN tag in all cases with tags.
    assert packet.vlan == (100 if "8100" in shim else -1)
    assert packet.tunnels == 0


@pytest.mark.parametrize("name", SHIMS)
def test_every_truncation_of_the_shim_is_distinguished_from_damage(name):
    link_type, shim, ip = SHIMS[name]
    whole = bytes.fromhex(shim) + ip
    for n_bytes in range(len(whole) - len(ip)):
        packet, good = read(whole[:n_bytes], link_type, len(whole))
        assert not good
        assert packet.truncated
        assert "cut by the snapshot length" in packet.problem
        packet, good = read(whole[:n_bytes], link_type)
        assert not good
        assert not packet.truncated
        assert packet.problem


def test_the_padding_of_802_3_is_no_payload():
    frame = bytes.fromhex(MACS + "0035 aaaa03 000000 0800") + IPV4.replace(b"\x00\x2d", b"\x00\x00", 1)
    packet, good = read(frame + bytes(8))
    assert good
    assert packet.data[packet.payload : packet.payload_end] == b"hello"


def test_a_length_of_802_3_is_no_ether_type():
    packet, good = read(bytes.fromhex(MACS + "0026 424203" + "00" * 35))
    assert not good
    assert (packet.ether_type, packet.payload_end) == (4, 52)


def test_the_check_value_of_macsec_is_no_payload():
    packet, good = read(bytes.fromhex(MACS + "88e5 00 00 00000001 0800") + IPV4 + bytes(16))
    assert good
    assert packet.data[packet.payload : packet.payload_end] == b"hello"


def test_exactly_the_readable_link_types_are_read():
    frame = bytes(200)
    unread = {number for number in range(65536) if read(frame, number)[0].problem == f"link type {number} is not known"}
    assert set(range(65536)) - unread == READABLE_LINK_TYPES


@pytest.mark.parametrize(
    ("link_type", "frame", "problem"),
    [
        (1, MACS + "0806 0001", ""),
        (1, MACS + "0026 424203" + "00" * 35, ""),
        (1, MACS + "8864 21000001 0003 0021 45", "PPPoE version and type 0x21, code 0"),
        (1, MACS + "8847" + "00001040" * 20, "more than 16 MPLS labels"),
        (1, MACS + "8847 00002140 50", "IP version 5"),
        (1, MACS + "88e5 2c 00 00000001 0200000000010001" + "00" * 24, ""),
        (1, MACS + "88e5 80 00 00000001 0800" + "00" * 24, "MACsec version 1"),
        (113, "0000 0001 0006 0200000000010000 0001", ""),
        (0, "07000000", ""),
        (0, "02000002", ""),
        (9, "c021 01", ""),
        (147, "00", "link type 147 is not known"),
        (105, "4801 0000" + MACS + "020000000003 0000", ""),
        (105, "0841 0000" + MACS + "020000000003 0000" + "00" * 16, ""),
        (127, "0000 0000 00", "radiotap version 0, length 0"),
        (239, "02000000 0300 0100", "NFLOG attribute of 3 bytes"),
        (239, "02000000" + "04000100" * 100, "more than 64 NFLOG attributes"),
    ],
)
def test_frames_without_ip(link_type, frame, problem):
    packet, good = read(bytes.fromhex(frame), link_type)
    assert not good
    assert packet.ip == -1
    assert packet.problem == problem
