"""Names files that are no pcap and no pcapng but hold a capture, and the command that makes one of them.

Wireshark reads many formats, and its `editcap` converts them. Archives are named too, because captures are passed on in them.
Forms: snoop is RFC 1761, ERF is Endace's Extensible Record Format, Network Monitor's two are MS-NMCAP's and an older one.
"""

from analyzer.capture.blocks import ByteOrder

_MAGICS = (
    (b"snoop\0\0\0", "this is a snoop file: convert it with 'editcap -F pcapng FILE FILE.pcapng'"),
    (b"GMBU", "this is a Network Monitor file: convert it with 'editcap -F pcapng FILE FILE.pcapng'"),
    (b"RTSS", "this is a Network Monitor file: convert it with 'editcap -F pcapng FILE FILE.pcapng'"),
    (b"PK\3\4", "this is a ZIP archive: unpack it with 'unzip FILE'"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7z archive: unpack it with '7z x FILE'"),
)
_TAR_MAGIC_AT = 257

_ERF_TYPES = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27})
"""Types of ERF records with a frame: HDLC, Ethernet, ATM, AAL5, InfiniBand and so on."""

_YEARS = range(800_000_000, 4_000_000_000)
"""Seconds since 1970 that the time of a capture may have."""


def advice(start: bytes) -> str | None:
    """Return what a file is and how to convert it, by its first bytes, best 512 of them; None if it is none of these."""
    for magic, text in _MAGICS:
        if start.startswith(magic):
            return text
    if start[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
        return "this is a tar archive: unpack it with 'tar -xf FILE'"
    if _is_erf(start):
        return "this looks like an ERF file: convert it with 'editcap -F pcapng FILE FILE.pcapng'"
    return None


def begins_capture(data: bytes, at: int) -> bool:
    """Return whether the header of a pcap or pcapng file stands at `at`: magic number, version, and an empty time zone."""
    head = data[at : at + 12]
    if head[:4] == b"\x0a\x0d\x0d\x0a":
        return head[8:12] in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
    orders: tuple[ByteOrder, ...] = ("little", "big")
    for order in orders:
        if int.from_bytes(head[:4], order) in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34):
            return int.from_bytes(head[4:6], order) == 2 and head[8:] == bytes(4)
    return False


def _is_erf(start: bytes) -> bool:
    """Return whether two ERF records follow each other, or one is the whole file.

    A record: a time as a little-endian fixed-point number of 8 bytes, type, flags, the record's length, a loss counter, the
    frame's length. The top bit of the type announces extension headers.
    """
    n_records, at = 0, 0
    while n_records < 2 and len(start) - at >= 16:
        seconds = int.from_bytes(start[at + 4 : at + 8], "little")
        n_bytes = int.from_bytes(start[at + 10 : at + 12], "big")
        if start[at + 8] & 0x7F not in _ERF_TYPES or n_bytes < 18 or seconds not in _YEARS:
            return False
        n_records += 1
        at += n_bytes
    return n_records == 2 or (n_records == 1 and at >= len(start))
