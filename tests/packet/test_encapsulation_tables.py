"""The headers between two IP packets, and around what is encrypted: each is a layer of its own in the tree, with its fields."""

import struct

import pytest

from analyzer.packet.layers import tree
from tests.packet.test_headers import ethernet, ipv4, tcp, udp
from tests.packet.test_layers import check_positions, field, frame_of, names

INNER = ipv4(tcp(b"hello"))
INSIDE = ethernet(INNER)


def layers_of(data, link_type=1):
    layers = tree(frame_of(data, link_type, len(data)))
    check_positions(data, layers)
    return layers


def gre(start):
    return ethernet(ipv4(bytes.fromhex(start), 47))


def datagram(start, port, rest=b""):
    body = bytes.fromhex(start) + rest
    head = struct.pack(">HHHH", 40000, port, 8 + len(body), 0)
    return ethernet(ipv4(head + body, 17))


WIRELESS = "08010000" + "02" * 18 + "0000 aaaa03000000 0800"
OUTER = ["Ethernet", "IPv4"]
CASES = {
    "ERSPAN II": (gre("1000 88be 00000001 1001000900000000" + INSIDE.hex()), ["GRE", "ERSPAN II", *OUTER]),
    "ERSPAN III": (gre("1000 22eb 00000001 200100090000000000000000" + INSIDE.hex()), ["GRE", "ERSPAN III", *OUTER]),
    "ERSPAN III with IP": (gre("1000 22eb 00000001 200100090000000000000800" + INNER.hex()), ["GRE", "ERSPAN III", "IPv4"]),
    "VXLAN": (datagram("0800000000000100", 4789, INSIDE), ["UDP", "VXLAN", *OUTER]),
    "VXLAN-GPE": (datagram("0c00000100000100", 4790, INNER), ["UDP", "VXLAN", "IPv4"]),
    "NSH": (datagram("0c00000400000100 0fc20203 00000aff", 4790, INSIDE), ["UDP", "VXLAN", "NSH", *OUTER]),
    "CAPWAP": (datagram("00104300 00000000" + WIRELESS, 5247, INNER), ["UDP", "CAPWAP", "IEEE 802.11", "IPv4"]),
    "CAPWAP, 802.3": (datagram("00104200 00000000", 5247, INSIDE), ["UDP", "CAPWAP", *OUTER]),
    "AH": (ethernet(ipv4(bytes((6, 1)) + bytes(10) + tcp(b"hello"), 51)), ["IP Authentication"]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_header_is_a_layer(name):
    data, expected = CASES[name]
    assert names(layers_of(data)) == [*OUTER, *expected, "TCP", "Data"]


@pytest.mark.parametrize("name", CASES)
def test_every_truncation_is_survived(name):
    data = CASES[name][0]
    for end in range(len(data)):
        layers = tree(frame_of(data[:end], 1, len(data)))
        assert sum(layer.length for layer in layers) == end


def test_fields_of_erspan():
    layers = layers_of(CASES["ERSPAN III"][0])
    found = [field(layers, "ERSPAN III", name).value for name in ("version", "vlan", "span_id", "frame_type", "subheader")]
    assert found == [2, 1, 9, 0, 0]


def test_what_is_encrypted_is_said():
    esp = bytes.fromhex("00001234 00000009") + bytes(64)
    for layers in (layers_of(ethernet(ipv4(esp, 50))), layers_of(datagram("", 4500, esp))):
        assert names(layers)[-1] == "ESP"
        assert [(one.name, one.text) for one in layers[-1].fields[:2]] == [("spi", "0x00001234"), ("sequence_number", "9")]
        assert layers[-1].fields[2].length == 64
    tag = bytes.fromhex("2d00 00000005 0200000000010001")
    layers = layers_of(ethernet(tag + bytes(60), 0x88E5))
    assert names(layers) == ["Ethernet", "MACsec", "Encrypted"]
    assert [field(layers, "MACsec", name).value for name in ("encrypted", "association_number", "packet_number")] == [1, 1, 5]


def test_macsec_that_is_open():
    layers = layers_of(ethernet(bytes.fromhex("0000 00000005 0800") + INNER + bytes(16), 0x88E5))
    assert names(layers) == ["Ethernet", "MACsec", "EtherType", "IPv4", "TCP", "Data", "Trailer"]


def test_dtls_behind_the_preamble():
    layers = layers_of(datagram("01000000 16fefd0000", 5246, bytes(20)))
    assert [(layer.name, layer.length) for layer in layers[3:]] == [("CAPWAP", 4), ("Data", 25)]


def test_attributes_of_nflog():
    header = bytes.fromhex("02000000 0800010008000001") + struct.pack("<HH", 4 + len(INNER), 9)
    layers = layers_of(header + INNER, 239)
    assert names(layers) == ["NFLOG", "IPv4", "TCP", "Data"]
    assert field(layers, "NFLOG", "address_family").value == 2


def test_the_trailer_of_pcapdroid():
    trailer = struct.pack(">II20sI", 0x01072021, 10123, b"Firefox", 0xDEADBEEF)
    frame = bytes(12) + ethernet(ipv4(udp(b"x"), 17))[12:]
    for padding in range(4):
        layers = layers_of(frame + bytes(padding) + trailer)
        assert names(layers)[-2:] == ["Trailer" if padding else names(layers)[-2], "PCAPdroid"]
        assert [field(layers, "PCAPdroid", name).text for name in ("magic", "uid")] == ["0x01072021", "10123"]
    for other in (b"\2" + frame[1:] + trailer, frame + b"\1" + trailer, frame + bytes(4) + trailer):
        assert names(layers_of(other))[-1] == "Trailer"
    assert names(layers_of(ethernet(ipv4(udp(b"x"), 17)) + bytes(32)))[-1] == "Trailer"


def test_frames_of_usb_and_bluetooth_are_one_layer():
    (layer,) = layers_of(bytes.fromhex("01031000"), 187)
    assert (layer.name, layer.length) == ("HCI_CMD", 4)
    assert layer.fields[2].text == "sent command 0x1003, 4 bytes"
