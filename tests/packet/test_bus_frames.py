"""Frames of USB and Bluetooth: the rows that tshark 4.6 shows of the same bytes, as far as they are read."""

import struct

import pytest

from analyzer.packet.bus_frames import BUSES, bus_frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def usbmon(event, transfer, endpoint, n_bytes, size):
    start = struct.pack("<QBBBBHBB", 1, event, transfer, endpoint, 5, 1, 0x2D, 0)
    return (start + struct.pack("<qiiII", 0, 0, 0, n_bytes, n_bytes)).ljust(size, b"\0") + bytes(n_bytes)


def usbpcap(info, endpoint, transfer, n_bytes):
    return struct.pack("<HQIHBHHBBI", 27, 1, 0, 9, info, 1, 3, endpoint, transfer, n_bytes) + bytes(n_bytes)


def darwin(completes):
    return struct.pack("<HBBIIIQIBBBB", 0x0100, 32, completes, 8, 0, 0, 1, 0x14100000, 2, 3, 0x81, 3)


ADVERTISEMENT = bytes.fromhex("d6be898e 0009 665544332211 000000 aabbcc")
FRAMES = {
    "usbmon, request": (189, usbmon(0x53, 2, 0x80, 0, 48), ("host", "1.5.0", "USB", "control in, submit, 0 bytes of data")),
    "usbmon, answer": (220, usbmon(0x43, 1, 0x81, 8, 64), ("1.5.1", "host", "USB", "interrupt in, complete, 8 bytes of data")),
    "usbmon, bulk": (220, usbmon(0x53, 3, 0x02, 31, 64), ("host", "1.5.2", "USB", "bulk out, submit, 31 bytes of data")),
    "USBPcap": (249, usbpcap(1, 0x81, 3, 5), ("1.3.1", "host", "USB", "bulk in, complete, 5 bytes of data")),
    "macOS": (266, darwin(0), ("host", "20.3.1", "USB", "interrupt in, submit, 8 bytes of data")),
    "USB 2.0": (288, bytes(3), ("", "", "USB", "3 bytes")),
    "command": (187, bytes.fromhex("01031000"), ("host", "controller", "HCI_CMD", "sent command 0x1003, 4 bytes")),
    "event": (187, bytes.fromhex("040e0401031000"), ("controller", "host", "HCI_EVT", "received event 0x0e, 7 bytes")),
    "data": (
        201,
        bytes.fromhex("00000001 02402005000100040001"),
        ("controller", "host", "HCI ACL", "received ACL data, handle 0x0040, 10 bytes"),
    ),
    "advertisement": (251, ADVERTISEMENT, ("11:22:33:44:55:66", "Broadcast", "LE LL", "ADV_IND")),
    "connection": (
        256,
        bytes(10) + bytes.fromhex("78563412 0203 010203 aabbcc"),
        ("", "", "LE LL", "connection 0x12345678, 3 bytes"),
    ),
    "monitor": (254, bytes(6), ("", "", "Bluetooth", "6 bytes")),
}


@pytest.mark.parametrize("name", FRAMES)
def test_what_a_frame_is(name):
    link_type, data, expected = FRAMES[name]
    assert tuple(bus_frame(link_type, data)) == expected


@pytest.mark.parametrize("link_type", sorted(BUSES))
def test_a_frame_of_a_bus_is_neither_a_problem_nor_a_packet(link_type):
    data = bytes(range(80))
    packet = Packet()
    assert not read(packet, data, 0, len(data), link_type, len(data))
    assert (packet.problem, packet.problem_at, packet.ether_type, packet.ip) == ("", -1, -1, -1)


@pytest.mark.parametrize("link_type", sorted(BUSES))
def test_every_truncation_is_survived(link_type):
    for _, data, _ in FRAMES.values():
        for end in range(len(data)):
            assert bus_frame(link_type, data[:end]).protocol
