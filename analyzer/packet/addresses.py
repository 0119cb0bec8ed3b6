"""Addresses as text: of one IPv4 or IPv6 address, and of both endpoints in a packet's key.

IPv4 is dotted decimal. IPv6 is the form of RFC 5952: lower case, no leading zeros, the longest run of zero groups as `::`.
"""

from functools import lru_cache
from ipaddress import ip_address
from socket import AF_INET6, inet_ntop

HARDWARE = 6
"""Bytes of a hardware address: an end without IP, which has no port."""

# The addresses of a host are needed again for each of its sessions. 16,384 of them take 3 MB.
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def address_text(address: bytes) -> str:
    """Return the text of an address of 4 or 16 bytes, or of a hardware address of 6. Raise ValueError for other lengths."""
    if len(address) == 4:
        return "{}.{}.{}.{}".format(*address)
    if len(address) == 16:
        return inet_ntop(AF_INET6, address)
    if len(address) == HARDWARE:
        return address.hex(":")
    raise ValueError(f"an IP address of {len(address)} bytes")


def endpoints(key: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Return source and destination of a `Packet.key()`, each as (address, port). Raise ValueError if it is not a key."""
    if len(key) not in (12, 16, 36):
        raise ValueError(f"a key of {len(key)} bytes")
    (source, source_port), (destination, destination_port) = split_key(key)
    return (address_text(source), source_port), (address_text(destination), destination_port)


def reverse_key(key: bytes) -> bytes:
    """Return the key of the packets in the other direction, for a `Packet.key()`."""
    half = (len(key) - 4) >> 1
    ports = 2 * half
    return key[half:ports] + key[:half] + key[ports + 2 :] + key[ports : ports + 2]


def split_key(key: bytes) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
    """Return source and destination of a `Packet.key()`, each as (address in 4 or 16 bytes, port)."""
    half = (len(key) - 4) >> 1
    ports = 2 * half
    return (key[:half], key[ports] << 8 | key[ports + 1]), (key[half:ports], key[ports + 2] << 8 | key[ports + 3])


def address_order(text: str) -> tuple[int, bytes]:
    """Return by what addresses are sorted, from the text of one: IPv4, hardware, IPv6, each in the order of the numbers."""
    packed = packed_address(text)
    return len(packed), packed


def end_text(address: str, port: int | None) -> str:
    """Return address and port: `192.0.2.1:443`; an IPv6 address in brackets (RFC 3986 section 3.2.2).

    A hardware address has no port: it is None, or 0 where a key has it.
    """
    if port is None or (port == 0 and is_hardware(address)):
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_hardware(address: str) -> bool:
    """Return whether the text of an address is that of a hardware address."""
    return len(address) == 3 * HARDWARE - 1 and address.count(":") == HARDWARE - 1


def packed_address(text: str) -> bytes:
    """Return the bytes of an address, from what `address_text` returned for them."""
    if is_hardware(text):
        return bytes.fromhex(text.replace(":", ""))
    return ip_address(text).packed
