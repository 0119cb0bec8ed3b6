"""The identifying values of a certificate, compared with the cryptography library."""

from authorities import authority, der, issue, leaf
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.x509.certificate_id import CERTIFICATE_SIZE, REMEMBERED_SIZE, identity
from analyzer.x509.der import encode_object_identifier


def test_octets_are_those_of_the_certificate():
    certificate = issue("leaf.test", "authority", x509.BasicConstraints(True, 3), serial=1 << 150)
    found = identity(der(certificate))
    assert found.serial == 1 << 150
    assert found.issuer == certificate.issuer.public_bytes()
    assert found.subject == certificate.subject.public_bytes()
    assert found.public_key == certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert found.key == certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert found.extensions == {encode_object_identifier("2.5.29.19"): bytes.fromhex("30060101ff020103")}


def test_a_certificate_without_extensions_has_none():
    assert identity(der(leaf())).extensions == {}


def test_a_large_certificate_is_read_too():
    comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(2 * REMEMBERED_SIZE))
    large = der(issue("leaf.test", "authority", comment))
    assert identity(large) == identity(large)
    assert len(identity(large).extensions[b"\x2a\x03"]) == 2 * REMEMBERED_SIZE


def test_other_bytes_have_no_identity():
    whole = der(authority())
    assert identity(whole[:-1]) is None
    assert identity(b"") is None
    assert identity(b"\x30\x00") is None
    assert identity(whole + bytes(CERTIFICATE_SIZE)) is None
