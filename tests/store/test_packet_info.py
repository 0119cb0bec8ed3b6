import pytest

from analyzer.store.packet_info import arp, dns, hardware_address, icmp, icmpv6

QUERY = bytes.fromhex("319b01000001000000000000") + b"\x03www\x07example\x00\x00\x01\x00\x01"


def test_dns_queries_and_answers():
    assert dns(QUERY, 0, len(QUERY)) == "Standard query 0x319b A www.example"
    answer = QUERY[:2] + b"\x81\x83" + QUERY[4:]
    assert dns(answer, 0, len(answer)) == "Standard query response 0x319b error 3 A www.example"
    assert dns(QUERY[:12] + b"\0\0\x02\0\x01", 0, 17) == "Standard query 0x319b NS <Root>"


@pytest.mark.parametrize("n_bytes", range(len(QUERY)))
def test_truncated_dns_gives_what_can_be_read(n_bytes: int):
    assert dns(QUERY[:n_bytes], 0, n_bytes) in ("", "Standard query 0x319b", "Standard query 0x319b A www.example")


def test_dns_names_with_pointers_are_left_out():
    assert dns(QUERY[:12] + b"\xc0\x0c\0\x01\0\x01", 0, 18) == "Standard query 0x319b"


def test_icmp():
    assert icmp(bytes.fromhex("0800000004d20003"), 0, 64) == "Echo (ping) request  id=0x04d2, seq=3/768, ttl=64"
    assert icmp(bytes.fromhex("0303000000000000"), 0, 64) == "Destination unreachable (Port unreachable)"
    assert icmp(bytes.fromhex("fe07000000000000"), 0, 64) == "Type 254, code 7"


def test_icmpv6():
    solicitation = bytes.fromhex("8700000000000000") + bytes.fromhex("20010db8000000000000000000000001")
    assert icmpv6(solicitation, 0, len(solicitation)) == "Neighbor Solicitation for 2001:db8::1"
    assert icmpv6(solicitation[:8], 0, 8) == "Neighbor Solicitation"


def test_arp():
    head = bytes.fromhex("0001080006040001") + b"\x02" * 6 + b"\xc0\0\x02\x01" + bytes(6) + b"\xc0\0\x02\x02"
    assert arp(head, 0) == "Who has 192.0.2.2? Tell 192.0.2.1"
    assert arp(head[:7] + b"\x02" + head[8:], 0) == "192.0.2.1 is at 02:02:02:02:02:02"
    assert arp(b"\0\x06" + head[2:], 0) == "of other than IPv4 over Ethernet"


def test_hardware_addresses():
    assert hardware_address(b"\xff" * 6) == "Broadcast"
    assert hardware_address(bytes(range(6))) == "00:01:02:03:04:05"
