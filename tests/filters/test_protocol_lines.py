"""The lines of protocols: what tshark 4.6 prints for -e ip."""

from analyzer.filters.field_columns import FieldColumns
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, tcp


def lines(frame, *names):
    columns = FieldColumns(names, field_table())
    values = FrameValues(columns.fields)
    values.take(filled(frame))
    return columns.texts(values)


def test_a_header_has_its_ends():
    assert lines(ethernet(ipv4(tcp())), "eth", "ip", "tcp.options.mss") == [
        ["eth"], ["Internet Protocol Version 4, Src: 192.0.2.1, Dst: 198.51.100.2"], [],
    ]  # fmt: skip


def test_each_header_of_a_tunnel_has_its_own_line():
    (found,) = lines(ethernet(ipv4(ipv4(tcp()), 4)), "ip")
    assert len(found) == 2


def test_gre_says_what_it_carries():
    inner = bytes.fromhex("00000800") + ipv4(tcp())
    assert lines(ethernet(ipv4(inner, 47)), "gre") == [["Generic Routing Encapsulation (IP)"]]


def test_the_frame_counts_its_bytes():
    (found,) = lines(bytes(1), "frame")
    assert found == ["Frame 1: Packet, 1 byte on wire (8 bits), 1 byte captured (8 bits)"]
