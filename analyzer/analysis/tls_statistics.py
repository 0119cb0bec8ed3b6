"""Counts what the TLS sessions of a run agreed on, how they ended and why, and how long their steps took."""

from collections.abc import Mapping
from typing import Any

from analyzer.analysis.duration_spread import Spread
from analyzer.analysis.session_totals import SessionTotals
from analyzer.analysis.tally import Tally

DURATIONS = ("tcp", "hello", "handshake", "total")
"""The durations of a session's outcome."""


class TlsStatistics:
    """Collects session records. totals: what was agreed on, and by whom. results, causes: of outcomes. durations: by their
    names, in seconds.
    """

    def __init__(self) -> None:
        self.totals = SessionTotals()
        self.results = Tally()
        self.causes = Tally()
        self.durations = {name: Spread() for name in DURATIONS}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a session's record."""
        self.totals.take(record)
        outcome = record["outcome"]
        self.results.add(outcome["result"])
        if outcome["cause"] is not None:
            self.causes.add(outcome["cause"])
        for name, spread in self.durations.items():
            seconds = outcome["durations"][name]
            if seconds is not None:
                spread.add(seconds)

    def tallies(self) -> dict[str, Tally]:
        """Return all counts of values, by their names."""
        return {**self.totals.tallies, "results": self.results, "causes": self.causes}
