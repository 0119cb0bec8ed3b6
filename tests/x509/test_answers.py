"""What is kept of HTTP bodies, and how it is found again."""

import random
from base64 import encodebytes

from authorities import AT, DAY, authority, der, issue, key_usage, leaf, respond, revoke
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.x509 import Judge
from analyzer.x509 import answers as module
from analyzer.x509.answers import AnswerReader, Answers
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.revocation import judge_revocation

OCSP, CRL, PKCS7 = "application/ocsp-response", "application/pkix-crl", "application/x-pkcs7-crl"


def element(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content


def signed_data(*crls: bytes, certificates: bytes = b"") -> bytes:
    parts = b"\x02\x01\x01" + b"\x31\x00" + element(0x30, b"") + (element(0xA0, certificates) if certificates else b"")
    inside = element(0x30, parts + (element(0xA1, b"".join(crls)) if crls else b"") + b"\x31\x00")
    oid = encode_object_identifier("1.2.840.113549.1.7.2")
    return element(0x30, bytes((6, len(oid))) + oid + element(0xA0, inside))


def test_responses_are_found_by_the_certificate():
    answers = Answers()
    first = respond(leaf(), authority())
    second = respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY)
    for body in (first, second, first, respond(leaf(serial=78), authority()), b"rubbish"):
        answers.take(OCSP, body)
    answers.take("text/html", respond(leaf(serial=79), authority()))
    assert answers.ocsp(der(leaf())) == (first, second)
    assert answers.ocsp(der(leaf(serial=79))) == ()
    assert answers.crls(der(leaf())) == ()
    assert answers.ocsp(b"rubbish") == answers.crls(b"rubbish") == ()
    assert len(answers) == 3
    assert judge_revocation(der(leaf()), der(authority()), ocsp=answers.ocsp(der(leaf())), at=AT).status == "revoked"


def test_lists_are_found_by_the_issuer_in_all_their_wrappings():
    lists = [revoke([(serial, AT, None)]) for serial in range(1, 7)]
    answers = Answers()
    answers.take(CRL, lists[0])
    answers.take("Application/X-PKCS7-CRL; charset=binary", lists[1])
    answers.take(CRL, b"-----BEGIN X509 CRL-----\n" + encodebytes(lists[2]) + b"-----END X509 CRL-----\n")
    answers.take(PKCS7, signed_data(lists[3], lists[4], certificates=der(authority())))
    answers.take(PKCS7, signed_data(lists[5]))
    answers.take(PKCS7, signed_data())
    answers.take(CRL, revoke(issuer="another authority"))
    answers.take(CRL, b"-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n")
    assert answers.crls(der(leaf())) == tuple(lists)
    assert len(answers) == 7


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "RESPONSES", 2)
    monkeypatch.setattr(module, "REVOCATION_LISTS", 1)
    answers = Answers()
    for serial in (1, 2, 3):
        answers.take(OCSP, respond(leaf(serial=serial), authority()))
        answers.take(CRL, revoke([(serial, AT, None)]))
    assert (len(answers), answers.dropped) == (3, 3)
    monkeypatch.setattr(module, "RESPONSES", 99)
    monkeypatch.setattr(module, "RESPONSE_BYTES", 1000)
    for serial in (4, 5, 6, 7):
        answers.take(OCSP, respond(leaf(serial=serial), authority()))
    assert sum(len(answers.ocsp(der(leaf(serial=serial)))) for serial in range(1, 8)) < 5


def test_mutated_bodies_never_raise():
    generator = random.Random(8)
    answers = Answers()
    bodies = [signed_data(revoke(), certificates=der(authority())), revoke(), respond(leaf(), authority())]
    for _ in range(1500):
        data = bytearray(generator.choice(bodies))
        data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.3:
            del data[generator.randrange(len(data)) :]
        answers.take(generator.choice((OCSP, CRL, PKCS7)), bytes(data))


def test_a_reader_takes_whole_bodies_only():
    answers, body = Answers(), respond(leaf(), authority())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {OCSP}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader = AnswerReader(answers.take)
    assert reader.feed(head + body[:100], 1, 1)
    assert reader.n_held == 100
    reader.close(2)
    assert len(answers) == 0
    reader = AnswerReader(answers.take)
    for piece in range(0, len(head + body), 7):
        assert reader.feed((head + body)[piece : piece + 7], 1, 1)
    assert reader.n_held == 0
    assert answers.ocsp(der(leaf())) == (body,)
    assert not reader.feed(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc", 1, 1)
    reader.close(3)
    assert not issue("leaf.test", "authority").extensions


def test_verdicts_take_what_was_kept():
    root = issue("authority", "authority", x509.BasicConstraints(True, None), key_usage("key_cert_sign", "crl_sign"), serial=1)
    certificate = der(leaf())
    judge = Judge([der(root)])

    def codes(**more) -> list[str]:
        return [each.code for each in judge.judge([certificate], at=AT, name=None, **more).problems if each.code == "revoked"]

    answers = Answers()
    assert codes(ocsp=answers.ocsp(certificate), crls=answers.crls(certificate)) == []
    answers.take(CRL, revoke([(77, AT - DAY, None)]))
    assert codes(ocsp=answers.ocsp(certificate), crls=answers.crls(certificate)) == ["revoked"]
    answers = Answers()
    answers.take(OCSP, respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY))
    assert codes(ocsp=answers.ocsp(certificate), crls=answers.crls(certificate)) == ["revoked"]
    assert codes() == []
