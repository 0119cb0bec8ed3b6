"""Makes the section of results: for each requirement its trials, one of each kind with all values, and what differs."""

from collections.abc import Sequence
from typing import Any

from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.report.document import Block, Bullets, Code, Facts, Grid, Line, Mark, Paragraph, Quoted, Section
from analyzer.report.pieces import Record
from analyzer.report.sentences import Sentences

LONGEST_VALUE = 240
"""Characters of a value that are shown; the JSON has all."""

MOST_EXAMPLES = 14
"""Values of an example that are shown."""

MOST_DIFFERENCES = 200
"""Values that differ of one requirement that are shown."""

_MARKS = {"passed": "good", "failed": "bad", "not_run": "unsure", "partly": "unsure"}


def result_mark(result: str, sentences: Sentences) -> Mark:
    """Return the mark of a result: of a trial, a requirement or all."""
    return Mark(sentences.say(f"result.{result}"), _MARKS[result])


def results_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section, with one part for each requirement."""
    parts = [_requirement(one, facts, sentences) for one in facts["requirements"]]
    return Section("results", [sentences.say("results.title")], (Paragraph([sentences.say("results.lead")]),), parts)


def _requirement(one: Record, facts: Record, sentences: Sentences) -> Section:
    code = one["requirement"]
    trials: Sequence[Record] = [trial for trial in facts["trials"] if trial["requirement"] == code]
    rows: list[tuple[str, Line]] = [
        (sentences.say("spec.need"), [sentences.say(f"requirement.{code}.need")]),
        (sentences.say("spec.criterion"), [sentences.say(f"requirement.{code}.criterion")]),
        (sentences.say("head.result"), [result_mark(one["result"], sentences)]),
    ]
    blocks: list[Block] = [Facts(rows), _differences(code, trials, sentences), _trials(code, trials, sentences)]
    reasons = dict.fromkeys(trial["reason"] for trial in trials if trial["reason"])
    blocks += [Paragraph([sentences.say("results.not_run", why=sentences.say(f"reason.{reason}"))]) for reason in reasons]
    blocks += _examples(trials, sentences)
    if any(trial["kind"] == "tshark" for trial in trials):
        blocks += _otherwise(facts["crosscheck"], sentences)
    title = [f"{code} ", sentences.say(f"requirement.{code}.title")]
    return Section(code.lower(), title, [block for block in blocks if not isinstance(block, Grid) or block.rows])


def _trials(code: str, trials: Sequence[Record], sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [trial["trial"]],
            [Quoted(trial["material"], code=True)] if trial["material"] else [sentences.say("results.no_reason")],
            [sentences.say(f"kind.{trial['kind']}")],
            [f"{len(trial['values']):,}"],
            [f"{sum(each['equal'] for each in trial['values']):,}"],
            [result_mark(trial["result"], sentences)],
        ]
        for trial in trials
    ]
    keys = ("results.trial", "results.material", "results.kind", "head.values", "head.equal", "head.result")
    caption = sentences.say("results.trials", requirement=code)
    return Grid(caption, [sentences.say(key) for key in keys], rows, frozenset({3, 4}))


def _differences(code: str, trials: Sequence[Record], sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [[trial["trial"]], *_value(each, sentences)] for trial in trials for each in trial["values"] if not each["equal"]
    ]
    heads = [sentences.say(f"results.{key}") for key in ("trial", "value", "expected", "observed")]
    n_more = max(0, len(rows) - MOST_DIFFERENCES)
    caption = sentences.say("results.differences", requirement=code)
    return Grid(caption, heads, rows[:MOST_DIFFERENCES], n_more=n_more)


def _examples(trials: Sequence[Record], sentences: Sentences) -> list[Block]:
    """Return the values of the first trial of each kind."""
    first: dict[str, Record] = {}
    for trial in trials:
        if trial["values"]:
            first.setdefault(trial["kind"], trial)
    heads = [sentences.say(f"results.{key}") for key in ("value", "expected", "observed")]
    blocks: list[Block] = []
    for kind, trial in first.items():
        values: list[Any] = trial["values"]
        what = sentences.say(f"kind.{kind}")
        caption = sentences.say("results.example", trial=trial["trial"], what=what)
        rows = [_value(each, sentences) for each in values[:MOST_EXAMPLES]]
        blocks.append(Grid(caption, heads, rows, n_more=max(0, len(values) - MOST_EXAMPLES)))
    return blocks


def _otherwise(crosscheck: Record | None, sentences: Sentences) -> list[Block]:
    """Return what tshark sees otherwise, and the meaning of the reasons."""
    if crosscheck is None or not crosscheck["differences"]:
        return []
    none = sentences.say("crosscheck.no_value")
    rows: list[list[Line]] = [
        [
            [Quoted(one["capture"], code=True)],
            [none if one["frame"] is None else str(one["frame"])],
            [Code(one["field"])],
            [none if one["ours"] is None else Quoted(one["ours"])],
            [none if one["tshark"] is None else Quoted(one["tshark"])],
            [sentences.say("crosscheck.no_reason") if one["reason"] is None else Code(one["reason"])],
        ]
        for one in crosscheck["differences"]
    ]
    keys = (
        "crosscheck.capture",
        "crosscheck.frame",
        "crosscheck.field",
        "second.ours",
        "crosscheck.tshark",
        "crosscheck.reason",
    )
    heads = [sentences.say(key) for key in keys]
    known = reason_codes(sentences.language)
    used = dict.fromkeys(one["reason"] for one in crosscheck["differences"] if one["reason"] is not None)
    blocks: list[Block] = [Grid(sentences.say("second.caption"), heads, rows, frozenset({1}))]
    if used:
        meanings: list[Line] = [[Code(code), f"{sentences.colon}{known[code].meaning}"] for code in used]
        blocks += [Paragraph([sentences.say("second.reasons")]), Bullets(meanings)]
    return blocks


def _value(each: Record, sentences: Sentences) -> list[Line]:
    return [value_name(each, sentences), [_shown(each["expected"], sentences)], [_shown(each["observed"], sentences)]]


def value_name(each: Record, sentences: Sentences) -> Line:
    """Return the words for a value; the name of a key of the session record, which the schema explains, stays as it is."""
    key = f"value.{each['name']}"
    return [sentences.say(key)] if sentences.has(key) else [Code(each["name"])]


def _shown(text: str, sentences: Sentences) -> Quoted:
    if len(text) > LONGEST_VALUE:
        text = sentences.say("results.shortened", text=text[: LONGEST_VALUE - 40], n=len(text))
    return Quoted(text, code=True)
