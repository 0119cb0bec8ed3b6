"""The records of a run's sessions, as they end."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from analyzer.engine import Engine
from analyzer.store.chains import Chains, Written
from analyzer.store.record import json_line, session_record


class Ended:
    """A session that has ended."""

    __slots__ = ("_chains", "_messages", "session")

    def __init__(self, session: Any, chains: Chains, messages: bool) -> None:
        self.session = session
        self._chains = chains
        self._messages = messages

    def record(self) -> dict[str, Any]:
        """Give its record; ask once."""
        return session_record(self.session, self._messages, self._chains)

    def line(self) -> bytes:
        """Give its record as a line of JSON; ask once."""
        return json_line(session_record(self.session, self._messages, Written(self._chains)))


class Records:
    """What comes of the frames that `engine` is given; use it in a `with`. messages: with the fields of every message."""

    def __init__(self, engine: Engine, chains: Chains, messages: bool) -> None:
        self._engine = engine
        self._chains = chains
        self._messages = messages

    def __enter__(self) -> "Records":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of what the run took."""

    def take(self) -> Iterator[Ended]:
        """End a turn, what was read at once; give the sessions that have ended, in the order in which they did.

        What is known of the capture at the end of its turn, verdicts of certificates among it, is what a record rests on.
        """
        for session in self._engine.drain():
            yield Ended(session, self._chains, self._messages)

    def close(self) -> Iterator[Ended]:
        """End everything that is still open, and give that."""
        self._engine.close()
        yield from self.take()
