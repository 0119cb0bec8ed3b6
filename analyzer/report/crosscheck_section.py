"""The section of the second opinion: what tshark sees in the same captures, as laboratories ask for a second tool."""

from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.report.document import Block, Bullets, Code, Facts, Grid, Line, Paragraph, Quoted, Section
from analyzer.report.pieces import Record
from analyzer.report.sentences import Sentences

SHOWN_DIFFERENCES = 100
"""Differences that have a row; the JSON form has all."""


def crosscheck_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section; without a second opinion it says so."""
    result = facts["crosscheck"]
    title = [sentences.say("crosscheck.title")]
    if result is None:
        return Section("crosscheck", title, (Paragraph([sentences.say("crosscheck.nothing")]),))
    unexplained = result["compared"] - result["agreed"] - result["explained"]
    percent = sentences.say("unknown") if result["percent"] is None else f"{result['percent']:.2f} %"
    rows: list[tuple[str, Line]] = [
        (sentences.say("crosscheck.program"), [Code(f"tshark {result['tshark']['version']}")]),
        (sentences.say("crosscheck.sessions"), [f"{result['sessions']:,}"]),
        (sentences.say("crosscheck.compared"), [f"{result['compared']:,}"]),
        (sentences.say("crosscheck.agreed"), [f"{result['agreed']:,}"]),
        (sentences.say("crosscheck.explained"), [f"{result['explained']:,}"]),
        (sentences.say("crosscheck.unexplained"), [f"{unexplained:,}"]),
        (sentences.say("crosscheck.percent"), [percent]),
    ]
    blocks: list[Block] = [Paragraph([sentences.say("crosscheck.lead")]), Facts(rows)]
    if result["differences"]:
        blocks += [_differences(result["differences"], sentences), *_reasons(result["differences"], sentences)]
    return Section("crosscheck", title, blocks)


def _differences(differences: list[Record], sentences: Sentences) -> Grid:
    none = sentences.say("crosscheck.no_value")
    rows: list[list[Line]] = [
        [
            [Quoted(one["capture"], code=True)],
            [none if one["session"] is None else str(one["session"])],
            [none if one["frame"] is None else str(one["frame"])],
            [Code(one["field"])],
            [none if one["ours"] is None else Quoted(one["ours"])],
            [none if one["tshark"] is None else Quoted(one["tshark"])],
            [sentences.say("crosscheck.no_reason") if one["reason"] is None else Code(one["reason"])],
        ]
        for one in differences[:SHOWN_DIFFERENCES]
    ]
    keys = ("capture", "session", "frame", "field", "ours", "tshark", "reason")
    heads = [sentences.say(f"crosscheck.{key}") for key in keys]
    n_more = len(differences) - len(rows)
    return Grid(sentences.say("crosscheck.caption"), heads, rows, frozenset({1, 2}), n_more)


def _reasons(differences: list[Record], sentences: Sentences) -> list[Block]:
    known = reason_codes(sentences.language)
    used = dict.fromkeys(one["reason"] for one in differences if one["reason"] is not None)
    if not used:
        return []
    return [
        Paragraph([sentences.say("crosscheck.reasons")]),
        Bullets([[Code(code), sentences.colon, known[code].meaning] for code in used]),
    ]
