"""The fields of TCP that need the frames before: streams, relative numbers, windows, options, analysis; beside tshark."""

import struct

import pytest

from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.tcp_direction import ACK, FIN, SYN, Direction, Segment
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, tcp, udp

SECOND = 1_000_000_000
EXPLAINED = {
    ("tcp-trouble/tcp-trouble.pcapng", 73): {
        "tcp.analysis.out_of_order",
        "tcp.analysis.retransmission",
        "tcp.analysis.rto",
        "tcp.analysis.rto_frame",
    }
}
"""Segments that came late: tshark's bound in time is not the round trip."""

OTHER_IN_4_0 = {
    "tcp.analysis.push_bytes_sent",
    "tcp.completeness.str",
    "tcp.connection.fin_active",
    "tcp.connection.fin_passive",
}
"""Fields of which tshark 4.0 has other values than 4.6."""


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("capture", ["tcp-trouble/tcp-trouble.pcapng", "demo.pcapng", "ipv6/ipv6.pcapng"])
def test_tcp_fields_have_the_values_that_tshark_reads(repository, capture):
    path = repository / "captures" / capture
    known = listed("tshark")
    fields = [
        field
        for field in fields_of(*(row["name"] for row in rows("tcp_fields")))
        if field.type is not FieldType.PROTOCOL and field.name in known and field.name not in OTHER_IN_4_0
    ]
    ours, theirs = readings(path, fields), tshark_readings(path, fields)
    for number, (own, other) in enumerate(zip(ours, theirs, strict=True), 1):
        pairs = [
            (field.name, bool(a) if field.type is FieldType.NONE else a, bool(b) if field.type is FieldType.NONE else b)
            for field, a, b in zip(fields, own, other, strict=True)
        ]
        differ = {name: (a, b) for name, a, b in pairs if a != b and name not in EXPLAINED.get((capture, number), ())}
        assert not differ, f"frame {number}"


def segment(sequence, n_bytes=0, acknowledgment=1, flags=0x10, window=100, frame=1, at=0, edges=()):
    return Segment(sequence, acknowledgment, flags, window, n_bytes, frame, at, edges)


def talk():
    """Both directions of a connection, where 1000 bytes from 100 on were sent and acknowledged."""
    own, peer = Direction(), Direction()
    own.analyze(segment(100, 1000), peer, SECOND)
    peer.analyze(segment(1, 0, 1100), own, SECOND)
    return own, peer


def test_a_hole_and_what_fills_it_are_told():
    own, peer = talk()
    assert own.analyze(segment(1200, 100), peer, SECOND) == {"lost_segment"}
    assert own.analyze(segment(1100, 100), peer, SECOND) == {"out_of_order"}


def test_what_is_sent_again_is_told_by_what_was_acknowledged():
    own, peer = talk()
    assert own.analyze(segment(100, 1000), peer, SECOND) == {"spurious_retransmission", "retransmission"}
    own.analyze(segment(1100, 50, at=0), peer, SECOND)
    own.analyze(segment(1150, 50, at=0), peer, SECOND)
    assert own.analyze(segment(1100, 50, at=2 * SECOND), peer, SECOND) == {"retransmission"}


@pytest.mark.parametrize(("heard", "told"), [(SECOND - 1, "out_of_order"), (SECOND, "retransmission")])
def test_a_late_segment_is_sent_again_if_its_sender_can_know_that_it_is_missing(heard, told):
    """That is a round trip behind what the other side said last."""
    own, peer = talk()
    own.analyze(segment(1200, 100, at=5 * SECOND), peer, SECOND)
    peer.analyze(segment(1, 0, 1100, at=5 * SECOND), own, SECOND)
    assert own.analyze(segment(1100, 100, at=5 * SECOND + heard), peer, SECOND) == {told}


def test_a_second_fin_is_sent_again():
    own, peer = talk()
    own.analyze(segment(1100, flags=FIN | ACK), peer, SECOND)
    peer.analyze(segment(1, 0, 1101), own, SECOND)
    assert own.analyze(segment(1100, flags=FIN | ACK), peer, SECOND) == {"retransmission"}


def test_acknowledgments_of_a_part_and_of_what_was_sent_twice_are_told():
    own, peer = talk()
    own.analyze(segment(1100, 100), peer, SECOND)
    peer.analyze(segment(1, 0, 1150), own, SECOND)
    assert peer.ambiguities == ["partial_ack"]
    own.analyze(segment(1150, 50, at=3 * SECOND), peer, SECOND)
    peer.analyze(segment(1, 0, 1200, at=3 * SECOND), own, SECOND)
    assert peer.ambiguities == ["ambiguous_ack"]
    own.analyze(segment(1200, 50, at=4 * SECOND), peer, SECOND)
    peer.analyze(segment(1, 0, 1250, at=4 * SECOND), own, SECOND)
    assert peer.ambiguities == []


@pytest.mark.parametrize(
    ("ranges", "twice"),
    [
        ([(900, 1000)], [(900, 1000)]),
        ([(1100, 1200)], []),
        ([(1100, 1200), (1050, 1300)], [(1100, 1200)]),
        ([(1100, 1200), (1150, 1300)], []),
    ],
)
def test_selective_acknowledgments_of_bytes_that_came_twice_are_told(ranges, twice):
    option = b"\1\1\5" + bytes([2 + 8 * len(ranges)]) + b"".join(struct.pack(">II", *pair) for pair in ranges)
    head = bytearray(tcp(flags=ACK))
    head[8:12], head[12] = struct.pack(">I", 1000), (20 + len(option)) // 4 << 4
    name = "tcp.options.sack.dsack"
    fields = fields_of(name, f"{name}_le", f"{name}_re", "tcp.ack_raw", "tcp.ack")
    values = FrameValues(fields)
    values.take(filled(ethernet(ipv4(bytes(head[:20]) + option))))
    told, left, right, raw, relative = (values.values(field) for field in fields)
    first = raw[0] - relative[0]
    assert [((a + first) & 0xFFFFFFFF, b + first) for a, b in zip(left, right, strict=True)] == twice
    assert values.has(fields[0]) == bool(twice)
    assert len(told) == len(twice)


def test_duplicate_acknowledgments_are_counted_and_make_a_retransmission_fast():
    own, peer = talk()
    own.analyze(segment(1200, 100), peer, SECOND)
    for number in range(1, 4):
        assert peer.analyze(segment(1, 0, 1100, frame=10 + number, at=5), own, SECOND) == {"duplicate_ack"}
        assert (peer.duplicates, peer.first_frame) == (number, 1)
    assert "fast_retransmission" in own.analyze(segment(1100, 100, at=9), peer, SECOND)


def test_keep_alives_and_windows_are_told():
    own, peer = talk()
    assert own.analyze(segment(1099, 0), peer, SECOND) == {"keep_alive"}
    assert peer.analyze(segment(1, 0, 1100), own, SECOND) == {"keep_alive_ack"}
    assert peer.analyze(segment(1, 0, 1100, window=200), own, SECOND) == {"window_update"}
    assert peer.analyze(segment(1, 0, 1100, window=0), own, SECOND) == {"zero_window"}
    assert own.analyze(segment(1100, 1), peer, SECOND) == {"zero_window_probe"}
    assert "zero_window_probe_ack" in peer.analyze(segment(1, 0, 1100, window=0), own, SECOND)


def test_numbers_wrap():
    own, peer = Direction(), Direction()
    own.analyze(segment(0xFFFFFF00, 0x200), peer, SECOND)
    assert own.analyze(segment(0x100, 10), peer, SECOND) == set()
    assert segment(0xFFFFFFFF, 0, flags=SYN).following == 0


def test_a_new_connection_with_the_same_ports_has_a_new_number():
    stream, reused, flow = fields_of("tcp.stream", "tcp.analysis.reused_ports", "udp.stream")
    values = FrameValues([stream, reused, flow])
    first = ethernet(ipv4(tcp(flags=2)))
    again = bytearray(first)
    again[14 + 20 + 5] ^= 1
    for frame, number, is_reused in ((first, [0], False), (first, [0], False), (bytes(again), [1], True)):
        values.take(filled(frame))
        assert values.values(stream) == number
        assert values.has(reused) == is_reused
    values.take(filled(ethernet(ipv4(udp(b"x"), 17))))
    assert values.values(flow) == [0]
    assert values.values(stream) == []
