"""The full contents of a certificate, compared with `cryptography`; no bytes may cause an error."""

import hashlib
import json
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from work import at_most

from analyzer.x509.certificate import certificate
from analyzer.x509.details import certificate_details

from .making import KEY, make, raw

POLICY = x509.ObjectIdentifier("1.2.3")

RICH = make(
    x509.BasicConstraints(True, 0),
    x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("x@a.example")]),
    x509.NameConstraints([x509.DNSName("b.example")], None),
    x509.CertificatePolicies([x509.PolicyInformation(POLICY, ["http://cps.example", x509.UserNotice(None, "T")])]),
    x509.CRLDistributionPoints([x509.DistributionPoint([x509.DNSName("c.example")], None, None, None)]),
    x509.TLSFeature([x509.TLSFeatureType.status_request]),
    raw("1.2.3.4", b"\x30\x03\x02\x01\x05"),
)  # fmt: skip


def test_the_values_beyond_the_record() -> None:
    theirs = x509.load_der_x509_certificate(RICH)
    details = certificate_details(RICH)
    assert {key: details[key] for key in certificate(RICH).record() if key != "public_key"} == {
        key: value for key, value in certificate(RICH).record().items() if key != "public_key"
    }
    assert details["sha1"] == hashlib.sha1(RICH).hexdigest()
    assert (details["version"], details["size"], details["self_issued"]) == (3, len(RICH), True)
    assert details["signature"] == theirs.signature.hex()
    spki = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert details["public_key"]["sha256"] == hashlib.sha256(spki).hexdigest()
    assert details["public_key"]["key_sha1"] == x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest.hex()
    assert [one["oid"] for one in details["extensions"]] == [one.oid.dotted_string for one in theirs.extensions]
    assert details["problems"] == []


def test_parameters_of_a_pss_signature() -> None:
    key = rsa.generate_private_key(65537, 2048)
    der = make(key=key, algorithm=SHA384(), rsa_padding=padding.PSS(padding.MGF1(SHA384()), 40))
    details = certificate_details(der)
    assert details["signature_algorithm"] == "rsassaPss"
    assert details["signature_parameters"] == {"hash": "sha384", "mask": "mgf1", "mask_hash": "sha384", "salt_length": 40}


def test_a_raw_public_key() -> None:
    spki = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    details = certificate_details(spki)
    assert (details["type"], details["extensions"], details["version"]) == ("raw_public_key", [], None)
    assert details["public_key"]["sha256"] == details["sha256"]
    assert details["problems"] == []


def test_every_truncation_has_all_keys_and_a_problem() -> None:
    keys = set(certificate_details(RICH))
    for n in range(len(RICH)):
        details = certificate_details(RICH[:n])
        assert set(details) == keys
        assert details["problems"]


def test_mutations_never_raise_and_stay_json_of_bounded_size() -> None:
    chance = random.Random(7)
    for _ in range(1500):
        changed = bytearray(RICH)
        for _ in range(chance.randint(1, 8)):
            changed[chance.randrange(len(changed))] = chance.choice((0, 0x30, 0x80, 0xA0, 0xFF, chance.randrange(256)))
        assert len(json.dumps(certificate_details(bytes(changed)))) < 40 * len(RICH)


LINES = 20_000
"""Maximum lines of Python for a nest of 60,000 bytes, one line for three bytes: a certificate of 500 bytes takes 2,500."""


NESTS = [b"\x30\x80" * 30000, b"\xa0\x80" * 30000, b"\x30\x84\x00\x00\x00\x00" * 10000, b"\x82\x00" * 30000]


@pytest.mark.parametrize("nest", NESTS, ids=lambda nest: nest[:2].hex())
def test_deep_nests_cost_little_work(nest: bytes) -> None:
    with at_most(LINES) as work:
        certificate_details(nest)
    assert work.n_lines > 100
    der = make(raw("2.5.29.17", nest), raw("2.5.29.31", nest), raw("2.5.29.32", nest))
    with at_most(LINES) as work:
        certificate_details(der)
    assert work.n_lines > 100
