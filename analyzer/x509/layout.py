"""Locates the fields of a certificate (RFC 5280, section 4.1), in any bytes.

The fields are located first and read later, one by one, so an unreadable field does not affect the others. Callers that are
less tolerant check `sound`, and the tags that matter to them. Extensions are located in the same way, also those of other
structures: each with its identifier. Its value is located on request.

In TLS a raw public key may replace a certificate (RFC 7250). Then the bytes are only a SubjectPublicKeyInfo. It is
distinguished by its inner sequence, which begins with an object identifier.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from analyzer.codec.errors import Anomaly, Malformed, ParseError
from analyzer.x509.der import BOOLEAN, OBJECT_IDENTIFIER, SEQUENCE, Element, expect, read_element, read_header

OPTIONAL_FIELDS = 8
"""Maximum number of elements after the key that are read; there may be three: two unique identifiers and the extensions."""

EXTENSIONS = 256
"""Maximum number of extensions of one certificate that are read; real ones have about ten."""

PROBLEMS = 16
"""Maximum number of problems of one certificate that are kept; further ones add no information."""

EXTENSIONS_TAG = 0xA3
"""Tag of the extensions in tbsCertificate."""

Place: TypeAlias = tuple[int, Element]
"""The offset of an element's tag, and the element."""

ExtensionPlace: TypeAlias = tuple[int, Element, Element]
"""The offset of an Extension's tag, the Extension, and its extnID."""

_VERSION = 0xA0
_FIELDS = ("serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo")
_OPTIONAL = {
    0x81: "issuerUniqueID", 0xA1: "issuerUniqueID", 0x82: "subjectUniqueID", 0xA2: "subjectUniqueID",
    EXTENSIONS_TAG: "extensions",
}  # fmt: skip

_Value = TypeVar("_Value")


class Layout:
    """A certificate's fields by their RFC names, and the parse errors found in reading them.

    found: the element of each field; from the serial number to the key, each begins where the one before it ends. signed: the
    place of tbsCertificate, None if its end or that of the certificate is missing. behind: the places of the elements after the
    key, OPTIONAL_FIELDS at most. key: start and end of the whole SubjectPublicKeyInfo, None if it was not found.
    raw_public_key: whether there is only a key. truncated: whether the end of tbsCertificate is missing. whole: whether it was
    read to its end. sound: whether `signed` is set and all elements up to that limit could be read, with any tags.
    """

    __slots__ = ("behind", "der", "found", "key", "problems", "raw_public_key", "signed", "sound", "truncated", "whole")

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.problems: list[ParseError] = []
        self.found: dict[str, Element] = {}
        self.signed: Place | None = None
        self.behind: list[Place] = []
        self.key: tuple[int, int] | None = None
        self.raw_public_key = self.truncated = self.whole = self.sound = False
        try:
            self._find()
        except ParseError as error:
            self.note(error)

    def read(self, field: str, read: Callable[[bytes, Element, str], _Value]) -> _Value | None:
        """Read one field; None if it is missing or cannot be read."""
        element = self.found.get(field)
        if element is None:
            return None
        try:
            return read(self.der, element, field)
        except ParseError as error:
            self.note(error)
            return None

    def note(self, error: ParseError) -> None:
        """Add a parse error."""
        # The copy has no traceback and context; those of a raised error keep the frames of the readers in memory.
        if len(self.problems) < PROBLEMS:
            self.problems.append(type(error)(error.field, error.offset, error.why))

    def _find(self) -> None:
        der, found, size = self.der, self.found, len(self.der)
        signed = None
        try:
            outer, at, end, after = read_element(der, 0, size, "Certificate")
            inner, pos, stop, rest = element = read_element(der, at, end, "tbsCertificate")
            if outer == inner == SEQUENCE:
                signed = element
                self.raw_public_key = pos < size and der[pos] == OBJECT_IDENTIFIER
        except Malformed:
            self.raw_public_key = _is_raw_public_key(der)
        if self.raw_public_key:
            self._find_key()
            return
        if signed is None:
            at, end, after = self._open(0, size, "Certificate")
        else:
            self.signed = at, signed
        if after < size:
            self._note_rest("Certificate", after)
        if signed is None:
            self.truncated = False
            pos, stop, rest = self._open(at, end, "tbsCertificate")
        try:
            self._find_signed(pos, stop)
        except ParseError as error:
            self.note(error)
        if not self.truncated:
            algorithm = found["signatureAlgorithm"] = read_element(der, rest, end, "signatureAlgorithm")
            found["signatureValue"] = read_element(der, algorithm[3], end, "signatureValue")

    def _find_signed(self, pos: int, end: int) -> None:
        der, found = self.der, self.found
        if pos < end and der[pos] == _VERSION:
            found["version"] = element = read_element(der, pos, end, "version")
            pos = element[3]
        for field in _FIELDS:
            found[field] = element = read_element(der, pos, end, field)
            pos = element[3]
        self.key = found["subject"][3], pos
        for _ in range(OPTIONAL_FIELDS):
            if pos >= end:
                self.whole = not self.truncated
                break
            element = read_element(der, pos, end, "extensions")
            self.behind.append((pos, element))
            field = _OPTIONAL.get(element[0], "")
            if field:
                found[field] = element
            pos = element[3]
        else:
            self.note(Anomaly("extensions", pos, f"over {OPTIONAL_FIELDS} elements behind the key"))
        self.sound = self.signed is not None

    def _open(self, pos: int, end: int, field: str) -> tuple[int, int, int]:
        """Return start and end of a sequence's value, and the offset after it. A truncated one ends at the end of the bytes."""
        tag, start, length = read_header(self.der, pos, end, field)
        if tag != SEQUENCE:
            raise Malformed(field, pos, f"tag 0x{tag:02x}, not 0x{SEQUENCE:02x}")
        if length > end - start:
            self.note(Malformed(field, pos, f"length {length}, but {end - start} bytes left"))
            self.truncated = True
            return start, end, end
        return read_element(self.der, pos, end, field)[1:]

    def _find_key(self) -> None:
        element = self.found["subjectPublicKeyInfo"] = read_element(self.der, 0, len(self.der), "subjectPublicKeyInfo")
        self.key = (0, element[3])
        if element[3] < len(self.der):
            self._note_rest("SubjectPublicKeyInfo", element[3])

    def _note_rest(self, field: str, after: int) -> None:
        self.note(Anomaly(field, after, f"{len(self.der) - after} bytes follow it"))


def extension_places(
    der: bytes, pos: int, end: int, limit: int | None = None, fields: tuple[str, str] = ("extension", "extnID")
) -> Iterator[ExtensionPlace]:
    """Locate the Extensions at `pos`, one after the other; they must end by `end`. Raises `Malformed`.

    limit: maximum number of Extensions; raises `Anomaly` if there is another. None: no limit. fields: names of an Extension and
    of its identifier in parse errors.
    """
    extension_field, identifier_field = fields
    _, pos, end, _ = expect(der, pos, end, SEQUENCE, "extensions")
    n_found = 0
    while pos < end:
        if n_found == limit:
            raise Anomaly("extensions", pos, f"extensions after {limit} are not read")
        n_found += 1
        extension = expect(der, pos, end, SEQUENCE, extension_field)
        yield pos, extension, expect(der, extension[1], extension[2], OBJECT_IDENTIFIER, identifier_field)
        pos = extension[3]


def extension_value(der: bytes, pos: int, end: int, field: str) -> tuple[Element | None, Element]:
    """Locate `critical`, None if it is left out, and the element in the place of extnValue, with any tag.

    pos: offset after extnID. end: end of the Extension. Raises `Malformed`.
    """
    element = read_element(der, pos, end, field)
    if element[0] != BOOLEAN:
        return None, element
    return element, read_element(der, element[3], end, field)


def is_true(der: bytes, boolean: Element) -> bool:
    """Return whether a BOOLEAN is true: 0xff in DER, any byte but 0 in BER."""
    return any(der[boolean[1] : boolean[2]])


def _is_raw_public_key(der: bytes) -> bool:
    try:
        tag, start, _ = read_header(der, 0, len(der), "")
        inner, at, _ = read_header(der, start, len(der), "")
    except Malformed:
        return False
    return tag == inner == SEQUENCE and der[at : at + 1] == bytes((OBJECT_IDENTIFIER,))
