"""Reads the extensions of a certificate (RFC 5280, section 4.2): name, criticality and value of each.

The user of a certificate must reject it for a critical extension that it does not understand, and may ignore any other unknown
extension. This module rejects nothing. An extension without a reader, or that its reader cannot read completely, is shown in
hex; in the second case with the field, offset and reason.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.codec.errors import Anomaly, Malformed, ParseError
from analyzer.x509.der import OCTET_STRING, read_element
from analyzer.x509.extension_values import READERS
from analyzer.x509.layout import EXTENSIONS, ExtensionPlace, Layout, extension_places, extension_value, is_true
from analyzer.x509.name_text import dotted
from analyzer.x509.object_identifiers import names

SHOWN_BYTES = 1 << 16
"""Maximum number of bytes of an extension that are shown in hex; the largest known have about ten thousand."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension.

    oid: dotted. name: from the registry, else the dotted form. value: JSON values; None if the extension has no reader or could
    not be read. raw: the bytes inside its OCTET STRING, up to SHOWN_BYTES. problems: the parse errors.
    """

    oid: str
    name: str
    critical: bool
    value: Any
    raw: bytes
    problems: tuple[ParseError, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return it as JSON values; `hex` is present if `value` does not contain everything."""
        return {
            "oid": self.oid,
            "name": self.name,
            "critical": self.critical,
            "value": self.value,
            "hex": self.raw.hex() if self.value is None or self.problems else None,
            "problems": [parse_error_record(problem) for problem in self.problems],
        }


def parse_error_record(error: ParseError) -> dict[str, Any]:
    """Return a parse error as JSON values: the field, its offset in bytes from the start of the certificate, the cause."""
    return {"field": error.field, "offset": error.offset, "detail": error.why}


def read_extensions(layout: Layout) -> tuple[Extension, ...] | None:
    """Read the extensions of a certificate; None if they cannot be found. Parse errors between them are added to the layout's
    problems."""
    element = layout.found.get("extensions")
    if element is None:
        return () if layout.whole or layout.raw_public_key else None
    der = layout.der
    found: list[Extension] = []
    try:
        for place in extension_places(der, element[1], element[2], EXTENSIONS, ("extensions", "extnID")):
            extension = _read_extension(der, place)
            if any(extension.oid == one.oid for one in found):
                layout.note(Anomaly("extensions", place[1][1], f"{extension.name} is there again"))
            found.append(extension)
    except ParseError as error:
        layout.note(error)
    return tuple(found)


def _read_extension(der: bytes, place: ExtensionPlace) -> Extension:
    problems: list[ParseError] = []
    _, (_, _, stop, _), (_, at, after_kind, pos) = place
    octets = der[at:after_kind]
    oid = dotted(octets, at, "extnID")
    name = names("extension").get(octets, oid)
    boolean, element = extension_value(der, pos, stop, name)
    critical = boolean is not None and is_true(der, boolean)
    if boolean is not None and not critical:
        problems.append(Anomaly(f"{name}.critical", pos, "FALSE is written down, which DER leaves out"))
    if element[0] != OCTET_STRING:
        raise Malformed(name, element[1], f"tag 0x{element[0]:02x}, not 0x{OCTET_STRING:02x}")
    if element[3] < stop:
        problems.append(Anomaly(name, element[3], f"{stop - element[3]} bytes follow it"))
    _, start, end, _ = element
    value = None
    reader = READERS.get(name)
    if reader is not None:
        try:
            body = read_element(der, start, end, name)
            value = reader(der, body, name)
            if body[3] < end:
                problems.append(Anomaly(name, body[3], f"{end - body[3]} bytes follow its value"))
        except ParseError as error:
            problems.append(type(error)(error.field, error.offset, error.why))
    if (value is None or problems) and end - start > SHOWN_BYTES:
        problems.append(
            Anomaly(name, start + SHOWN_BYTES, f"only the first {SHOWN_BYTES} of its {end - start} bytes are shown")
        )
    return Extension(oid, name, critical, value, der[start : min(end, start + SHOWN_BYTES)], tuple(problems))
