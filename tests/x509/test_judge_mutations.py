"""Any bytes have a verdict: chains that are truncated, changed and mixed, and bytes that are not certificates."""

from hierarchy import AT, HOST, hierarchy, make_root
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.x509 import Judge, judge_chain
from analyzer.x509.verdict import WEIGHTS, Verdict, is_valid

MADE = hierarchy()
CERTIFICATES = [MADE.leaf.der, MADE.intermediate.der, MADE.root.der]


def _is_whole(verdict: Verdict, n_sent: int) -> bool:
    return (
        verdict.valid == is_valid(verdict.problems, strict=False)
        and all(problem.code in WEIGHTS and problem.detail for problem in verdict.problems)
        and all(problem.certificate is None or problem.certificate < n_sent for problem in verdict.problems)
    )


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, 1),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, 2000),
)
def test_a_changed_certificate_is_never_valid(which: int, changes: list[tuple[int, int]], cut: int) -> None:
    changed = bytearray(CERTIFICATES[which])
    for place, octet in changes:
        changed[place % len(changed)] = octet
    der = bytes(changed) if cut >= len(changed) else bytes(changed[:cut])
    chain = list(MADE.chain)
    chain[which] = der
    verdict = judge_chain(chain, roots=[MADE.root.der], at=AT, name=HOST)
    assert _is_whole(verdict, len(chain))
    assert verdict.valid == (der == CERTIFICATES[which])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.binary(max_size=60) | st.sampled_from(CERTIFICATES), max_size=6),
    st.lists(st.binary(max_size=60) | st.sampled_from(CERTIFICATES), max_size=3),
    st.lists(st.binary(max_size=60), max_size=2),
    st.none() | st.text(max_size=40),
    st.sampled_from(("server", "client")),
)
def test_any_bytes_have_a_verdict(
    chain: list[bytes], roots: list[bytes], others: list[bytes], name: str | None, purpose: str
) -> None:
    judge = Judge(roots, others, others)
    verdict = judge.judge(chain, at=AT, name=name, purpose=purpose, ocsp=others, seen=others)
    assert _is_whole(verdict, len(chain))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 255), st.integers(0, 2000))
def test_a_changed_root_is_harmless(place: int, octet: int, cut: int) -> None:
    changed = bytearray(MADE.root.der)
    changed[place % len(changed)] = octet
    verdict = judge_chain(MADE.chain, roots=[bytes(changed[:cut]), bytes(changed)], at=AT, name=HOST)
    assert _is_whole(verdict, 2)


@given(st.permutations([0, 1, 2, 3]))
def test_the_order_of_what_follows_the_leaf_does_not_matter(order: list[int]) -> None:
    others = [MADE.intermediate.der, MADE.root.der, make_root("Somebody else").der, MADE.leaf.der]
    verdict = judge_chain([MADE.leaf.der, *(others[place] for place in order)], roots=[MADE.root.der], at=AT, name=HOST)
    assert verdict.valid
    assert verdict.path == (MADE.leaf.der, MADE.intermediate.der, MADE.root.der)


def test_nothing_sent_is_not_valid() -> None:
    verdict = judge_chain([], roots=[MADE.root.der], at=AT, name=HOST)
    assert not verdict.valid
    assert verdict.path == ()
