"""Special-purpose addresses, at the edges of their blocks."""

from ipaddress import ip_address

import pytest

from analyzer.filters.special_addresses import is_link_local, is_multicast, is_private, is_unique_local, special_block


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("172.15.255.255", None),
        ("172.16.0.0", ("Private-Use", 28)),
        ("172.31.255.255", ("Private-Use", 28)),
        ("172.32.0.0", None),
        ("192.0.0.7", ("IPv4 Service Continuity Prefix", 28)),
        ("192.0.0.9", ("Port Control Protocol Anycast", 30)),
        ("255.255.255.255", ("Limited Broadcast", 9)),
        ("255.255.255.254", ("Reserved", 1)),
        ("8.8.8.8", None),
        ("::1", ("Loopback Address", 1)),
        ("2001:db8::", ("Documentation", 0)),
        ("2001:1::2", ("Traversal Using Relays around NAT Anycast", 30)),
        ("fdff::1", ("Unique-Local", 28)),
        ("2a00::1", None),
    ],
)
def test_the_smallest_block_is_found(address, block):
    assert special_block(ip_address(address).packed) == block


def test_kinds_of_addresses():
    def names(kind, *addresses):
        return [one for one in addresses if kind(ip_address(one).packed)]

    assert names(is_private, "10.0.0.1", "172.31.0.1", "172.32.0.1", "192.168.1.1", "192.169.1.1") == [
        "10.0.0.1",
        "172.31.0.1",
        "192.168.1.1",
    ]
    assert names(is_multicast, "223.255.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.0", "ff02::1", "fe80::1") == [
        "224.0.0.1", "239.1.1.1", "ff02::1",
    ]  # fmt: skip
    assert names(is_link_local, "169.254.1.1", "169.253.1.1", "fe80::1", "febf::1", "fec0::1") == [
        "169.254.1.1",
        "fe80::1",
        "febf::1",
    ]
    assert names(is_unique_local, "fc00::1", "fdff::1", "fe00::1") == ["fc00::1", "fdff::1"]
