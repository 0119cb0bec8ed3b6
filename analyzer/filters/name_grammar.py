"""The grammar of names in certificates: distinguished names (X.501, RFC 5280 appendix A.1) and GeneralName (section 4.2.1.6).

The fields are those of Wireshark's modules `x509if`, `x509sat` and `x509ce`.
"""

from analyzer.filters.asn1_grammar import (
    CONTEXT,
    PRIMITIVE,
    Convert,
    Reader,
    behind,
    choice,
    ignore,
    inside,
    leaf,
    marker,
    sequence_of,
    typed,
)
from analyzer.filters.frame_view import Found
from analyzer.x509.der import SEQUENCE, encode_object_identifier

_UTF8, _PRINTABLE, _TELETEX, _UNIVERSAL, _BMP = 0x0C, 0x13, 0x14, 0x1C, 0x1E
_ADDRESSES = {4: "x509ce.IPAddress.ipv4", 16: "x509ce.IPAddress.ipv6"}


def text(encoding: str) -> Convert:
    """Return the conversion of a text in this encoding."""
    return lambda content: content.decode(encoding, "replace")


DIRECTORY_STRING = choice(
    "x509sat.DirectoryString",
    {
        _TELETEX: (0, leaf("x509sat.teletexString", text("latin-1"))),
        _PRINTABLE: (1, leaf("x509sat.printableString", text("ascii"))),
        _UNIVERSAL: (2, leaf("x509sat.universalString", text("utf-32-be"))),
        _BMP: (3, leaf("x509sat.bmpString", text("utf-16-be"))),
        _UTF8: (4, leaf("x509sat.uTF8String", text("utf-8"))),
    },
)
"""X.520: a text in one of five encodings."""

_ia5 = leaf("x509sat.IA5String", text("ascii"))
_printable = leaf("x509sat.PrintableString", text("ascii"))

_country = leaf("x509sat.CountryName", text("ascii"))

_KINDS: dict[bytes, Reader] = {
    encode_object_identifier("2.5.4.5"): _printable,
    encode_object_identifier("2.5.4.6"): _country,
    encode_object_identifier("1.3.6.1.4.1.311.60.2.1.3"): _country,
    encode_object_identifier("2.5.4.46"): _printable,
    encode_object_identifier("1.2.840.113549.1.9.1"): _ia5,
    encode_object_identifier("0.9.2342.19200300.100.1.25"): _ia5,
}
"""Attributes whose values are no DirectoryString: serialNumber, the countries of a name and of a
jurisdiction, dnQualifier, emailAddress, domainComponent."""

_ATTRIBUTE = behind(
    marker("x509if.RelativeDistinguishedName_item_element"), typed("x509if.oid", bytes, _KINDS, DIRECTORY_STRING)
)


def distinguished_names(name: str) -> Reader:
    """Return the reader of an RDNSequence. name: of the field with the number of its items."""
    return sequence_of(name, sequence_of("x509if.RDNSequence_item", _ATTRIBUTE))


def name_choice(name: str, sequence: str) -> Reader:
    """Return the reader of a Name, which has one alternative. name: of its field; sequence: of that of the RDNSequence."""
    return choice(name, {SEQUENCE: (0, distinguished_names(sequence))})


def _address(found: Found, tag: int, content: bytes) -> None:
    """Read an iPAddress: an address, or in name constraints an address and a mask."""
    leaf(_ADDRESSES.get(len(content), "x509ce.IPAddress.unknown"))(found, tag, content)


def general_name(name: str) -> Reader:
    """Return the reader of a GeneralName. name: of the field with its alternative."""
    return choice(
        name,
        {
            CONTEXT + 0: (0, ignore),
            PRIMITIVE + 1: (1, leaf("x509ce.rfc822Name", text("ascii"))),
            PRIMITIVE + 2: (2, leaf("x509ce.dNSName", text("ascii"))),
            CONTEXT + 3: (3, ignore),
            CONTEXT + 4: (4, inside(name_choice("x509ce.directoryName", "x509if.rdnSequence"))),
            CONTEXT + 5: (5, ignore),
            PRIMITIVE + 6: (6, leaf("x509ce.uniformResourceIdentifier", text("ascii"))),
            PRIMITIVE + 7: (7, _address),
            PRIMITIVE + 8: (8, leaf("x509ce.registeredID")),
        },
    )


def general_names(name: str) -> Reader:
    """Return the reader of GeneralNames. name: of the field with their number."""
    return sequence_of(name, general_name("x509ce.GeneralName"))
