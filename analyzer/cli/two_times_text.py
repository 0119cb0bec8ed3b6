"""Prints two captures of different times compared: what is new, gone and changed, by kind."""

from collections.abc import Sequence
from typing import Any

from analyzer.analysis.two_times import CHANGED, GONE, NEW
from analyzer.cli.compare_page import MOST_ROWS, list_headline, short
from analyzer.cli.files import print_fact
from analyzer.cli.output import Output
from analyzer.cli.table import Column, Table
from analyzer.text.escape import harmless
from analyzer.text.language import Sentences, retold, say
from analyzer.text.punctuation import beside, clauses, listing

DIFFERENCES = (
    Column("", 0),
    Column("what", 0, limit=54, style="cyan"),
    Column("where", 1, limit=30),
    Column("session", 2, right=True),
    Column("frame", 3, right=True),
    Column("detail", 4),
)

MARKS = {NEW: "+", GONE: "-", CHANGED: "~"}

MARK_STYLES = {NEW: "green", GONE: "red", CHANGED: "yellow"}

TITLES: Sentences = {
    "finding": "Findings",
    "chain_problem": "Problems of certificate chains",
    "server": "Servers",
    "server_name": "Server names",
    "certificate": "Certificates",
    "version": "Versions",
    "cipher_suite": "Cipher suites",
    "group": "Groups",
    "ja4": "JA4 of clients",
    "protocol": "Protocols",
    "host": "Hosts",
}


def print_times(output: Output, record: dict[str, Any]) -> None:
    """Print the record of two times."""
    listed, by_kind = record["differences"]["listed"], record["counts"]
    counts = {change: sum(one[change] for one in by_kind.values()) for change in (NEW, GONE, CHANGED)}
    if not listed:
        print_fact(output, "result", say("no difference"), "green")
        return
    parts = [say("{n:,} new", n=counts[NEW]), say("{n:,} gone", n=counts[GONE]), say("{n:,} changed", n=counts[CHANGED])]
    print_fact(
        output, "result", listing(part for part, change in zip(parts, (NEW, GONE, CHANGED), strict=True) if counts[change])
    )
    for kind, title in TITLES.items():
        count = sum(by_kind[kind].values())
        if count:
            list_headline(output, say(title), count)
            _print_differences(output, [one for one in listed if one["kind"] == kind])
    if any(not one["certain"] for one in listed):
        output.line()
        output.line("  " + say("? the other capture may have it too: certificates of this server are encrypted there"))


def _print_differences(output: Output, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(DIFFERENCES, output, indent=2)
    for one in rows[:MOST_ROWS]:
        mark = MARKS[one["change"]] + ("" if one["certain"] else "?")
        places = ["" if one[name] is None else str(one[name]) for name in ("session", "frame")]
        table.add(
            [(mark, MARK_STYLES[one["change"]]), _what(one), harmless(listing(one["where"])), *places, harmless(_detail(one))]
        )
    table.close()


def _what(one: dict[str, Any]) -> str:
    if one["change"] == CHANGED:
        before, after = (listing(map(short, one[name])) for name in ("before", "after"))
        return harmless(say("{before} became {after}", before=before, after=after))
    if one["kind"] == "certificate":
        return harmless(one["detail"] or short(one["value"]))
    return harmless(beside(one["value"], say(one["severity"]) if one["severity"] else ""))


def _detail(one: dict[str, Any]) -> str:
    if one["change"] == CHANGED:
        issuers = [listing(one[name]) for name in ("issuers_before", "issuers_after")]
        return say("issuer: {before}, then {after}", before=issuers[0], after=issuers[1]) if issuers[0] != issuers[1] else ""
    if one["kind"] == "certificate":
        until = say("until {day}", day=str(one["not_after"])[:10]) if one["not_after"] else ""
        return clauses(say("issuer {name}", name=one["issuer"]) if one["issuer"] else "", until, short(one["value"]))
    return "" if one["kind"] != "finding" else _told(one["detail"])


def _told(detail: str | None) -> str:
    return retold(detail) if detail else ""
