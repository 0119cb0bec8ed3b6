"""The data that is kept from HTTP bodies, and the search in it."""

import random
from base64 import encodebytes

from authorities import AT, DAY, authority, der, issue, key_usage, leaf, respond, revoke
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.x509 import Judge
from analyzer.x509 import revocation_data as module
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.revocation import judge_revocation
from analyzer.x509.revocation_data import RevocationData, RevocationDataReader

OCSP, CRL, PKCS7 = "application/ocsp-response", "application/pkix-crl", "application/x-pkcs7-crl"


def element(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content


def signed_data(*crls: bytes, certificates: bytes = b"") -> bytes:
    parts = b"\x02\x01\x01" + b"\x31\x00" + element(0x30, b"") + (element(0xA0, certificates) if certificates else b"")
    inside = element(0x30, parts + (element(0xA1, b"".join(crls)) if crls else b"") + b"\x31\x00")
    oid = encode_object_identifier("1.2.840.113549.1.7.2")
    return element(0x30, bytes((6, len(oid))) + oid + element(0xA0, inside))


def test_responses_are_found_by_the_certificate():
    revocation_data = RevocationData()
    first = respond(leaf(), authority())
    second = respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY)
    for body in (first, second, first, respond(leaf(serial=78), authority()), b"rubbish"):
        revocation_data.take(OCSP, body)
    revocation_data.take("text/html", respond(leaf(serial=79), authority()))
    assert revocation_data.ocsp(der(leaf())) == (first, second)
    assert revocation_data.ocsp(der(leaf(serial=79))) == ()
    assert revocation_data.crls(der(leaf())) == ()
    assert revocation_data.ocsp(b"rubbish") == revocation_data.crls(b"rubbish") == ()
    assert len(revocation_data) == 3
    assert judge_revocation(der(leaf()), der(authority()), ocsp=revocation_data.ocsp(der(leaf())), at=AT).status == "revoked"


def test_lists_are_found_by_the_issuer_in_all_encodings():
    lists = [revoke([(serial, AT, None)]) for serial in range(1, 7)]
    revocation_data = RevocationData()
    revocation_data.take(CRL, lists[0])
    revocation_data.take("Application/X-PKCS7-CRL; charset=binary", lists[1])
    revocation_data.take(CRL, b"-----BEGIN X509 CRL-----\n" + encodebytes(lists[2]) + b"-----END X509 CRL-----\n")
    revocation_data.take(PKCS7, signed_data(lists[3], lists[4], certificates=der(authority())))
    revocation_data.take(PKCS7, signed_data(lists[5]))
    revocation_data.take(PKCS7, signed_data())
    revocation_data.take(CRL, revoke(issuer="another authority"))
    revocation_data.take(CRL, b"-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n")
    assert revocation_data.crls(der(leaf())) == tuple(lists)
    assert len(revocation_data) == 7


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "RESPONSES", 2)
    monkeypatch.setattr(module, "REVOCATION_LISTS", 1)
    revocation_data = RevocationData()
    for serial in (1, 2, 3):
        revocation_data.take(OCSP, respond(leaf(serial=serial), authority()))
        revocation_data.take(CRL, revoke([(serial, AT, None)]))
    assert (len(revocation_data), revocation_data.dropped) == (3, 3)
    monkeypatch.setattr(module, "RESPONSES", 99)
    monkeypatch.setattr(module, "RESPONSE_BYTES", 1000)
    for serial in (4, 5, 6, 7):
        revocation_data.take(OCSP, respond(leaf(serial=serial), authority()))
    assert sum(len(revocation_data.ocsp(der(leaf(serial=serial)))) for serial in range(1, 8)) < 5


def test_mutated_bodies_never_raise():
    generator = random.Random(8)
    revocation_data = RevocationData()
    bodies = [signed_data(revoke(), certificates=der(authority())), revoke(), respond(leaf(), authority())]
    for _ in range(1500):
        data = bytearray(generator.choice(bodies))
        data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.3:
            del data[generator.randrange(len(data)) :]
        revocation_data.take(generator.choice((OCSP, CRL, PKCS7)), bytes(data))


def test_a_reader_takes_complete_bodies_only():
    revocation_data, body = RevocationData(), respond(leaf(), authority())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {OCSP}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader = RevocationDataReader(revocation_data.take)
    assert reader.feed(head + body[:100], 1, 1)
    assert reader.n_held == 100
    reader.close(2)
    assert len(revocation_data) == 0
    reader = RevocationDataReader(revocation_data.take)
    for piece in range(0, len(head + body), 7):
        assert reader.feed((head + body)[piece : piece + 7], 1, 1)
    assert reader.n_held == 0
    assert revocation_data.ocsp(der(leaf())) == (body,)
    assert not reader.feed(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc", 1, 1)
    reader.close(3)
    assert not issue("leaf.test", "authority").extensions


def test_verdicts_take_what_was_kept():
    root = issue("authority", "authority", x509.BasicConstraints(True, None), key_usage("key_cert_sign", "crl_sign"), serial=1)
    certificate = der(leaf())
    judge = Judge([der(root)])

    def codes(**more) -> list[str]:
        return [each.code for each in judge.judge([certificate], at=AT, name=None, **more).problems if each.code == "revoked"]

    revocation_data = RevocationData()
    assert codes(ocsp=revocation_data.ocsp(certificate), crls=revocation_data.crls(certificate)) == []
    revocation_data.take(CRL, revoke([(77, AT - DAY, None)]))
    assert codes(ocsp=revocation_data.ocsp(certificate), crls=revocation_data.crls(certificate)) == ["revoked"]
    revocation_data = RevocationData()
    revocation_data.take(OCSP, respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY))
    assert codes(ocsp=revocation_data.ocsp(certificate), crls=revocation_data.crls(certificate)) == ["revoked"]
    assert codes() == []
