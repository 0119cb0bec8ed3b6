"""Writes capture files: pcapng (draft-ietf-opsawg-pcapng) with comments and secrets, and pcap (draft-ietf-opsawg-pcap)."""

import struct
from typing import BinaryIO

from analyzer.capture.blocks import (
    IF_DESCRIPTION,
    IF_FILTER,
    IF_NAME,
    IF_TSRESOL,
    ISB_ENDTIME,
    ISB_IFDROP,
    ISB_IFRECV,
    ISB_OSDROP,
    ISB_STARTTIME,
    NANOSECONDS,
    OPT_COMMENT,
    SHB_HARDWARE,
    SHB_OS,
    SHB_USERAPPL,
    TLS_KEY_LOG,
    ByteOrder,
    Statistics,
)

LARGEST_OPTION = 0xFFFF


class PcapngWriter:
    """Writes one section of pcapng to `file`, block by block. Times have a resolution of one nanosecond."""

    def __init__(
        self,
        file: BinaryIO,
        byte_order: ByteOrder = "little",
        comment: str = "",
        hardware: str = "",
        os: str = "",
        application: str = "",
    ) -> None:
        self._file = file
        self._order = "<" if byte_order == "little" else ">"
        self._interfaces = 0
        fixed = struct.pack(self._order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
        texts = {OPT_COMMENT: comment, SHB_HARDWARE: hardware, SHB_OS: os, SHB_USERAPPL: application}
        self._write(0x0A0D0D0A, fixed + self._options({code: _encoded(text) for code, text in texts.items()}))

    def write_interface(
        self, link_type: int, snap_length: int = 0, name: str = "", description: str = "", bpf: str = ""
    ) -> int:
        """Write an Interface Description Block. Return the interface number for `write_frame`. bpf: the capture filter."""
        options = {IF_NAME: _encoded(name), IF_DESCRIPTION: _encoded(description), IF_TSRESOL: b"\x09"}
        if bpf:
            options[IF_FILTER] = b"\0" + _encoded(bpf)
        self._write(1, struct.pack(self._order + "HHI", link_type, 0, snap_length) + self._options(options))
        self._interfaces += 1
        return self._interfaces - 1

    def write_frame(self, at: int, data: bytes, wire_length: int | None = None, interface: int = 0, comment: str = "") -> None:
        """Write one frame. Raise ValueError if the interface was not described.

        at: nanoseconds since 1970-01-01 UTC, not negative. wire_length: length before truncation, None if not truncated.
        """
        if not 0 <= interface < self._interfaces:
            raise ValueError(f"interface {interface} was not described")
        length = len(data) if wire_length is None else wire_length
        fixed = struct.pack(self._order + "5I", interface, at >> 32, at & 0xFFFFFFFF, len(data), length)
        self._write(6, fixed + _padded(data) + self._options({OPT_COMMENT: _encoded(comment)}))

    def write_secrets(self, secrets: bytes, kind: int = TLS_KEY_LOG) -> None:
        """Write a Decryption Secrets Block. Write it before the frames that need it."""
        self._write(10, struct.pack(self._order + "II", kind, len(secrets)) + _padded(secrets))

    def write_statistics(self, statistics: Statistics) -> None:
        """Write an Interface Statistics Block (section 4.6): counters that are None are left out. Write it after the frames.

        Raise ValueError if the interface was not described.
        """
        if not 0 <= statistics.interface < self._interfaces:
            raise ValueError(f"interface {statistics.interface} was not described")
        times = {ISB_STARTTIME: statistics.start_time, ISB_ENDTIME: statistics.end_time}
        counts = {
            ISB_IFRECV: statistics.received,
            ISB_IFDROP: statistics.dropped_by_interface,
            ISB_OSDROP: statistics.dropped_by_system,
        }
        options = {code: self._time(at) for code, at in times.items() if at is not None}
        options |= {code: struct.pack(self._order + "Q", count) for code, count in counts.items() if count is not None}
        self._write(
            5, struct.pack(self._order + "I", statistics.interface) + self._time(statistics.at) + self._options(options)
        )

    def _time(self, at: int) -> bytes:
        return struct.pack(self._order + "II", at >> 32, at & 0xFFFFFFFF)

    def _options(self, values: dict[int, bytes]) -> bytes:
        written = b"".join(
            struct.pack(self._order + "HH", code, len(value[:LARGEST_OPTION])) + _padded(value[:LARGEST_OPTION])
            for code, value in values.items()
            if value
        )
        return written + b"\0\0\0\0" if written else b""

    def _write(self, kind: int, body: bytes) -> None:
        length = struct.pack(self._order + "I", 12 + len(body))
        self._file.write(struct.pack(self._order + "I", kind) + length + body + length)


class PcapWriter:
    """Writes a pcap file with one link type to `file`, record by record. Times are in nanoseconds, or `microsecond`."""

    def __init__(
        self,
        file: BinaryIO,
        link_type: int,
        snap_length: int = 262_144,
        byte_order: ByteOrder = "little",
        microsecond: bool = False,
    ) -> None:
        self._file = file
        self._order = "<" if byte_order == "little" else ">"
        self._tick = 1000 if microsecond else 1
        magic = 0xA1B2C3D4 if microsecond else 0xA1B23C4D
        file.write(struct.pack(self._order + "IHHiIII", magic, 2, 4, 0, 0, snap_length, link_type))

    def write_frame(self, at: int, data: bytes, wire_length: int | None = None) -> None:
        """Write one frame.

        at: nanoseconds since 1970-01-01 UTC, before 2106. wire_length: length before truncation, None if not truncated.
        """
        seconds, rest = divmod(at, NANOSECONDS)
        length = len(data) if wire_length is None else wire_length
        self._file.write(struct.pack(self._order + "4I", seconds, rest // self._tick, len(data), length) + data)


def _encoded(text: str) -> bytes:
    """Encode for an option, which is UTF-8. Bytes of a name that was not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace")


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
