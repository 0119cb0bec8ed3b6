"""Anomalies of a chain as it was sent, while the verdict is valid."""

import pytest
from hierarchy import AT, HOST, hierarchy, make_intermediate, make_leaf, make_root

from analyzer.x509 import judge_chain
from analyzer.x509.judge import CHAIN

ROOT = make_root()
FIRST = make_intermediate(ROOT, "First")
SECOND = make_intermediate(FIRST, "Second")
LEAF = make_leaf(SECOND)
OTHER = hierarchy().leaf

CHAINS = {
    "whole": ([LEAF, SECOND, FIRST], []),
    "with its root": ([LEAF, SECOND, FIRST, ROOT], []),
    "twice": ([LEAF, SECOND, SECOND, FIRST, LEAF], [("duplicate", 2), ("duplicate", 4)]),
    "turned round": ([LEAF, FIRST, SECOND], [("misordered", 2)]),
    "with somebody else's": ([LEAF, OTHER, SECOND, FIRST], [("extra", 1)]),
    "without one": ([LEAF, FIRST], [("missing_intermediate", None)]),
    "leaf alone": ([LEAF], [("missing_intermediate", None), ("missing_intermediate", None)]),
}


@pytest.mark.parametrize("case", CHAINS)
def test_notes(case: str) -> None:
    chain, expected = CHAINS[case]
    verdict = judge_chain(
        [made.der for made in chain], roots=[ROOT.der], intermediates=[FIRST.der, SECOND.der], at=AT, name=HOST
    )
    assert verdict.valid
    assert [(note.code, note.certificate) for note in verdict.notes] == expected
    assert all(note.detail for note in verdict.notes)


def test_a_very_long_chain_is_truncated() -> None:
    chain = [LEAF.der, SECOND.der, FIRST.der, *[b"x" * n for n in range(CHAIN)]]
    verdict = judge_chain(chain, roots=[ROOT.der], at=AT, name=HOST)
    assert verdict.valid
    assert verdict.notes[-1].certificate == CHAIN
    assert verdict.notes[-1].code == "extra"
