"""Describes packets whose content cannot be seen: ESP, also in UDP, MACsec, and what CAPWAP carries beside open packets.

ESP (RFC 4303) shows an index of its security association and a sequence number. With the NULL cipher (RFC 2410) its content is
open, but no header says so, so this is not guessed. In UDP (RFC 3948) it shares port 4500 with IKE. MACsec (IEEE 802.1AE clause
9) shows the association number, a packet number, and perhaps who sends. CAPWAP (RFC 5415) has a preamble that announces DTLS.
"""

from typing import Final

from analyzer.packet.packet import Packet

ESP, MACSEC = 50, 0x88E5
"""The IP protocol, and the EtherType."""

FIRST_INDEX = 256
"""The first Security Parameters Index that an association can have (RFC 4303 section 2.1)."""

_SHORTEST = 20
"""Bytes of the shortest ESP: index, sequence number, padding and next header to a word, an integrity check value of 8."""

_CONTROL = 5246
_MESSAGES: Final = {
    1: "Discovery Request", 2: "Discovery Response", 3: "Join Request", 4: "Join Response", 5: "Configuration Status Request",
    6: "Configuration Status Response", 7: "Configuration Update Request", 8: "Configuration Update Response",
    9: "WTP Event Request", 10: "WTP Event Response", 11: "Change State Event Request", 12: "Change State Event Response",
    13: "Echo Request", 14: "Echo Response", 15: "Image Data Request", 16: "Image Data Response", 17: "Reset Request",
    18: "Reset Response", 19: "Primary Discovery Request", 20: "Primary Discovery Response", 21: "Data Transfer Request",
    22: "Data Transfer Response", 23: "Clear Configuration Request", 24: "Clear Configuration Response",
    25: "Station Configuration Request", 26: "Station Configuration Response",
}  # fmt: skip


def is_encapsulated(packet: Packet) -> bool:
    """Return whether the payload of a datagram of port 4500 is ESP: it begins with an index, and IKE with four zero bytes."""
    at = packet.payload
    if packet.payload_end - at + packet.missing < _SHORTEST or packet.payload_end - at < 8:
        return False
    return _number(packet.data, at, 4) >= FIRST_INDEX


def esp_info(packet: Packet) -> str:
    """Return the text for ESP at the packet's payload."""
    data, at, end = packet.data, packet.payload, packet.payload_end
    if end - at < 8:
        return f"{end - at} bytes"
    n_bytes = end - at - 8 + packet.missing
    return f"ESP (SPI=0x{_number(data, at, 4):08x}) Seq={_number(data, at + 4, 4)}, {n_bytes:,} encrypted bytes"


def udp_encapsulation(packet: Packet) -> tuple[str, str]:
    """Return protocol and text of a datagram of port 4500."""
    data, at, end = packet.data, packet.payload, packet.payload_end
    if is_encapsulated(packet):
        return "ESP", esp_info(packet)
    if end - at == 1 and data[at] == 0xFF:
        return "UDPENCAP", "NAT-keepalive"
    n_bytes = end - at + packet.missing
    return "ISAKMP" if data[at : at + 4] == bytes(4) and n_bytes > 4 else "UDPENCAP", f"{n_bytes:,} bytes"


def macsec_info(packet: Packet) -> str:
    """Return the text for MACsec at the packet's payload."""
    data, at, end = packet.data, packet.payload, packet.payload_end
    if end - at < 6:
        return f"{end - at} bytes"
    n_header = 14 if data[at] & 0x20 else 6
    words = "encrypted" if data[at] & 0x08 else "not readable"
    shown = f"AN={data[at] & 3} PN={_number(data, at + 2, 4)}"
    return f"{words}, {shown}, {max(0, end - at - n_header + packet.missing):,} bytes"


def capwap_info(packet: Packet) -> str:
    """Return the text for a datagram of CAPWAP whose content is not entered."""
    data, at, end = packet.data, packet.transport + 8, packet.payload_end
    n_bytes = end - at + packet.missing
    if end - at < 8:
        return f"{n_bytes:,} bytes"
    if data[at] & 15 == 1:
        return f"DTLS, {n_bytes - 4:,} bytes"
    flags, n_header = data[at + 3], data[at + 1] >> 3 << 2
    if _CONTROL in (packet.source_port, packet.destination_port):
        kind = _number(data, at + n_header, 4) if end - at - n_header >= 4 else 0
        return _MESSAGES.get(kind, f"message {kind}")
    if flags & 0x08:
        return "Keep-Alive"
    if flags & 0x80:
        return f"fragment ID={_number(data, at + 4, 2)}, off={_number(data, at + 6, 2) & ~7}, {n_bytes - n_header:,} bytes"
    what = "802.11 frame" if data[at + 2] & 1 else "802.3 frame"
    return f"{what}, {n_bytes - n_header:,} bytes"


def _number(data: bytes, at: int, n_bytes: int) -> int:
    return int.from_bytes(data[at : at + n_bytes], "big")
