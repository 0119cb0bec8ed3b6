"""The special-purpose blocks of IP addresses: IANA's two registries (RFC 6890), for the functions `ip_special_name` and its
like.

`special_addresses.csv` has the blocks in Wireshark's selection; the mask of a block is, from bit 4 down to bit 0: source,
destination, forwardable, globally reachable, reserved by protocol.
"""

import csv
import os
from functools import cache
from ipaddress import ip_network
from typing import NamedTuple

_MULTICAST_V4 = 0xE0
_LINK_LOCAL_V6 = 0xFE80


class SpecialBlock(NamedTuple):
    """One block of addresses."""

    name: str
    mask: int


def special_block(address: bytes) -> SpecialBlock | None:
    """Return the smallest special-purpose block that an address of 4 or 16 bytes is in, or None."""
    bits = len(address) * 8
    number = int.from_bytes(address, "big")
    for length, blocks in _blocks(bits):
        found = blocks.get(number >> bits - length)
        if found is not None:
            return found
    return None


def is_link_local(address: bytes) -> bool:
    """Return whether an address is of 169.254.0.0/16 or fe80::/10."""
    if len(address) == 4:
        return address[:2] == b"\xa9\xfe"
    return int.from_bytes(address[:2], "big") & 0xFFC0 == _LINK_LOCAL_V6


def is_multicast(address: bytes) -> bool:
    """Return whether an address is of 224.0.0.0/4 or ff00::/8."""
    return address[0] & 0xF0 == _MULTICAST_V4 if len(address) == 4 else address[0] == 0xFF


def is_private(address: bytes) -> bool:
    """Return whether an IPv4 address is of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918 section 3)."""
    return address[0] == 10 or address[:2] == b"\xc0\xa8" or (address[0] == 172 and address[1] & 0xF0 == 16)


def is_unique_local(address: bytes) -> bool:
    """Return whether an IPv6 address is of fc00::/7 (RFC 4193 section 3.1)."""
    return address[0] & 0xFE == 0xFC


@cache
def _blocks(bits: int) -> list[tuple[int, dict[int, SpecialBlock]]]:
    """Return the blocks of addresses of so many bits: by length of prefix, the longest first, then by prefix."""
    found: dict[int, dict[int, SpecialBlock]] = {}
    with open(os.path.join(os.path.dirname(__file__), "special_addresses.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            block = ip_network(row["block"])
            if block.max_prefixlen == bits:
                prefix = int(block.network_address) >> bits - block.prefixlen
                found.setdefault(block.prefixlen, {})[prefix] = SpecialBlock(row["name"], int(row["mask"]))
    return sorted(found.items(), reverse=True)
