"""Verdicts on revocation from several statuses: which one counts, when, and how long the verdict stays the same."""

import random
from datetime import timedelta

import pytest
from authorities import AT, DAY, authority, der, issue, key, leaf, respond, revoke
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.x509.revocation import Revocation, judge_revocation

COMPROMISE = x509.ReasonFlags.key_compromise


def judge(ocsp=(), crls=(), at=AT, certificate=None) -> Revocation:
    return judge_revocation(der(certificate or leaf()), der(authority()), ocsp=ocsp, crls=crls, at=at)


def test_without_revocation_data_nothing_is_known():
    assert judge() == Revocation("unknown", "no OCSP response and no CRL at hand")


def test_data_about_others_is_skipped():
    other = leaf(serial=78)
    answer = judge([respond(other, authority())], [revoke(issuer="other")])
    assert answer.status == "unknown"
    assert answer.detail == "none of 1 OCSP responses and 1 CRLs at hand is about this certificate"
    assert (answer.since, answer.until) == (None, None)


@pytest.mark.parametrize("source", ["ocsp", "crl"])
def test_good_counts_between_the_updates(source):
    revocation_statuses = {"ocsp": [respond(leaf(), authority())]} if source == "ocsp" else {"crls": [revoke()]}
    answer = judge(**revocation_statuses)
    assert (answer.status, answer.source, answer.revoked_at) == ("good", source, None)
    assert answer.since <= AT < answer.until
    for moment, status in ((answer.since, "good"), (answer.until, "unknown"), (answer.since - timedelta(seconds=1), "unknown")):
        assert judge(**revocation_statuses, at=moment).status == status
    assert "2024-06-02 12:05:00 UTC" in judge(**revocation_statuses, at=AT + 3 * DAY).detail
    assert judge(**revocation_statuses, at=AT.replace(tzinfo=None)) == answer


@pytest.mark.parametrize("source", ["ocsp", "crl"])
def test_a_revocation_counts_from_its_time_without_end(source):
    moment = AT - timedelta(hours=30)
    if source == "ocsp":
        revocation_statuses = {
            "ocsp": [respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=moment, reason=COMPROMISE)],
        }
    else:
        revocation_statuses = {"crls": [revoke([(77, moment, COMPROMISE)])]}
    answer = judge(**revocation_statuses)
    assert (answer.status, answer.source, answer.revoked_at) == ("revoked", source, moment)
    assert "revoked on 2024-05-31 06:00:00 UTC (keyCompromise)" in answer.detail
    assert judge(**revocation_statuses, at=AT + 1000 * DAY).status == "revoked"
    before = judge(**revocation_statuses, at=moment - timedelta(seconds=1))
    assert (before.status, before.revoked_at, before.until) == ("good", moment, moment)
    assert before.detail.startswith("not revoked yet: revoked on 2024-05-31 06:00:00 UTC")
    assert judge(**revocation_statuses, at=moment).status == "revoked"


def test_a_hold_ends_with_its_status():
    revocation_statuses = [revoke([(77, AT - 2 * DAY, x509.ReasonFlags.certificate_hold)])]
    assert judge(crls=revocation_statuses).status == "revoked"
    assert judge(crls=revocation_statuses, at=AT + 3 * DAY).status == "unknown"


def test_revoked_outweighs_good():
    good, bad = respond(leaf(), authority()), revoke([(77, AT - 2 * DAY, None)])
    answer = judge([good], [bad])
    assert (answer.status, answer.source) == ("revoked", "crl")
    bad = respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - 2 * DAY)
    assert (judge([good, bad]).status, judge([bad, good]).status) == ("revoked", "revoked")
    assert judge([good], [revoke()]).source == "ocsp"


def test_a_status_that_does_not_count_is_reported():
    forged = respond(leaf(), authority(), signer=stranger())
    answer = judge([forged])
    assert answer.status == "unknown"
    assert (
        answer.detail == "nothing counts; OCSP response: its signature is neither the issuer's nor that of a certificate in it"
    )
    assert judge([forged], [revoke()]).source == "crl"


def stranger():
    return issue("stranger", "stranger")


def test_the_result_stays_the_same_between_its_bounds():
    generator = random.Random(4)
    revocation_statuses = {
        "ocsp": [respond(leaf(), authority(), this_update=AT - n * DAY, next_update=AT - (n - 1) * DAY) for n in (1, 3, 9)],
        "crls": [revoke([(77, AT + 2 * DAY, None)], this_update=AT + 3 * DAY, next_update=AT + 4 * DAY), revoke()],
    }
    for _ in range(60):
        at = AT + timedelta(hours=generator.uniform(-300, 200))
        answer = judge(**revocation_statuses, at=at)
        low = max(answer.since or at - DAY, at - 5 * DAY)
        high = min(answer.until or at + DAY, at + 5 * DAY)
        assert low <= at < high
        for _ in range(4):
            other = judge(**revocation_statuses, at=low + (high - low) * generator.random())
            assert (other.status, other.detail, other.since, other.until) == (
                answer.status,
                answer.detail,
                answer.since,
                answer.until,
            )


def test_the_number_of_statuses_is_bounded():
    forged = [respond(leaf(), authority(), signer=stranger(), this_update=AT - n * DAY / 99) for n in range(1, 20)] * 100
    answer = judge(forged)
    assert answer.status == "unknown"
    assert len(answer.detail) < 1000


@pytest.mark.parametrize("seed", range(4))
def test_mutated_input_never_raises(seed):
    generator = random.Random(seed)
    certificate, issuer = der(issue("leaf.test", "authority")), der(authority())
    inputs = [
        certificate,
        issuer,
        respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY, include=[leaf()]),
        revoke([(77, AT - DAY, COMPROMISE), (9, AT, None)]),
    ]
    for _ in range(250):
        mutated = list(inputs)
        i = generator.randrange(4)
        data = bytearray(mutated[i])
        for _ in range(generator.choice((1, 1, 2, 8))):
            data[generator.randrange(len(data))] = generator.choice((0, 1, 0x30, 0x7F, 0x80, 0xFF, generator.randrange(256)))
        if generator.random() < 0.2:
            del data[generator.randrange(len(data)) :]
        mutated[i] = bytes(data)
        answer = judge_revocation(mutated[0], mutated[1], ocsp=[mutated[2]], crls=[mutated[3]], at=AT)
        assert answer.status in ("good", "revoked", "unknown")
        assert answer.detail
    assert judge_revocation(b"", b"", ocsp=[b"", b"\x30"], crls=[b"", b"\x30"], at=AT).status == "unknown"


HOLD = x509.ReasonFlags.certificate_hold
RELEASED = x509.ReasonFlags.remove_from_crl
HELD = revoke([(77, AT - 9 * DAY, HOLD)], this_update=AT - 2 * DAY)


@pytest.mark.parametrize(
    ("crls", "status"),
    [
        ([HELD], "revoked"),
        ([HELD, revoke()], "good"),
        ([revoke(), HELD], "good"),
        ([HELD, revoke([(77, AT - DAY, RELEASED)])], "good"),
        ([HELD, revoke(this_update=AT - 3 * DAY)], "revoked"),
        ([HELD, revoke(this_update=AT - 2 * DAY)], "revoked"),
        ([HELD, revoke(issuer="authority", private_key=key("stranger"))], "revoked"),
        ([HELD, revoke(next_update=AT - DAY / 2)], "revoked"),
        ([HELD, revoke([(77, AT - DAY, HOLD)])], "revoked"),
        ([HELD, revoke([(77, AT - DAY, COMPROMISE)])], "revoked"),
        ([revoke([(77, AT - 9 * DAY, COMPROMISE)], this_update=AT - 2 * DAY), revoke()], "revoked"),
    ],
)
def test_a_later_list_releases_a_hold_and_nothing_else(crls, status):
    assert judge(crls=crls).status == status


def test_a_list_for_other_certificates_releases_nothing():
    scope = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    assert judge(crls=[HELD, revoke([], (scope, True))]).status == "revoked"
