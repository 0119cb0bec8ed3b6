"""Reads TCP options: RFC 9293 section 3.1, and those of RFC 7323 (timestamps, window scale), 2018 (SACK), 7413 (fast open).

An option is a kind, a length and a value. Kinds 0 (the end) and 1 (no operation) are a single byte. Options are read only on
request, because reassembly does not need them.
"""

from dataclasses import dataclass

from analyzer.codec.registry import registry
from analyzer.packet.packet import Packet

_END = 0
_NO_OPERATION = 1


@dataclass(frozen=True, slots=True)
class TcpOption:
    """One option as sent.

    kind: the number; name: from IANA's registry.
    offset, length: its position in the packet's buffer, including kind and length.
    value: the number for Maximum Segment Size and Window Scale; (value, echo reply) for Timestamps; pairs of (left edge, right
        edge) for SACK; the bytes for all others, and for those with a wrong length.
    problem: "", or what is wrong with the length. Such an option is the last one if the next one cannot be found.
    """

    kind: int
    name: str
    offset: int
    length: int
    value: int | tuple[int, int] | tuple[tuple[int, int], ...] | bytes
    problem: str = ""


def read_tcp_options(packet: Packet) -> list[TcpOption]:
    """Return the options of a packet whose TCP header was read, in order. There are at most 40: they have 40 bytes in total."""
    data = packet.data
    at = packet.transport + 20
    if packet.protocol != 6 or packet.transport < 0 or at > len(data):
        return []
    end = min(packet.transport + ((data[packet.transport + 12] >> 4) << 2), packet.payload, len(data))
    names = registry("tcp_options").names
    options: list[TcpOption] = []
    while at < end:
        kind = data[at]
        name = names[kind]
        if kind == _END:
            options.append(TcpOption(kind, name, at, 1, b""))
            break
        if kind == _NO_OPERATION:
            options.append(TcpOption(kind, name, at, 1, b""))
            at += 1
            continue
        length = data[at + 1] if end - at >= 2 else 0
        if length < 2 or length > end - at:
            rest = data[at:end]
            options.append(TcpOption(kind, name, at, len(rest), rest[2:], f"length {length} of {len(rest)} bytes"))
            break
        options.append(_read(kind, name, at, data[at + 2 : at + length]))
        at += length
    return options


def _read(kind: int, name: str, offset: int, value: bytes) -> TcpOption:
    """Return the option. Decode its value if the value has the length that the RFC requires."""
    length = len(value) + 2
    if kind == 2 and length == 4:
        return TcpOption(kind, name, offset, length, int.from_bytes(value))
    if kind == 3 and length == 3:
        return TcpOption(kind, name, offset, length, value[0])
    if kind == 5 and len(value) % 8 == 0:
        edges = [int.from_bytes(value[i : i + 4]) for i in range(0, len(value), 4)]
        return TcpOption(kind, name, offset, length, tuple(zip(edges[::2], edges[1::2], strict=True)))
    if kind == 8 and length == 10:
        return TcpOption(kind, name, offset, length, (int.from_bytes(value[:4]), int.from_bytes(value[4:])))
    problem = f"length {length}" if kind in (2, 3, 5, 8) or (kind == 4 and length != 2) else ""
    return TcpOption(kind, name, offset, length, value, problem)
