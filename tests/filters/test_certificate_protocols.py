"""The protocols with which Wireshark reads the parts of certificates and OCSP responses, in the order of the bytes."""

import random

from analyzer.filters.certificate_protocols import names_inside
from analyzer.x509.der import encode_object_identifier
from tests.filters.field_readings import fields_of, readings


def element(tag, *parts):
    content = b"".join(parts)
    size = bytes((len(content),)) if len(content) < 128 else b"\x82" + len(content).to_bytes(2)
    return bytes((tag,)) + size + content


def identifier(dotted):
    return element(6, encode_object_identifier(dotted))


def extension(dotted, *value):
    return element(0x30, identifier(dotted), element(4, *value))


def attribute(dotted, text=b"x"):
    return element(0x31, element(0x30, identifier(dotted), element(0x0C, text)))


POLICIES = element(
    0x30,
    element(
        0x30, identifier("2.23.140.1.2.2"), element(0x30, element(0x30, identifier("1.3.6.1.5.5.7.2.1"), element(0x16, b"u")))
    ),
    element(0x30, identifier("2.5.29.32.0"), element(0x30, element(0x30, identifier("1.3.6.1.5.5.7.2.2"), element(0x30)))),
)
USES = element(0x30, identifier("1.3.6.1.5.5.7.3.1"), identifier("1.3.6.1.5.5.7.3.2"))
OTHER_NAMES = element(0x30, element(0xA4, element(0x30, attribute("2.5.4.3"))))


def test_attributes_and_extensions_have_their_protocols():
    name = element(0x30, attribute("2.5.4.6"), attribute("0.9.2342.19200300.100.1.25"), attribute("1.2.3.4"))
    assert list(names_inside(name)) == ["x509sat", "x509sat"]
    assert list(names_inside(extension("2.5.29.32", POLICIES))) == ["x509ce", "pkix1explicit", "pkix1implicit"]
    assert list(names_inside(extension("2.5.29.37", USES))) == ["x509ce"]
    assert list(names_inside(extension("2.5.29.17", OTHER_NAMES))) == ["x509ce", "x509sat"]
    assert list(names_inside(extension("1.3.6.1.4.1.11129.2.4.2", b"sct"))) == ["tls"]
    assert list(names_inside(extension("1.3.6.1.5.5.7.1.1", USES))) == ["pkix1implicit"]


def test_an_unknown_extension_is_not_looked_into():
    assert list(names_inside(extension("1.2.3.4.5", OTHER_NAMES))) == []


def test_parameters_of_keys_count_and_so_do_curves_in_full():
    key = element(0x30, identifier("1.2.840.10045.2.1"), identifier("1.2.840.10045.3.1.7"))
    assert list(names_inside(key)) == ["pkixalgs"]
    curve = element(0x30, element(2, b"\1"), element(0x30, identifier("1.2.840.10045.1.1"), element(2, b"\7")))
    assert list(names_inside(element(0x30, identifier("1.2.840.10045.2.1"), curve))) == ["pkixalgs", "pkixalgs"]


def test_damage_never_raises():
    chance = random.Random(5280)
    for _ in range(300):
        data = bytearray(extension("2.5.29.32", POLICIES) + extension("2.5.29.17", OTHER_NAMES))
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        list(names_inside(bytes(data)))
    deep = b""
    for _ in range(200):
        deep = element(0x30, deep)
    assert list(names_inside(deep)) == []


def test_authorities_and_stapled_responses_are_named(corpus):
    (path,) = corpus.glob("zeek/**/certificate-request-failed.pcap")
    assert any(row[0][0].endswith("x509ce:x509sat:x509sat:x509sat:x509sat") for row in protocols(path))
    (path,) = corpus.glob("zeek/**/ocsp-stapling-digicert.pcap")
    assert any(row[0][0].endswith(":tls:ocsp") for row in protocols(path))
    (path,) = corpus.glob("zeek/**/ocsp-revoked.pcap")
    assert [row[0][0] for row in protocols(path)][3] == "eth:ethertype:ip:tcp:http:ocsp:ocsp"


def protocols(path):
    return list(readings(path, fields_of("frame.protocols"), engine=True))
