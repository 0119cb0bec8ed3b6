"""The values that validation needs from a certificate, compared with what the library reads."""

from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hierarchy import AT, hierarchy, make, make_leaf, make_root, usage
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.certificate_view import REMEMBERED_SIZE, SIZE, CertificateView, certificate_view

PEMS = Path(certifi.where()).read_bytes().split(b"-----END CERTIFICATE-----\n")[:-1]
MADE = hierarchy()


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@pytest.mark.parametrize("place", range(0, len(PEMS), 3))
def test_everything_as_the_library_reads_it(place: int) -> None:
    library = x509.load_pem_x509_certificate(PEMS[place] + b"-----END CERTIFICATE-----\n")
    read = CertificateView(library.public_bytes(Encoding.DER))
    assert read.found
    assert read.refused is None
    assert read.version == 3
    assert read.signed == library.tbs_certificate_bytes
    assert read.signature == library.signature
    assert read.algorithm == read.inner_algorithm
    assert read.spki == library.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert int.from_bytes(read.serial, "big") == library.serial_number
    assert read.self_issued == (library.subject == library.issuer)
    assert read.not_before == library.not_valid_before_utc.timestamp()
    assert read.not_after == library.not_valid_after_utc.timestamp()
    assert {kind: critical for kind, (critical, _) in read.extensions.items()} == {
        extension.oid.dotted_string: extension.critical for extension in library.extensions
    }
    basic = library.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert read.basic_constraints == (basic.ca, basic.path_length)
    identifiers = [one.value.digest for one in library.extensions if isinstance(one.value, x509.SubjectKeyIdentifier)]
    assert [read.subject_key_identifier] == (identifiers or [None])


def test_bits_and_purposes() -> None:
    leaf = CertificateView(MADE.leaf.der)
    assert leaf.key_usage == 1
    assert leaf.purposes == {"1.3.6.1.5.5.7.3.1"}
    assert leaf.alternative_names == ((0x82, b"host.example.com"),)
    assert leaf.issuer_key_identifier == CertificateView(MADE.intermediate.der).subject_key_identifier
    assert leaf.issuer == CertificateView(MADE.intermediate.der).subject
    every = make("x", extensions=[(usage("key_agreement", "decipher_only"), True)])
    assert CertificateView(every.der).key_usage == 1 << 4 | 1 << 8
    bare = CertificateView(make("x").der)
    assert (bare.key_usage, bare.purposes, bare.basic_constraints, bare.alternative_names) == (None,) * 4


def test_equal_bytes_have_one_view_and_large_ones_are_not_cached() -> None:
    assert certificate_view(bytes(bytearray(MADE.leaf.der))) is certificate_view(MADE.leaf.der)
    giant = MADE.leaf.der + bytes(REMEMBERED_SIZE)
    assert certificate_view(giant) is not certificate_view(giant)


def test_a_certificate_that_strict_parsers_reject_is_read() -> None:
    trailing = CertificateView(MADE.leaf.der + b"\0")
    assert trailing.refused
    assert trailing.found
    assert trailing.alternative_names == ((0x82, b"host.example.com"),)


def test_large_ones_are_not_read() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"h{i}.example") for i in range(30000)])
    made = make_leaf(MADE.intermediate, changed={x509.SubjectAlternativeName: (names, False)})
    assert len(made.der) > SIZE
    assert not CertificateView(made.der).found
    assert CertificateView(made.der).refused == f"it takes {len(made.der)} bytes"


def test_a_raw_public_key_is_no_certificate() -> None:
    spki = CertificateView(MADE.leaf.der).spki
    assert not CertificateView(spki).found
    # A certificate that begins like one is not a certificate either: it is shown as a key.
    der = MADE.leaf.der.replace(b"\xa0\x03\x02\x01\x02", b"\x06\x03\x02\x01\x02", 1)
    like_one = CertificateView(der)
    assert (like_one.found, like_one.facts.type, like_one.signed) == (False, "raw_public_key", b"")


@given(st.integers(0, 2000), st.integers(0, 255), st.integers(0, 2000))
def test_any_bytes_have_a_view(place: int, octet: int, cut: int) -> None:
    changed = bytearray(make_leaf(make_root("Root", not_after=AT)).der)
    changed[place % len(changed)] = octet
    read = CertificateView(bytes(changed[:cut]))
    for attribute in [
        "title",
        "subject",
        "issuer",
        "self_issued",
        "not_before",
        "not_after",
        "extensions",
        "repeated",
        "extensions_unread",
        "basic_constraints",
        "is_ca",
        "key_usage",
        "purposes",
        "subject_key_identifier",
        "authority_key_identifier",
        "issuer_key_identifier",
        "alternative_names",
        "refused",
    ]:
        getattr(read, attribute)
    assert read.title
