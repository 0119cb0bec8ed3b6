"""Which datagrams are QUIC, and where their packets begin. The headers themselves are tested with the fields of filters."""

from analyzer.tls.quic.datagram_packets import DatagramPackets

KEY = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (50000).to_bytes(2) + (443).to_bytes(2)
BACK = KEY[4:8] + KEY[:4] + KEY[10:] + KEY[8:10]
INITIAL = bytes.fromhex("c3000000010401020304020a0b00") + bytes([5]) + bytes(5)
HANDSHAKE = bytes.fromhex("e3000000010401020304020a0b4003") + bytes(3)
SHORT = bytes.fromhex("41010203040a0b") + bytes(20)


def test_coalesced_packets_end_where_their_lengths_say():
    packets = DatagramPackets().split(INITIAL + HANDSHAKE + SHORT, KEY)
    assert [(one.title, one.start, one.end) for one in packets] == [
        ("Initial", 0, 20),
        ("Handshake", 20, 38),
        ("Protected Payload", 38, 65),
    ]
    assert packets[2].destination is None  # the server has not named its ID yet


def test_a_short_header_belongs_to_ends_that_have_sent_a_long_one():
    packets = DatagramPackets()
    assert not packets.may_begin(SHORT[0])
    assert packets.split(SHORT, KEY) == []
    packets.split(INITIAL, KEY)
    assert packets.may_begin(SHORT[0])
    (packet,) = packets.split(SHORT, BACK)
    assert packet.destination == bytes([1, 2])
    assert packets.split(SHORT, bytes(12)) == []


def test_padding_and_what_is_cut_is_no_packet():
    packets = DatagramPackets()
    assert [one.end for one in packets.split(INITIAL + bytes(100), KEY)] == [20]
    assert packets.split(INITIAL[:12], KEY) == []
    assert packets.split(b"", KEY) == []
    assert packets.split(INITIAL[:18], KEY)[0].end == 18


def test_a_reserved_version_forces_a_negotiation_and_others_are_not_quic():
    packets = DatagramPackets()
    other = bytes.fromhex("c0deadbeef0401020304020a0b") + bytes(20)
    assert packets.split(other, KEY) == []
    forcing = bytes.fromhex("c01a2a3a4a0401020304020a0b") + bytes(20)
    assert [one.title for one in packets.split(forcing, KEY)] == ["Forcing Version Negotiation"]
    assert [one.title for one in packets.split(other, KEY)] == ["Version 0xdeadbeef"]
