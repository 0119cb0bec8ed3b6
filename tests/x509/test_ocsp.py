"""OCSP responses: who may sign them, for whom, and the responses of OpenSSL's responder."""

import subprocess
from datetime import UTC, datetime

import pytest
from authorities import AT, DAY, SIGN_OCSP, authority, der, issue, key, leaf, respond
from conversations import read_sessions
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.tls.handshake.certificate_messages import staple
from analyzer.x509.certificate_id import identity
from analyzer.x509.ocsp import judge_ocsp
from analyzer.x509.ocsp_response import RESPONSE_SIZE, read_response
from analyzer.x509.revocation import judge_revocation


def revocation_status(response, certificate=None, issuer=None):
    found = judge_ocsp(response, identity(der(certificate or leaf())), identity(der(issuer or authority())))
    return found[0] if found else None


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_the_issuer_signs_itself(kind):
    issuer = authority(kind)
    found = revocation_status(respond(leaf(), issuer), issuer=issuer)
    assert (found.status, found.signer, found.error) == ("good", "the issuer", None)
    assert (found.this_update, found.next_update) == (AT - DAY, AT + DAY)


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])
def test_certificates_are_named_by_any_hash(digest):
    assert revocation_status(respond(leaf(), authority(), algorithm=digest)).status == "good"


def test_a_response_about_others_has_no_status():
    assert revocation_status(respond(leaf(serial=78), authority())) is None
    assert revocation_status(respond(leaf(), authority("rsa"))) is None
    other = issue("leaf.test", "another authority")
    assert revocation_status(respond(other, issue("another authority", "another authority"))) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [(OCSPCertStatus.GOOD, "good"), (OCSPCertStatus.UNKNOWN, "unknown"), (OCSPCertStatus.REVOKED, "revoked")],
)
def test_statuses(status, expected):
    moment = AT - 2 * DAY if expected == "revoked" else None
    reason = x509.ReasonFlags.superseded if moment else None
    found = revocation_status(respond(leaf(), authority(), status, revoked_at=moment, reason=reason))
    assert (found.status, found.revoked_at, found.reason) == (expected, moment, "superseded" if moment else None)


def test_a_delegate_signs_for_the_issuer():
    delegate = issue("delegate", "authority", SIGN_OCSP, end=AT + 10_000 * DAY)
    found = revocation_status(respond(leaf(), authority(), signer=delegate, include=[leaf(), delegate]))
    assert (found.status, found.signer, found.error) == ("good", "the delegate CN=delegate", None)


@pytest.mark.parametrize(
    ("delegate", "why"),
    [
        (issue("delegate", "authority"), "is not for signing OCSP responses"),
        (issue("delegate", "another authority", SIGN_OCSP), "is from another issuer"),
        (issue("delegate", "authority", SIGN_OCSP, signer=key("stranger")), "the issuer has not signed"),
        (
            issue("delegate", "authority", SIGN_OCSP, end=AT - 50 * DAY),
            "when the certificate of the delegate CN=delegate was not valid",
        ),
    ],
)
def test_other_signers_do_not_count(delegate, why):
    response = respond(leaf(), authority(), signer=delegate, include=[delegate])
    assert why in revocation_status(response).error
    answer = judge_revocation(der(leaf()), der(authority()), ocsp=[response], at=AT)
    assert answer.status == "unknown"
    assert why in answer.detail


def test_a_delegate_that_is_not_in_the_response_does_not_count():
    delegate = issue("delegate", "authority", SIGN_OCSP)
    assert "neither the issuer's nor" in revocation_status(respond(leaf(), authority(), signer=delegate)).error


def test_a_status_counts_only_while_its_delegate_is_valid():
    # The library sets the time of a response to the time at which it makes the response.
    now = datetime.now(UTC).replace(microsecond=0)
    delegate = issue("delegate", "authority", SIGN_OCSP, begin=now - DAY, end=now + DAY)
    response = respond(leaf(), authority(), signer=delegate, include=[delegate], this_update=now, next_update=now + 9 * DAY)
    found = revocation_status(response)
    assert (found.error, found.until) == (None, now + DAY)


def test_an_unknown_critical_extension_is_not_ignored():
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert revocation_status(respond(leaf(), authority(), extensions=[(extension, False)])).error is None
    assert (
        revocation_status(respond(leaf(), authority(), extensions=[(extension, True)])).error
        == "it has an unknown critical extension"
    )


def test_a_signature_is_checked_once_for_each_key():
    delegates = [issue(f"delegate {number}", "authority", SIGN_OCSP) for number in range(3)]
    response = respond(leaf(), authority(), signer=issue("stranger", "stranger"), include=delegates)
    checks = read_response(response).checks
    assert checks == {}
    assert "neither the issuer's nor" in revocation_status(response).error
    assert sorted(checks) == sorted(identity(der(one)).public_key for one in (authority(), *delegates))
    checks.update(dict.fromkeys(checks, "verified"))
    assert revocation_status(response).error is None


def test_error_statuses_and_invalid_bytes_are_reported():
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
    assert revocation_status(refusal).error == "the responder refused: tryLater"
    assert revocation_status(b"rubbish").error.startswith("it cannot be read")
    assert read_response(bytes(RESPONSE_SIZE + 1)).error.startswith("it has 65537 bytes")


def test_a_changed_response_does_not_count():
    response = respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY)
    stamp = f"{AT - DAY:%Y%m%d%H%M%SZ}".encode()
    assert revocation_status(response.replace(stamp, stamp.replace(b"2024", b"2023"))).error.startswith(
        "its signature is neither"
    )


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("delegated", [False, True])
def test_what_the_responder_of_openssl_says_is_understood(tmp_path, delegated):
    now = datetime.now(UTC)
    paths = {name: tmp_path / name for name in ("ca.pem", "ca.key", "index.txt", "signer.pem", "signer.key", "answer")}
    issuer = issue("authority", "authority", serial=1, begin=now - DAY, end=now + 90 * DAY)
    certificates = [
        issue("leaf.test", "authority", serial=serial, begin=now - DAY, end=now + 9 * DAY) for serial in (77, 78, 79)
    ]
    signer = issue("delegate", "authority", SIGN_OCSP, begin=now - DAY, end=now + DAY) if delegated else issuer
    for name, certificate, owner in (("ca", issuer, "authority"), ("signer", signer, "delegate" if delegated else "authority")):
        paths[f"{name}.pem"].write_bytes(certificate.public_bytes(Encoding.PEM))
        secret = key(owner).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        paths[f"{name}.key"].write_bytes(secret)
    end, revoked = f"{now + 9 * DAY:%y%m%d%H%M%SZ}", f"{now - DAY:%y%m%d%H%M%SZ}"
    paths["index.txt"].write_text(f"V\t{end}\t\t4D\tunknown\t/CN=a\nR\t{end}\t{revoked},keyCompromise\t4E\tunknown\t/CN=b\n")
    for certificate, expected in zip(certificates, ("good", "revoked", "unknown"), strict=True):
        pem = tmp_path / "leaf.pem"
        pem.write_bytes(certificate.public_bytes(Encoding.PEM))
        subprocess.run(
            ["openssl", "ocsp", "-index", paths["index.txt"], "-CA", paths["ca.pem"], "-rsigner", paths["signer.pem"], "-rkey",
             paths["signer.key"], "-issuer", paths["ca.pem"], "-cert", pem, "-ndays", "3", "-respout", paths["answer"],
             "-noverify"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        answer = judge_revocation(der(certificate), der(issuer), ocsp=[paths["answer"].read_bytes()], at=now)
        assert (answer.status, answer.source) == (expected, "ocsp"), answer.detail
        if expected == "revoked":
            assert answer.revoked_at == (now - DAY).replace(microsecond=0)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "signer"),
    [
        ("zeek/tls/ocsp-stapling.pcap", "the delegate"),
        ("zeek/tls/ocsp-stapling-digicert.pcap", "the issuer"),
        ("zeek/tls/ocsp-stapling-twimg.pcap", "the issuer"),
        ("zeek/tls/signed_certificate_timestamp.pcap", "the issuer"),
        ("ja4/socks4-https.pcap", "the delegate"),
    ],
)
def test_what_real_servers_staple_counts_at_the_time_of_capture(corpus, name, signer):
    reader = CaptureReader([str(corpus / name)])
    session = next(each for each in read_sessions(reader, Engine()) if each.handshake.certificates[1])
    kept = []
    for message in session.log.messages:
        if message.role == 1:
            staple(kept, 1, message.body)
    [response] = [each for _, _, kind, each in kept if kind == "ocsp"]
    at = datetime.fromtimestamp(session.flow.start / 1e9, UTC)
    certificate, issuer = session.handshake.certificates[1][:2]
    answer = judge_revocation(certificate, issuer, ocsp=[response], at=at)
    assert (answer.status, answer.source) == ("good", "ocsp"), answer.detail
    assert f"signed by {signer}" in answer.detail
    assert judge_revocation(certificate, issuer, ocsp=[response], at=answer.until).status == "unknown"
    assert judge_revocation(issuer, issuer, ocsp=[response], at=at).detail.startswith("none of 1 OCSP responses")
