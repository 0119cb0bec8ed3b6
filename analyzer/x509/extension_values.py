"""Reads the values of certificate extensions, with one reader for each (RFC 5280, section 4.2, and other RFCs).

A reader takes the certificate, the element inside the extension's OCTET STRING, and the extension's name. It returns JSON
values: names where the registry of object identifiers has them, else dotted numbers; bytes as hex. It raises `Malformed` if it
cannot read the value; then the extension is shown in hex.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, TypeAlias

from analyzer.codec.errors import Malformed
from analyzer.codec.registry import registry
from analyzer.tls.messages.extensions.about_certificates import SignedCertificateTimestampList
from analyzer.x509.certificate import serial_number
from analyzer.x509.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    expect,
    read_element,
)
from analyzer.x509.name_text import dotted, general_name, relative_distinguished_name, string
from analyzer.x509.object_identifiers import names
from analyzer.x509.times import time_text

Reader: TypeAlias = Callable[[bytes, Element, str], Any]

ENTRIES = 4096
"""Maximum number of entries of one list; the longest on the web, alternative names and name constraints, have about two
thousand."""

INTEGER_LENGTH = 8
"""Maximum bytes of an integer that is shown as a number; path lengths and similar values have one."""

NULL = 0x05

KEY_USAGES = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
    "encipherOnly", "decipherOnly",
)  # fmt: skip

REASONS = (
    "unused", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold",
    "privilegeWithdrawn", "aACompromise",
)  # fmt: skip

NETSCAPE_TYPES = ("sslClient", "sslServer", "smime", "objectSigning", "reserved", "sslCA", "smimeCA", "objectSigningCA")

_IP_ADDRESS = 0x87


def elements(der: bytes, pos: int, end: int, field: str) -> Iterator[Element]:
    """Yield the consecutive elements from `pos` to `end`. Raises `Malformed`, also for more than ENTRIES."""
    for _ in range(ENTRIES):
        if pos >= end:
            return
        element = read_element(der, pos, end, field)
        yield element
        pos = element[3]
    if pos < end:
        raise Malformed(field, pos, f"over {ENTRIES} entries")


def _inside(der: bytes, element: Element, field: str, tag: int = SEQUENCE) -> Iterator[Element]:
    """Yield the elements in a sequence."""
    _require(element, tag, field)
    return elements(der, element[1], element[2], field)


def _require(element: Element, tag: int, field: str) -> None:
    if element[0] != tag:
        raise Malformed(field, element[1], f"tag 0x{element[0]:02x}, not 0x{tag:02x}")


def _integer(der: bytes, element: Element, field: str, tag: int = INTEGER) -> int:
    _require(element, tag, field)
    _, start, end, _ = element
    if not 0 < end - start <= INTEGER_LENGTH:
        raise Malformed(field, start, f"{end - start} bytes are no number of one to {INTEGER_LENGTH}")
    return int.from_bytes(der[start:end], "big", signed=True)


def _text(der: bytes, element: Element, field: str) -> str:
    text = string(der, element)
    if text is None:
        raise Malformed(field, element[1], f"tag 0x{element[0]:02x} is no string")
    return text


def _named(der: bytes, element: Element, field: str, kind: str) -> str:
    """Return an object identifier's name of that kind, else its dotted form."""
    _require(element, OBJECT_IDENTIFIER, field)
    octets = der[element[1] : element[2]]
    return names(kind).get(octets) or dotted(octets, element[1], field)


def _octets(der: bytes, element: Element, field: str) -> str:
    _require(element, OCTET_STRING, field)
    return der[element[1] : element[2]].hex()


def _null(_: bytes, element: Element, field: str) -> bool:
    """Return True: the extension has no value."""
    _require(element, NULL, field)
    return True


def _bits(der: bytes, element: Element, field: str, bits: Sequence[str], tag: int = BIT_STRING) -> list[str]:
    """Return the names of the bits that are set; a bit without a name by its number."""
    _require(element, tag, field)
    _, start, end, _ = element
    if start == end or end - start > 1 + INTEGER_LENGTH:
        raise Malformed(field, start, f"{end - start} bytes are no string of named bits")
    number = int.from_bytes(der[start + 1 : end], "big")
    width = 8 * (end - start - 1)
    found = [n for n in range(width) if number >> (width - 1 - n) & 1]
    return [bits[n] if n < len(bits) else f"bit {n}" for n in found]


def _key_usage(der: bytes, element: Element, field: str) -> list[str]:
    return _bits(der, element, field, KEY_USAGES)


def _netscape_type(der: bytes, element: Element, field: str) -> list[str]:
    return _bits(der, element, field, NETSCAPE_TYPES)


def _general_names(der: bytes, element: Element, field: str, tag: int = SEQUENCE) -> list[str]:
    return [general_name(der, one, field) for one in _inside(der, element, field, tag)]


def _purposes(der: bytes, element: Element, field: str) -> list[str]:
    return [_named(der, one, field, "purpose") for one in _inside(der, element, field)]


def _basic_constraints(der: bytes, element: Element, field: str) -> dict[str, Any]:
    value: dict[str, Any] = {"ca": False, "path_length": None}
    for one in _inside(der, element, field):
        if one[0] == BOOLEAN:
            value["ca"] = any(der[one[1] : one[2]])
        else:
            value["path_length"] = _integer(der, one, field)
    return value


def _authority_key(der: bytes, element: Element, field: str) -> dict[str, Any]:
    value: dict[str, Any] = {"key_identifier": None, "issuer": None, "serial": None}
    for one in _inside(der, element, field):
        tag, start, end, after = one
        if tag == 0x80:
            value["key_identifier"] = der[start:end].hex()
        elif tag == 0xA1:
            value["issuer"] = _general_names(der, one, field, tag)
        elif tag == 0x82:
            value["serial"] = serial_number(der, (INTEGER, start, end, after), field)
        else:
            raise Malformed(field, start, f"tag 0x{tag:02x} has no place here")
    return value


def _key_period(der: bytes, element: Element, field: str) -> dict[str, Any]:
    value: dict[str, Any] = {"not_before": None, "not_after": None}
    for tag, start, end, after in _inside(der, element, field):
        if tag not in (0x80, 0x81):
            raise Malformed(field, start, f"tag 0x{tag:02x} has no place here")
        value[("not_before", "not_after")[tag & 1]] = time_text(der, (GENERALIZED_TIME, start, end, after), field)
    return value


def _name_constraints(der: bytes, element: Element, field: str) -> dict[str, Any]:
    value: dict[str, Any] = {"permitted": [], "excluded": []}
    for one in _inside(der, element, field):
        if one[0] not in (0xA0, 0xA1):
            raise Malformed(field, one[1], f"tag 0x{one[0]:02x} has no place here")
        trees = _inside(der, one, field, one[0])
        value[("permitted", "excluded")[one[0] & 1]] = [_subtree(der, tree, field) for tree in trees]
    return value


def _subtree(der: bytes, element: Element, field: str) -> str:
    _require(element, SEQUENCE, field)
    base = read_element(der, element[1], element[2], field)
    if base[0] != _IP_ADDRESS:
        text = general_name(der, base, field)
    elif base[2] - base[1] in (8, 32):
        middle = (base[1] + base[2]) // 2
        address, mask = der[base[1] : middle], der[middle : base[2]]
        prefix = _prefix(mask)
        text = f"0x{address.hex()}/0x{mask.hex()}" if prefix is None else str(ip_network((address, prefix), strict=False))
    else:
        raise Malformed(field, base[1], f"{base[2] - base[1]} bytes are no address and mask")
    for one in elements(der, base[3], element[2], field):
        text += f" {('minimum', 'maximum')[one[0] & 1]} {_integer(der, one, field, one[0])}"
    return text


def _prefix(mask: bytes) -> int | None:
    """Return the prefix length of a mask; None if a one follows a zero."""
    number, width = int.from_bytes(mask, "big"), 8 * len(mask)
    ones = number.bit_count()
    return ones if number == (1 << width) - (1 << (width - ones)) else None


def _distribution_points(der: bytes, element: Element, field: str) -> list[dict[str, Any]]:
    return [_distribution_point(der, one, field) for one in _inside(der, element, field)]


def _distribution_point(der: bytes, element: Element, field: str) -> dict[str, Any]:
    value: dict[str, Any] = {"full_name": [], "relative_name": None, "reasons": None, "crl_issuer": []}
    for one in _inside(der, element, field):
        tag, start, end, _ = one
        if tag == 0xA0:
            for name in elements(der, start, end, field):
                if name[0] == 0xA0:
                    value["full_name"] = _general_names(der, name, field, 0xA0)
                elif name[0] == 0xA1:
                    value["relative_name"] = relative_distinguished_name(der, name[1], name[2], field)
        elif tag == 0x81:
            value["reasons"] = _bits(der, one, field, REASONS, tag)
        elif tag == 0xA2:
            value["crl_issuer"] = _general_names(der, one, field, tag)
        else:
            raise Malformed(field, start, f"tag 0x{tag:02x} has no place here")
    return value


def _access(der: bytes, element: Element, field: str) -> list[dict[str, str]]:
    value = []
    for one in _inside(der, element, field):
        _require(one, SEQUENCE, field)
        method = read_element(der, one[1], one[2], field)
        location = read_element(der, method[3], one[2], field)
        value.append({"method": _named(der, method, field, "access"), "location": general_name(der, location, field)})
    return value


def _policies(der: bytes, element: Element, field: str) -> list[dict[str, Any]]:
    value = []
    for one in _inside(der, element, field):
        _require(one, SEQUENCE, field)
        identifier = expect(der, one[1], one[2], OBJECT_IDENTIFIER, field)
        octets = der[identifier[1] : identifier[2]]
        policy: dict[str, Any] = {
            "policy": dotted(octets, identifier[1], field),
            "name": names("policy").get(octets) or names("purpose").get(octets),
            "qualifiers": [],
        }
        for listed in elements(der, identifier[3], one[2], field):
            policy["qualifiers"] += [_qualifier(der, qualifier, field) for qualifier in _inside(der, listed, field)]
        value.append(policy)
    return value


def _qualifier(der: bytes, element: Element, field: str) -> dict[str, Any]:
    _require(element, SEQUENCE, field)
    kind = read_element(der, element[1], element[2], field)
    name = _named(der, kind, field, "qualifier")
    if kind[3] >= element[2]:
        return {name: None}
    body = read_element(der, kind[3], element[2], field)
    if name == "cps":
        return {name: _text(der, body, field)}
    if name != "unotice":
        return {name: der[kind[3] : element[2]].hex()}
    notice: dict[str, Any] = {"organization": None, "numbers": [], "text": None}
    for one in _inside(der, body, field):
        if one[0] == SEQUENCE:
            organization = read_element(der, one[1], one[2], field)
            notice["organization"] = _text(der, organization, field)
            numbers = expect(der, organization[3], one[2], SEQUENCE, field)
            notice["numbers"] = [_integer(der, number, field) for number in _inside(der, numbers, field)]
        else:
            notice["text"] = _text(der, one, field)
    return {name: notice}


def _policy_mappings(der: bytes, element: Element, field: str) -> list[dict[str, str]]:
    value = []
    for one in _inside(der, element, field):
        _require(one, SEQUENCE, field)
        issuer = read_element(der, one[1], one[2], field)
        subject = read_element(der, issuer[3], one[2], field)
        value.append(
            {
                "issuer_domain_policy": _named(der, issuer, field, "policy"),
                "subject_domain_policy": _named(der, subject, field, "policy"),
            }
        )
    return value


def _policy_constraints(der: bytes, element: Element, field: str) -> dict[str, int | None]:
    value: dict[str, int | None] = {"require_explicit_policy": None, "inhibit_policy_mapping": None}
    for one in _inside(der, element, field):
        if one[0] not in (0x80, 0x81):
            raise Malformed(field, one[1], f"tag 0x{one[0]:02x} has no place here")
        value[("require_explicit_policy", "inhibit_policy_mapping")[one[0] & 1]] = _integer(der, one, field, one[0])
    return value


def _tls_features(der: bytes, element: Element, field: str) -> list[str]:
    known = registry("extensions")
    return [known.name(_integer(der, one, field) & 0xFFFF) for one in _inside(der, element, field)]


def _timestamps(der: bytes, element: Element, field: str) -> list[dict[str, Any]]:
    _require(element, OCTET_STRING, field)
    data = der[element[1] : element[2]]
    message, problems = SignedCertificateTimestampList.read(data)
    if problems:
        raise Malformed(f"{field}.{problems[0].field}", element[1] + problems[0].offset, problems[0].why)
    value = []
    for one in message.json()["sct_list"]:
        if not isinstance(one["timestamp"], int):  # of a version that is not known
            value.append(
                {
                    "version": one["sct_version"],
                    "log_id": None,
                    "time": None,
                    "extensions": None,
                    "algorithm": None,
                    "signature": None,
                }
            )
            continue
        time = datetime.fromtimestamp(one["timestamp"] // 1000, UTC) if one["timestamp"] < 1 << 45 else None
        value.append(
            {
                "version": one["sct_version"],
                "log_id": one["id"],
                "time": None if time is None else f"{time:%Y-%m-%dT%H:%M:%S}.{one['timestamp'] % 1000:03d}000000Z",
                "extensions": one["extensions"],
                "algorithm": one["algorithm"],
                "signature": one["signature"],
            }
        )
    return value


def _qc_statements(der: bytes, element: Element, field: str) -> list[dict[str, Any]]:
    value = []
    for one in _inside(der, element, field):
        _require(one, SEQUENCE, field)
        kind = read_element(der, one[1], one[2], field)
        info = der[kind[3] : one[2]].hex()
        value.append({"statement": _named(der, kind, field, "statement"), "info": info or None})
    return value


def _attributes(der: bytes, element: Element, field: str) -> list[dict[str, Any]]:
    value = []
    for one in _inside(der, element, field):
        _require(one, SEQUENCE, field)
        kind = read_element(der, one[1], one[2], field)
        values = read_element(der, kind[3], one[2], field)
        texts = [string(der, part) or der[part[1] : part[2]].hex() for part in elements(der, values[1], values[2], field)]
        value.append({"type": _named(der, kind, field, "attribute"), "values": texts})
    return value


def _organization(der: bytes, element: Element, field: str) -> dict[str, str | None]:
    value: dict[str, str | None] = {"scheme": None, "country": None, "state": None, "reference": None}
    plain = iter(("scheme", "country", "reference"))
    for one in _inside(der, element, field):
        if one[0] == 0x80:
            value["state"] = der[one[1] : one[2]].decode("latin-1")
        else:
            value[next(plain, "reference")] = _text(der, one, field)
    return value


def _template(der: bytes, element: Element, field: str) -> dict[str, Any]:
    found = list(_inside(der, element, field))
    if not found:
        raise Malformed(field, element[1], "no template is named")
    numbers = [_integer(der, one, field) for one in found[1:3]]
    return {"template": _named(der, found[0], field, "purpose"), "version": numbers}


def _entrust_version(der: bytes, element: Element, field: str) -> str:
    _require(element, SEQUENCE, field)
    return _text(der, read_element(der, element[1], element[2], field), field)


READERS: dict[str, Reader] = {
    "subjectDirectoryAttributes": _attributes,
    "subjectKeyIdentifier": _octets,
    "keyUsage": _key_usage,
    "privateKeyUsagePeriod": _key_period,
    "subjectAltName": _general_names,
    "issuerAltName": _general_names,
    "basicConstraints": _basic_constraints,
    "nameConstraints": _name_constraints,
    "cRLDistributionPoints": _distribution_points,
    "freshestCRL": _distribution_points,
    "certificatePolicies": _policies,
    "microsoftApplicationPolicies": _policies,
    "policyMappings": _policy_mappings,
    "authorityKeyIdentifier": _authority_key,
    "policyConstraints": _policy_constraints,
    "extKeyUsage": _purposes,
    "inhibitAnyPolicy": _integer,
    "authorityInfoAccess": _access,
    "subjectInfoAccess": _access,
    "qcStatements": _qc_statements,
    "tlsFeature": _tls_features,
    "acmeIdentifier": _octets,
    "ocspNoCheck": _null,
    "signedCertificateTimestampList": _timestamps,
    "precertificatePoison": _null,
    "delegationUsage": _null,
    "netscapeCertType": _netscape_type,
    "netscapeBaseUrl": _text,
    "netscapeRevocationUrl": _text,
    "netscapeCaRevocationUrl": _text,
    "netscapeRenewalUrl": _text,
    "netscapeCaPolicyUrl": _text,
    "netscapeSslServerName": _text,
    "netscapeComment": _text,
    "microsoftCertificateTemplateName": _text,
    "microsoftCaVersion": _integer,
    "microsoftPreviousCaCertificateHash": _octets,
    "microsoftCertificateTemplate": _template,
    "entrustVersionInfo": _entrust_version,
    "cabfOrganizationIdentifier": _organization,
}
"""Maps the name of an extension to its reader; extensions without one are shown in hex."""
