"""Collects the failures that one of several processes of a live run sees."""

from collections.abc import Sequence

from analyzer.analysis.calm_outcome import calm_outcome
from analyzer.analysis.failures import Failures
from analyzer.engine import Listener
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event, SessionEnded


class FailureListener(Listener):
    """Takes sessions and connections as they end. failures: those that failed or were abandoned."""

    def __init__(self, chains: Chains) -> None:
        self.failures = Failures()
        self._chains = chains

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`. Of the sessions that went well, which are nearly all, no record is made."""
        for event in events:
            if isinstance(event, SessionEnded) and calm_outcome(event.ended) is None:
                self.failures.take_record(session_record(event.ended, False, self._chains, False))
            elif isinstance(event, ConnectionFailed):
                self.failures.take_connection(event.key, event.first_frame, event.last_frame, event.outcome)
