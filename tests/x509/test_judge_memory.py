"""The cache of a judge: equal calls are computed once for each interval of time in which nothing changes."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from hierarchy import AT, HOST, Hierarchy, hierarchy, make_leaf, make_root
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509 import Judge, judge_chain

SECOND = timedelta(seconds=1)
MADE = hierarchy(leaf={"not_before": AT - 10 * SECOND, "not_after": AT + 10 * SECOND})


def _judge(made: Hierarchy = MADE) -> Judge:
    return Judge([made.root.der])


def test_an_equal_call_gets_the_same_object() -> None:
    judge = _judge()
    first = judge.judge(MADE.chain, at=AT, name=HOST)
    assert judge.judge(list(MADE.chain), at=AT + 10 * SECOND, name=HOST) is first
    assert judge.judge(MADE.chain, at=AT - 10 * SECOND, name=HOST) is first
    assert judge.judge(MADE.chain, at=AT, name="www.example.com") is not first
    assert judge.judge(MADE.chain[:1], at=AT, name=HOST) is not first


def test_the_interval_of_a_verdict_ends_with_the_leaf() -> None:
    judge = _judge()
    seconds = [(AT + number * SECOND - datetime(1970, 1, 1, tzinfo=UTC)) // SECOND for number in (-10, 10, 11)]
    for _ in range(2):  # computed, and from the cache
        assert judge.judge(MADE.chain, at=AT, name=HOST).valid
        assert judge.interval == (seconds[0], seconds[1])
        assert not judge.judge(MADE.chain, at=AT + 11 * SECOND, name=HOST).valid
        assert judge.interval[0] == seconds[2]


def test_the_verdict_changes_in_the_right_second() -> None:
    judge = _judge()
    assert judge.judge(MADE.chain, at=AT, name=HOST).valid
    for at, code in ((AT + 11 * SECOND, "expired"), (AT - 11 * SECOND, "not_yet_valid")):
        (problem,) = judge.judge(MADE.chain, at=at, name=HOST).problems
        assert problem.code == code
    assert judge.judge(MADE.chain, at=AT, name=HOST).valid


@given(st.lists(st.integers(-200, 200), min_size=1, max_size=20))
def test_the_cache_never_changes_a_verdict(days: list[int]) -> None:
    judge = _judge()
    for day in days:
        at = AT + timedelta(days=day)
        assert judge.judge(MADE.chain, at=at, name=HOST) == judge_chain(MADE.chain, roots=[MADE.root.der], at=at, name=HOST)


def test_a_time_without_a_zone_is_utc() -> None:
    judge = _judge()
    naive = AT.replace(tzinfo=None)
    assert judge.judge(MADE.chain, at=naive, name=HOST) is judge.judge(MADE.chain, at=AT, name=HOST)
    assert not judge.judge(MADE.chain, at=datetime.min, name=HOST).valid
    assert not judge.judge(MADE.chain, at=datetime.max.replace(tzinfo=UTC), name=HOST).valid


def test_what_was_seen_elsewhere_completes_a_path() -> None:
    judge = _judge()
    alone = judge.judge(MADE.chain[:1], at=AT, name=HOST)
    assert [problem.code for problem in alone.problems] == ["unknown_issuer"]
    seen = [make_root("Somebody else").der, MADE.intermediate.der]
    helped = judge.judge(MADE.chain[:1], at=AT, name=HOST, seen=seen)
    assert helped.valid
    assert [note.code for note in helped.notes] == ["missing_intermediate"]
    assert judge.judge(MADE.chain[:1], at=AT, name=HOST, seen=tuple(seen)) is helped
    assert judge.judge(MADE.chain[:1], at=AT, name=HOST) == alone


def test_certificates_seen_elsewhere_that_do_not_matter_keep_the_verdict() -> None:
    judge = _judge()
    alone = judge.judge(MADE.chain[:1], at=AT, name=HOST)
    assert judge.judge(MADE.chain[:1], at=AT, name=HOST, seen=[make_root("Somebody else").der]) is alone
    valid = judge.judge(MADE.chain, at=AT, name=HOST)
    assert judge.judge(MADE.chain, at=AT, name=HOST, seen=[MADE.intermediate.der, MADE.root.der]) is valid


def test_given_intermediates_complete_a_path() -> None:
    judge = Judge([MADE.root.der], [MADE.intermediate.der])
    assert judge.judge(MADE.chain[:1], at=AT, name=HOST).valid


def test_one_chain_is_looked_at_under_two_purposes() -> None:
    judge = _judge()
    assert judge.judge(MADE.chain, at=AT, name=HOST).valid
    (problem,) = judge.judge(MADE.chain, at=AT, name=HOST, purpose="client").problems
    assert problem.code == "wrong_purpose"


def test_a_renewed_certificate_of_the_intermediate_is_taken_where_the_other_has_expired() -> None:
    old = hierarchy(intermediate={"not_after": AT})
    renewed = hierarchy(root={"key": old.root.key})
    chain = [old.leaf.der, old.intermediate.der, renewed.intermediate.der]
    judge = Judge([old.root.der])
    for at, path in ((AT, 2), (AT + SECOND, 2)):
        verdict = judge.judge(chain, at=at, name=HOST)
        assert verdict.valid
        assert len(verdict.path) == path + 1
    assert judge.judge(chain, at=AT + SECOND, name=HOST).path[1] == renewed.intermediate.der


def test_two_leaves_of_one_key_are_not_taken_for_each_other() -> None:
    other = make_leaf(MADE.intermediate, changed={x509.SubjectAlternativeName: None})
    judge = _judge()
    assert judge.judge(MADE.chain, at=AT, name=HOST).valid
    (problem,) = judge.judge([other.der, MADE.intermediate.der], at=AT, name=HOST).problems
    assert problem.code == "no_name"
