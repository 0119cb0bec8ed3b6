"""Revocation in the verdict: of which certificates, since when, and until when such a verdict holds."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hierarchy import AT, HOST, Made, hierarchy

from analyzer.x509 import Judge, judge_chain
from analyzer.x509.verdict import Verdict

DAY = timedelta(days=1)
MADE = hierarchy()


def _list(issuer: Made, revoked: dict[int, datetime], next_update: datetime = AT + DAY) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(AT - DAY)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(1), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
    )
    for serial, at in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _response(subject: Made, issuer: Made, status: ocsp.OCSPCertStatus, revoked_at: datetime | None = None) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        subject.certificate, issuer.certificate, hashes.SHA1(), status, AT - DAY, AT + DAY, revoked_at, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _codes(verdict: Verdict) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.certificate) for problem in verdict.problems]


def test_a_leaf_on_a_list() -> None:
    revoked = _list(MADE.intermediate, {MADE.leaf.certificate.serial_number: AT - DAY})
    verdict = judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, crls=[revoked])
    assert _codes(verdict) == [("revoked", 0)]
    assert "2024-05-31" in verdict.problems[0].detail


def test_an_intermediate_on_the_list_of_its_root() -> None:
    revoked = _list(MADE.root, {MADE.intermediate.certificate.serial_number: AT - DAY})
    verdict = judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, crls=[revoked])
    assert _codes(verdict) == [("revoked", 1)]


def test_a_list_that_names_somebody_else() -> None:
    lists = [_list(MADE.intermediate, {4711: AT - DAY}), _list(MADE.root, {MADE.leaf.certificate.serial_number: AT - DAY})]
    verdict = judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, crls=lists)
    assert verdict.valid
    assert verdict.notes == ()


def test_a_stapled_response() -> None:
    judge = Judge([MADE.root.der])
    good = _response(MADE.leaf, MADE.intermediate, ocsp.OCSPCertStatus.GOOD)
    revoked = _response(MADE.leaf, MADE.intermediate, ocsp.OCSPCertStatus.REVOKED, AT - DAY)
    assert judge.judge(MADE.chain, at=AT, name=HOST, ocsp=[good]).valid
    assert _codes(judge.judge(MADE.chain, at=AT, name=HOST, ocsp=[revoked])) == [("revoked", 0)]
    assert judge.judge(MADE.chain, at=AT, name=HOST).valid
    assert not judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, ocsp=revoked).valid


def test_unknown_revocation_is_a_note_if_data_was_given() -> None:
    good = _response(MADE.leaf, MADE.intermediate, ocsp.OCSPCertStatus.GOOD)
    verdict = judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, ocsp=good)
    assert [(note.code, note.certificate) for note in verdict.notes] == [("revocation_unknown", 1)]
    assert judge_chain(MADE.chain, roots=[MADE.root.der], at=AT, name=HOST).notes == ()


def test_a_verdict_holds_until_a_status_begins_or_ceases_to_count() -> None:
    revoked_at = AT + 3 * timedelta(hours=1)
    revoked = _list(MADE.intermediate, {MADE.leaf.certificate.serial_number: revoked_at}, AT + 10 * DAY)
    judge = Judge([MADE.root.der], crls=[revoked])
    before = judge.judge(MADE.chain, at=AT, name=HOST)
    assert before.valid
    assert judge.judge(MADE.chain, at=revoked_at - timedelta(seconds=1), name=HOST) is before
    after = judge.judge(MADE.chain, at=revoked_at, name=HOST)
    assert _codes(after) == [("revoked", 0)]
    assert judge.judge(MADE.chain, at=revoked_at + DAY, name=HOST) is after


def test_of_two_paths_the_one_that_is_not_revoked_is_taken() -> None:
    other_root = hierarchy(root={"subject": "Other Root"}, intermediate={"key": MADE.intermediate.key})
    revoked = _list(MADE.root, {MADE.intermediate.certificate.serial_number: AT - DAY})
    verdict = judge_chain(
        [*MADE.chain, other_root.intermediate.der],
        roots=[MADE.root.der, other_root.root.der],
        at=AT,
        name=HOST,
        crls=[revoked],
    )
    assert verdict.valid
    assert verdict.path[1] == other_root.intermediate.der


@pytest.mark.parametrize("revocation_status", [b"", b"\x30\x00", MADE.leaf.der])
def test_bytes_without_a_status(revocation_status: bytes) -> None:
    verdict = judge_chain(
        MADE.chain, roots=[MADE.root.der], at=AT, name=HOST, crls=[revocation_status], ocsp=[revocation_status]
    )
    assert verdict.valid
    assert {note.code for note in verdict.notes} == {"revocation_unknown"}
