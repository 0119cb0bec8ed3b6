"""The fields of OCSP responses: of made ones, of damaged ones, and of those that servers staple, as tshark reads them."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from analyzer.filters.capture_facts import CaptureFacts
from analyzer.filters.der_parts import parts
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import FrameView
from analyzer.filters.ocsp_fields import OcspFields
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings

DAY = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def revoked():
    """A response that says that a certificate is revoked."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(0x1234).not_valid_before(DAY).not_valid_after(DAY + timedelta(days=9))
    certificate = builder.sign(key, SHA256())
    response = ocsp.OCSPResponseBuilder().add_response(
        certificate,
        certificate,
        SHA1(),
        ocsp.OCSPCertStatus.REVOKED,
        DAY,
        DAY + timedelta(days=7),
        DAY - timedelta(days=1),
        x509.ReasonFlags.key_compromise,
    )
    return response.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate).sign(key, SHA256()).public_bytes(Encoding.DER)


def read(der, is_response=True):
    view = FrameView(None, CaptureFacts(None))
    view.frame.number = 9
    view.facts.revocation_messages[9] = [(is_response, der)]
    found = OcspFields().find(view)
    return {name: [one.value for one in values] for name, values in found.items()}


def test_a_response_has_the_fields_of_its_status(revoked):
    found = read(revoked)
    at = int(DAY.timestamp()) * SECOND
    assert found["ocsp"] == [revoked]
    assert found["ocsp.responseStatus"] == [0]
    assert found["ocsp.responseType.id"] == ["1.3.6.1.5.5.7.48.1.1"]
    assert found["ocsp.responderID"] == [2]
    assert len(found["ocsp.byKey"][0]) == 20
    assert found["ocsp.certStatus"] == [1]
    assert found["ocsp.revocationReason"] == [1]
    assert found["ocsp.revocationTime"] == [at - 86400 * SECOND]
    assert found["ocsp.thisUpdate"] == [at]
    assert found["ocsp.nextUpdate"] == [at + 7 * 86400 * SECOND]
    assert found["ocsp.serialNumber"] == [b"\x12\x34"]
    assert found["ocsp.responses"] == [1]


def test_a_refusal_has_its_status_alone():
    assert read(bytes.fromhex("30030a0106")) == {"ocsp": [bytes.fromhex("30030a0106")], "ocsp.responseStatus": [6]}


def test_damage_never_raises(revoked):
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(revoked)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        read(bytes(data[: chance.randrange(len(data))]))
    assert list(parts(b"\x30\x7f")) == []


def test_a_request_asks_for_a_certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = builder.serial_number(0x77).not_valid_before(DAY).not_valid_after(DAY + timedelta(days=9)).sign(key, SHA256())
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, SHA1())
    request = request.add_extension(x509.OCSPNonce(b"once"), critical=False).build()
    found = read(request.public_bytes(Encoding.DER), False)
    assert found["ocsp.requestList"] == [1]
    assert found["ocsp.serialNumber"] == [b"\x77"]
    assert found["ocsp.ReOcspNonce"] == [b"once"]
    assert "ocsp.responseStatus" not in found


def test_messages_over_http_have_their_fields(corpus):
    fields = fields_of("ocsp.requestList", "ocsp.certStatus", "ocsp.revocationReason")
    frames = list(readings(corpus / "zeek/tls/ocsp-revoked.pcap", fields, engine=True))
    assert [values for values in frames if any(values)][:2] == [[[1], [], []], [[], [1], [4]]]


@pytest.mark.peer("tshark")
def test_stapled_responses_have_the_values_that_tshark_reads(corpus):
    path = corpus / "zeek/tls/ocsp-stapling.pcap"
    fields = [field for field in fields_of(*(row["name"] for row in rows("ocsp_fields"))) if field.type is FieldType.UINT]
    ours, theirs = list(readings(path, fields, engine=True)), list(tshark_readings(path, fields))
    assert ours == theirs
    assert sum(len(values) for one in ours for values in one) > 4
