"""The numbers of pairs of addresses: the same in both directions, of the headers outside and inside of a tunnel."""

from analyzer.filters import pair_fields
from analyzer.filters.frame_values import FrameValues
from tests.filters.field_readings import fields_of
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, tcp


def with_addresses(packet, source, destination):
    return packet[:12] + bytes((10, 0, 0, source)) + bytes((10, 0, 0, destination)) + packet[20:]


def numbers(*packets):
    (field,) = fields_of("ip.stream")
    values = FrameValues([field])
    for number, packet in enumerate(packets, 1):
        values.take(filled(ethernet(packet), number))
        yield list(values.values(field))


def test_both_directions_have_one_number():
    packets = [with_addresses(ipv4(tcp()), *hosts) for hosts in ((1, 2), (2, 1), (1, 3), (2, 1))]
    assert list(numbers(*packets)) == [[0], [0], [1], [0]]


def test_a_tunnel_has_the_numbers_of_both_headers():
    inner = with_addresses(ipv4(tcp()), 1, 2)
    assert list(numbers(with_addresses(ipv4(inner, 4), 8, 9), inner)) == [[0, 1], [1]]


def test_the_oldest_pair_is_forgotten(monkeypatch):
    monkeypatch.setattr(pair_fields, "MAX_PAIRS", 2)
    packets = [with_addresses(ipv4(tcp()), 1, host) for host in (2, 3, 4, 2)]
    assert list(numbers(*packets)) == [[0], [1], [2], [3]]
