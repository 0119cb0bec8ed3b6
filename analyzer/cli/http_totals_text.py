"""Prints what a summary says of the HTTP inside decrypted sessions: hosts, answers, the largest bodies with their SHA-256."""

from collections.abc import Sequence

from analyzer.analysis.http_totals import HttpTotals, Transfer
from analyzer.application.request_target import media_type
from analyzer.cli.output import Output
from analyzer.cli.page import TIMES, further_values, headline, print_items, print_tally
from analyzer.cli.table import Column, Table, share_of_width
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import noted, say
from analyzer.text.punctuation import beside

COLUMNS = (
    Column("largest", 0),
    Column("size", 0, right=True),
    Column("type", 2, limit=30),
    Column("URL", 1, limit=60, style="cyan"),
    Column("session", 3, right=True),
    Column("frame", 4, right=True),
    Column("SHA-256", 5),
)

_LABELS = noted(("hosts", "methods", "answers"))
_DOWNLOADS, _UPLOADS = noted(("downloads", "uploads"))


def print_http(totals: HttpTotals, output: Output, n: int) -> None:
    """Print the totals, `n` values of each, and the `n` largest bodies of each direction; nothing if nothing was decrypted."""
    if not totals.n_exchanges:
        return
    requests, sessions = count_text(totals.n_requests, "request"), count_text(totals.n_sessions, "session")
    note = say("{requests} in {sessions}; `analyzer http` lists them", requests=requests, sessions=sessions)
    headline(output, say("HTTP, decrypted"), note)
    for label, tally in zip(_LABELS, (totals.hosts, totals.methods, totals.statuses), strict=True):
        print_tally(output, label, tally, n)
    if totals.received:
        shown = totals.types.first(n)
        types = [f"{harmless(name)} {TIMES}{beside(f'{count:,}', size_text(totals.type_bytes[name]))}" for name, count in shown]
        rest = further_values(len(totals.types) - len(shown), totals.types.beyond)
        print_items(output, _DOWNLOADS, [size_text(totals.received), *types, *rest])
    if totals.sent:
        print_items(output, _UPLOADS, [size_text(totals.sent)])
    table = Table(share_of_width(COLUMNS, "URL", output), output, indent=2)
    _add_rows(table, say("download"), totals.downloads(n))
    _add_rows(table, say("upload"), totals.uploads(n))
    table.close()


def _add_rows(table: Table, direction: str, transfers: Sequence[Transfer]) -> None:
    for one in transfers:
        table.add(
            [
                direction,
                size_text(one.size),
                harmless(media_type(one.type) or ""),
                harmless(one.url or "?"),
                str(one.session),
                str(one.frame),
                one.sha256 or say("unknown: not all was read"),
            ]
        )
