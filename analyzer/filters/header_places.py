"""The fields of headers: each is a place in a header, or in several (`header_places.csv`), and is read without decoding more.

A field with several rows has all these places: `tcp.port` is the source port and the destination port. The columns `layer`,
`at`, `width`, `mask` and `factor` are those of `packet.layer_places.Place`; the first row has type, label and value strings.
"""

from functools import cache

from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType
from analyzer.filters.value_strings import rows, type_of, value_strings
from analyzer.packet.layer_places import BOOLEAN, HEADER, KINDS, NUMBER, OCTETS, Place

_FORMS = {FieldType.UINT: NUMBER, FieldType.BOOLEAN: BOOLEAN, FieldType.PROTOCOL: HEADER}
_ADDRESS_TEXT = "ADDRESS_TEXT"


@cache
def header_fields() -> dict[str, tuple[Field, tuple[Place, ...]]]:
    """Return the fields with their places, by name, in the order of the list."""
    fields: dict[str, Field] = {}
    places: dict[str, list[Place]] = {}
    for row in rows("header_places"):
        name = row["name"]
        if name not in fields:
            fields[name] = _field(row)
            places[name] = []
        places[name].append(_place(row, fields[name].type))
    return {name: (field, tuple(places[name])) for name, field in fields.items()}


def _field(row: dict[str, str]) -> Field:
    kind, bits = type_of("STRING" if row["type"] == _ADDRESS_TEXT else row["type"])
    return Field(row["name"], kind, row["label"], value_strings(row["values"]), row["base"] or "none", bits)


def _place(row: dict[str, str], kind: FieldType) -> Place:
    width = int(row["width"] or 0)
    mask = int(row["mask"], 0) if row["mask"] else (1 << 8 * min(width, 4)) - 1
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    return Place(
        KINDS.index(row["layer"]), _FORMS.get(kind, OCTETS), int(row["at"] or 0), width, mask, shift, int(row["factor"] or 1)
    )
