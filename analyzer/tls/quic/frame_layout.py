"""What is where in the frames of a QUIC packet, for views: a tree, filter fields, a row of the packet list.

`frames.py` reads the same frames for what they mean; here each of them is walked by a table, whose rows are its fields in wire
order (RFC 9000 section 19, RFC 9221, draft-ietf-quic-ack-frequency). Each row has the name of the RFC and that of the field in
Wireshark, where it has one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analyzer.codec.registry import registry
from analyzer.codec.varint import read_varint

PADDING: Final = 0x00
ACK: Final = 0x02
ACK_ECN: Final = 0x03
CRYPTO: Final = 0x06
STREAM: Final = 0x08
LAST_STREAM: Final = 0x0F
DATAGRAM: Final = 0x30

_FIN, _LEN, _OFF = 0x01, 0x02, 0x04
_VARINT, _OCTET, _BYTES, _REST = "varint", "octet", "bytes", "rest"

Row = tuple[str, str, str, int]
"""A field: its name in the RFC, that in Wireshark behind `quic.`, its kind, and its bytes (0: as the number before it says)."""


@dataclass(frozen=True, slots=True)
class FrameField:
    """A field of a frame. filter_name: empty if it is no filter field. start, end: its bytes in the plaintext of the packet."""

    name: str
    filter_name: str
    value: int | bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PacketFrame:
    """A frame. type: its number. start, end: its bytes in the plaintext; the end is that of the packet if it is cut short.

    fields: without its type. whole: whether all fields are there.
    """

    type: int
    start: int
    end: int
    fields: tuple[FrameField, ...]
    whole: bool = True

    @property
    def name(self) -> str:
        """The name in the RFC; 0x and the number if it is not known."""
        return registry("quic_frame_types").name(self.type)

    @property
    def word(self) -> str:
        """What rows of the packet list call it, which is what Wireshark does."""
        if STREAM <= self.type <= LAST_STREAM:
            stream = self.fields[0].value if self.fields else ""
            return f"STREAM({stream})" if isinstance(stream, int) else "STREAM"
        return _LAYOUTS[self.type][0] if self.type in _LAYOUTS else self.name

    def value(self, name: str) -> int | bytes | None:
        """Return the value of a field; None if the frame does not have it."""
        return next((field.value for field in self.fields if field.name == name), None)


def _v(name: str, filter_name: str) -> Row:
    return name, filter_name, _VARINT, 0


_ACK_ROWS: Final = (
    _v("largest_acknowledged", "ack.largest_acknowledged"),
    _v("ack_delay", "ack.ack_delay"),
    _v("ack_range_count", "ack.ack_range_count"),
    _v("first_ack_range", "ack.first_ack_range"),
)
_RANGE: Final = (_v("gap", "ack.gap"), _v("ack_range_length", "ack.ack_range"))
_ECN: Final = (
    _v("ect0_count", "ack.ect0_count"),
    _v("ect1_count", "ack.ect1_count"),
    _v("ecn_ce_count", "ack.ecn_ce_count"),
)
_REASON: Final = (
    _v("reason_phrase_length", "cc.reason_phrase.length"),
    ("reason_phrase", "cc.reason_phrase", _BYTES, 0),
)
_MAX_STREAMS: Final = ("MS", (_v("maximum_streams", "ms.max_streams"),))
_STREAMS_BLOCKED: Final = ("SB", (_v("maximum_streams", "sib.stream_limit"),))
_RESET: Final = (
    _v("stream_id", "rsts.stream_id"),
    _v("application_protocol_error_code", "rsts.application_error_code"),
    _v("final_size", "rsts.final_size"),
)
_LAYOUTS: Final[dict[int, tuple[str, tuple[Row, ...]]]] = {
    0x00: ("PADDING", ()),
    0x01: ("PING", ()),
    0x02: ("ACK", _ACK_ROWS),
    0x03: ("ACK_ECN", _ACK_ROWS),
    0x04: ("RS", _RESET),
    0x05: ("SS", (_v("stream_id", "ss.stream_id"), _v("application_protocol_error_code", "ss.application_error_code"))),
    0x06: (
        "CRYPTO",
        (_v("offset", "crypto.offset"), _v("length", "crypto.length"), ("crypto_data", "crypto.crypto_data", _BYTES, 0)),
    ),
    0x07: ("NT", (_v("token_length", "nt.length"), ("token", "nt.token", _BYTES, 0))),
    0x10: ("MD", (_v("maximum_data", "md.maximum_data"),)),
    0x11: ("MSD", (_v("stream_id", "msd.stream_id"), _v("maximum_stream_data", "msd.maximum_stream_data"))),
    0x12: _MAX_STREAMS,
    0x13: _MAX_STREAMS,
    0x14: ("DB", (_v("maximum_data", "sb.stream_data_limit"),)),
    0x15: ("SDB", (_v("stream_id", "sdb.stream_id"), _v("maximum_stream_data", "sb.stream_data_limit"))),
    0x16: _STREAMS_BLOCKED,
    0x17: _STREAMS_BLOCKED,
    0x18: (
        "NCI",
        (
            _v("sequence_number", "nci.sequence"),
            _v("retire_prior_to", "nci.retire_prior_to"),
            ("length", "nci.connection_id.length", _OCTET, 1),
            ("connection_id", "nci.connection_id", _BYTES, 0),
            ("stateless_reset_token", "nci.stateless_reset_token", _BYTES, 16),
        ),
    ),
    0x19: ("RC", (_v("sequence_number", "rci.sequence"),)),
    0x1A: ("PC", (("data", "path_challenge.data", _BYTES, 8),)),
    0x1B: ("PR", (("data", "path_response.data", _BYTES, 8),)),
    0x1C: ("CC", (_v("error_code", "cc.error_code"), _v("frame_type", "cc.frame_type"), *_REASON)),
    0x1D: ("CC", (_v("error_code", "cc.error_code.app"), *_REASON)),
    0x1E: ("DONE", ()),
    0x1F: ("IMMEDIATE_ACK", ()),
    0x24: ("RESET_STREAM_AT", (*_RESET, _v("reliable_size", ""))),
    0x30: ("DG", (("datagram_data", "dg", _REST, 0),)),
    0x31: ("DG", (_v("length", "dg.length"), ("datagram_data", "dg", _BYTES, 0))),
    0xAF: (
        "AF",
        (
            _v("sequence_number", "af.sequence_number"),
            _v("ack_eliciting_threshold", "af.ack_eliciting_threshold"),
            _v("request_max_ack_delay", "af.request_max_ack_delay"),
            _v("reordering_threshold", "af.reordering_threshold"),
        ),
    ),
}


def packet_frames(plaintext: bytes) -> Iterator[PacketFrame]:
    """Yield the frames of a packet in order. One that is cut short, or of an unknown type, is the last.

    A run of PADDING frames is one frame.
    """
    pos, end = 0, len(plaintext)
    while pos < end:
        if plaintext[pos] == PADDING:
            stop = end - len(plaintext[pos:].lstrip(b"\0"))
            yield PacketFrame(PADDING, pos, stop, ())
            pos = stop
            continue
        number = read_varint(plaintext, pos)
        if number is None:
            return
        walk = _Walk(plaintext, number[1])
        known = walk.read(number[0])
        stop = walk.pos if known and walk.whole else end
        yield PacketFrame(number[0], pos, stop, tuple(walk.fields), known and walk.whole)
        if not (known and walk.whole):
            return
        pos = stop


class _Walk:
    """Reads the fields of one frame. whole: whether all were there so far."""

    def __init__(self, data: bytes, pos: int) -> None:
        self.data = data
        self.pos = pos
        self.fields: list[FrameField] = []
        self.whole = True

    def read(self, kind: int) -> bool:
        """Read the fields of a type behind it. Return False for an unknown type."""
        if STREAM <= kind <= LAST_STREAM:
            self._rows(_stream_rows(kind))
            return True
        if kind not in _LAYOUTS:
            return False
        self._rows(_LAYOUTS[kind][1])
        if kind in (ACK, ACK_ECN) and self.whole:
            n_ranges = self.fields[2].value
            assert isinstance(n_ranges, int)
            while n_ranges > 0 and self.whole:  # ends at the latest where the packet does
                n_ranges -= 1
                self._rows(_RANGE)
            if kind == ACK_ECN and self.whole:
                self._rows(_ECN)
        return True

    def _rows(self, rows: tuple[Row, ...]) -> None:
        for row in rows:
            self._row(row)
            if not self.whole:
                return

    def _row(self, row: Row) -> None:
        name, filter_name, kind, n_bytes = row
        data, pos = self.data, self.pos
        value: int | bytes
        if kind == _VARINT:
            read = read_varint(data, pos)
            if read is None:
                self.whole = False
                return
            value, stop = read
        else:
            if kind == _REST:
                n_bytes = len(data) - pos
            elif n_bytes == 0:
                before = self.fields[-1].value
                assert isinstance(before, int)
                n_bytes = before
            if n_bytes > len(data) - pos:
                self.whole = False
                return
            stop = pos + n_bytes
            value = data[pos] if kind == _OCTET else data[pos:stop]
        self.fields.append(FrameField(name, filter_name, value, pos, stop))
        self.pos = stop


def _stream_rows(kind: int) -> tuple[Row, ...]:
    rows = [_v("stream_id", "stream.stream_id")]
    if kind & _OFF:
        rows.append(_v("offset", "stream.offset"))
    if kind & _LEN:
        rows.append(_v("length", "stream.length"))
    rows.append(("stream_data", "stream_data", _BYTES if kind & _LEN else _REST, 0))
    return tuple(rows)
