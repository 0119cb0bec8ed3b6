"""Dissects the layers without field tables by scapy: ARP, ICMP, DNS, DHCP, NTP, routing protocols and many more.

Scapy keeps the values of fields, but not their positions. To find a position, every field reads the bytes of its layer again,
as in scapy's own dissection, and the bytes that are left are counted. The import of scapy takes a second, and each packet takes
0.1 ms or more. So both happen only for a packet whose fields are requested. What scapy cannot read, it returns as raw bytes.
"""

import logging
from collections.abc import Iterator
from typing import Any

from analyzer.packet.field_tree import Field, Layer, plain

# Layers that are read from one packet. A crafted packet can have thousands of empty layers.
_LAYER_LIMIT = 64
# Depth of fields within fields. No protocol that scapy reads has more than five levels.
_DEPTH_LIMIT = 8
_TEXT_LIMIT = 1000

# Scapy writes warnings about damaged packets to standard error. They are not needed: the fields show the damage.
logging.getLogger("scapy").setLevel(logging.CRITICAL)


def dissect_ethernet(data: bytes, start: int, end: int, ether_type: int) -> Iterator[Layer]:
    """Yield the layers in `data[start:end]`, which `ether_type` announces."""
    yield from _dissect(_ethernet(ether_type), 1, data, start, end)


def dissect_ip(data: bytes, start: int, end: int, version: int, protocol: int) -> Iterator[Layer]:
    """Yield the layers in `data[start:end]`, which an IP header of that version announces as `protocol`."""
    header = _ipv4(end - start, protocol) if version == 4 else _ipv6(end - start, protocol)
    yield from _dissect(header, 2, data, start, end)


def dissect_udp(data: bytes, start: int, end: int, source_port: int, destination_port: int) -> Iterator[Layer]:
    """Yield the layers in `data[start:end]`, the payload of a UDP datagram with those ports."""
    n_bytes = 8 + end - start
    ports = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
    header = _ipv4(n_bytes, 17) + ports + min(n_bytes, 0xFFFF).to_bytes(2, "big") + bytes(2)
    yield from _dissect(header, 3, data, start, end)


# Scapy gets correct headers without options, so that it reaches the bytes that it must read. The headers begin with Ethernet:
# if a payload raises an error, scapy returns it as raw bytes; but it does not catch an error in the first layer.


def _ethernet(ether_type: int) -> bytes:
    return bytes(12) + ether_type.to_bytes(2, "big")


def _ipv4(n_bytes: int, protocol: int) -> bytes:
    header = b"\x45\x00" + min(20 + n_bytes, 0xFFFF).to_bytes(2, "big") + bytes(5) + bytes((protocol,)) + bytes(10)
    return _ethernet(0x0800) + header


def _ipv6(n_bytes: int, protocol: int) -> bytes:
    return _ethernet(0x86DD) + b"\x60\x00\x00\x00" + min(n_bytes, 0xFFFF).to_bytes(2, "big") + bytes((protocol, 64)) + bytes(32)


def _dissect(header: bytes, n_layers: int, data: bytes, start: int, end: int) -> Iterator[Layer]:
    """Yield the layers that scapy finds in `data[start:end]`, after an artificial header of `n_layers` layers."""
    # On import, each layer of scapy registers itself with the other layers.
    import scapy.layers.all  # noqa: F401
    from scapy.layers.l2 import Ether
    from scapy.packet import NoPayload, Raw

    layer: Any = Ether(header + data[start:end])
    for _ in range(n_layers):
        layer = NoPayload() if isinstance(layer, Raw) else layer.payload
    at = start
    for _ in range(_LAYER_LIMIT):
        if at >= end or isinstance(layer, NoPayload | Raw) or not layer.raw_packet_cache:
            break
        n_bytes = min(len(layer.raw_packet_cache), end - at)
        yield Layer(str(layer.name), at, n_bytes, tuple(_fields(layer, at, end, 0)))
        at += n_bytes
        layer = layer.payload
    if at < end:
        yield plain("Data", data, at, end)


def _fields(layer: Any, offset: int, end: int, depth: int) -> Iterator[Field]:
    """Yield the fields of a layer whose first byte is at `offset`. If that is -1, the fields have no positions."""
    original: bytes = layer.original
    left: Any = original
    for field in layer.fields_desc:
        if offset < 0:
            value, at, n_bytes = layer.getfieldval(field.name), -1, 0
        else:
            before = len(original) - (len(left[0]) if isinstance(left, tuple) else len(left))
            left, value = field.getfield(layer, left)
            # Between bit fields, scapy passes on the bytes from the current byte on, and how many of its bits were read.
            after = len(original) - len(left[0]) + 1 if isinstance(left, tuple) else len(original) - len(left)
            at, n_bytes = offset + before, max(min(after - before, end - offset - before), 0)
        if value is not None:
            yield _field(layer, field, value, at, n_bytes, depth)


def _field(layer: Any, field: Any, value: Any, at: int, n_bytes: int, depth: int) -> Field:
    from scapy.packet import Packet

    inner = [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, Packet)]
    if inner:
        children: list[Field] = []
        for part in inner if depth < _DEPTH_LIMIT else ():
            parts = tuple(_fields(part, -1, 0, depth + 1))
            children.append(Field(str(part.name), part.original, part.summary()[:_TEXT_LIMIT], -1, 0, parts))
        return Field(field.name, len(inner), f"{len(inner)}", at, n_bytes, tuple(children))
    text = str(field.i2repr(layer, value))[:_TEXT_LIMIT]
    return Field(field.name, value if isinstance(value, int | str | bytes) else text, text, at, n_bytes)
