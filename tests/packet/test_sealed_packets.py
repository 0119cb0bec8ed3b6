"""ESP with and without UDP, MACsec and CAPWAP: what is said of packets that cannot be looked into, with the words of RFCs."""

import pytest

from analyzer.packet import sealed_packets
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def datagram(body, port, source=40000):
    udp = source.to_bytes(2) + port.to_bytes(2) + (8 + len(body)).to_bytes(2) + bytes(2) + body
    return bytes.fromhex("4500") + (20 + len(udp)).to_bytes(2) + bytes(5) + bytes((17, 0, 0)) + bytes(8) + udp


def packet_of(data, link_type=101, wire_length=0):
    packet = Packet()
    read(packet, data, 0, len(data), link_type, max(wire_length, len(data)))
    return packet


ESP = bytes.fromhex("00001234 00000009") + bytes(range(64))


def test_esp_shows_its_index_and_its_number():
    packet = packet_of(bytes.fromhex("4500005c 00000000 40320000 c0000201 c0000202") + ESP)
    assert packet.protocol == sealed_packets.ESP
    assert sealed_packets.esp_info(packet) == "ESP (SPI=0x00001234) Seq=9, 64 encrypted bytes"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ESP, ("ESP", "ESP (SPI=0x00001234) Seq=9, 64 encrypted bytes")),
        (bytes(4) + bytes(range(28)), ("ISAKMP", "32 bytes")),
        (b"\xff", ("UDPENCAP", "NAT-keepalive")),
        (b"\0\0\0\x07" + bytes(30), ("UDPENCAP", "34 bytes")),
        (b"\1\1\1\1\1", ("UDPENCAP", "5 bytes")),
    ],
)
def test_what_is_on_port_4500(body, expected):
    assert sealed_packets.udp_encapsulation(packet_of(datagram(body, 4500, 4500))) == expected


def test_macsec_that_is_encrypted():
    tag = bytes.fromhex("2d00 00000005 0200000000010001")
    packet = packet_of(bytes(12) + b"\x88\xe5" + tag + bytes(60), 1)
    assert (packet.ether_type, packet.problem, packet.ip) == (sealed_packets.MACSEC, "", -1)
    assert sealed_packets.macsec_info(packet) == "encrypted, AN=1 PN=5, 60 bytes"


@pytest.mark.parametrize(
    ("port", "body", "expected"),
    [
        (5246, "01000000 16feff0000" + "00" * 20, "DTLS, 25 bytes"),
        (5247, "01000000 17fefd0001" + "00" * 20, "DTLS, 25 bytes"),
        (5246, "00104200 00000000 00000001 00 0003 00", "Discovery Request"),
        (5246, "00104200 00000000 00000fff 00 0003 00", "message 4095"),
        (5247, "00104308 00000000" + "00" * 16, "Keep-Alive"),
        (5247, "00104380 00070040" + "00" * 40, "fragment ID=7, off=64, 40 bytes"),
        (5247, "00104300 00000000 8000" + "00" * 60, "802.11 frame, 62 bytes"),
        (5247, "00", "1 bytes"),
    ],
)
def test_capwap_that_is_not_entered(port, body, expected):
    packet = packet_of(datagram(bytes.fromhex(body), port))
    assert (packet.tunnels, packet.destination_port) == (0, port)
    assert sealed_packets.capwap_info(packet) == expected


def test_dtls_behind_the_preamble_is_the_payload():
    record = bytes.fromhex("16fefd0000000000000000000401020304")
    packet = packet_of(datagram(bytes.fromhex("01000000") + record, 5246))
    assert packet.data[packet.payload : packet.payload_end] == record
