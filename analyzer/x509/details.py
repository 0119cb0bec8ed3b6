"""Gives everything in a certificate as JSON values, for `analyzer certificates`. The session record has less."""

from hashlib import sha1
from typing import Any

from analyzer.codec.errors import Anomaly, Malformed
from analyzer.x509.certificate import certificate
from analyzer.x509.certificate_extensions import parse_error_record, read_extensions
from analyzer.x509.der import BIT_STRING, INTEGER, Element, expect
from analyzer.x509.key_details import key_details, pss_parameters
from analyzer.x509.layout import Layout
from analyzer.x509.public_key import algorithm_identifier


def certificate_details(der: bytes) -> dict[str, Any]:
    """Return the full contents of a certificate; never raises.

    It has the keys of the session record's certificates, and also `size`, `sha1`, `version` (1 to 3), `self_issued`, the key's
    numbers and hashes, `signature_parameters` (of RSASSA-PSS), `signature`, the unique ids, `extensions` (each as in
    `Extension.record`, null if they cannot be found) and `problems`. What cannot be read is None, with a problem.
    """
    read = certificate(der)
    layout = Layout(der)
    found = layout.found
    key = key_details(layout, read)
    extensions = read_extensions(layout)
    details: dict[str, Any] = read.record() | {
        "size": len(der),
        "sha1": sha1(der, usedforsecurity=False).hexdigest(),
        "version": None if layout.raw_public_key else _version(layout),
        "self_issued": _same(der, found["issuer"], found["subject"]) if "subject" in found else None,
        "public_key": key,
        "signature_parameters": _signature_parameters(layout) if read.signature_algorithm == "rsassaPss" else None,
        "signature": layout.read("signatureValue", _bit_string),
        "issuer_unique_id": layout.read("issuerUniqueID", _octets),
        "subject_unique_id": layout.read("subjectUniqueID", _octets),
        "extensions": None if extensions is None else [one.record() for one in extensions],
    }
    listed = {str(problem) for problem in read.problems}
    problems = [*read.problems, *(problem for problem in layout.problems if str(problem) not in listed)]
    details["problems"] = [parse_error_record(problem) for problem in problems]
    return details


def _version(layout: Layout) -> int | None:
    """Return the version; 1 if the certificate does not contain it (RFC 5280, section 4.1.2.1)."""
    if "serialNumber" not in layout.found:
        return None
    return layout.read("version", _read_version) if "version" in layout.found else 1


def _read_version(der: bytes, element: Element, field: str) -> int:
    _, start, end, _ = expect(der, element[1], element[2], INTEGER, field)
    if end - start != 1:
        raise Malformed(field, start, f"{end - start} bytes are no version")
    if der[start] > 2:
        raise Anomaly(field, start, f"{der[start]} stands for no version")
    return der[start] + 1


def _signature_parameters(layout: Layout) -> dict[str, Any] | None:
    def parameters(der: bytes, element: Element, field: str) -> dict[str, Any]:
        return pss_parameters(der, algorithm_identifier(der, element, field)[2], element[2], field)

    return layout.read("signatureAlgorithm", parameters)


def _bit_string(der: bytes, element: Element, field: str) -> str:
    tag, start, end, _ = element
    if tag != BIT_STRING or start == end:
        raise Malformed(field, start, f"tag 0x{tag:02x} of {end - start} bytes is no signature")
    return der[start + 1 : end].hex()


def _octets(der: bytes, element: Element, _: str) -> str:
    return der[element[1] : element[2]].hex()


def _same(der: bytes, one: Element, other: Element) -> bool:
    return der[one[1] : one[2]] == der[other[1] : other[2]]
