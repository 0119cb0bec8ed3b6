"""Which fields a column of `packet.header_rows` can show: those of headers, and facts of the frame."""

from analyzer.filters.field import Field
from analyzer.filters.field_text import is_hexadecimal
from analyzer.filters.field_type import FieldType
from analyzer.filters.header_places import header_fields
from analyzer.packet.header_rows import (
    ADDRESS,
    BIT,
    CAPTURED,
    DECIMAL,
    EPOCH,
    FRAME_LENGTH,
    FRAME_NUMBER,
    HARDWARE,
    HEXADECIMAL,
    SINCE_FIRST,
    SINCE_LAST,
    HeaderColumn,
)

_FACTS = {
    "frame.number": FRAME_NUMBER,
    "frame.len": FRAME_LENGTH,
    "frame.cap_len": CAPTURED,
    "frame.time_epoch": EPOCH,
    "frame.time_relative": SINCE_FIRST,
    "frame.time_delta": SINCE_LAST,
}
_FORMS = {
    FieldType.UINT: DECIMAL,
    FieldType.BOOLEAN: BIT,
    FieldType.ETHER: HARDWARE,
    FieldType.IPV4: ADDRESS,
    FieldType.IPV6: ADDRESS,
    FieldType.STRING: ADDRESS,
}
"""How values are shown; the text of a field of headers is that of an address."""


def header_column(field: Field) -> HeaderColumn | None:
    """Return the column that shows a field as `field_text` writes it; None if more than headers is needed."""
    fact = _FACTS.get(field.name)
    if fact is not None:
        return HeaderColumn(fact)
    known, form = header_fields().get(field.name), _FORMS.get(field.type)
    if known is None or form is None:
        return None
    if form == DECIMAL and is_hexadecimal(field):
        return HeaderColumn(HEXADECIMAL, known[1], field.bits // 4)
    return HeaderColumn(form, known[1])
