"""Decodes the field sections of one direction of HTTP/3 with QPACK (RFC 9204), by `pylsqpack`.

A section says how many entries of the dynamic table it needs (its Required Insert Count). They come in another stream, the
encoder stream, and may come later: until then the section is blocked. The count is sent modulo a number that follows from the
table's greatest capacity, which the other side announces in SETTINGS. So a section that needs entries is also blocked until
these SETTINGS are known. Where the capture lacks them, the capacity that the encoder uses stands for the greatest one: the
count is the same with both as long as fewer entries were inserted than fit into the smaller table. If bytes of the encoder
stream are missing, the number of entries is unknown from there on, and so is each later section that needs entries. A section
that needs none is decoded in any case.
"""

from collections.abc import Callable
from typing import Final

import pylsqpack

from analyzer.application.exchange import NAMES, Fields
from analyzer.application.header_fields import read_text
from analyzer.application.qpack_instructions import (
    ENTRY_COST,
    STATIC_ENTRY_MAX,
    TABLE_MAX,
    EncoderStream,
    prefix_integer,
    section_limit,
)
from analyzer.codec.errors import Malformed

FIELD_LIST_MAX: Final = 1 << 21
"""Maximum bytes of one field section after decompression, including 32 for each field (RFC 9114 section 4.2.2). It is compared
with the most that the section can have: 32 lines may refer to an entry that fills a table of 64 KiB."""

DECODED_MAX: Final = 1 << 30
"""Maximum bytes of all field sections of one direction after decompression, each counted with what it has."""

KNOWN_MAX: Final = 256
"""Maximum number of field sections of one direction whose fields are cached."""

KNOWN_SIZE_MAX: Final = 64
"""Maximum bytes of a section that is cached: short ones are sent again and again."""

NOT_KNOWN: Final = 1 << 63
"""More entries than can be inserted."""

_CAPACITY_MAX: Final = (1 << 32) - 1
"""The greatest capacity that `pylsqpack` takes. The Required Insert Count of a section is the same with a greater one."""

Note = Callable[[str, str, int], None]
"""Called with each finding: code, detail, frame."""


class FieldSections:
    """The field sections of one direction. No method raises an exception: errors become findings.

    lost: whether sections that need entries of the dynamic table can no longer be decoded.
    """

    __slots__ = (
        "_assumes", "_cached", "_capacity", "_decoder", "_early", "_instructions", "_n_decoded", "_note", "_side", "_static",
        "lost",
    )  # fmt: skip

    def __init__(self, note: Note, side: int) -> None:
        self.lost = False
        self._note = note
        self._side = side
        self._capacity: int | None = None
        # Whether the capacity is that which the encoder uses.
        self._assumes = False
        self._instructions = EncoderStream()
        # Instructions that arrived before the SETTINGS.
        self._early = bytearray()
        self._n_decoded = 0
        # Created with the first section or instruction that needs them.
        self._decoder: pylsqpack.Decoder | None = None
        self._static: pylsqpack.Decoder | None = None
        self._cached: dict[bytes, Fields] = {}

    def allow(self, capacity: int, frame: int) -> None:
        """Handle the greatest capacity of the table, in bytes, that the other side's SETTINGS announce."""
        if self._capacity is None and not self.lost:
            self._capacity = capacity
            early, self._early = bytes(self._early), bytearray()
            if early:
                self._insert(early, frame)

    def assume_capacity(self, frame: int) -> bool:
        """Handle that the other side's SETTINGS are missing. Return whether sections can be read without them."""
        capacity = self._instructions.capacity
        if self.lost or self._capacity is not None or self.n_inserts >= capacity // ENTRY_COST:
            return False
        self.allow(capacity, frame)
        self._assumes = True
        return not self.lost

    def feed_encoder(self, data: bytes, frame: int) -> None:
        """Take the next bytes of the encoder stream."""
        if self.lost:
            return
        try:
            complete = self._instructions.feed(data)
        except Malformed as error:
            self._note("malformed_encoder_stream", error.why, frame)
            self.lose("the encoder stream cannot be read", frame)
            return
        if self._capacity is None:
            self._early += complete
            if len(self._early) > TABLE_MAX:
                self.lose("the SETTINGS of the other side are missing", frame)
        elif self._assumes and self.n_inserts >= self._capacity // ENTRY_COST:
            self.lose("the SETTINGS of the other side are missing", frame)
        elif complete:
            self._insert(complete, frame)

    def lose(self, why: str, frame: int) -> None:
        """Handle that entries of the dynamic table, or its greatest capacity, are not known."""
        if not self.lost:
            self.lost = True
            self._decoder = None
            self._early.clear()
            detail = f"{why}: the {NAMES[self._side]}'s later field sections that refer to the dynamic table cannot be decoded"
            self._note("header_table_lost", detail, frame)

    @property
    def n_inserts(self) -> int:
        """Number of entries that were inserted into the dynamic table so far."""
        return self._instructions.n_inserts

    def needs(self, section: bytes) -> int:
        """Return how many entries must have been inserted before a section can be read; 0: it is not blocked.

        NOT_KNOWN: the number is not known before the other side's SETTINGS are.
        """
        if self.lost or not section or section[0] == 0:
            return 0
        if self._capacity is None:
            return NOT_KNOWN
        required = self._required(section)
        return required if required > self._instructions.n_inserts else 0

    def decode(self, section: bytes, frame: int) -> Fields | None:
        """Return the fields of a section that is not blocked, including pseudo-header fields; None if it cannot be decoded."""
        static = section[:1] == b"\0"
        cached = self._cached.get(section)
        if cached is not None:
            return cached[:]
        if not static and (self.lost or self.needs(section)):
            return None
        entry_max = STATIC_ENTRY_MAX if static else max(self._instructions.entry_max, STATIC_ENTRY_MAX)
        try:
            limit = len(section) * entry_max
            if limit > FIELD_LIST_MAX:
                limit = section_limit(section, entry_max)
        except Malformed as error:
            self._note("malformed_field_section", error.why, frame)
            return None
        if limit > FIELD_LIST_MAX or self._n_decoded > DECODED_MAX:
            self._note("long_field_section", f"up to {limit} bytes after decompression; left out", frame)
            return None
        found = self._decode(section, static)
        if found is None:
            self._note("malformed_field_section", "QPACK cannot decode it", frame)
            return None
        self._n_decoded += sum(ENTRY_COST + len(name) + len(value) for name, value in found)
        fields = [(read_text(name), read_text(value)) for name, value in found]
        if static and len(section) <= KNOWN_SIZE_MAX and len(self._cached) < KNOWN_MAX:
            self._cached[section] = fields[:]
        return fields

    def _insert(self, instructions: bytes, frame: int) -> None:
        try:
            self._dynamic().feed_encoder(instructions)
        except pylsqpack.EncoderStreamError:
            self._note("malformed_encoder_stream", "QPACK cannot decode its instructions", frame)
            self.lose("the encoder stream cannot be read", frame)

    def _dynamic(self) -> pylsqpack.Decoder:
        if self._decoder is None:
            self._decoder = pylsqpack.Decoder(min(self._capacity or 0, _CAPACITY_MAX), 1)
        return self._decoder

    def _decode(self, section: bytes, static: bool) -> list[tuple[bytes, bytes]] | None:
        if not static:
            decoder = self._dynamic()
        elif self._static is None:
            decoder = self._static = pylsqpack.Decoder(0, 0)
        else:
            decoder = self._static
        try:
            return decoder.feed_header(0, section)[1]
        except pylsqpack.DecompressionFailed:
            return None
        except pylsqpack.StreamBlocked:  # it is no longer blocked, so it is cut: `pylsqpack` waits for the rest
            decoder.cancel_stream(0)
            return None

    def _required(self, section: bytes) -> int:
        """Return a section's Required Insert Count (RFC 9204 section 4.5.1.1); 0 if it is not valid."""
        try:
            number = prefix_integer(section, 0, 8)
        except Malformed:
            return 0
        full = 2 * ((self._capacity or 0) // ENTRY_COST)
        if number is None or number[0] > full:
            return 0
        highest = self._instructions.n_inserts + full // 2
        required = highest // full * full + number[0] - 1
        if required > highest:
            if required <= full:
                return 0
            required -= full
        return required
