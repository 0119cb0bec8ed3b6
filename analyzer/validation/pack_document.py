"""Makes the document of a validation out of its facts: the steps of a method validation as sections.

The order is that of FSR-G-201: requirements, specification, risks, criteria, plan, results, limits, and what the
laboratory adds.
Each form of the report (HTML, PDF, Markdown) writes this document as it does its own.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.report.document import (
    Bullets,
    Code,
    Document,
    Facts,
    Grid,
    Line,
    Link,
    Note,
    Paragraph,
    Quoted,
    Section,
)
from analyzer.report.fact_texts import references_text
from analyzer.report.pieces import Record, joined
from analyzer.report.sentences import Sentences
from analyzer.validation.result_section import result_mark, results_section
from analyzer.validation.sentence_folder import DIRECTORY
from analyzer.validation.validation_trial import FAILED, PASSED

_NORMS = ("verification", "validation", "changes", "needs", "records", "software", "code", "guidance", "digital")
_BLANKS = {
    "identity": ("laboratory", "machine", "date", "person", "competence"),
    "review": ("needs", "material", "risks", "not_run", "procedure", "implementation"),
    "statement": ("scope", "limits", "person", "date"),
}
"""What the laboratory fills in, by parts of the last section."""


def build_pack(facts: Record, language: str) -> Document:
    """Return the document of a validation. language: as in BCP 47. Raises UnknownLanguageError."""
    sentences = Sentences(language, DIRECTORY)
    sections = [
        make(facts, sentences)
        for make in (
            _scope,
            _requirements,
            _risks,
            _plan,
            results_section,
            _installed,
            _limits,
            _norms,
            _material,
            _laboratory,
        )
    ]
    tool = facts["tool"]
    title_rows: list[tuple[str, Line]] = [
        (sentences.say("fact.tool"), _tool_line(tool, sentences)),
        (sentences.say("fact.digest"), [Code(facts["installation"]["sha256"])]),
        (sentences.say("fact.result"), [result_mark(facts["result"], sentences)]),
    ]
    return Document(sentences.say("pack.title"), language, Facts(title_rows), _front(facts, sentences), sections)


def _tool_line(tool: Record, sentences: Sentences) -> Line:
    build = sentences.say(f"build.{tool['build'].replace(' ', '_')}")
    return [sentences.say("fact.tool_value", name=tool["name"], version=tool["version"]), *sentences.aside(build)]


def _front(facts: Record, sentences: Sentences) -> Section:
    requirements: Sequence[Record] = facts["requirements"]
    n_failed = sum(one["result"] == FAILED for one in requirements)
    n_passed = sum(one["result"] == PASSED for one in requirements)
    if n_failed:
        verdict = Note([sentences.say("pack.failed", n=n_failed)], "bad")
    elif n_passed < len(requirements):
        verdict = Note([sentences.say("pack.partly", n=len(requirements) - n_passed)], "unsure")
    else:
        verdict = Note([sentences.say("pack.passed", n=n_passed)], "good")
    items: list[Line] = [
        [sentences.say("pack.counts", **counts_of(requirements))],
        [sentences.say("pack.against")],
        [_second_text(facts, sentences)],
        sentences.line("pack.not_all", link=Link(sentences.say("known.title"), "limits")),
        [sentences.say("pack.same_bytes")],
    ]
    rows: list[list[Line]] = [
        [
            [Link(one["requirement"], one["requirement"].lower())],
            [sentences.say(f"requirement.{one['requirement']}.title")],
            [f"{one['trials']:,}"],
            [f"{one['values']:,}"],
            [f"{one['equal']:,}"],
            [result_mark(one["result"], sentences)],
        ]
        for one in requirements
    ]
    heads = [sentences.say(f"head.{key}") for key in ("requirement", "title", "trials", "values", "equal", "result")]
    matrix = Grid(sentences.say("pack.matrix"), heads, rows, frozenset({2, 3, 4}))
    return Section("summary", [sentences.say("pack.summary")], (verdict, Bullets(items), matrix))


def counts_of(requirements: Sequence[Record]) -> dict[str, int]:
    """Return the counts over all requirements, by the fields of their sentence."""
    values, equal = sum(one["values"] for one in requirements), sum(one["equal"] for one in requirements)
    return {
        "trials": sum(one["trials"] - one["not_run"] for one in requirements),
        "values": values,
        "equal": equal,
        "different": values - equal,
        "not_run": sum(one["not_run"] for one in requirements),
    }


def _second_text(facts: Record, sentences: Sentences) -> str:
    crosscheck: Record | None = facts["crosscheck"]
    if crosscheck is None:
        return sentences.say("pack.no_second")
    counts = {key: crosscheck[key] for key in ("captures", "compared", "agreed", "explained")}
    return sentences.say("pack.second", version=crosscheck["tshark"], all=facts["range"]["captures"], **counts)


def _scope(facts: Record, sentences: Sentences) -> Section:
    installed = Link(sentences.say("installed.title"), "installation")
    return Section(
        "scope",
        [sentences.say("scope_of.title")],
        (
            Paragraph(sentences.line("scope_of.method", link=installed)),
            Paragraph([sentences.say("scope_of.use")]),
            Paragraph([sentences.say("scope_of.kind")]),
            Paragraph([sentences.say("scope_of.rate")]),
        ),
    )


def _requirements(facts: Record, sentences: Sentences) -> Section:
    rows: list[list[Line]] = [
        [
            [Link(one["requirement"], one["requirement"].lower())],
            [sentences.say(f"requirement.{one['requirement']}.need")],
            [sentences.say(f"requirement.{one['requirement']}.criterion")],
            [references_text(one["reference"], sentences)],
        ]
        for one in facts["requirements"]
    ]
    heads = [sentences.say(key) for key in ("head.requirement", "spec.need", "spec.criterion", "spec.reference")]
    lead = sentences.line("spec.lead", link=Link(sentences.say("laboratory.title"), "laboratory"))
    blocks = (Paragraph(lead), Grid(sentences.say("spec.caption"), heads, rows))
    return Section("requirements", [sentences.say("spec.title")], blocks)


def _risks(facts: Record, sentences: Sentences) -> Section:
    rows: list[list[Line]] = [
        [
            [sentences.say(f"risk.{one['code']}.title")],
            [sentences.say(f"risk.{one['code']}.effect")],
            joined([[Link(code, code.lower())] for code in one["requirements"]], sentences.comma),
            [sentences.say(f"risk.{one['code']}.rest")],
        ]
        for one in facts["risks"]
    ]
    heads = [sentences.say(f"risks.{key}") for key in ("risk", "effect", "answer", "rest")]
    blocks = (Paragraph([sentences.say("risks.lead")]), Grid(sentences.say("risks.caption"), heads, rows))
    return Section("risks", [sentences.say("risks.title")], blocks)


def _plan(facts: Record, sentences: Sentences) -> Section:
    found = facts["range"]
    rows: list[tuple[str, Line]] = [
        (sentences.say("range.captures"), [f"{found['captures']:,}"]),
        (sentences.say("range.sessions"), [f"{found['sessions']:,}"]),
        (sentences.say("range.versions"), [sentences.comma.join(found["versions"])]),
        (sentences.say("range.suites"), joined([[Code(one)] for one in found["suites"]], sentences.comma)),
        (sentences.say("range.groups"), joined([[Code(one)] for one in found["groups"]], sentences.comma)),
        (sentences.say("range.frames"), [f"{found['most_frames']:,}"]),
    ]
    texts = [Paragraph([sentences.say(f"plan.{key}")]) for key in ("run", "origin", "findings", "independence")]
    files = Paragraph(sentences.line("plan.listed", link=Link(sentences.say("plan.files"), "material")))
    inner = (Section("range", [sentences.say("plan.range")], (Facts(rows), files)),)
    return Section("plan", [sentences.say("plan.title")], texts, inner)


def _material(facts: Record, sentences: Sentences) -> Section:
    rows: list[list[Line]] = [[[Quoted(one["path"], code=True)], [Code(one["sha256"])]] for one in facts["material"]]
    grid = Grid(sentences.say("plan.files"), [sentences.say("plan.file"), "SHA-256"], rows)
    return Section("material", [sentences.say("plan.files")], (grid,))


def _installed(facts: Record, sentences: Sentences) -> Section:
    tool, installation, system = facts["tool"], facts["installation"], facts["system"]
    unknown, numbers = sentences.say("unknown"), facts["packages"]
    packages = joined([[f"{name} ", Code(number or unknown)] for name, number in numbers.items()], sentences.comma)
    crosscheck = facts["crosscheck"]
    tshark = sentences.say("reason.no_tshark") if crosscheck is None else crosscheck["tshark"]
    known = [system[key] for key in ("distribution", "system", "release", "libc", "machine") if system[key]]
    rows: list[tuple[str, Line]] = [
        (sentences.say("fact.tool"), _tool_line(tool, sentences)),
        (sentences.say("installed.files"), [f"{installation['count']:,}"]),
        (sentences.say("fact.digest"), [Code(installation["sha256"])]),
        (sentences.say("installed.python"), [Code(tool["python"])]),
        (sentences.say("installed.openssl"), [Code(tool["libraries"]["OpenSSL"] or sentences.say("unknown"))]),
        (sentences.say("installed.packages"), packages),
        (sentences.say("installed.tshark"), [tshark]),
        (
            sentences.say("installed.system"),
            joined([[Quoted(one)] for one in known], sentences.comma) or [sentences.say("unknown")],
        ),
    ]
    return Section(
        "installation", [sentences.say("installed.title")], (Paragraph([sentences.say("installed.lead")]), Facts(rows))
    )


def _limits(facts: Record, sentences: Sentences) -> Section:
    uncovered: list[Line] = [[sentences.say(f"uncovered.{one['code']}")] for one in facts["uncovered"]]
    known: list[Line] = [[sentences.say(f"known.{one['code']}")] for one in facts["limits"]]
    return Section(
        "limits",
        [sentences.say("known.title")],
        (
            Paragraph([sentences.say("known.uncovered")]),
            Bullets(uncovered),
            Paragraph([sentences.say("known.lead")]),
            Bullets(known),
        ),
    )


def _norms(facts: Record, sentences: Sentences) -> Section:
    rows: list[list[Line]] = [
        [[sentences.say(f"norm.{code}.title")], [sentences.say(f"norm.{code}.here")], [sentences.say(f"norm.{code}.left")]]
        for code in _NORMS
    ]
    heads = [sentences.say(f"norms.{key}") for key in ("document", "here", "left")]
    blocks = (Paragraph([sentences.say("norms.lead")]), Grid(sentences.say("norms.caption"), heads, rows))
    return Section("norms", [sentences.say("norms.title")], blocks)


def _laboratory(facts: Record, sentences: Sentences) -> Section:
    blank: list[Any] = [sentences.say("laboratory.blank")]
    parts = [
        Section(
            f"laboratory-{part}",
            [sentences.say(f"laboratory.{part}")],
            (Facts([(sentences.say(f"blank.{part}.{key}"), blank) for key in keys]),),
        )
        for part, keys in _BLANKS.items()
    ]
    lead = (Paragraph([sentences.say("laboratory.lead")]),)
    return Section("laboratory", [sentences.say("laboratory.title")], lead, parts)
