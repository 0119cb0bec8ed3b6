"""The values of the fields of frames: headers as tshark reads them, occurrences with their layers and bytes."""

import pytest

from analyzer.capture.frame import Frame
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.header_places import header_fields
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed
from tests.packet.test_headers import DESTINATION, SOURCE, ethernet, ipv4, ipv6, tcp

CAPTURES = ("vlan/vlan.pcap", "ipv6/ipv6.pcapng", "demo.pcapng")


def filled(frame, number=1, at=0):
    one = Frame()
    one.data, one.start, one.end, one.wire_length = frame, 0, len(frame), len(frame)
    one.link_type, one.number, one.at = 1, number, at
    return one


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("capture", CAPTURES)
def test_header_fields_have_the_values_that_tshark_reads(repository, capture):
    path = repository / "captures" / capture
    fields = [field for field, _ in header_fields().values() if field.type is not FieldType.PROTOCOL]
    known = listed("tshark")
    fields = [field for field in fields if field.name != "tcp.flags.ae" and field.name in known]
    ours, theirs = readings(path, fields), tshark_readings(path, fields)
    for number, (own, other) in enumerate(zip(ours, theirs, strict=True), 1):
        differ = {field.name: (a, b) for field, a, b in zip(fields, own, other, strict=True) if a != b}
        assert not differ, f"frame {number}"


def test_occurrences_have_layers_and_bytes():
    address, flags, text, protocol = fields_of("ip.addr", "ip.flags.df", "ip.src_host", "ip")
    values = FrameValues([address, flags, text, protocol])
    inner = ipv4(tcp())
    values.take(filled(ethernet(ipv4(inner, 4))))
    assert [(one.value, one.raw, one.layer) for one in values.occurrences(address)] == [
        (SOURCE, SOURCE, 1), (DESTINATION, DESTINATION, 1), (SOURCE, SOURCE, 2), (DESTINATION, DESTINATION, 2),
    ]  # fmt: skip
    assert [(one.value, one.raw) for one in values.occurrences(flags)] == [(False, b"\0"), (False, b"\0")]
    assert values.values(text) == ["192.0.2.1", "192.0.2.1"]
    assert values.values(protocol) == [ipv4(inner, 4)[:20], inner[:20]]


def test_an_absent_field_has_no_values():
    port, flow = fields_of("udp.port", "ipv6.flow")
    values = FrameValues([port, flow])
    values.take(filled(ethernet(ipv4(tcp()))))
    assert values.values(port) == []
    assert not values.has(flow)
    values.take(filled(ethernet(ipv6(tcp()), 0x86DD)))
    assert values.values(flow) == [0]


def test_fragments_have_the_ports_where_the_datagram_is_complete():
    (port,) = fields_of("tcp.dstport")
    values = FrameValues([port])
    segment = tcp(b"x" * 12)
    values.take(filled(ethernet(ipv4(segment[:16], word=0x2000))))
    assert values.values(port) == []
    values.take(filled(ethernet(ipv4(segment[16:], word=2)), 2))
    assert values.values(port) == [443]


def test_the_frame_itself_has_number_times_and_lengths():
    names = ("frame.number", "frame.len", "frame.time_relative", "frame.time_delta", "frame.time_epoch")
    fields = fields_of(*names)
    values = FrameValues(fields)
    frame = ethernet(ipv4(tcp()))
    values.take(filled(frame, 1, 1_000))
    assert [values.values(field) for field in fields] == [[1], [len(frame)], [0], [], [1_000]]
    values.take(filled(frame, 2, 4_000))
    assert [values.values(field) for field in fields] == [[2], [len(frame)], [3_000], [3_000], [4_000]]


def test_the_time_since_the_last_frame_that_was_shown():
    (field,) = fields_of("frame.time_delta_displayed")
    values = FrameValues([field])
    found = []
    for number, shown in ((1, False), (2, True), (3, False), (4, True), (5, False)):
        values.take(filled(ethernet(ipv4(tcp())), number, number * 1_000))
        found.append(values.values(field))
        if shown:
            values.note_shown()
    assert found == [[], [], [1_000], [2_000], [1_000]]


def test_an_interface_of_pcapng_has_a_name(repository):
    names = ("frame.interface_id", "frame.interface_name", "frame.section_number")
    first = next(readings(repository / "captures/demo.pcapng", fields_of(*names)))
    assert first == [[0], ["unknown"], [1]]
    assert next(readings(repository / "captures/vlan/vlan.pcap", fields_of(*names))) == [[], [], []]
