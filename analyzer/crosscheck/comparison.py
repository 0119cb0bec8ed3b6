"""Compares the facts of a session with those of tshark, field by field."""

from collections import Counter
from dataclasses import dataclass

from analyzer.crosscheck.facts import ANYWHERE, CLOSED, LISTS, SCALARS, Fact, Facts


@dataclass(frozen=True, slots=True)
class Difference:
    """Two values that differ. Facts that only one of the two has are None at the other."""

    field: str
    ours: Fact | None
    tshark: Fact | None

    @property
    def frame(self) -> int | None:
        """The frame where it shows: that of our value where there is one."""
        known = self.ours or self.tshark
        return known.frame if known is not None and known.frame > 0 else None


def compare(ours: Facts, tshark: Facts, unsupported: frozenset[str] = frozenset()) -> tuple[Counter[str], list[Difference]]:
    """Return how many values of each field were compared, and those that differ.

    unsupported: fields that this tshark does not have. A value that neither has is not counted. The length of a stream is
    compared only where both know it.
    """
    compared: Counter[str] = Counter()
    differences: list[Difference] = []
    for name in SCALARS:
        mine, theirs = ours.scalars.get(name), tshark.scalars.get(name)
        if name in unsupported or (mine is None and theirs is None):
            continue
        if name.endswith("_bytes") and (mine is None or theirs is None):
            continue
        compared[name] += 1
        if mine is None or theirs is None or mine.text != theirs.text:
            differences.append(Difference(name, mine, theirs))
    for name in LISTS:
        if name in unsupported:
            continue
        n_items, different = compare_lists(name, ours.lists[name], tshark.lists[name])
        compared[name] += n_items
        differences += different
    return compared, differences


def compare_lists(name: str, ours: list[Fact], theirs: list[Fact]) -> tuple[int, list[Difference]]:
    """Return how many items were compared, and those that differ. The order within a frame does not count.

    The items of ANYWHERE are the same in whatever frame. What is left on both sides is paired: same text first, then same
    frame.
    """
    if name in ANYWHERE:
        n_compared, found = compare_lists("", _without_frames(ours), _without_frames(theirs))
        return n_compared, [Difference(name, _original(one.ours, ours), _original(one.tshark, theirs)) for one in found]
    common = Counter(ours) & Counter(theirs)
    mine, other = _without(ours, common), _without(theirs, common)
    differences: list[Difference] = []
    for same in (_same_text, _same_frame):
        for fact in list(mine):
            partner = next((one for one in other if same(fact, one)), None)
            if partner is not None:
                mine.remove(fact)
                other.remove(partner)
                differences.append(Difference(name, fact, partner))
    differences += [Difference(name, fact, None) for fact in mine]
    differences += [Difference(name, None, fact) for fact in other]
    return common.total() + len(differences), differences


def _without_frames(facts: list[Fact]) -> list[Fact]:
    return [Fact(fact.text, 0) for fact in facts]


def _original(fact: Fact | None, facts: list[Fact]) -> Fact | None:
    """Return the first of these facts with that text: the frame where it came."""
    return None if fact is None else next(one for one in facts if one.text == fact.text)


def _without(facts: list[Fact], taken: Counter[Fact]) -> list[Fact]:
    left = Counter(taken)
    rest = []
    for fact in facts:
        if left[fact] > 0:
            left[fact] -= 1
        else:
            rest.append(fact)
    return rest


def _same_text(one: Fact, other: Fact) -> bool:
    return one.text == other.text


def _same_frame(one: Fact, other: Fact) -> bool:
    sender, closed = one.text.split(" ", 1)[0], (one.text.endswith(CLOSED) or other.text.endswith(CLOSED))
    return one.frame == other.frame and (not closed or other.text.startswith(sender))
