"""The section of findings: the worst first, of each kind the facts with their evidence, and apart from them what they mean."""

from typing import Any

from analyzer.codec.codes import SEVERITIES
from analyzer.report.document import Code, Facts, Grid, Line, Paragraph, Section, Strong
from analyzer.report.fact_texts import in_language, references_text
from analyzer.report.pieces import (
    Record,
    attachment_of,
    finding_anchor,
    finding_texts,
    frames_text,
    session_link,
    severity_mark,
    shown_sessions,
)
from analyzer.report.sentences import Sentences

SHOWN_OCCURRENCES = 25
"""Occurrences of one kind that have a row; the attachment has more."""


def findings_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with all kinds of findings."""
    findings = facts["findings"]
    title = [sentences.say("findings.title")]
    if not findings:
        return Section("findings", title, (Paragraph([sentences.say("findings.nothing")]),))
    counts = {severity: sum(one["count"] for one in findings if one["severity"] == severity) for severity in SEVERITIES}
    rows: list[list[Line]] = [
        [[severity_mark(severity, sentences)], [f"{count:,}"], [sentences.say(f"findings.means_{severity}")]]
        for severity, count in counts.items()
    ]
    heads = [sentences.say(f"findings.{key}") for key in ("severity", "count", "severity_means")]
    blocks = (Paragraph([sentences.say("findings.lead")]), Grid(sentences.say("findings.counts"), heads, rows, frozenset({1})))
    shown = shown_sessions(facts)
    return Section("findings", title, blocks, [_kind(finding, shown, facts, sentences) for finding in findings])


def _kind(finding: Record, shown: frozenset[int], facts: Record, sentences: Sentences) -> Section:
    occurrences = finding["occurrences"][:SHOWN_OCCURRENCES]
    rows: list[list[Line]] = [
        [
            [session_link(one["session"], shown, sentences)],
            [frames_text(one["frames"], sentences) if one["frames"] else ""],
            in_language(one["detail"], sentences),
        ]
        for one in occurrences
    ]
    heads = [sentences.say(key) for key in ("findings.where", "findings.frames", "findings.fact")]
    n_more = finding["count"] - len(rows)
    n_sessions = finding["n_sessions"]
    where = sentences.say("in_session_count", n=n_sessions) if n_sessions else sentences.say("in_capture")
    caption = sentences.say("findings.facts", n=finding["count"], where=where)
    known = finding_texts(finding, sentences)
    reading: list[tuple[str, Line]] = [(sentences.say("findings.meaning"), [known["meaning"]])]
    if known["refuted_by"]:
        reading.append((sentences.say("findings.refuted"), [known["refuted_by"]]))
    if finding["reference"]:
        reading.append(
            (
                sentences.say("findings.reference"),
                [references_text(finding["reference"], sentences)],
            )
        )
    reading.append((sentences.say("findings.code"), [Code(finding["code"])]))
    blocks: tuple[Any, ...] = (
        Grid(caption, heads, rows, frozenset(), n_more, attachment_of("findings.csv", facts)),
        Paragraph([Strong(sentences.say("findings.interpretation"))]),
        Facts(reading),
    )
    return Section(finding_anchor(finding), [severity_mark(finding["severity"], sentences), " ", known["title"]], blocks)
