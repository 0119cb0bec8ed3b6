"""Finds every header of a frame: tunnels, tags, what ICMP quotes, reassembled datagrams, and damage."""

import random

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.packet.layer_places import HEADER, KINDS, MAX_PLACES, NUMBER, OCTETS, LayerPlaces, Place
from tests.packet.test_headers import DESTINATION, SOURCE, ethernet, ipv4, ipv6, tcp, udp


def places(frame, link_type=1):
    found = LayerPlaces()
    found.find(b"xx" + frame + b"yy", 2, 2 + len(frame), link_type, len(frame))
    return found


def kinds(found):
    return [KINDS[found.kind(index)] for index in range(found.count)]


def place(kind, form, at=0, width=0, mask=0xFFFFFFFF, shift=0, factor=1):
    return Place(KINDS.index(kind), form, at, width, mask, shift, factor)


def test_the_headers_of_a_plain_packet_are_found_in_order():
    found = places(ethernet(ipv4(tcp(b"hello"))))
    assert kinds(found) == ["eth", "eth.ii", "ip", "tcp", "tcp.own"]
    assert found.values((place("tcp", NUMBER, 2, 2),)) == [443]
    assert found.values((place("ip", OCTETS, 12, 4), place("ip", OCTETS, 16, 4))) == [SOURCE, DESTINATION]
    assert found.values((place("tcp", NUMBER, 12, 1, 0xF0, 4, 4),)) == [20]
    assert found.header(found.first(KINDS.index("tcp"))) == tcp()
    assert found.key(found.first(KINDS.index("tcp"))) == SOURCE + DESTINATION + tcp()[:4]


def test_a_tunnel_has_its_outer_and_its_inner_headers():
    found = places(ethernet(ipv4(ipv4(ipv6(udp(b"x"), 17), 41), 4)))
    assert kinds(found) == ["eth", "eth.ii", "ip", "ip", "ipv6", "udp"]
    assert [found.layer_number(index) for index in range(found.count)] == [1, 1, 1, 2, 1, 1]


def test_tags_and_lengths_are_told_from_ether_types():
    tagged = bytes(12) + b"\x81\x00\x20\x2a\x08\x00" + ipv4(tcp())
    assert kinds(places(tagged))[:4] == ["eth", "eth.ii", "vlan", "vlan.ii"]
    assert places(tagged).values((place("vlan", NUMBER, 0, 2, 0xFFF),)) == [42]
    assert kinds(places(bytes(12) + b"\x00\x03\x42\x42\x03"))[:2] == ["eth", "eth.802_3"]


def test_an_error_of_icmp_has_the_headers_that_it_quotes():
    quoted = ipv4(tcp())[:28]
    error = b"\x03\x04\x00\x00\x00\x00\x05\xdc" + quoted
    found = places(ethernet(ipv4(error, 1)))
    assert kinds(found) == ["eth", "eth.ii", "ip", "icmp", "icmp.mtu", "ip", "tcp"]
    assert found.values((place("icmp.mtu", NUMBER, 6, 2),)) == [1500]
    assert found.values((place("tcp", NUMBER, 2, 2),)) == [443]
    assert found.values((place("tcp", NUMBER, 14, 2),)) == [], "the quote ends before it"


def test_a_datagram_that_a_frame_completes_adds_its_headers():
    found = LayerPlaces()
    fragment = ethernet(ipv4(b"rest", 17, word=2))
    assert found.find(fragment, 0, len(fragment), 1, len(fragment))
    found.find_rest(ipv4(udp(b"whole", 13), 17))
    assert kinds(found) == ["eth", "eth.ii", "ip", "udp"]
    assert found.values((place("udp", NUMBER, 2, 2),)) == [53]


def test_arp_and_extension_headers_are_found():
    arp = b"\x00\x01\x08\x00\x06\x04\x00\x01" + bytes(20)
    assert kinds(places(ethernet(arp, 0x0806)))[2:] == ["arp", "arp.ipv4"]
    hops = bytes((6, 0)) + bytes(6)
    assert kinds(places(ethernet(ipv6(hops + tcp(), 0), 0x86DD)))[2:] == ["ipv6", "ipv6.hopopts", "tcp", "tcp.own"]


def test_every_truncation_and_damage_is_survived(repository):
    reader = CaptureReader([str(repository / "captures/vlan/vlan.pcap")])
    chance, found = random.Random(3), LayerPlaces()
    for frames in reader.packet_readers():
        while frames.advance():
            frame = frames.frame
            whole = bytearray(frame.data[frame.start : frame.end])
            for end in range(0, len(whole), 7):
                chosen = bytearray(whole[:end])
                if end:
                    chosen[chance.randrange(end)] = chance.randrange(256)
                found.find(bytes(chosen), 0, end, frame.link_type, len(whole))
                assert found.count <= MAX_PLACES
                assert all(len(found.header(index)) <= end for index in range(found.count))
                assert all(isinstance(one, bytes) for one in found.values((place("tcp", HEADER),)))


def test_a_frame_outside_its_buffer_is_refused():
    with pytest.raises(ValueError, match="no frame at 2 to 9"):
        LayerPlaces().find(b"short", 2, 9, 1, 7)


def test_headers_of_tunnels_and_of_what_is_encrypted():
    esp = b"\0\0\x12\x34\0\0\0\x09" + bytes(20)
    assert kinds(places(ethernet(ipv4(esp, 50))))[2:] == ["ip", "esp"]
    assert places(ethernet(ipv4(esp, 50))).values((place("esp", NUMBER, 0, 4),)) == [0x1234]
    in_udp = b"\x11\x94\x11\x94" + (8 + len(esp)).to_bytes(2) + b"\0\0" + esp
    assert kinds(places(ethernet(ipv4(in_udp, 17))))[2:] == ["ip", "udp", "esp"]
    header = bytes((6, 1)) + bytes(10)
    assert kinds(places(ethernet(ipv4(header + tcp(), 51))))[2:] == ["ip", "ah", "tcp", "tcp.own"]
    assert kinds(places(ethernet(bytes.fromhex("2c0000000005") + bytes(30), 0x88E5)))[2:] == ["macsec"]
    mirrored = bytes.fromhex("1000 22eb 00000001 200100090000000000000000") + ethernet(ipv4(tcp()))
    assert kinds(places(ethernet(ipv4(mirrored, 47))))[2:6] == ["ip", "gre", "erspan", "eth"]


@pytest.mark.parametrize(
    ("port", "body", "expected"),
    [
        (4789, "0800000000000100", ["vxlan", "eth", "eth.ii", "ip"]),
        (5247, "0010420000000000", ["capwap", "capwap.data", "eth", "eth.ii", "ip"]),
        (5246, "01000000", ["capwap", "capwap.control"]),
    ],
)
def test_headers_in_udp(port, body, expected):
    carried = bytes.fromhex(body) + ethernet(b"\x45")
    datagram = b"\x9c\x40" + port.to_bytes(2) + (8 + len(carried)).to_bytes(2) + b"\0\0" + carried
    assert kinds(places(ethernet(ipv4(datagram, 17))))[2:4] == ["ip", "udp"]
    assert kinds(places(ethernet(ipv4(datagram, 17))))[4:] == expected


@pytest.mark.parametrize(
    ("link_type", "data", "kind", "start"),
    [(189, bytes(48), "usb", 0), (187, b"\1\3\x10\0", "hci_h4", 0), (201, bytes(8), "hci_h4", 4), (256, bytes(20), "btle", 10)],
)
def test_frames_of_usb_and_bluetooth(link_type, data, kind, start):
    found = places(data, link_type)
    assert kinds(found) == [kind]
    assert found.header(0) == data[start:]
