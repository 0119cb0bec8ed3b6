"""Goes through a capture to its next frame that was chosen before, by its number or by its connection."""

from __future__ import annotations

from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.packet.tunnels import CAPWAP_DATA

_CAPWAP = CAPWAP_DATA


def next_chosen(reader: FrameReader, packet: Packet, numbers: bytearray, keys: dict[Any, Any]) -> bool:
    """Advance a reader to its next frame that was chosen, and return True; False if the reader has no more bytes now.

    numbers: the chosen frames, frame n as bit `n & 7` of byte `n >> 3`. keys: of the chosen connections, in both directions
    (`Packet.key`), each with its last frame that is chosen. Fragments are always chosen, as their connection is not known, and
    what can be one of CAPWAP. packet: is filled again for every frame that has no chosen number.
    """
    frame: Frame = reader.frame
    while reader.advance():
        place = frame.number >> 3
        if place < len(numbers) and numbers[place] >> (frame.number & 7) & 1:
            return True
        read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        fragment = packet.fragment or packet.destination_port == _CAPWAP or packet.source_port == _CAPWAP
        if fragment or frame.number <= keys.get(packet.key(), 0):
            return True
    return False
