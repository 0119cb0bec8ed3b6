"""Where the fields of a certificate are (RFC 5280, section 4.1), found in bytes of any kind.

The fields are found first and read later, one by one, so that one that cannot be read leaves the others standing. Where TLS
lets a raw public key take a certificate's place (RFC 7250), the bytes are a SubjectPublicKeyInfo alone; what tells it apart
is that its inner sequence begins with an object identifier.
"""

from collections.abc import Callable
from typing import TypeVar

from analyzer.codec.trouble import Malformed, Odd, Trouble
from analyzer.x509.der import INDEFINITE, OBJECT_IDENTIFIER, SEQUENCE, Element, read_element, read_header

OPTIONAL_FIELDS = 8
"""Elements looked at behind the key; there may be three: two unique identifiers and the extensions."""

PROBLEMS = 16
"""Problems kept of one certificate; after so many, one more tells nothing."""

_VERSION = 0xA0
_OPTIONAL = {
    0x81: "issuerUniqueID", 0xA1: "issuerUniqueID", 0x82: "subjectUniqueID", 0xA2: "subjectUniqueID", 0xA3: "extensions",
}  # fmt: skip

_Value = TypeVar("_Value")


class Layout:
    """A certificate's fields by their RFC names, and the troubles met in reading them.

    found: where each is. key: start and end of the whole SubjectPublicKeyInfo, None when it was not found. raw_public_key:
    whether there is nothing else. cut: whether the end of the certificate is missing; whole: whether what is signed was read
    to its end.
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.problems: list[Trouble] = []
        self.found: dict[str, Element] = {}
        self.key: tuple[int, int] | None = None
        self.raw_public_key = is_raw_public_key(der)
        self.cut = self.whole = False
        try:
            if self.raw_public_key:
                self._find_key()
            else:
                self._find()
        except Trouble as trouble:
            self.note(trouble)

    def read(self, field: str, read: Callable[[bytes, Element, str], _Value]) -> _Value | None:
        """Read one field; None when it is not there or cannot be read."""
        element = self.found.get(field)
        if element is None:
            return None
        try:
            return read(self.der, element, field)
        except Trouble as trouble:
            self.note(trouble)
            return None

    def note(self, trouble: Trouble) -> None:
        """Keep a trouble."""
        # One that was raised keeps the readers' frames alive, by its traceback and context; the copy does not.
        if len(self.problems) < PROBLEMS:
            self.problems.append(type(trouble)(trouble.field, trouble.offset, trouble.why))

    def _find_key(self) -> None:
        element = self.found["subjectPublicKeyInfo"] = read_element(self.der, 0, len(self.der), "subjectPublicKeyInfo")
        self.key = (0, element[3])
        self._note_rest("SubjectPublicKeyInfo", element[3])

    def _find(self) -> None:
        pos, end, after = self._open(0, len(self.der), "Certificate")
        self._note_rest("Certificate", after)
        self.cut = False
        pos, signed_end, after = self._open(pos, end, "tbsCertificate")
        try:
            self._find_signed(pos, signed_end)
        except Trouble as trouble:
            self.note(trouble)
        if not self.cut:
            algorithm = self.found["signatureAlgorithm"] = read_element(self.der, after, end, "signatureAlgorithm")
            self.found["signatureValue"] = read_element(self.der, algorithm[3], end, "signatureValue")

    def _find_signed(self, pos: int, end: int) -> None:
        der, found = self.der, self.found
        if pos < end and der[pos] == _VERSION:
            found["version"] = read_element(der, pos, end, "version")
            pos = found["version"][3]
        for field in ("serialNumber", "signature", "issuer", "validity", "subject"):
            element = found[field] = read_element(der, pos, end, field)
            pos = element[3]
        element = found["subjectPublicKeyInfo"] = read_element(der, pos, end, "subjectPublicKeyInfo")
        self.key = (pos, element[3])
        pos = element[3]
        for _ in range(OPTIONAL_FIELDS):
            if pos >= end:
                self.whole = not self.cut
                break
            element = read_element(der, pos, end, "extensions")
            field = _OPTIONAL.get(element[0], "")
            if field:
                found[field] = element
            pos = element[3]
        else:
            raise Odd("extensions", pos, f"over {OPTIONAL_FIELDS} elements behind the key")

    def _open(self, pos: int, end: int, field: str) -> tuple[int, int, int]:
        """Give start and end of a sequence's value and the offset after it; one cut off ends where the bytes do."""
        tag, start, length = read_header(self.der, pos, end, field)
        if tag != SEQUENCE:
            raise Malformed(field, pos, f"tag 0x{tag:02x}, not 0x{SEQUENCE:02x}")
        if length > end - start:
            self.note(Malformed(field, pos, f"length {length}, but {end - start} bytes left"))
            self.cut = True
            return start, end, end
        if length == INDEFINITE:
            _, start, stop, after = read_element(self.der, pos, end, field)
            return start, stop, after
        return start, start + length, start + length

    def _note_rest(self, field: str, after: int) -> None:
        if after < len(self.der):
            self.note(Odd(field, after, f"{len(self.der) - after} bytes follow it"))


def is_raw_public_key(der: bytes) -> bool:
    """Whether the bytes are a SubjectPublicKeyInfo alone, as far as its beginning tells."""
    try:
        tag, start, _ = read_header(der, 0, len(der), "")
        inner, at, _ = read_header(der, start, len(der), "")
    except Malformed:
        return False
    return tag == inner == SEQUENCE and der[at : at + 1] == bytes((OBJECT_IDENTIFIER,))
