"""The grammar of the extensions of certificates (RFC 5280 section 4.2, RFC 6962 section 3.3), by their object identifiers.

The fields are those of Wireshark's modules `x509ce`, `pkix1implicit` and `pkix1explicit`.
"""

from collections.abc import Iterator

from analyzer.filters.asn1_grammar import (
    CONTEXT,
    PRIMITIVE,
    Reader,
    add,
    behind,
    choice,
    ignore,
    in_octets,
    inside,
    leaf,
    marker,
    member,
    sequence,
    sequence_of,
    typed,
)
from analyzer.filters.der_parts import parts
from analyzer.filters.frame_view import Found
from analyzer.filters.name_grammar import general_name, general_names, text
from analyzer.x509.der import BIT_STRING, BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, encode_object_identifier

_USAGES = (
    "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
    "encipherOnly", "decipherOnly",
)  # fmt: skip
_IA5, _VISIBLE, _BMP, _UTF8 = 0x16, 0x1A, 0x1E, 0x0C


def number(content: bytes) -> int | None:
    """Convert an INTEGER; None where it is longer than 64 bits."""
    return int.from_bytes(content, signed=True) if len(content) <= 8 else None


def truth(content: bytes) -> bool:
    """Convert a BOOLEAN."""
    return content != b"\0"


def _usage(found: Found, tag: int, content: bytes) -> None:
    """Read KeyUsage, whose bits that are not there are zero."""
    if tag != BIT_STRING or not content:
        return
    octets = content[1:]
    add(found, "x509ce.KeyUsage", octets, octets)
    bits = int.from_bytes((octets + b"\0\0")[:2])
    for place, name in enumerate(_USAGES):
        add(found, f"x509ce.KeyUsage.{name}", bool(bits >> 15 - place & 1), octets)


_DISPLAY_TEXT = {
    _IA5: (0, leaf("pkix1implicit.ia5String", text("ascii"))),
    _VISIBLE: (1, leaf("pkix1implicit.visibleString", text("ascii"))),
    _BMP: (2, leaf("pkix1implicit.bmpString", text("utf-16-be"))),
    _UTF8: (3, leaf("pkix1implicit.utf8String", text("utf-8"))),
}

_QUALIFIERS: dict[bytes, Reader] = {
    encode_object_identifier("1.3.6.1.5.5.7.2.1"): leaf("pkix1explicit.DirectoryString", text("ascii")),
    encode_object_identifier("1.3.6.1.5.5.7.2.2"): sequence(
        "pkix1implicit.UserNotice_element",
        member(
            sequence(
                "pkix1implicit.noticeRef_element",
                member(choice("pkix1implicit.organization", _DISPLAY_TEXT), *_DISPLAY_TEXT),
                member(sequence_of("pkix1implicit.noticeNumbers", leaf("pkix1implicit.noticeNumbers_item", number)), SEQUENCE),
            ),
            SEQUENCE,
        ),
        member(choice("pkix1implicit.explicitText", _DISPLAY_TEXT), *_DISPLAY_TEXT),
    ),
}

_POLICY = sequence(
    "x509ce.PolicyInformation_element",
    member(leaf("x509ce.policyIdentifier"), OBJECT_IDENTIFIER),
    member(
        sequence_of(
            "x509ce.policyQualifiers",
            behind(marker("x509ce.PolicyQualifierInfo_element"), typed("x509ce.id", bytes, _QUALIFIERS)),
        ),
        SEQUENCE,
    ),
)

_DISTRIBUTION_POINT = sequence(
    "x509ce.DistributionPoint_element",
    member(
        inside(choice("x509ce.distributionPoint", {CONTEXT: (0, general_names("x509ce.fullName")), CONTEXT + 1: (1, ignore)})),
        CONTEXT,
    ),
)

_SUBTREE = sequence("", member(general_name("x509ce.base")))

_ACCESS = sequence(
    "pkix1implicit.AccessDescription_element",
    member(leaf("pkix1implicit.accessMethod"), OBJECT_IDENTIFIER),
    member(general_name("pkix1implicit.accessLocation")),
)

_VALUES: dict[str, Reader] = {
    "2.5.29.14": leaf("x509ce.SubjectKeyIdentifier"),
    "2.5.29.15": _usage,
    "2.5.29.17": general_names("x509ce.GeneralNames"),
    "2.5.29.18": general_names("x509ce.GeneralNames"),
    "2.5.29.19": sequence(
        "x509ce.BasicConstraintsSyntax_element",
        member(leaf("x509ce.cA", truth), BOOLEAN),
        member(leaf("x509ce.pathLenConstraint", number), INTEGER),
    ),
    "2.5.29.30": sequence(
        "x509ce.NameConstraintsSyntax_element",
        member(sequence_of("x509ce.permittedSubtrees", _SUBTREE), CONTEXT),
        member(sequence_of("x509ce.excludedSubtrees", _SUBTREE), CONTEXT + 1),
    ),
    "2.5.29.31": sequence_of("x509ce.CRLDistPointsSyntax", _DISTRIBUTION_POINT),
    "2.5.29.32": sequence_of("x509ce.CertificatePoliciesSyntax", _POLICY),
    "2.5.29.35": sequence(
        "x509ce.AuthorityKeyIdentifier_element",
        member(leaf("x509ce.keyIdentifier"), PRIMITIVE),
        member(general_names("x509ce.authorityCertIssuer"), CONTEXT + 1),
        member(leaf("x509ce.authorityCertSerialNumber"), PRIMITIVE + 2),
    ),
    "2.5.29.37": sequence_of("x509ce.KeyPurposeIDs", leaf("x509ce.KeyPurposeId")),
    "1.3.6.1.4.1.311.21.10": sequence_of("x509ce.CertificatePoliciesSyntax", _POLICY),
    "1.3.6.1.5.5.7.1.1": sequence_of("pkix1implicit.AuthorityInfoAccessSyntax", _ACCESS),
    "1.3.6.1.4.1.311.21.7": sequence(
        "x509ce.CertificateTemplate_element",
        member(leaf("x509ce.templateID"), OBJECT_IDENTIFIER),
        member(leaf("x509ce.templateMajorVersion", number), INTEGER),
        member(leaf("x509ce.templateMinorVersion", number), INTEGER),
    ),
}

EXTENSION_VALUES: dict[bytes, Reader] = {encode_object_identifier(kind): in_octets(reader) for kind, reader in _VALUES.items()}
"""The readers of the octet strings that hold the values of extensions, by object identifier."""


def _critical(reader: Reader) -> Reader:
    """Return the reader of what follows an extension's object identifier: whether it is critical, and its value."""

    def read(found: Found, tag: int, content: bytes) -> None:
        if tag == BOOLEAN:
            leaf("x509af.critical", truth)(found, tag, content)
        else:
            reader(found, tag, content)

    return read


EXTENSION = behind(
    marker("x509af.Extension_element"),
    typed("x509af.extension.id", bytes, {kind: _critical(one) for kind, one in EXTENSION_VALUES.items()}, _critical(ignore)),
)
"""One extension of a certificate."""

_SCT_LIST = encode_object_identifier("1.3.6.1.4.1.11129.2.4.2")
_EXTENSIONS = CONTEXT + 3


def sct_list(der: bytes) -> Iterator[bytes]:
    """Yield the list of timestamps in a certificate, as TLS writes it (RFC 6962 section 3.3); nothing where there is none."""
    signed = next((part for _, certificate in parts(der) for _, part in parts(certificate)), b"")
    for tag, content in parts(signed):
        for _, extensions in parts(content) if tag == _EXTENSIONS else ():
            for _, one in parts(extensions):
                pair = list(parts(one))
                if pair and pair[0] == (OBJECT_IDENTIFIER, _SCT_LIST):
                    yield from (octets for inner, octets in parts(pair[-1][1]) if inner == OCTET_STRING)
