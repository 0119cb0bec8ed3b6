"""Certificates that must come with an OCSP response: with a good one, a stale or false one, none, and unasked."""

from datetime import datetime, timedelta

import pytest
from authorities import AT, DAY, authority, der, key_usage, leaf, respond
from cryptography import x509
from cryptography.x509 import ocsp

from analyzer.x509.certificate_view import certificate_view
from analyzer.x509.judge import Judge
from analyzer.x509.must_staple import Staple, features, must_staple
from analyzer.x509.verdict import Verdict

REQUIRED = x509.TLSFeature([x509.TLSFeatureType.status_request])
CA = authority("ec", x509.BasicConstraints(True, None), key_usage("key_cert_sign"))


def judged(staple: Staple | None, extension: x509.ExtensionType = REQUIRED, at: datetime = AT) -> Verdict:
    certificate = leaf(extension, x509.SubjectAlternativeName([x509.DNSName("leaf.test")]))
    return Judge([der(CA)]).judge([der(certificate)], at=at, name="leaf.test", staple=staple)


def codes(verdict: Verdict) -> tuple[list[str], list[str]]:
    problems = [problem.code for problem in verdict.problems if problem.code != "non_conforming"]
    return problems, [note.code for note in verdict.notes if note.code == "staple_missing"]


def response(**changes: object) -> bytes:
    certificate = leaf(REQUIRED, x509.SubjectAlternativeName([x509.DNSName("leaf.test")]))
    return respond(certificate, CA, **changes)


def test_a_good_response_is_enough() -> None:
    verdict = judged(Staple(True, (response(),)))
    assert codes(verdict) == ([], [])
    assert verdict.valid


def test_none_is_missed_only_by_who_asked() -> None:
    missed = judged(Staple(True))
    assert codes(missed) == (["staple_missing"], [])
    assert not missed.valid
    assert "has to be stapled, and none was" in next(p.detail for p in missed.problems if p.code == "staple_missing")
    unasked = judged(Staple(False))
    assert codes(unasked) == ([], ["staple_missing"])
    assert unasked.valid


def test_the_newer_request_owes_nothing_to_who_made_the_older() -> None:
    newer = x509.TLSFeature([x509.TLSFeatureType.status_request_v2])
    for feature, wanted in ((newer, False), (REQUIRED, True)):
        assert must_staple(certificate_view(der(leaf(feature)))) == wanted


def test_what_is_not_known_is_not_missing() -> None:
    assert codes(judged(None)) == ([], [])


@pytest.mark.parametrize(
    ("staple", "why"),
    [
        (response(this_update=AT - 9 * DAY, next_update=AT - DAY), "only until"),
        (response()[:-1] + bytes((response()[-1] ^ 1,)), "signature"),
        (b"no response", "cannot be read"),
    ],
)
def test_one_that_does_not_count_is_not_enough(staple: bytes, why: str) -> None:
    for asked in (True, False):
        verdict = judged(Staple(asked, (staple,)))
        assert codes(verdict)[0] == ["staple_missing"]
        assert any(why in problem.detail or "none of" in problem.detail for problem in verdict.problems)


def test_a_revoked_certificate_has_its_response() -> None:
    stapled = response(status=ocsp.OCSPCertStatus.REVOKED, revoked_at=AT - DAY)
    assert codes(judged(Staple(True, (stapled,)))) == ([], []), "the staple is there; `ocsp` says that it revokes"


def test_the_result_holds_as_long_as_the_response() -> None:
    certificate = leaf(REQUIRED, x509.SubjectAlternativeName([x509.DNSName("leaf.test")]))
    judge = Judge([der(CA)])
    staple = Staple(True, (response(),))
    for at, wanted in ((AT, []), (AT + 2 * DAY, ["staple_missing"]), (AT + timedelta(hours=1), [])):
        assert codes(judge.judge([der(certificate)], at=at, name="leaf.test", staple=staple))[0] == wanted


def test_features_of_any_bytes() -> None:
    for value, wanted in (
        (b"\x30\x03\x02\x01\x05", (5,)),
        (b"\x30\x06\x02\x01\x11\x02\x01\x17", (17, 23)),
        (b"\x30\x06\x02\x01\x11\x02\x01\x05", (17, 5)),
        (b"\x30\x00", ()),
        (b"\x30\x03\x02\x02\x05", ()),
        (b"", ()),
        (b"\x04\x01\x05", ()),
    ):
        view = certificate_view(der(leaf(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), value))))
        assert features(view) == wanted
        assert must_staple(view) == (5 in wanted)
    assert features(certificate_view(der(leaf()))) == ()
    assert codes(judged(Staple(True), x509.OCSPNoCheck())) == ([], [])
