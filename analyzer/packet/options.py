"""TCP options: RFC 9293 section 3.1, with those of RFC 7323 (timestamps, window scale), 2018 (SACK) and 7413 (fast open).

Options are a row of kind, length and value, but for kinds 0 (the end) and 1 (nothing), which are one byte. They are read only
when asked for: reassembly needs none of them.
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
    offset, length: its place in the packet's buffer, kind and length included.
    value: of Maximum Segment Size and Window Scale the number; of Timestamps (value, echo reply); of SACK the pairs (left
        edge, right edge); of all others, and of those with a wrong length, the bytes.
    problem: "", or what is wrong with the length; such an option is the last one if it leaves no way on.
    """

    kind: int
    name: str
    offset: int
    length: int
    value: int | tuple[int, int] | tuple[tuple[int, int], ...] | bytes
    problem: str = ""


def read_tcp_options(packet: Packet) -> list[TcpOption]:
    """The options of a packet whose TCP header was read, in order; at most 40, since the header has 40 bytes for them."""
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
    """The option with its value read, if the value has the length that its RFC gives it."""
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
