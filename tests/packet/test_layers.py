"""The field tree of one packet: the layers with tables, those of scapy, and their positions in the frame."""

import random

import pytest

from analyzer.capture.frame import Frame
from analyzer.packet import headers
from analyzer.packet.addresses import endpoints
from analyzer.packet.layers import tree
from analyzer.packet.packet import Packet


@pytest.fixture
def tree_of(frames):
    """Return a function from a capture's name and a frame's number to its bytes and its tree."""

    def build(name, number):
        data, link_type, length = frames(name)[number - 1]
        return data, tree(frame_of(data, link_type, length))

    return build


def frame_of(data, link_type, length, before=b"xx"):
    frame = Frame()
    frame.data, frame.start, frame.end = before + data + b"yy", len(before), len(before) + len(data)
    frame.link_type, frame.wire_length = link_type, length
    return frame


def names(layers):
    return [layer.name for layer in layers]


def field(layers, layer, name):
    return next(f for found in layers if found.name == layer for f in all_fields(found.fields) if f.name == name)


def all_fields(fields):
    for one in fields:
        yield one
        yield from all_fields(one.children)


def check_positions(data, layers):
    """Check that layers follow each other without a gap, that fields are inside their layer, and that fields are in order."""
    at = 0
    for layer in layers:
        assert (layer.offset, layer.length > 0) == (at, True)
        at += layer.length
        for one in all_fields(layer.fields):
            assert one.offset == -1 or layer.offset <= one.offset <= one.offset + one.length <= at
            if (
                isinstance(one.value, bytes)
                and not one.children
                and layer.name in ("Data", "TCP", "IPv4", "Ethernet", "Trailer")
            ):
                assert data[one.offset : one.offset + one.length] == one.value
        starts = [one.offset for one in layer.fields if one.offset >= 0]
        assert starts == sorted(starts)
    assert at == len(data)


def test_a_tcp_handshake_packet(tree_of):
    data, layers = tree_of("zeek/tcpip/wikipedia.pcap", 10)
    check_positions(data, layers)
    assert names(layers) == ["Ethernet", "IPv4", "TCP"]
    assert field(layers, "Ethernet", "source_address").text == "00:13:7f:be:8c:ff"
    assert field(layers, "Ethernet", "ether_type").text == "IPv4 (2048)"
    assert field(layers, "IPv4", "source_address").text == "208.80.152.118"
    assert field(layers, "IPv4", "dont_fragment").value == 1
    assert (field(layers, "TCP", "syn").value, field(layers, "TCP", "fin").value) == (1, 0)
    assert (field(layers, "TCP", "data_offset").value, field(layers, "TCP", "sequence_number").value) == (10, 891408347)
    options = field(layers, "TCP", "options")
    assert (options.offset, options.length) == (54, 20)
    assert [(one.text, one.offset, one.length) for one in options.children] == [
        ("Maximum Segment Size", 54, 4),
        ("SACK Permitted", 58, 2),
        ("Timestamps", 60, 10),
        ("No-Operation", 70, 1),
        ("Window Scale", 71, 3),
    ]


def test_ipv6_extension_headers_and_options(tree_of):
    data, layers = tree_of("zeek/tcpip/ipv6-hbh-routing0.pcap", 1)
    check_positions(data, layers)
    assert names(layers)[:4] == ["Ethernet", "IPv6", "IPv6 extension", "IPv6 Routing"]
    assert field(layers, "IPv6", "version").value == 6
    assert field(layers, "IPv6 Routing", "routing_type").value == 0


def test_dns_by_scapy_with_positions(tree_of):
    data, layers = tree_of("zeek/tcpip/ipv6-fragmented-dns.pcap", 2)
    check_positions(data, layers)
    assert names(layers) == ["Ethernet", "IPv6", "UDP", "DNS"]
    dns_id = field(layers, "DNS", "id")
    assert (dns_id.value, dns_id.offset, dns_id.length) == (int.from_bytes(data[62:64]), 62, 2)
    assert (field(layers, "DNS", "rcode").offset, field(layers, "DNS", "an").offset) == (65, 124)
    assert field(layers, "DNS", "qname").value == b"txtpadding_323.n1.netalyzr.icsi.berkeley.edu."


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("zeek/link/icmp_dot1q.pcap", 1, ["Ethernet", "802.1Q", "ARP", "Data"]),
        ("zeek/link/linuxsll-arp.pcap", 1, ["Linux cooked", "ARP", "Data"]),
        ("zeek/tunnels/vxlan.pcap", 1, ["Ethernet", "IPv4", "UDP", "VXLAN", "Ethernet", "ARP"]),
        ("zeek/tunnels/6in4.pcap", 1, ["Ethernet", "IPv4", "IPv6"]),
        ("zeek/tunnels/gtp6_gtp_0x32.pcap", 1, ["Ethernet", "IPv4", "UDP", "Encapsulation", "IPv4", "TCP"]),
        ("zeek/link/pppoe-over-qinq.pcap", 1, ["Ethernet", "802.1Q", "802.1Q", "Encapsulation", "IPv4", "TCP"]),
        ("zeek/tcpip/ipv4-fragmented-1.pcap", 1, ["Ethernet", "IPv4", "Data"]),
        ("zeek/tcpip/tcp-payload-syn.pcap", 1, ["IPv4", "TCP", "Data"]),
    ],
)
def test_the_layers_of_real_frames(tree_of, name, number, expected):
    data, layers = tree_of(name, number)
    check_positions(data, layers)
    assert names(layers)[: len(expected)] == expected


SAMPLES = [
    *("zeek/link/linux_dlt_sll2.pcap", "zeek/link/mixed-vlan-mpls.pcap", "zeek/tcpip/tcp-options.pcap"),
    *("zeek/tcpip/wikipedia.pcap", "zeek/tcpip/ipv6-http-atomic-frag.pcap", "zeek/tunnels/6in4.pcap"),
]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_tree_and_the_fast_reader_read_the_same_packet(frames, name):
    packet = Packet()
    for data, link_type, length in frames(name)[:30]:
        layers = tree(frame_of(data, link_type, length))
        check_positions(data, layers)
        if not headers.read(packet, data, 0, len(data), link_type, length):
            continue
        (source, source_port), (destination, destination_port) = endpoints(packet.key())
        ip, transport = [layer for layer in layers if layer.name in ("IPv4", "IPv6", "TCP", "UDP")][-2:]
        assert (ip.offset, transport.offset) == (packet.ip, packet.transport)
        texts = {one.name: one.text for one in (*ip.fields, *transport.fields)}
        assert (texts["source_address"], texts["destination_address"]) == (source, destination)
        assert (texts["source_port"], texts["destination_port"]) == (str(source_port), str(destination_port))
        if packet.payload_end > packet.payload:
            assert transport.offset + transport.length == packet.payload


@pytest.mark.parametrize("name", [*SAMPLES, "zeek/tcpip/ipv6-fragmented-dns.pcap", "zeek/link/icmp_dot1q.pcap"])
def test_every_truncation_and_many_mutations_have_a_tree(frames, name):
    chance = random.Random(name)
    data, link_type, _ = frames(name)[:2][-1]
    data = data[:160]
    for n_bytes in range(len(data)):
        check_positions(data[:n_bytes], tree(frame_of(data[:n_bytes], link_type, len(data))))
    for _ in range(100):
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        check_positions(changed, tree(frame_of(bytes(changed), link_type, len(data))))


def test_an_unknown_link_type_is_bytes():
    (layer,) = tree(frame_of(b"\x01\x02", 147, 2))
    assert (layer.name, layer.fields[0].value, layer.fields[0].text) == ("Data", b"\x01\x02", "0102")
    assert tree(frame_of(b"", 147, 0)) == []
