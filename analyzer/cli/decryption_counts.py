"""Counts the decryption results of the sessions of a run, and prints the counts with the reasons."""

from collections import Counter
from typing import Any

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.cli.output import Output
from analyzer.cli.table import wrap
from analyzer.text.authentication_text import STATUSES
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text


class Decryptions:
    """Counts the decryption results of the sessions of a run, and prints the counts with the reasons."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._examples: dict[str, tuple[int, str]] = {}
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

    def print(self, output: Output) -> None:
        """Print the counts, and a sentence for each reason. Print nothing if no secrets were given or nothing was encrypted."""
        encrypted = self.statuses.total() - self.statuses["not_needed"]
        if not self._given or not encrypted:
            return
        output.line()
        counts = [f"{self.statuses[s]:,} {STATUSES[s]}" for s in ("decrypted", "partial", "none") if self.statuses[s]]
        output.line(output.paint("Decryption", "bold") + output.paint(f"  {', '.join(counts)}", "dim"))
        for reason, count in self.reasons.most_common():
            meaning, advice = CAUSES[reason]
            number, detail = self._examples[reason]
            shown = f" (session {number}: {detail})" if detail else f" (session {number})"
            lines = wrap(harmless(f"{count_text(count, 'session')}: {meaning}{shown}. {advice}"), output.width - 2)
            for line in lines:
                output.line("  " + line)
