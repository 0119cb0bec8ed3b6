"""Counts the decryption results of the sessions of a run, and prints the counts with the reasons."""

from collections import Counter
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import wrap
from analyzer.text.authentication_text import STATUSES, advice_text, cause_text
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import listing


class Decryptions:
    """Counts the decryption results of the sessions of a run, and prints the counts with the reasons."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._examples: dict[str, tuple[int, str]] = {}
        self._advice: dict[str, dict[str, None]] = {}
        self._given = False

    def take(self, record: dict[str, Any], given: bool) -> None:
        """Take a session's record. given: whether any secrets were given."""
        decryption = record["decryption"]
        self._given = self._given or given
        self.statuses[decryption["status"]] += 1
        reason = decryption["reason"]
        if reason is not None:
            self.reasons[reason] += 1
            self._examples.setdefault(reason, (record["id"], decryption["detail"] or ""))
            advised = self._advice.setdefault(reason, {})
            if len(advised) < 2:
                advised[advice_text(decryption)] = None

    def print(self, output: Output) -> None:
        """Print the counts, and a sentence for each reason. Print nothing if no secrets were given or nothing was encrypted."""
        encrypted = self.statuses.total() - self.statuses["not_needed"]
        if not self._given or not encrypted:
            return
        output.line()
        counts = [
            say("{n:,} {what}", n=self.statuses[s], what=say(STATUSES[s]))
            for s in ("decrypted", "partial", "none")
            if self.statuses[s]
        ]
        output.line(output.paint(say("Decryption"), "bold") + output.paint("  " + listing(counts), "dim"))
        for reason, count in self.reasons.most_common():
            meaning, advice = cause_text(reason)
            if len(self._advice[reason]) == 1:  # else the general one, which fits all of them
                (advice,) = self._advice[reason]
            number, detail = self._examples[reason]
            shown = (
                say(" (session {n}: {detail})", n=number, detail=retold(detail)) if detail else say(" (session {n})", n=number)
            )
            sessions = count_text(count, "session")
            text = say("{sessions}: {meaning}{shown}. {advice}", sessions=sessions, meaning=meaning, shown=shown, advice=advice)
            for line in wrap(harmless(text), output.width - 2):
                output.line("  " + line)
