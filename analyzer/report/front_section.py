"""The front page of a report, for readers without technical training: what was examined, what was found, how sure, what not.

It has to fit on one printed page, so every list is short. Each statement has its details in a later section.
"""

from typing import Any

from analyzer.report.case_data import KINDS
from analyzer.report.document import Bullets, Facts, Line, Link, Note, Paragraph, Quoted, Section
from analyzer.report.limitations import UNREAD
from analyzer.report.pieces import (
    Record,
    duration,
    finding_anchor,
    finding_texts,
    listed,
    moment,
    seconds_between,
    severity_mark,
    stores_line,
)
from analyzer.report.sentences import Sentences

SHOWN_FINDINGS = 6
"""Kinds of findings that are named on the front page; the section of findings has all."""

SHOWN_FILES = 3
"""Captures that are named on the front page."""


def title_facts(facts: Record, sentences: Sentences) -> Facts:
    """Return the rows of the title block: what the examiner said of the case, the date of issue if one was given, the tool."""
    case = facts["case"]
    rows: list[tuple[str, Line]] = [(sentences.say(f"case.{key}"), [Quoted(case[key])]) for key in KINDS if case[key]]
    if facts["issued_at"]:
        rows.append((sentences.say("case.issued_at"), [moment(facts["issued_at"], sentences, 0)]))
    tool = facts["tool"]
    rows.append((sentences.say("case.tool"), sentences.line("case.tool_value", name=tool["name"], version=tool["version"])))
    return Facts(rows)


def front_section(facts: Record, sentences: Sentences) -> Section:
    """Return the front page."""
    return Section(
        "summary",
        [sentences.say("front.title")],
        (),
        (
            Section("examined", [sentences.say("front.examined")], _examined(facts, sentences)),
            Section("found", [sentences.say("front.found")], _found(facts, sentences)),
            Section("sure", [sentences.say("front.sure")], (Bullets(_sure(facts, sentences)),)),
            Section("not-said", [sentences.say("front.not_said")], (Bullets(_not_said(facts, sentences)),)),
        ),
    )


def _examined(facts: Record, sentences: Sentences) -> tuple[Paragraph | Note, ...]:
    inputs, time, traffic = facts["evidence"]["inputs"], facts["time"], facts["traffic"]
    names = listed([one["path"] for one in inputs], SHOWN_FILES, sentences)
    values: dict[str, Any] = {"n": len(inputs), "names": names, "packets": sentences.say("packets", n=traffic["packets"])}
    if time["first"] and time["last"]:
        first, last = moment(time["first"], sentences, 0), moment(time["last"], sentences, 0)
        span = duration(seconds_between(time["first"], time["last"]), sentences)
        recording = sentences.line("front.recording", first=first, last=last, duration=span, **values)
        untimed = sum(1 for one in inputs if one["frames"] and one["first_time"] is None)
        if untimed:
            recording = [*recording, sentences.gap, sentences.say("front.untimed", n=untimed)]
    else:
        recording = sentences.line("front.recording_without_time", **values)
    sessions = facts["sessions"]
    if sessions["count"]:
        hosts = sentences.say("hosts", n=facts["n_hosts"])
        found = Paragraph([sentences.say("front.sessions", n=sessions["count"], hosts=hosts)])
    else:
        found = Paragraph([sentences.say("front.no_sessions")])
    if not any(one["code"] in UNREAD for one in facts["limits"]):
        return Paragraph(recording), found
    link = Link(sentences.say("limits.title"), "limitations")
    return Paragraph(recording), Note(sentences.line("front.unread", link=link), "bad"), found


def _found(facts: Record, sentences: Sentences) -> tuple[Paragraph | Bullets | Note, ...]:
    severe = [finding for finding in facts["findings"] if finding["severity"] in ("high", "medium")]
    items: list[Line] = []
    for finding in severe[:SHOWN_FINDINGS]:
        anchor = finding_anchor(finding)
        title = Link(finding_texts(finding, sentences)["title"], anchor)
        times = sentences.say("times", n=finding["count"])
        where = sentences.say("in_sessions", n=finding["n_sessions"]) if finding["n_sessions"] else sentences.say("in_capture")
        mark = severity_mark(finding["severity"], sentences)
        items.append(sentences.line("front.finding", severity=mark, title=title, times=times, where=where))
    if len(severe) > SHOWN_FINDINGS:
        more = sentences.say("front.more_findings", n=len(severe) - SHOWN_FINDINGS)
        items.append([Link(more, "findings")])
    sessions = facts["sessions"]
    n_lesser = sum(finding["count"] for finding in facts["findings"]) - sum(finding["count"] for finding in severe)
    if n_lesser:
        items.append([Link(sentences.say("front.lesser", n=n_lesser), "findings")])
    if sessions["failed"]:
        items.append([Link(sentences.say("front.failed", n=sessions["failed"], count=sessions["count"]), "failed")])
    invalid = sessions["verdicts"].get("invalid", 0)
    if invalid:
        items.append([Link(sentences.say("front.invalid", n=invalid), "certificates")])
    lead = "front.severe" if severe else "front.nothing_severe"
    head = Paragraph([sentences.say(lead, n=len(severe))])
    return (head, Bullets(items)) if items else (head,)


def _sure(facts: Record, sentences: Sentences) -> list[Line]:
    items: list[Line] = [[sentences.say(f"front.{_unchanged(facts)}")]]
    sessions = facts["sessions"]
    signed = sessions["signatures"].get("verified", 0)
    if sessions["count"]:
        all_signed = signed == sessions["count"]
        key = "front.all_signatures" if all_signed else "front.signatures" if signed else "front.no_signature"
        items.append([sentences.say(key, n=signed, count=sessions["count"])])
    false = sessions["signatures"].get("failed", 0)
    if false:
        items.append([sentences.say("front.false_signatures", n=false)])
    if any(verdict in sessions["verdicts"] for verdict in ("valid", "invalid")):
        stores = stores_line(facts["evidence"]["trust"], sentences)
        valid = sessions["verdicts"].get("valid", 0)
        items.append(sentences.line("front.chains", n=valid, invalid=sessions["verdicts"].get("invalid", 0), stores=stores))
    opened = sessions["decryption"].get("decrypted", 0) + sessions["decryption"].get("partial", 0)
    if opened:
        items.append([sentences.say("front.decrypted", n=opened)])
    items.append(sentences.line("front.refutable", link=Link(sentences.say("front.reproducible"), "sources")))
    return items


def _unchanged(facts: Record) -> str:
    """Return which sentence is true: all inputs are the same after the analysis, one changed, or not all were read twice."""
    states = {one["unchanged"] for one in facts["evidence"]["inputs"]}
    return "changed" if False in states else "unchanged" if states == {True} else "unchanged_unknown"


def _not_said(facts: Record, sentences: Sentences) -> list[Line]:
    decryption = facts["sessions"]["decryption"]
    closed = decryption.get("none", 0) + decryption.get("partial", 0)
    items: list[Line] = []
    if closed:
        items.append([sentences.say("front.closed", n=closed)])
    if any(one["code"] == "quic_unread" for one in facts["limits"]):
        items.append([sentences.say("front.quic")])
    items += [[sentences.say(f"front.{key}")] for key in ("persons", "clock", "unrecorded", "honest")]
    items.append(sentences.line("front.see_limits", link=Link(sentences.say("limits.title"), "limitations")))
    return items
