"""Who vouches for a signer: keys, certificates, chains, and what is no chain."""

import itertools
from datetime import timedelta

import authorities
import pytest
from authorities import AT, DAY, issue
from bundles import certificate, root
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.report.trusted_signers import TrustedSigners, TrustError, read_trusted

CA = x509.BasicConstraints(ca=True, path_length=None)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def test_a_key_is_read_in_every_form():
    key = authorities.key("Examiner ed25519", "ed25519").public_key()
    for encoding, form in (
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ):
        assert read_trusted(key.public_bytes(encoding, form)).vouches_for_key(key)
    assert read_trusted(pem(certificate("ed25519"))).vouches_for_key(key)
    assert read_trusted(certificate("ed25519").public_bytes(Encoding.DER)).vouches_for_key(key)
    assert not read_trusted(pem(certificate("ec"))).vouches_for_key(key)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\x30\x00", b"-----BEGIN PUBLIC KEY-----\nAA\n", b"ssh-ed25519 AAAA", bytes(5 << 20)]
)
def test_a_file_without_a_key_is_an_error(data: bytes):
    with pytest.raises(TrustError):
        read_trusted(data)


def test_the_certificate_itself_or_who_issued_it_vouches():
    signer = certificate("ec")
    assert list(read_trusted(pem(signer)).chain(signer, [], None)) == [signer]
    assert list(read_trusted(pem(root())).chain(signer, [], AT)) == [signer, root()]
    assert list(read_trusted(pem(certificate("rsa"))).chain(signer, [root()], None)) == []


def test_a_chain_may_go_through_certificates_of_the_signature():
    middle = issue("Middle", "Root", CA, serial=5)
    signer = issue("Deep", "Middle", serial=6)
    trusted = read_trusted(pem(root()))
    assert list(trusted.chain(signer, [middle], None)) == [signer, middle, root()]
    assert list(trusted.chain(signer, [], None)) == []


def test_validity_counts_only_at_a_time_that_is_known():
    trusted = read_trusted(pem(root()))
    assert trusted.chain(certificate("ec"), [], AT)
    assert not trusted.chain(certificate("ec"), [], AT + timedelta(days=1000))
    assert trusted.chain(certificate("ec"), [], None)


@pytest.mark.parametrize("extensions", [(), (x509.BasicConstraints(ca=False, path_length=None),)], ids=["none", "no CA"])
def test_who_is_no_authority_issues_nothing(extensions: tuple[x509.ExtensionType, ...]):
    middle = issue("Middle", "Root", *extensions, serial=5)
    signer = issue("Deep", "Middle", serial=6)
    assert not read_trusted(pem(root())).chain(signer, [middle], None)
    assert not read_trusted(pem(middle)).chain(signer, [], None)


def test_usage_and_length_of_the_path_count():
    wrong = issue("Middle", "Root", CA, authorities.key_usage("digital_signature"), serial=5)
    signer = issue("Deep", "Middle", serial=6)
    assert not read_trusted(pem(root())).chain(signer, [wrong], None)
    short = issue("Short", "Short", x509.BasicConstraints(ca=True, path_length=0), serial=7)
    middle = issue("Middle", "Short", CA, serial=8)
    assert not read_trusted(pem(short)).chain(signer, [middle], None)


def test_a_forged_issuer_vouches_for_nothing():
    signer = issue("Deep", "Root", signer=authorities.key("somebody else"), serial=9)
    assert not read_trusted(pem(root())).chain(signer, [], None)


def test_many_certificates_that_issue_each_other_do_not_cost_more_than_the_limit():
    crowd = [issue("Crowd", "Crowd", CA, serial=number, end=AT + number * DAY) for number in range(100, 132)]
    signer = issue("Deep", "Crowd", serial=6)
    assert not TrustedSigners(frozenset(), [root()]).chain(signer, crowd, None)
    assert len(set(itertools.chain(crowd))) == 32
