"""Addresses for people: the text of an IPv4 or IPv6 address, and of both ends of a packet's key.

IPv4 is dotted decimal; IPv6 is RFC 5952's one form: lower case, no leading zeros, the longest run of zero groups as `::`.
"""

from functools import lru_cache
from socket import AF_INET6, inet_ntop

# Addresses are asked for again with every session of a host; 16,384 of them take 3 MB.
_REMEMBERED = 16_384


@lru_cache(maxsize=_REMEMBERED)
def address_text(address: bytes) -> str:
    """The text of an address of 4 or 16 bytes; raises ValueError for any other length."""
    if len(address) == 4:
        return "{}.{}.{}.{}".format(*address)
    if len(address) == 16:
        return inet_ntop(AF_INET6, address)
    raise ValueError(f"an IP address of {len(address)} bytes")


def endpoints(key: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Source and destination of a `Packet.key()`, each as (address, port); raises ValueError for what is no key."""
    if len(key) not in (12, 36):
        raise ValueError(f"a key of {len(key)} bytes")
    (source, source_port), (destination, destination_port) = split_key(key)
    return (address_text(source), source_port), (address_text(destination), destination_port)


def reverse_key(key: bytes) -> bytes:
    """The key of the packets that answer those of a `Packet.key()`."""
    half = (len(key) - 4) >> 1
    ports = 2 * half
    return key[half:ports] + key[:half] + key[ports + 2 :] + key[ports : ports + 2]


def split_key(key: bytes) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
    """Source and destination of a `Packet.key()`, each as (address in 4 or 16 bytes, port)."""
    half = (len(key) - 4) >> 1
    ports = 2 * half
    return (key[:half], key[ports] << 8 | key[ports + 1]), (key[half:ports], key[ports + 2] << 8 | key[ports + 3])
