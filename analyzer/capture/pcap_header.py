"""Reads the header of a pcap file (draft-ietf-opsawg-pcap section 4)."""

from dataclasses import dataclass

from analyzer.capture.blocks import MICROSECOND_CLOCK, NANOSECOND_CLOCK, ByteOrder, Clock, Interface, Section

SIZE = 24
"""Bytes of the header."""

_NAMES = {0xA1B2C3D4: "pcap", 0xA1B23C4D: "nanosecond pcap", 0xA1B2CD34: "modified pcap"}
FORMATS: dict[bytes, tuple[str, ByteOrder]] = {
    number.to_bytes(4, order): (name, order) for number, name in _NAMES.items() for order in ("little", "big")
}
"""What the first four bytes say: the format, and the byte order of the file."""


@dataclass(frozen=True, slots=True)
class PcapHeader:
    """What the header says of the records behind it.

    swapped: whether the two lengths of a record are in the other order: 0 no, 2 yes, 1 where the larger one comes first.
    n_record: bytes in front of the bytes of a frame.
    """

    section: Section
    interface: Interface
    clock: Clock
    swapped: int
    n_record: int


def read_pcap_header(data: bytes, number: int) -> PcapHeader:
    """Read the `SIZE` bytes of a header whose first four are one of `FORMATS`. number: that the interface gets."""
    name, order = FORMATS[data[:4]]
    version = (int.from_bytes(data[4:6], order), int.from_bytes(data[6:8], order))
    network = int.from_bytes(data[20:24], order)
    # If bit 26 is set, bits 28 to 31 count 16-bit words of frame check sequence. The link type itself has 16 bits.
    fcs_length = (network >> 28) * 2 if network & 0x04000000 else None
    clock = NANOSECOND_CLOCK if name == "nanosecond pcap" else MICROSECOND_CLOCK
    snap_length = int.from_bytes(data[16:20], order)
    interface = Interface(number, 0, network & 0xFFFF, snap_length, clock.text, fcs_length=fcs_length)
    # Before version 2.3, libpcap wrote the two lengths in the other order. Programs with version 2.3 used both orders.
    swapped = 0 if version[0] != 2 or version[1] > 3 else 2 if version[1] < 3 else 1
    return PcapHeader(Section(0, order, version), interface, clock, swapped, 24 if name == "modified pcap" else 16)
