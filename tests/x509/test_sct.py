"""Certificate timestamps: of logs made for the tests, and of real logs in real captures."""

import random
import struct
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from authorities import AT, DAY, authority, der, issue, key
from conversations import read_sessions
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.tls.handshake.certificate_messages import staple
from analyzer.x509.ct_logs import read_logs, shipped_logs
from analyzer.x509.sct import TIMESTAMPS, judge_scts

OID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
USAGE = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
NAMES = x509.SubjectAlternativeName([x509.DNSName("leaf.test")])


def public(label, kind="ec"):
    return key(label, kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


LOGS = read_logs(
    b"name,operator,state,since,expiry_from,expiry_before,key\n"
    + f"EC log,Operator,usable,,,,{b64encode(public('log')).decode()}\n".encode()
    + f"RSA log,Operator,retired,2024-05-31,,,{b64encode(public('log', 'rsa')).decode()}\n".encode()
)


def promise(entry: bytes, at=AT - DAY, kind="ec", extensions=b"", version=0) -> bytes:
    """Return one timestamp, as a log makes it."""
    moment = int(at.timestamp() * 1000)
    signed = struct.pack(">BBQ", version, 0, moment) + entry + struct.pack(">H", len(extensions)) + extensions
    private_key = key("log", kind)
    if kind == "rsa":
        signature, scheme = private_key.sign(signed, padding.PKCS1v15(), hashes.SHA256()), 0x0401
    else:
        signature, scheme = private_key.sign(signed, ec.ECDSA(hashes.SHA256())), 0x0403
    head = struct.pack(">B32sQH", version, sha256(public("log", kind)).digest(), moment, len(extensions)) + extensions
    return head + struct.pack(">HH", scheme, len(signature)) + signature


def listed(*timestamps: bytes) -> bytes:
    body = b"".join(struct.pack(">H", len(each)) + each for each in timestamps)
    return struct.pack(">H", len(body)) + body


def entry_of(certificate: x509.Certificate) -> bytes:
    return b"\0\0" + len(der(certificate)).to_bytes(3, "big") + der(certificate)


def with_timestamps(*before, after=(), **options) -> x509.Certificate:
    """Return a certificate with the timestamp of its own precertificate."""
    bare = issue("leaf.test", "authority", *before, *after)
    contents = bare.tbs_certificate_bytes
    entry = b"\0\1" + sha256(public("authority")).digest() + len(contents).to_bytes(3, "big") + contents
    timestamps = listed(promise(entry, **options))
    inside = x509.UnrecognizedExtension(OID, b"\x04\x81" + bytes([len(timestamps)]) + timestamps)
    return issue("leaf.test", "authority", *before, inside, *after)


def judge(certificate, issuer=True, tls=(), at=AT):
    return judge_scts(der(certificate), der(authority()) if issuer else None, tls=tls, logs=LOGS, at=at)


@pytest.mark.parametrize(("before", "after"), [((), ()), ((USAGE,), (NAMES,)), ((), (USAGE,)), ((USAGE, NAMES), ())])
def test_timestamps_in_certificates_are_about_the_rest_of_it(before, after):
    [verdict] = judge(with_timestamps(*before, after=after))
    assert (verdict.source, verdict.log, verdict.status, verdict.timestamp) == ("certificate", "EC log", "verified", AT - DAY)
    assert verdict.detail == "EC log signed it at 2024-05-31 12:00:00 UTC"
    [verdict] = judge(with_timestamps(*before, after=after), issuer=False)
    assert (verdict.status, verdict.log) == ("unverifiable", "EC log")
    [verdict] = judge_scts(
        der(with_timestamps(*before, after=after)), der(issue("authority", "authority", kind="rsa")), logs=LOGS, at=AT
    )
    assert verdict.status == "failed"


def test_timestamps_in_tls_are_about_the_whole_certificate():
    certificate = issue("leaf.test", "authority")
    entry = entry_of(certificate)
    verdicts = judge(certificate, tls=[listed(promise(entry, kind="rsa", extensions=b"abc"), promise(entry))])
    assert [(v.source, v.log, v.status) for v in verdicts] == [("tls", "RSA log", "verified"), ("tls", "EC log", "verified")]
    assert verdicts[0].detail.endswith("; the log was retired by 2024-05-31")
    other = issue("leaf.test", "authority", serial=78)
    [verdict] = judge(other, tls=[listed(promise(entry))])
    assert (verdict.status, verdict.detail) == ("failed", "the signature is not that of EC log over this certificate")


def test_a_timestamp_from_the_future_has_failed():
    certificate = issue("leaf.test", "authority")
    body = listed(promise(entry_of(certificate)))
    assert judge(certificate, tls=[body], at=AT - 2 * DAY)[0].status == "failed"
    assert judge(certificate, tls=[body], at=AT - DAY)[0].status == "verified"


def test_unknown_logs_versions_and_algorithms():
    certificate = issue("leaf.test", "authority")
    good = promise(entry_of(certificate))
    unknown = good[:1] + bytes(32) + good[33:]
    algorithm = good.replace(b"\x04\x03\0", b"\x06\x03\0")
    rsa_key = good[:1] + sha256(public("log", "rsa")).digest() + good[33:]
    verdicts = judge(certificate, tls=[listed(unknown, promise(entry_of(certificate), version=1), algorithm, rsa_key)])
    assert [v.status for v in verdicts] == ["unknown_log", "unverifiable", "unverifiable", "unverifiable"]
    assert (verdicts[0].log, verdicts[0].log_id) == (None, "00" * 32)
    assert "version 2, which clients ignore" in verdicts[1].detail


def test_a_truncated_list_is_reported_with_its_timestamps():
    certificate = issue("leaf.test", "authority")
    body = listed(promise(entry_of(certificate)), promise(entry_of(certificate)))
    verdicts = judge(certificate, tls=[body[:-5]])
    assert verdicts[0].status == "verified"
    assert verdicts[-1].status == "unverifiable"
    assert judge(certificate, tls=[b""])[0].status == "unverifiable"


def test_the_number_of_timestamps_is_bounded():
    certificate = issue("leaf.test", "authority")
    verdicts = judge(certificate, tls=[listed(*[promise(entry_of(certificate))] * (TIMESTAMPS + 3))])
    assert len(verdicts) == TIMESTAMPS + 1
    assert verdicts[-1].detail == "3 more timestamps are not looked at"


def test_mutated_certificates_and_lists_never_raise():
    generator = random.Random(6962)
    certificate, issuer = der(with_timestamps(USAGE, after=[NAMES])), der(authority())
    body = listed(promise(entry_of(issue("leaf.test", "authority"))))
    seen = set()
    for _ in range(600):
        inputs = [bytearray(certificate), bytearray(issuer), bytearray(body)]
        data = generator.choice(inputs)
        data[generator.randrange(len(data))] = generator.choice((0, 0x30, 0x80, 0xFF, generator.randrange(256)))
        if generator.random() < 0.1:
            del data[generator.randrange(len(data)) :]
        for verdict in judge_scts(bytes(inputs[0]), bytes(inputs[1]), tls=[bytes(inputs[2])], logs=LOGS, at=AT):
            seen.add(verdict.status)
    assert seen == {"verified", "failed", "unknown_log", "unverifiable"}


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signed_certificate_timestamp", {"tls": 3, "ocsp": 2}),
        ("signed_certificate_timestamp-2", {"certificate": 4, "tls": 6}),
        ("signed_certificate_timestamp_tls1_0", {"tls": 2}),
        ("certificate-with-sct", {"certificate": 4}),
    ],
)
def test_timestamps_in_real_captures_verify(corpus, name, expected):
    reader = CaptureReader([str(corpus / "zeek" / "tls" / f"{name}.pcap")])
    [session] = [each for each in read_sessions(reader, Engine()) if each.handshake.certificates[1]]
    kept = []
    for message in session.log.messages:
        if message.role == 1:
            staple(kept, 1, message.body)
    bodies = [each for _, place, kind, each in kept if kind == "scts" and place == 0]
    responses = [each for _, _, kind, each in kept if kind == "ocsp"]
    at = datetime.fromtimestamp(session.flow.start / 1e9, UTC)
    verdicts = judge_scts(*session.handshake.certificates[1][:2], tls=bodies, ocsp=responses, logs=shipped_logs(), at=at)
    assert {v.status for v in verdicts} == {"verified"}, verdicts
    assert {source: sum(v.source == source for v in verdicts) for source in expected} == expected
    assert sum(expected.values()) == len(verdicts)
