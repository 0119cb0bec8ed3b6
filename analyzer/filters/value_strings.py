"""Reads the columns of the field lists (`*.csv`): types with their widths, and value strings.

A column `values` has the texts themselves, `1=request;2=reply`, or the name of a registry (`codec.registry`). With `:title`
behind it, as in `handshake_types:title`, the registry's `client_hello` becomes `Client Hello`, as Wireshark writes it. What
Wireshark calls otherwise than the registry is in `value_names.csv`, and has its name from there; the values of GREASE
(RFC 8701) have one name.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache

from analyzer.codec.registry import registry
from analyzer.filters.field_type import FieldType

_FOLDER = os.path.dirname(__file__)
_GREASE_NUMBERS = range(0x0A0A, 0x10000, 0x1010)
_GREASE = dict.fromkeys(("cipher_suites", "extensions", "supported_groups", "versions"), "Reserved (GREASE)")
_GREASE["signature_schemes"] = "GREASE"
_WIDE = re.compile(r"(UINT|INT)(\d+)\Z")


def rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of one field list, in the order of the file."""
    with open(os.path.join(_FOLDER, f"{name}.csv"), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def type_of(text: str) -> tuple[FieldType, int]:
    """Return the type and the width in bits of `UINT16`, `BYTES` and so on; the width is 0 where it has none."""
    wide = _WIDE.match(text)
    if wide is not None:
        return FieldType[wide[1]], int(wide[2])
    return FieldType[text], 64 if text == "FLOAT" else 0


@cache
def value_strings(text: str) -> Mapping[int, str] | None:
    """Return what the numbers of a field are called, from a column `values`; None for an empty one."""
    if not text:
        return None
    if "=" in text:
        pairs = (pair.split("=", 1) for pair in text.split(";"))
        return {int(number, 0): name for number, name in pairs}
    name, _, style = text.partition(":")
    known = registry(name)
    names = {number: known.name(number) for number in known}
    if style == "title":
        names = {number: _titled(one) for number, one in names.items()}
    names.update(_names_of_wireshark().get(name, {}))
    if name in _GREASE:
        names.update(dict.fromkeys(_GREASE_NUMBERS, _GREASE[name]))
    if name == "ssl2_cipher_kinds":
        names.update(value_strings("cipher_suites") or {})  # RFC 6101 appendix E: a cipher suite behind a byte 0
    return names


@cache
def _names_of_wireshark() -> Mapping[str, Mapping[int, str]]:
    names: dict[str, dict[int, str]] = {}
    for row in rows("value_names"):
        names.setdefault(row["registry"], {})[int(row["number"])] = row["name"]
    return names


def _titled(name: str) -> str:
    return " ".join(word if word.isupper() else word[:1].upper() + word[1:] for word in name.split("_"))
