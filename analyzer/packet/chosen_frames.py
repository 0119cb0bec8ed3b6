"""Goes through a capture to its next frame that was chosen before, by its number or by its connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.packet.tunnels import CAPWAP_DATA

_CAPWAP = CAPWAP_DATA


def mixed_ports(keys: Iterable[bytes]) -> bytearray:
    """Return the exclusive or of both ports of each connection, value n as bit `n & 7` of byte `n >> 3`; 8 KiB.

    keys: see `Packet.key`. Most packets of other connections have another value, which is seen without making their keys.
    """
    found = bytearray(1 << 13)
    for key in keys:
        found[(key[-4] ^ key[-2]) << 5 | (key[-3] ^ key[-1]) >> 3] |= 1 << ((key[-3] ^ key[-1]) & 7)
    return found


def next_chosen(reader: FrameReader, packet: Packet, numbers: bytearray, keys: dict[Any, Any], ports: bytearray) -> bool:
    """Advance a reader to its next frame that was chosen, and return True; False if the reader has no more bytes now.

    numbers: the chosen frames, frame n as bit `n & 7` of byte `n >> 3`. keys: of the chosen connections, in both directions
    (`Packet.key`), each with its last frame that is chosen; ports: `mixed_ports` of them. Fragments are always chosen, as their
    connection is not known, and what can be one of CAPWAP. packet: is filled again for every frame that has no chosen number.
    """
    frame: Frame = reader.frame
    while reader.advance():
        place = frame.number >> 3
        if place < len(numbers) and numbers[place] >> (frame.number & 7) & 1:
            return True
        read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        fragment = packet.fragment or packet.destination_port == _CAPWAP or packet.source_port == _CAPWAP
        if fragment:
            return True
        mixed = packet.source_port ^ packet.destination_port
        if packet.source_port >= 0 and not ports[mixed >> 3] >> (mixed & 7) & 1:
            continue
        if frame.number <= keys.get(packet.key(), 0):
            return True
    return False
