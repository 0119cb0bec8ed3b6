"""Values of extensions, in certificates that the `cryptography` library writes, and written by hand."""

from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ObjectIdentifier,
    SubjectInformationAccessOID,
)
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from analyzer.x509.certificate_extensions import read_extensions
from analyzer.x509.extension_values import ENTRIES
from analyzer.x509.layout import Layout

from .making import NAME, make, raw

URL = x509.UniformResourceIdentifier("http://ca.example/x")
POLICY = ObjectIdentifier("2.23.140.1.2.1")


def value_of(*extensions: x509.ExtensionType) -> Any:
    """Return the value of a single extension that can be read completely."""
    read = read_extensions(Layout(make(*extensions)))
    assert read is not None
    (extension,) = read
    assert extension.problems == ()
    return extension.value


USAGES = {
    "digital_signature": True, "content_commitment": False, "key_encipherment": True, "data_encipherment": False,
    "key_agreement": True, "key_cert_sign": False, "crl_sign": True, "encipher_only": False, "decipher_only": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("extension", "value"),
    [
        (x509.KeyUsage(**USAGES), ["digitalSignature", "keyEncipherment", "keyAgreement", "cRLSign", "decipherOnly"]),
        (x509.BasicConstraints(True, 3), {"ca": True, "path_length": 3}),
        (x509.BasicConstraints(False, None), {"ca": False, "path_length": None}),
        (
            x509.ExtendedKeyUsage([Purpose.SERVER_AUTH, Purpose.OCSP_SIGNING, ObjectIdentifier("1.2.3")]),
            ["serverAuth", "OCSPSigning", "1.2.3"],
        ),
        (x509.SubjectKeyIdentifier(b"\x01\xff"), "01ff"),
        (x509.AuthorityKeyIdentifier(b"\xaa", None, None), {"key_identifier": "aa", "issuer": None, "serial": None}),
        (
            x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(NAME)], 0x1234),
            {"key_identifier": None, "issuer": ["dirName:CN=made.example"], "serial": "1234"},
        ),
        (
            x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.IPAddress(IPv4Address("192.0.2.1"))]),
            ["a.example", "192.0.2.1"],
        ),
        (x509.IssuerAlternativeName([x509.RFC822Name("ca@a.example")]), ["email:ca@a.example"]),
        (
            x509.NameConstraints(
                [x509.DNSName(".example"), x509.IPAddress(IPv4Network("192.0.2.0/24"))],
                [x509.IPAddress(IPv6Network("2001:db8::/32")), x509.DirectoryName(NAME)],
            ),
            {"permitted": [".example", "192.0.2.0/24"], "excluded": ["2001:db8::/32", "dirName:CN=made.example"]},
        ),
        (
            x509.CertificatePolicies(
                [
                    x509.PolicyInformation(POLICY, ["http://cps.example"]),
                    x509.PolicyInformation(
                        ObjectIdentifier("1.2.3.4"), [x509.UserNotice(x509.NoticeReference("Org", [1, 2]), "Read this")]
                    ),
                ]
            ),
            [
                {"policy": "2.23.140.1.2.1", "name": "domain-validated", "qualifiers": [{"cps": "http://cps.example"}]},
                {
                    "policy": "1.2.3.4",
                    "name": None,
                    "qualifiers": [{"unotice": {"organization": "Org", "numbers": [1, 2], "text": "Read this"}}],
                },
            ],
        ),
        (x509.PolicyConstraints(2, 0), {"require_explicit_policy": 2, "inhibit_policy_mapping": 0}),
        (x509.InhibitAnyPolicy(1), 1),
        (
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(AuthorityInformationAccessOID.OCSP, URL),
                    x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, URL),
                ]
            ),
            [
                {"method": "OCSP", "location": "URI:http://ca.example/x"},
                {"method": "caIssuers", "location": "URI:http://ca.example/x"},
            ],
        ),
        (
            x509.SubjectInformationAccess([x509.AccessDescription(SubjectInformationAccessOID.CA_REPOSITORY, URL)]),
            [{"method": "caRepository", "location": "URI:http://ca.example/x"}],
        ),
        (
            x509.CRLDistributionPoints(
                [
                    x509.DistributionPoint(
                        [URL], None, frozenset([x509.ReasonFlags.key_compromise]), [x509.DirectoryName(NAME)]
                    ),
                    x509.DistributionPoint(None, NAME.rdns[0], None, None),
                ]
            ),
            [
                {
                    "full_name": ["URI:http://ca.example/x"],
                    "relative_name": None,
                    "reasons": ["keyCompromise"],
                    "crl_issuer": ["dirName:CN=made.example"],
                },
                {"full_name": [], "relative_name": "CN=made.example", "reasons": None, "crl_issuer": []},
            ],
        ),
        (
            x509.FreshestCRL([x509.DistributionPoint([URL], None, None, None)]),
            [{"full_name": ["URI:http://ca.example/x"], "relative_name": None, "reasons": None, "crl_issuer": []}],
        ),
        (
            x509.TLSFeature([x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2]),
            ["status_request", "status_request_v2"],
        ),
        (x509.OCSPNoCheck(), True),
        (x509.PrecertPoison(), True),
        (
            x509.PrivateKeyUsagePeriod(datetime(2020, 1, 1), None),
            {"not_before": "2020-01-01T00:00:00Z", "not_after": None},
        ),
        (
            x509.MSCertificateTemplate(ObjectIdentifier("1.2.3"), 4, 5),
            {"template": "1.2.3", "version": [4, 5]},
        ),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, x509.ExtensionType) else "",
)  # fmt: skip
def test_values(extension: x509.ExtensionType, value: object) -> None:
    assert value_of(extension) == value


@pytest.mark.parametrize(
    ("dotted", "octets", "value"),
    [
        ("2.16.840.1.113730.1.1", "030205a0", ["sslClient", "smime"]),
        ("2.16.840.1.113730.1.13", "1603686579", "hey"),
        ("1.3.6.1.4.1.311.20.2", "1e0400430041", "CA"),
        ("1.3.6.1.4.1.311.21.1", "020103", 3),
        ("1.3.6.1.4.1.311.21.2", "0402abcd", "abcd"),
        (
            "2.5.29.33", "300e300c06042a0304050604551d2000",
            [{"issuer_domain_policy": "1.2.3.4.5", "subject_domain_policy": "anyPolicy"}],
        ),
        ("1.3.6.1.5.5.7.1.3", "300a3008060604008e460101", [{"statement": "QcCompliance", "info": None}]),
        ("2.5.29.9", "3010300e060355040631070c054a6170616e", [{"type": "C", "values": ["Japan"]}]),
        ("1.2.840.113533.7.65.0", "30091b0456352e3003010a", "V5.0"),
        (
            "2.23.140.3.1", "301413035641541302444580034265720c0431323334",
            {"scheme": "VAT", "country": "DE", "state": "Ber", "reference": "1234"},
        ),
    ],
)  # fmt: skip
def test_values_by_hand(dotted: str, octets: str, value: object) -> None:
    assert value_of(raw(dotted, bytes.fromhex(octets))) == value


def test_a_mask_that_is_no_prefix_is_kept() -> None:
    tree = bytes.fromhex("300c8708c0000201ff00ff00")
    assert value_of(raw("2.5.29.30", b"\x30\x0e\xa0\x0c\x30\x0a" + tree[2:]))["permitted"] == ["0xc0000201/0xff00ff00"]


def test_signed_certificate_timestamps() -> None:
    one = bytes(1) + b"L" * 32 + (1_500_000_000_123).to_bytes(8, "big") + b"\0\0" + b"\x04\x03" + b"\0\x02ab"
    listed = len(one + b"12").to_bytes(2, "big") + len(one).to_bytes(2, "big") + one
    value = value_of(raw("1.3.6.1.4.1.11129.2.4.2", b"\x04" + bytes([len(listed)]) + listed))
    assert value == [
        {
            "version": "v1",
            "log_id": (b"L" * 32).hex(),
            "time": "2017-07-14T02:40:00.123000000Z",
            "extensions": "",
            "algorithm": "ecdsa_secp256r1_sha256",
            "signature": b"ab".hex(),
        }
    ]


def test_too_many_entries_are_not_read() -> None:
    names = b"\x82\x01a" * (ENTRIES + 1)
    read = read_extensions(Layout(make(raw("2.5.29.17", b"\x30\x82" + len(names).to_bytes(2, "big") + names))))
    assert read is not None
    assert read[0].value is None
    assert read[0].problems[0].why == f"over {ENTRIES} entries"
