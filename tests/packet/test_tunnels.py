"""Packets in packets: each kind of tunnel, and packets that only look like a tunnel."""

import pytest

from analyzer.packet import headers
from analyzer.packet.packet import Packet

SEGMENT = bytes.fromhex("0fa001bb 00000001 00000002 50180100 00000000") + b"hello"
INNER4 = bytes.fromhex("4500002d 00000000 40060000 c0000201 c0000202") + SEGMENT
INNER6 = bytes.fromhex("60000000 0019 06 40" + "00" * 15 + "01" + "00" * 15 + "02") + SEGMENT
ETHERNET = "020000000001 020000000002 0800"


def outer(body, protocol):
    return bytes.fromhex("4500") + (20 + len(body)).to_bytes(2, "big") + bytes(5) + bytes((protocol, 0, 0)) + bytes(8) + body


def datagram(body, port, source=40000):
    return outer(source.to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(body)).to_bytes(2, "big") + bytes(2) + body, 17)


def read(packet_bytes, wire_length=None):
    packet = Packet()
    n_bytes = len(packet_bytes)
    return packet, headers.read(packet, packet_bytes, 0, n_bytes, 101, n_bytes if wire_length is None else wire_length)


TUNNELS = {
    "IPv4 in IPv4": (4, "", INNER4),
    "IPv6 in IPv4": (41, "", INNER6),
    "MPLS": (137, "00002140", INNER4),
    "EtherIP": (97, "3000" + ETHERNET, INNER4),
    "GRE": (47, "0000 0800", INNER4),
    "GRE with checksum, key and sequence number": (47, "b000 86dd 00000000 00000001 00000002", INNER6),
    "GRE with Ethernet": (47, "2000 6558 00000001" + ETHERNET, INNER4),
    "PPTP": (47, "3081 880b 00310001 00000001 00000002 ff03 0021", INNER4),
    "ERSPAN I": (47, "0000 88be" + ETHERNET, INNER4),
    "ERSPAN II": (47, "1000 88be 00000001 1001000100000000" + ETHERNET, INNER4),
    "ERSPAN III": (47, "1000 22eb 00000001 200100010000000000000000" + ETHERNET, INNER4),
    "ERSPAN III with a subheader": (47, "1000 22eb 00000001 200100010000000000000001" + "00" * 8 + ETHERNET, INNER4),
    "ERSPAN III with IP": (47, "1000 22eb 00000001 200100010000000000000800", INNER6),
}
UDP_TUNNELS = {
    "VXLAN": (4789, "0800000000000100" + ETHERNET, INNER4),
    "VXLAN with a group": (4789, "8800000700000100" + ETHERNET, INNER4),
    "VXLAN-GPE": (4790, "0c00000200000100", INNER6),
    "VXLAN-GPE with MPLS": (4790, "0c00000500000100 000641ff", INNER4),
    "VXLAN-GPE with NSH": (4790, "0c00000400000100 0fc20203 00000aff" + ETHERNET, INNER4),
    "Geneve": (6081, "00006558 00000100" + ETHERNET, INNER4),
    "Geneve with options": (6081, "02000800 00000100 0102800100000000", INNER4),
    "GRE in UDP": (4754, "0000 0800", INNER4),
    "GTP-U": (2152, "30ff 002d 00000001", INNER4),
    "GTP-U with a sequence number": (2152, "32ff 0031 00000001 00010000", INNER4),
    "GTP-U with an extension header": (2152, "34ff 0035 00000001 00000085 01000900", INNER4),
    "Teredo": (3544, "", INNER6),
    "Teredo with authentication and origin": (3544, "0001 0000 0000000000000000 00 0000 fefe 3f57fef6", INNER6),
    "AYIYA": (5072, "4552 0129 00000000" + "00" * 36, INNER6),
    "L2TP": (1701, "0002 0001 0002 ff03 0021", INNER4),
    "L2TP without address and control": (1701, "0002 0001 0002 0057", INNER6),
    "L2TP with length, sequence numbers and offset": (1701, "4a02 0043 0001 0002 0000 0000 0004 00000000 ff03 0021", INNER4),
    "MPLS in UDP": (6635, "00001040 00002140", INNER4),
    "MPLS in UDP with a pseudowire": (6635, "00002140 00000000" + ETHERNET, INNER4),
    "CAPWAP with 802.3": (5247, "00104200 00000000" + ETHERNET, INNER4),
    "CAPWAP with 802.11": (5247, "00104300 00000000 08010000" + "02" * 18 + "0000 aaaa03000000 0800", INNER4),
    "CAPWAP with QoS": (5247, "00184320 00000000 00000000 88020000" + "02" * 18 + "0000 0000 aaaa03000000 86dd", INNER6),
    "CAPWAP with a swapped frame control": (5247, "00104300 00000000 01080000" + "02" * 18 + "0000 aaaa03000000 0800", INNER4),
    "TZSP": (37008, "01 00 0001 01" + ETHERNET, INNER4),
    "TZSP with tags": (37008, "01 01 0001 00 29 02 0101 01" + ETHERNET, INNER4),
}


@pytest.mark.parametrize("name", [*TUNNELS, *UDP_TUNNELS])
def test_the_packet_in_the_tunnel(name):
    kind, start, inner = {**TUNNELS, **UDP_TUNNELS}[name]
    body = bytes.fromhex(start) + inner
    whole = outer(body, kind) if name in TUNNELS else datagram(body, kind)
    packet, good = read(whole)
    assert good, packet.problem
    assert packet.tunnels == 1
    assert packet.ip == len(whole) - len(inner)
    assert packet.data[packet.payload : packet.payload_end] == b"hello"
    assert len(packet.key()) == (12 if inner is INNER4 else 36)
    packet, good = read(whole[:-3], len(whole))
    assert (good, packet.missing, packet.payload_end - packet.payload) == (True, 3, 2)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (47, "4000 0800"),
        (47, "0002 0800"),
        (47, "0000 0806"),
        (47, "8000 0800"),
        (47, "1000 22eb 00000001 200100010000000000000c00 00"),
        (97, "4000"),
        (50, "00000001"),
    ],
)
def test_a_packet_without_a_tunnel_stays_the_innermost_packet(kind, body):
    packet, good = read(outer(bytes.fromhex(body), kind))
    assert not good
    assert (packet.ip, packet.protocol, packet.tunnels, packet.payload, packet.problem) == (0, kind, 0, 20, "")


@pytest.mark.parametrize(
    ("port", "body"),
    [
        (4789, "0000000000000100" + ETHERNET),
        (4789, "0800000000000101" + ETHERNET),
        (4789, "0801000000000100" + ETHERNET),
        (4790, "0c00000900000100" + ETHERNET),
        (6081, "40006558 00000100" + ETHERNET),
        (6081, "00000806 00000100" + ETHERNET),
        (6081, "3f006558 00000100" + ETHERNET),
        (2152, "30fe 0004 00000001 45000000"),
        (2152, "30ff 1004 00000001 45000000"),
        (2152, "30ff 0004 00000001 55000000"),
        (2152, "34ff 0008 00000001 00000085 00000900"),
        (2152, "34ff 0008 00000001 00000085 02000900"),
        (3544, "60000000 0019 06 40" + "00" * 32),
        (3544, "0001ffff" + "00" * 8),
        (5072, "f552 0129 00000000"),
        (5072, "4552 0229 00000000" + "00" * 36),
        (1701, "c802 000c 0000 0000 0000 0000"),
        (1701, "0003 0000 00000005 ff03 0021" + "45" * 20),
        (1701, "0002 0001 0002 ff03 c021" + "01" * 8),
        (1701, "4002 1000 0001 0002 ff03 0021" + "45" * 20),
        (5247, "00104300 00000000 08410000" + "02" * 18 + "0000 aaaa03000000 0800"),
        (5247, "00104300 00000000 80000000" + "02" * 18 + "0000 aaaa03000000 0800"),
        (5247, "00104380 00000000" + ETHERNET),
        (5247, "00f84200 00000000" + ETHERNET),
        (5247, "00104500 00000000" + ETHERNET),
        (1701, "4002 0008 0001 0002 ff03 0021" + "45" * 20),
        (1701, "0202 0001 0002 ffff ff03 0021" + "45" * 20),
        (6635, "00002040 00002040"),
        (6635, "00002140 5000000000"),
        (6635, "00000000" * 20),
        (37008, "02 00 0001 01" + ETHERNET),
        (37008, "01 02 0001 01" + ETHERNET),
        (37008, "01 00 0012 01" + ETHERNET),
        (37008, "01 00 0001" + "00" * 40),
        (37008, "01 00 0001 0a ff 00 00"),
        (37008, "01 00 0001 00 00 00 0a"),
        (40001, "0800000000000100" + ETHERNET),
    ],
)
def test_a_datagram_to_the_port_of_a_tunnel_that_is_not_a_tunnel(port, body):
    packet, good = read(datagram(bytes.fromhex(body), port))
    assert good
    assert (packet.tunnels, packet.destination_port, packet.payload) == (0, port, 28)
    assert packet.payload_end == len(packet.data)


def test_damage_inside_a_tunnel_is_a_problem_of_the_inner_packet():
    packet, good = read(outer(b"\x46" + INNER4[1:20], 4))
    assert not good
    assert (packet.tunnels, packet.problem_at) == (1, 20)
    assert packet.problem.startswith("IPv4 header with options needs 24 bytes")


def test_tunnels_in_tunnels():
    inner = outer(datagram(bytes.fromhex("0800000000000100" + ETHERNET) + outer(INNER6, 41), 4789), 4)
    packet, good = read(inner)
    assert good
    assert packet.tunnels == 3
    assert len(packet.key()) == 36
