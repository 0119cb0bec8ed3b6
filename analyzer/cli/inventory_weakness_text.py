"""Prints what an inventory calls weak or legacy: what servers agreed on, and, apart from that, what clients offer."""

from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.page import dim_line, headline
from analyzer.cli.rows import endpoint
from analyzer.cli.table import Column, Table
from analyzer.text.authentication_text import problem_title
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import retold, say, translated_codes
from analyzer.text.punctuation import listing

SHOWN_NAMES = 3

_STYLES = {"high": "red", "medium": "red", "low": "yellow", "info": ""}

_AGREED = (
    Column("agreed on", 0, limit=48),
    Column("server", 1, limit=47, style="bold"),
    Column("sessions", 3, right=True),
    Column("names", 2, limit=40, style="cyan"),
    Column("first session", 4, right=True),
    Column("frame", 5, right=True),
    Column("detail", 6, limit=110),
)

_CERTIFICATES = (
    Column("certificate", 0, limit=44),
    Column("weakness", 1, limit=40),
    Column("signed with", 3),
    Column("served by", 2, limit=60),
    Column("SHA-256", 4),
)

_OFFERED = (
    Column("offered by clients", 0, limit=48),
    Column("clients", 1, right=True),
    Column("sessions", 2, right=True),
    Column("first of them", 3, limit=80),
)


def print_weak(output: Output, record: dict[str, Any], n: int, _: bool) -> None:
    """Print that part of an inventory record, at most `n` rows of each table."""
    weak, titles = record["weak"], translated_codes("findings")
    agreed, certificates = weak["agreed"], weak["certificates"]
    servers = {(one["server"]["address"], one["server"]["port"]) for one in agreed}
    note = (
        say("agreed on with {servers}", servers=count_text(len(servers), "server")) if agreed else say("nothing was agreed on")
    )
    headline(output, say("Weak and legacy"), note)
    table = Table(_AGREED, output, indent=2)
    for one in agreed[:n]:
        table.add(
            [
                (titles[one["code"]].title, _STYLES[one["severity"]]),
                endpoint(one["server"]),
                f"{one['sessions']:,}",
                listing(map(harmless, one["names"][:SHOWN_NAMES])),
                str(one["session"]),
                "" if one["frame"] is None else str(one["frame"]),
                harmless(retold(one["detail"])),
            ]
        )
    table.close()
    _more(output, len(agreed) - n)
    _print_certificates(output, record, certificates[:n])
    _more(output, len(certificates) - n)
    offers: dict[str, list[dict[str, Any]]] = {}
    for one in weak["offered"]:
        offers.setdefault(one["code"], []).append(one)
    table = Table(_OFFERED, output, indent=2)
    for code, listed in offers.items():
        clients = [one["client"] for one in listed]
        shown = [*clients[:SHOWN_NAMES], *(["…"] if len(clients) > SHOWN_NAMES else [])]
        count = sum(one["sessions"] for one in listed)
        table.add([titles[code].title, f"{len(clients):,}", f"{count:,}", listing(shown)])
    table.close()


def _print_certificates(output: Output, record: dict[str, Any], weak: list[dict[str, Any]]) -> None:
    known = {one["sha256"]: one for one in record["certificates"]} if weak else {}
    table = Table(_CERTIFICATES, output, indent=2)
    for one in weak:
        facts = known[one["sha256"]]
        table.add(
            [
                harmless(facts["subject"] or say("unreadable")),
                (problem_title(one["code"]), "yellow"),
                harmless(facts["signature_algorithm"] or ""),
                listing(one["servers"][:SHOWN_NAMES]),
                one["sha256"],
            ]
        )
    table.close()


def _more(output: Output, n: int) -> None:
    if n > 0:
        dim_line(output, say("and {n:,} more: {option} lists them", n=n, option="--weak"))
