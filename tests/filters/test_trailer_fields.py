"""What stands behind the packet in a frame of Ethernet."""

import pytest

from analyzer.filters.frame_values import FrameValues
from tests.filters.field_readings import fields_of
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, ipv6

NAMES = ("eth.padding", "eth.trailer", "eth.fcs", "vlan.trailer")


def values_of(frame, wire_length=None, link_type=1):
    values = FrameValues(fields := fields_of(*NAMES))
    one = filled(frame)
    one.link_type = link_type
    one.wire_length = wire_length or len(frame)
    values.take(one)
    return {field.name: values.values(field)[0] for field in fields if values.values(field)}


def test_zeros_up_to_60_bytes_are_padding():
    assert values_of(ethernet(ipv4(bytes(20))) + bytes(6)) == {"eth.padding": bytes(6)}
    assert values_of(ethernet(ipv4(bytes(20))) + b"\0\0\x0e\0\0\0") == {"eth.padding": bytes(2), "eth.trailer": b"\x0e\0\0\0"}
    assert values_of(ethernet(ipv4(bytes(20))) + b"\0\0") == {"eth.trailer": b"\0\0"}


def test_four_bytes_behind_a_longer_packet_are_taken_for_the_check_sequence():
    frame = ethernet(ipv4(bytes(60)))
    assert values_of(frame + b"\x01\x02\x03\x04") == {"eth.fcs": 0x01020304}
    assert values_of(frame + b"ab\x01\x02\x03\x04") == {"eth.trailer": b"ab", "eth.fcs": 0x01020304}
    assert values_of(frame + b"abc") == {"eth.trailer": b"abc"}
    assert values_of(frame + b"ab\x01", len(frame) + 6) == {"eth.trailer": b"ab"}


def test_a_tag_makes_a_short_frame_longer():
    arp = bytes.fromhex("0001080006040001") + bytes(20)
    tagged = bytes(12) + b"\x81\x00\x00\x05\x08\x06" + arp
    assert values_of(tagged + bytes(18)) == {"eth.padding": bytes(18)}
    assert values_of(tagged + bytes(14)) == {"vlan.trailer": bytes(14)}


def test_cooked_frames_have_padding_too():
    arp = bytes.fromhex("0001080006040001") + bytes(20)
    assert values_of(bytes(14) + b"\x08\x06" + arp + bytes(18), link_type=113) == {"eth.padding": bytes(18)}


@pytest.mark.parametrize("body", [ipv4(bytes(20), total=0), ipv4(bytes(20), total=400), ipv6(bytes(8), 0, length=0)])
def test_a_packet_without_a_length_of_its_own_has_nothing_behind_it(body):
    assert values_of(ethernet(body) + bytes(30)) == {}


def test_a_frame_without_ethernet_has_nothing_behind_its_packet():
    assert values_of(ipv4(bytes(20)) + bytes(6), link_type=101) == {}


def test_a_frame_in_a_tunnel_has_padding_of_its_own():
    arp = bytes.fromhex("0001080006040001") + bytes(20)
    inner = bytes(12) + b"\x08\x06" + arp + bytes(18)
    bridged = ipv4(b"\0\0\x65\x58" + inner, 47)
    assert values_of(ethernet(bridged)) == {"eth.padding": bytes(18)}
    behind = {"eth.padding": bytes(18), "eth.trailer": b"ab", "eth.fcs": 0x01020304}
    assert values_of(ethernet(bridged) + b"ab\x01\x02\x03\x04") == behind


def test_an_ipv6_header_alone_has_padding_behind_it():
    assert values_of(ethernet(ipv6(b"", 59, length=0), 0x86DD) + bytes(6)) == {"eth.padding": bytes(6)}
