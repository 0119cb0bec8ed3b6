"""Prints what a summary says of all TLS sessions: how many, what they agreed on, who had them; and those of a small capture."""

from collections.abc import Sequence
from typing import Any

from analyzer.analysis.session_totals import SessionTotals
from analyzer.cli.output import Output
from analyzer.cli.page import headline, print_tally
from analyzer.cli.rows import chain_cell, endpoint
from analyzer.cli.table import Cell, Column, Table
from analyzer.text.escape import harmless
from analyzer.text.formatting import established_text
from analyzer.text.language import Sentences, say, translated_codes
from analyzer.text.punctuation import listing

SHOWN_SESSIONS = 5
"""Sessions of a capture that are listed one by one. Of a capture with more, only the totals are shown."""

_LABELS: Sentences = {
    "versions": "versions", "cipher_suites": "cipher suites", "groups": "groups", "alpn": "ALPN", "resumptions": "resumed by",
    "ja4": "JA4", "server_names": "server names", "servers": "servers", "clients": "clients",
}  # fmt: skip

COLUMNS = (
    Column("id", 0, right=True, style="bold"),
    Column("client", 3, limit=47),
    Column("server", 4, limit=47),
    Column("server name", 2, limit=32, style="cyan"),
    Column("version", 1),
    Column("established", 0),
    Column("note", 5, rest=True),
)


def session_row(record: dict[str, Any]) -> list[Cell]:
    """Return the cells of `COLUMNS` for a session's record. Its note is why it failed, or what is wrong with the chain."""
    established, chain, cause = record["established"], record["chain"], record["outcome"]["cause"]
    return [
        str(record["id"]),
        endpoint(record["client"]),
        endpoint(record["server"]),
        harmless(record["server_name"] or ""),
        record["version"] or "",
        (established_text(established), "green" if established else "yellow"),
        (translated_codes("outcome_causes")[cause].title, "red") if cause else chain_cell(chain),
    ]


def print_sessions(totals: SessionTotals, rows: Sequence[list[Cell]], output: Output, n: int) -> None:
    """Print the totals, `n` values of each, and the rows if they are all sessions."""
    if not totals.n_sessions:
        headline(output, say("TLS sessions"), say("none found"))
        return
    headline(output, say("TLS sessions"), say("{counts}; `analyzer sessions` lists them", counts=_counts(totals)))
    for name, label in _LABELS.items():
        print_tally(output, label, totals.tallies[name], n)
    if totals.n_sessions <= len(rows):
        table = Table(COLUMNS, output, indent=2)
        for row in rows:
            table.add(row)
        table.close()


def _counts(totals: SessionTotals) -> str:
    established = totals.established
    parts = [say("{n:,} established", n=established[True])]
    if established[False]:
        parts.append(say("{n:,} not established", n=established[False]))
    if established[None]:
        parts.append(say("of {n:,} it is unknown", n=established[None]))
    return say("{n:,}: {parts}", n=totals.n_sessions, parts=listing(parts))
