"""Writes the records of all sessions of a run into a file, one line of JSON each: the records of a bundle."""

from collections.abc import Callable, Sequence
from typing import IO, Any

from analyzer.engine.run import Listener
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import json_line, session_record
from analyzer.tls.events import Event, SessionEnded


class SessionLines(Listener):
    """Takes the sessions of a run, and writes the record of each when it ends: as `analyzer sessions --format json` does."""

    def __init__(
        self, file: IO[bytes], chains: Chains, change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    ) -> None:
        """change: makes of a record what is written, for example with its names masked; None for the record as it is."""
        self._file = file
        self._chains = chains
        self._change = change

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`. Raises OSError."""
        for event in events:
            if isinstance(event, SessionEnded):
                record = session_record(event.ended, False, self._chains)
                self._file.write(json_line(record if self._change is None else self._change(record)))
