"""Capture filters for frames of files, by libpcap."""

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.packet_filter import CaptureError, PacketFilter
from tests.packet.test_headers import ethernet, ipv4, tcp


def filled(data, link_type=1):
    frame = Frame()
    frame.data, frame.start, frame.end, frame.wire_length = b"before" + data, 6, 6 + len(data), len(data)
    frame.link_type = link_type
    return frame


def test_a_frame_passes_or_not():
    frame = filled(ethernet(ipv4(tcp())))
    assert PacketFilter("tcp")(frame)
    assert PacketFilter("src host 192.0.2.1 and ip")(frame)
    assert not PacketFilter("udp or arp")(frame)


def test_each_link_type_has_its_own_program():
    ip = ipv4(tcp())
    asked = PacketFilter("tcp")
    assert asked(filled(ethernet(ip)))
    assert asked(filled(ip, 101))
    assert not PacketFilter("ether src 00:00:5e:00:53:01")(filled(ip, 101))


def test_what_is_cut_does_not_pass():
    assert not PacketFilter("tcp port 80")(filled(ethernet(ipv4(tcp()))[:20]))
    assert not PacketFilter("tcp")(filled(b""))


@pytest.mark.parametrize("text", ["tcp prt 1", "tcp\0", "(", "\udcff"])
def test_an_expression_that_is_none_is_refused(text):
    with pytest.raises(CaptureError, match="filter"):
        PacketFilter(text)
