"""Says in a few lines what a validation has found, for a terminal: the words only, without colours and columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.report.pieces import Record
from analyzer.report.sentences import Sentences
from analyzer.text.escape import harmless
from analyzer.validation.pack_document import counts_of

SHOWN = 3
"""Values that differ which are shown of each requirement; the pack has all."""

LONGEST = 120
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class ToldRequirement:
    """What is said of one requirement. result: as in the facts; word: for it. counts: equal and all values. troubles: lines."""

    code: str
    result: str
    word: str
    counts: str
    title: str
    troubles: list[str]


def head_lines(facts: Record, sentences: Sentences) -> list[str]:
    """Return what was validated."""
    tool = facts["tool"]
    build = sentences.say(f"build.{tool['build'].replace(' ', '_')}")
    return [
        sentences.say("told.head", name=tool["name"], version=tool["version"], build=build),
        sentences.say("told.digest", digest=facts["installation"]["sha256"]),
    ]


def told_requirements(facts: Record, sentences: Sentences) -> list[ToldRequirement]:
    """Return what is said of each requirement."""
    return [
        ToldRequirement(
            one["requirement"],
            one["result"],
            sentences.say(f"result.{one['result']}"),
            f"{one['equal']}/{one['values']}",
            sentences.say(f"requirement.{one['requirement']}.title"),
            list(_troubles(one["requirement"], facts, sentences)),
        )
        for one in facts["requirements"]
    ]


def counts_text(facts: Record, sentences: Sentences) -> str:
    """Return how much was compared in all."""
    return sentences.say("pack.counts", **counts_of(facts["requirements"]))


def _troubles(code: str, facts: Record, sentences: Sentences) -> Iterator[str]:
    """Yield what was not run and why, and the first values that differ."""
    own = [trial for trial in facts["trials"] if trial["requirement"] == code]
    for reason in dict.fromkeys(trial["reason"] for trial in own if trial["reason"]):
        yield sentences.say("results.not_run", why=sentences.say(f"reason.{reason}"))
    different = [(trial, each) for trial in own for each in trial["values"] if not each["equal"]]
    for trial, each in different[:SHOWN]:
        values = {key: harmless(each[key])[:LONGEST] for key in ("name", "expected", "observed")}
        yield sentences.say("told.differs", trial=trial["trial"], material=trial["material"] or "", **values)
    if len(different) > SHOWN:
        yield sentences.say("more", n=len(different) - SHOWN)
