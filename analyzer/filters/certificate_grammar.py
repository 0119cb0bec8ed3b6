"""The grammar of certificates and OCSP messages (RFC 5280 section 4.1, RFC 6960 section 4, RFC 3279 for keys).

The fields are those of Wireshark's modules `x509af`, `pkixalgs` and `ocsp`. The grammar is walked over the bytes, so what
strict parsers refuse has its fields too.
"""

from datetime import datetime

from analyzer.codec.errors import ParseError
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
from analyzer.filters.extension_grammar import EXTENSION, number
from analyzer.filters.frame_view import Found
from analyzer.filters.name_grammar import general_name, name_choice
from analyzer.x509.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    UTC_TIME,
    encode_object_identifier,
    object_identifier,
)
from analyzer.x509.times import time_text

_ENUMERATED = 0x0A
_SECOND = 1_000_000_000
_EC_PUBLIC_KEY = encode_object_identifier("1.2.840.10045.2.1")
_RSA_PUBLIC_KEY = encode_object_identifier("1.2.840.113549.1.1.1")


def utc_time(octets: bytes) -> str:
    """Return a UTCTime as Wireshark writes it: `2026-10-03 09:00:00 (UTC)`; as it is, if it has another form."""
    written = octets.decode("ascii", "replace")
    if len(written) != 13 or not written[:12].isdigit() or written[12] != "Z":
        return written
    pairs = [written[at : at + 2] for at in range(0, 12, 2)]
    century = "20" if int(pairs[0]) < 50 else "19"
    return f"{century}{'-'.join(pairs[:3])} {':'.join(pairs[3:])} (UTC)"


def generalized_time(content: bytes) -> int | None:
    """Convert a GeneralizedTime to nanoseconds since 1970; None where it is no time."""
    try:
        written = time_text(content, (GENERALIZED_TIME, 0, len(content), len(content)), "")
    except ParseError:
        return None
    seconds = int(datetime.fromisoformat(written[:19] + "+00:00").timestamp())
    return seconds * _SECOND + int(written[20:-1] or 0)


def _type_text(content: bytes) -> str | None:
    try:
        return object_identifier(content)
    except ValueError:
        return None


def _bits(name: str) -> Reader:
    """Return the reader of a BIT STRING of whole bytes."""
    return leaf(name, lambda content: content[1:])


_PARAMETERS: dict[bytes, Reader] = {
    _EC_PUBLIC_KEY: choice(
        "pkixalgs.ECParameters",
        {SEQUENCE: (0, marker("pkixalgs.specifiedCurve_element")), OBJECT_IDENTIFIER: (1, leaf("pkixalgs.namedCurve"))},
    )
}


def algorithm(name: str) -> Reader:
    """Return the reader of an AlgorithmIdentifier. name: of a field that is only there; empty for none."""
    reader = typed("x509af.algorithm.id", bytes, _PARAMETERS)
    return behind(marker(name), reader) if name else reader


_PARAMETERS[encode_object_identifier("1.2.840.113549.1.1.10")] = sequence(
    "pkixalgs.RSASSA_PSS_params_element",
    member(inside(algorithm("pkixalgs.hashAlgorithm_element")), CONTEXT),
    member(inside(algorithm("pkixalgs.maskGenAlgorithm_element")), CONTEXT + 1),
    member(inside(leaf("pkixalgs.saltLength", number)), CONTEXT + 2),
)

_VALIDITY_TIME = {
    UTC_TIME: (0, leaf("x509af.utcTime", utc_time)),
    GENERALIZED_TIME: (1, leaf("x509af.generalizedTime", generalized_time)),
}

_RSA_KEY = sequence(
    "x509af.subjectPublicKey.rsa",
    member(leaf("pkixalgs.modulus"), INTEGER),
    member(leaf("pkixalgs.publicExponent", number), INTEGER),
)


def _key(found: Found, tag: int, content: bytes) -> None:
    """Read SubjectPublicKeyInfo, whose bit string has a structure if the algorithm is RSA."""
    add(found, "x509af.subjectPublicKeyInfo_element", None, content)
    is_rsa = False
    for inner, part in parts(content):
        if inner == SEQUENCE:
            is_rsa = any(one == _RSA_PUBLIC_KEY for _, one in parts(part))
            algorithm("x509af.algorithm_element")(found, inner, part)
        elif inner == BIT_STRING:
            add(found, "x509af.subjectPublicKey", part[1:], part[1:])
            if is_rsa:
                inside(_RSA_KEY)(found, inner, part[1:])
            return


_SIGNED = sequence(
    "x509af.signedCertificate_element",
    member(inside(leaf("x509af.version", number)), CONTEXT),
    member(leaf("x509af.serialNumber"), INTEGER),
    member(algorithm("x509af.signature_element"), SEQUENCE),
    member(name_choice("x509af.issuer", "x509if.rdnSequence"), SEQUENCE),
    member(
        sequence(
            "x509af.validity_element",
            member(choice("x509af.notBefore", _VALIDITY_TIME)),
            member(choice("x509af.notAfter", _VALIDITY_TIME)),
        ),
        SEQUENCE,
    ),
    member(name_choice("x509af.subject", "x509af.rdnSequence"), SEQUENCE),
    member(_key, SEQUENCE),
    member(ignore, PRIMITIVE + 1),
    member(ignore, PRIMITIVE + 2),
    member(inside(sequence_of("x509af.extensions", EXTENSION)), CONTEXT + 3),
)


CERTIFICATE = sequence(
    "",
    member(_SIGNED, SEQUENCE),
    member(algorithm("x509af.algorithmIdentifier_element"), SEQUENCE),
    member(_bits("x509af.encrypted"), BIT_STRING),
)
"""A certificate."""

_NONCE = encode_object_identifier("1.3.6.1.5.5.7.48.1.2")
_OCSP_VALUES: dict[bytes, Reader] = {_NONCE: in_octets(leaf("ocsp.ReOcspNonce"))}
_OCSP_EXTENSION = behind(marker("pkix1explicit.Extension_element"), typed("pkix1explicit.oid", bytes, _OCSP_VALUES))

_CERTIFICATE_ID = (
    member(algorithm("ocsp.hashAlgorithm_element"), SEQUENCE),
    member(leaf("ocsp.issuerNameHash"), OCTET_STRING),
    member(leaf("ocsp.issuerKeyHash"), OCTET_STRING),
    member(leaf("ocsp.serialNumber"), INTEGER),
)

_SIGNATURE = (
    member(algorithm("ocsp.signatureAlgorithm_element"), SEQUENCE),
    member(_bits("ocsp.signature"), BIT_STRING),
    member(
        inside(sequence_of("ocsp.certs", behind(marker("ocsp.Certificate_element"), CERTIFICATE))),
        CONTEXT,
    ),
)

_SINGLE = sequence(
    "ocsp.SingleResponse_element",
    member(sequence("ocsp.certID_element", *_CERTIFICATE_ID), SEQUENCE),
    member(
        choice(
            "ocsp.certStatus",
            {
                PRIMITIVE: (0, marker("ocsp.good_element")),
                CONTEXT + 1: (
                    1,
                    sequence(
                        "ocsp.revoked_element",
                        member(leaf("ocsp.revocationTime", generalized_time), GENERALIZED_TIME),
                        member(inside(leaf("ocsp.revocationReason", number)), CONTEXT),
                    ),
                ),
                PRIMITIVE + 2: (2, marker("ocsp.unknown_element")),
            },
        ),
        PRIMITIVE,
        CONTEXT + 1,
        PRIMITIVE + 2,
    ),
    member(leaf("ocsp.thisUpdate", generalized_time), GENERALIZED_TIME),
    member(inside(leaf("ocsp.nextUpdate", generalized_time)), CONTEXT),
    member(inside(sequence_of("ocsp.singleExtensions", _OCSP_EXTENSION)), CONTEXT + 1),
)

_RESPONDER = choice(
    "ocsp.responderID",
    {
        CONTEXT + 1: (1, inside(name_choice("ocsp.byName", "x509if.rdnSequence"))),
        CONTEXT + 2: (2, inside(leaf("ocsp.byKey"))),
    },
)

_BASIC = sequence(
    "ocsp.BasicOCSPResponse_element",
    member(
        sequence(
            "ocsp.tbsResponseData_element",
            member(inside(leaf("ocsp.version", number)), CONTEXT),
            member(_RESPONDER, CONTEXT + 1, CONTEXT + 2),
            member(leaf("ocsp.producedAt", generalized_time), GENERALIZED_TIME),
            member(sequence_of("ocsp.responses", _SINGLE), SEQUENCE),
            member(inside(sequence_of("ocsp.responseExtensions", _OCSP_EXTENSION)), CONTEXT + 1),
        ),
        SEQUENCE,
    ),
    *_SIGNATURE,
)

OCSP_RESPONSE = sequence(
    "",
    member(leaf("ocsp.responseStatus", number), _ENUMERATED),
    member(
        inside(
            sequence(
                "ocsp.responseBytes_element",
                member(leaf("ocsp.responseType.id", _type_text), OBJECT_IDENTIFIER),
                member(in_octets(_BASIC), OCTET_STRING),
            )
        ),
        CONTEXT,
    ),
)
"""A response of OCSP (RFC 6960 section 4.2.1)."""

OCSP_REQUEST = sequence(
    "",
    member(
        sequence(
            "ocsp.tbsRequest_element",
            member(inside(leaf("ocsp.version", number)), CONTEXT),
            member(inside(general_name("ocsp.requestorName")), CONTEXT + 1),
            member(
                sequence_of(
                    "ocsp.requestList",
                    sequence(
                        "ocsp.Request_element",
                        member(sequence("ocsp.reqCert_element", *_CERTIFICATE_ID), SEQUENCE),
                        member(inside(sequence_of("ocsp.singleRequestExtensions", _OCSP_EXTENSION)), CONTEXT),
                    ),
                ),
                SEQUENCE,
            ),
            member(inside(sequence_of("ocsp.requestExtensions", _OCSP_EXTENSION)), CONTEXT + 2),
        ),
        SEQUENCE,
    ),
    member(inside(sequence("ocsp.optionalSignature_element", *_SIGNATURE)), CONTEXT),
)
"""A request of OCSP (RFC 6960 section 4.1.1)."""
