"""Sums up the verdicts on certificate chains: how many of each, and every invalid chain once, with its sessions."""

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import Column, Table
from analyzer.text.chain_text import chain_text, is_hidden
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, ranges_text
from analyzer.text.language import say
from analyzer.text.punctuation import listing

MAX_CHAINS = 4096
"""The most invalid chains that are distinguished. The sessions of further ones are only counted."""

MAX_NUMBERS = 1 << 17
"""The most sessions with an invalid chain whose numbers are kept: 1 MiB. Further ones are only counted."""

_COLUMNS = (
    Column("problems", 0, style="red", limit=48),
    Column("name", 1, limit=40, style="cyan"),
    Column("certificate", 2, limit=36),
    Column("of", 4),
    Column("sessions", 3, rest=True),
)

_Key = tuple[str, str, str, str, str]
"""Role, problems, name, subject, style."""


class ChainSummary:
    """Collects the verdicts of session records."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self._bad: dict[_Key, array[int]] = {}
        self._n_numbers = 0
        self._uncounted = 0

    def take(self, record: dict[str, Any]) -> None:
        """Take the verdicts of one session, from its record."""
        for role, key in (("server", "chain"), ("client", "client_chain")):
            chain = record[key]
            verdict = chain["verdict"]
            if verdict == "absent" or is_hidden(chain):
                continue
            self.verdicts[verdict] += 1
            if verdict == "invalid":
                codes, style = chain_text(chain)
                subject = record["certificates"][role][0]["subject"] or say("unreadable")
                self._add((role, codes, chain["name"] or "", subject, style), record["id"])

    def print(self, output: Output, stores: Sequence[dict[str, Any]], n: int) -> None:
        """Print this part of the summary, at most `n` chains; nothing without any. stores: as `Trust.record` returns them."""
        if not self.verdicts:
            return
        numbers = (
            count_text(self.verdicts["valid"], "valid", "valid"),
            count_text(self.verdicts["invalid"], "invalid", "invalid"),
            say("{n:,} not judged", n=self.verdicts["unknown"]),
        )
        words = zip(numbers, ("valid", "invalid", "unknown"), strict=True)
        counts = listing(text for text, word in words if self.verdicts[word])
        trust = say(" and ").join(say("{store} of {date}", store=store["store"], date=store["date"]) for store in stores)
        output.line()
        note = "  " + say("{counts}; trusting {stores}", counts=counts, stores=harmless(trust))
        output.line(output.paint(say("Certificate chains"), "bold") + output.paint(note, "dim"))
        if not self._bad:
            return
        table = Table(_COLUMNS, output, indent=2)
        shown = sorted(self._bad.items(), key=lambda entry: min(entry[1]))[:n]
        for (role, codes, name, subject, style), sessions in shown:
            table.add([(codes, style), harmless(name), harmless(subject), say(role), ranges_text(sessions)])
        table.close()
        rest = len(self._bad) - len(shown)
        if rest:
            further = count_text(rest, "further bad chain")
            output.line(output.paint("  " + say("and {further}: `analyzer sessions` has all", further=further), "dim"))
        if self._uncounted:
            further = count_text(self._uncounted, "further session")
            output.line(output.paint("  " + say("and bad chains in {further}", further=further), "dim"))

    def _add(self, key: _Key, number: int) -> None:
        sessions = self._bad.get(key)
        if self._n_numbers >= MAX_NUMBERS or (sessions is None and len(self._bad) >= MAX_CHAINS):
            self._uncounted += 1
            return
        if sessions is None:
            sessions = self._bad[key] = array("q")
        sessions.append(number)
        self._n_numbers += 1
