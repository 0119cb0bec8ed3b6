"""Revocation lists: which ones count, what they cover, and the lists of OpenSSL."""

import subprocess
from datetime import UTC, datetime

import pytest
from authorities import AT, DAY, authority, der, issue, key, key_usage, leaf, revoke
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import CRLEntryExtensionOID, NameOID

from analyzer.x509.certificate_id import identity
from analyzer.x509.crl import issuer_of, judge_crl
from analyzer.x509.revocation import judge_revocation

UNRECOGNIZED = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def revocation_status(crl, certificate=None, issuer=None):
    return judge_crl(crl, identity(der(certificate or leaf())), identity(der(issuer or authority())))


def common_name(value):
    return x509.NameAttribute(NameOID.COMMON_NAME, value)


def directory_name(value):
    return x509.DirectoryName(x509.Name([common_name("Lists"), common_name(value)]))


def named(value):
    return x509.IssuingDistributionPoint([directory_name(value)], None, False, False, None, False, False), True


def at_name(value):
    return x509.CRLDistributionPoints([x509.DistributionPoint([directory_name(value)], None, None, None)])


def place(address=None, relative=None, **kinds):
    names = [x509.UniformResourceIdentifier(address)] if address else None
    flags = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    return x509.IssuingDistributionPoint(
        full_name=names,
        relative_name=x509.RelativeDistinguishedName([common_name(relative)]) if relative else None,
        only_some_reasons=kinds.pop("reasons", None),
        **flags | kinds,
    ), True


def test_the_issuer_is_found_without_reading_the_list():
    assert issuer_of(revoke()) == authority().subject.public_bytes()
    assert issuer_of(b"\x30\x03\x02\x01\x01") is None


def test_who_is_on_the_list_is_revoked_and_who_is_not_is_good():
    crl = revoke([(5, AT - 9 * DAY, None), (77, AT - 3 * DAY, x509.ReasonFlags.superseded), (1 << 150, AT - DAY, None)])
    found = revocation_status(crl)
    assert (found.status, found.revoked_at, found.reason, found.error) == ("revoked", AT - 3 * DAY, "superseded", None)
    assert (found.this_update, found.next_update) == (AT - DAY, AT + DAY)
    assert revocation_status(crl, leaf(serial=1 << 150)).reason is None
    assert revocation_status(crl, leaf(serial=78)).status == "good"


def test_lists_of_other_issuers_are_none():
    assert revocation_status(revoke([(77, AT - DAY, None)], issuer="another authority")) is None


def test_removal_from_the_list_is_good():
    found = revocation_status(revoke([(77, AT - 3 * DAY, x509.ReasonFlags.remove_from_crl)]))
    assert (found.status, found.revoked_at, found.reason) == ("good", None, None)


@pytest.mark.parametrize(
    ("crl", "why"),
    [
        (revoke([(77, AT - DAY, None)], private_key=key("stranger")), "its signature is not the issuer's"),
        (revoke([(77, AT - DAY, None)], (x509.DeltaCRLIndicator(1), True)), "it lists changes only"),
        (revoke([(77, AT - DAY, None)], place(indirect_crl=True)), "it lists certificates of other issuers too"),
        (revoke([(77, AT - DAY, None)], (UNRECOGNIZED, True)), "it has an unknown critical extension, 1.2.3.4"),
        (
            revoke([(77, AT - DAY, None)], entry_extensions=[(UNRECOGNIZED, True)]),
            "the certificate's entry has an unknown critical extension, 1.2.3.4",
        ),
        (revoke()[:-1], "it cannot be read"),
    ],
)
def test_lists_that_do_not_count(crl, why):
    assert revocation_status(crl).error.startswith(why)
    answer = judge_revocation(der(leaf()), der(authority()), crls=[crl], at=AT)
    assert answer.status == "unknown"
    assert why in answer.detail


def test_extensions_that_are_not_critical_are_passed_over():
    found = revocation_status(revoke([(77, AT - DAY, None)], (UNRECOGNIZED, False), entry_extensions=[(UNRECOGNIZED, False)]))
    assert (found.status, found.error) == ("revoked", None)


def test_key_usage_has_to_allow_signing_lists():
    for usage, error in (
        (key_usage("crl_sign"), None),
        (key_usage("crl_sign", "key_cert_sign", "decipher_only", "key_agreement"), None),
        (key_usage("key_cert_sign"), "the key usage of its issuer's certificate does not allow signing CRLs"),
    ):
        assert revocation_status(revoke(), issuer=authority("ec", usage)).error == error


def test_a_list_covers_what_it_says():
    points = x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://a.test/1.crl")], None, None, None)]
    )
    far = x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://a.test/" + "x" * 300)], None, None, None)]
    )
    pointing, plain, ca = leaf(points), leaf(), leaf(x509.BasicConstraints(True, None))
    for scope, certificate, good, of_its_kind in (
        (place("http://a.test/1.crl"), pointing, True, True),
        (place("http://a.test/1.crl2"), pointing, False, True),
        (place("http://a.test/1"), pointing, False, True),
        (place("http://a.test/1.crl"), plain, False, True),
        (place("http://a.test/" + "x" * 300), leaf(far), True, True),
        (named("Part 7"), leaf(at_name("Part 7")), True, True),
        (named("Part 7"), leaf(at_name("Part 8")), False, True),
        (named("Part 7"), plain, False, True),
        (place(relative="Part 7"), plain, False, True),
        (place(relative="Part 7"), leaf(at_name("Part 7")), False, True),
        (place(only_contains_user_certs=True), plain, True, True),
        (place(only_contains_user_certs=True), ca, False, False),
        (place(only_contains_ca_certs=True), plain, False, False),
        (place(only_contains_ca_certs=True), ca, True, True),
        (place(only_contains_attribute_certs=True), plain, False, False),
        (place(reasons=frozenset([x509.ReasonFlags.key_compromise])), plain, False, True),
    ):
        found = revocation_status(revoke([(5, AT - DAY, None)], scope), certificate)
        assert (found.status, found.error is None) == (("good", True) if good else ("unknown", False))
        listed = revocation_status(revoke([(77, AT - DAY, None)], scope), certificate)
        # A list for certificates of another kind is not used at all (RFC 5280, section 6.3.3 (b)).
        assert (listed.status, listed.error is None) == (("revoked", True) if of_its_kind else ("unknown", False))


def test_an_entry_of_another_issuer_is_not_taken_for_ours():
    other = x509.CertificateIssuer([x509.DirectoryName(issue("x", "x").subject)])
    assert other.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER
    assert "other issuers" in revocation_status(revoke([(77, AT - DAY, None)], entry_extensions=[(other, True)])).error


def test_a_long_list_is_searched_in_a_moment():
    moment = AT - DAY
    crl = revoke((serial, moment, None) for serial in range(100, 3000))
    statuses = [revocation_status(crl, leaf(serial=serial)).status for serial in (99, 100, 2999, 3000)]
    assert statuses == ["good", "revoked", "revoked", "good"]


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("version", ["1", "2"])
def test_lists_of_openssl_are_understood(tmp_path, version):
    now = datetime.now(UTC)
    issuer = issue("authority", "authority", serial=1, begin=now - DAY, end=now + 90 * DAY)
    (tmp_path / "ca.pem").write_bytes(issuer.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(key("authority").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    end, revoked = f"{now + 9 * DAY:%y%m%d%H%M%SZ}", f"{now - DAY:%y%m%d%H%M%SZ}"
    (tmp_path / "index.txt").write_text(f"R\t{end}\t{revoked},keyCompromise\t4E\tunknown\t/CN=b\n")
    (tmp_path / "number").write_text("01\n")
    number = f"crlnumber = {tmp_path}/number\n" if version == "2" else ""
    (tmp_path / "ca.cnf").write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={tmp_path}/index.txt\ndefault_md=sha256\n{number}")
    subprocess.run(
        ["openssl", "ca", "-config", tmp_path / "ca.cnf", "-gencrl", "-cert", tmp_path / "ca.pem", "-keyfile",
         tmp_path / "ca.key", "-crldays", "7", "-out", tmp_path / "list.pem"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    crl = x509.load_pem_x509_crl((tmp_path / "list.pem").read_bytes()).public_bytes(Encoding.DER)
    for serial, expected in ((77, "good"), (78, "revoked")):
        certificate = issue("leaf.test", "authority", serial=serial)
        answer = judge_revocation(der(certificate), der(issuer), crls=[crl], at=now)
        assert (answer.status, answer.source) == (expected, "crl"), answer.detail
