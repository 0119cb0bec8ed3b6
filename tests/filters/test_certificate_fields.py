"""The fields of certificates: as tshark reads them, in plaintext and decrypted, and of damaged certificates."""

import random
from types import SimpleNamespace

import pytest

from analyzer.filters.asn1_grammar import MAX_ITEMS, read_der
from analyzer.filters.certificate_fields import CertificateFields
from analyzer.filters.certificate_grammar import CERTIFICATE as GRAMMAR
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import FrameView
from analyzer.filters.name_grammar import general_names
from analyzer.filters.value_strings import rows
from analyzer.tls.events import handshake_message
from analyzer.tls.messages.numbers import CERTIFICATE
from analyzer.x509.der import encode_object_identifier
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed, wire_type


def capture_of(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    return path, next((repository / "captures" / name).glob("*.keys"), None)


def value(field, text):
    """A value of tshark's, where it is no text."""
    return encode_object_identifier(text) if field.type is FieldType.OID and isinstance(text, str) else text


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", ["tls10-rsa", "tls12-ecdhe-ecdsa", "tls13-rsa"])
def test_fields_have_the_values_that_tshark_reads(repository, name):
    path, keys = capture_of(repository, name)
    types = listed("tshark")
    fields = [field for field in fields_of(*(row["name"] for row in rows("certificate_fields"))) if field.name in types]
    fields = [field for field in fields if wire_type(field) in types[field.name] and field.type is FieldType.STRING]
    ours, theirs = readings(path, fields, keys, engine=True), tshark_readings(path, fields, keys)
    n_values = 0
    for number, (own, other) in enumerate(zip(ours, theirs, strict=True), 1):
        differ = {field.name: (a, b) for field, a, b in zip(fields, own, other, strict=True) if a != b}
        assert not differ, f"frame {number}"
        n_values += sum(map(len, own))
    assert n_values > 5


def test_numbers_and_identifiers_are_read(repository):
    path, keys = capture_of(repository, "tls12-ecdhe-ecdsa")
    names = (
        "x509af.version",
        "x509af.algorithm.id",
        "x509ce.cA",
        "x509ce.dNSName",
        "x509af.serialNumber",
        "x509ce.KeyPurposeId",
    )
    frames = [one for one in readings(path, fields_of(*names), keys, engine=True) if one[0]]
    version, algorithms, authority, hosts, serials, purposes = frames[0]
    assert set(version) == {2}
    assert encode_object_identifier("1.2.840.10045.4.3.2") in algorithms
    assert True in authority
    assert hosts == ["www.example"]
    assert len(serials) == len(version)
    assert encode_object_identifier("1.3.6.1.5.5.7.3.1") in purposes


def test_damage_never_raises_and_keeps_what_was_read(repository):
    path, _ = capture_of(repository, "tls12-ecdhe-ecdsa")
    (certificate,) = fields_of("tls.handshake.certificate")
    der = next(one[0][0] for one in readings(path, [certificate], engine=True) if one[0])
    chance = random.Random(11)
    whole = {}
    read_der(GRAMMAR, der, whole)
    assert len(whole) > 10
    for _ in range(200):
        data = bytearray(der)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        read_der(GRAMMAR, bytes(data[: chance.randrange(len(data))]), {})


def test_a_certificate_that_could_not_be_read_hides_no_other(repository):
    path, _ = capture_of(repository, "tls12-ecdhe-ecdsa")
    (certificate,) = fields_of("tls.handshake.certificate")
    der = next(one[0][0] for one in readings(path, [certificate], engine=True) if one[0])
    body = SimpleNamespace(certificate_list=[None, der])
    view = FrameView(None, None)
    view.events = [handshake_message(CERTIFICATE, "Certificate", 1, 1, 1, 4, b"", body, [], False)]
    assert len(CertificateFields().find(view)["x509af.serialNumber"]) == 1


def test_names_extensions_and_keys_have_their_parts(repository):
    path, _ = capture_of(repository, "tls10-rsa")
    (certificate,) = fields_of("tls.handshake.certificate")
    der = next(one[0][0] for one in readings(path, [certificate], engine=True) if one[0])
    found = {}
    read_der(GRAMMAR, der, found)
    values = {name: [one.value for one in some] for name, some in found.items()}
    assert values["x509af.notBefore"] == values["x509af.notAfter"] == [0]
    assert values["x509if.rdnSequence"] == [2]
    assert values["x509af.rdnSequence"] == [1]
    assert values["x509sat.DirectoryString"] == [4] * len(values["x509sat.uTF8String"])
    assert values["pkixalgs.publicExponent"] == [65537]
    assert values["x509ce.GeneralName"] == [2]
    assert values["x509af.extensions"] == [len(values["x509af.extension.id"])]
    assert values["x509ce.KeyUsage.digitalSignature"] == [True]
    assert values["x509ce.KeyUsage.keyCertSign"] == [False]


def test_items_of_a_list_are_bounded():
    names = b"\x82\x01a" * 5000
    found = {}
    read_der(general_names("x509ce.GeneralNames"), b"\x30\x83" + len(names).to_bytes(3) + names, found)
    assert found["x509ce.GeneralNames"][0].value == 5000
    assert len(found["x509ce.dNSName"]) == MAX_ITEMS
