"""Names the local process of each session while it is sniffed.

This listener asks when a session begins, and puts the answer into the session's flow. There the session record finds it.
Nothing is asked for a packet. The system can be asked only while the connection lives; so a small process watches from the
first segment of each connection on (`connection_witness`). A session that is still without a process, because the search had to
be limited, is asked for again in the next turns for at most a second.

A command that sniffs uses it like this, with an engine that is `detailed` or `announces`:

    processes = LiveProcesses.open()             # before rights are dropped; None where the system cannot say
    ...
    run(source, engine, [processes, *others])    # before the listeners that print records
"""

import sys
from collections.abc import Sequence
from time import monotonic
from typing import Protocol, Self

from analyzer.capture.processes.process_identity import Process
from analyzer.engine.run import Listener
from analyzer.flows.flow import TCP, Flow
from analyzer.tls.events import Event, SessionBegan, SessionEnded

_LONGEST_WAIT = 1.0
"""Seconds for which a session without a process is asked for again."""

MOST_AT_ONCE = 256
"""Sessions that are asked for in one turn, at most, new ones first. A turn with more has no time for questions."""


class Finder(Protocol):
    """What finds the process of a connection: `ProcessFinder` or `ConnectionWitness`."""

    def find_all(self, keys: Sequence[bytes]) -> list[Process | None]: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class LiveProcesses(Listener):
    """Asks for the process of each session that begins.

    asked, found: numbers of sessions, for the summary of a run. A process counts as found if its id is known.
    """

    def __init__(self, finder: Finder) -> None:
        self.asked = 0
        self.found = 0
        self._finder = finder
        self._waiting: dict[int, tuple[Flow, float]] = {}

    @classmethod
    def open(cls, user: str | None = None, n_runs: int = 1) -> Self | None:
        """Return a listener, None if the system cannot say whose a connection is.

        A small process is started that keeps two of the rights of now, so call it before rights are dropped, and before threads
        start. user: whom that process becomes, as in `privileges.drop`. n_runs: how many runs share the packets.
        """
        if not sys.platform.startswith("linux"):
            return None
        from analyzer.capture.processes.connection_witness import ConnectionWitness

        try:
            return cls(ConnectionWitness(user, n_runs))
        except OSError:  # the kernel has no sock_diag
            return None

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        now = monotonic()
        asked = [
            (event.session, event.flow, now + _LONGEST_WAIT)
            for event in events
            if isinstance(event, SessionBegan) and event.flow.protocol == TCP
        ]
        self.asked += len(asked)
        asked += [(number, flow, until) for number, (flow, until) in self._waiting.items() if now < until]
        self._waiting.clear()
        del asked[MOST_AT_ONCE:]
        if asked:
            for (number, flow, until), process in zip(asked, self._finder.find_all([one[1].key for one in asked]), strict=True):
                self._note(number, flow, until, process)
        if self._waiting:
            for event in events:
                if isinstance(event, SessionEnded):
                    self._waiting.pop(event.session, None)

    def close(self) -> None:
        """See `Listener.close`."""
        self._finder.close()

    def _note(self, session: int, flow: Flow, until: float, process: Process | None) -> None:
        if process is None:
            return
        flow.process = process
        if process.pid is not None:
            self.found += 1
        else:
            self._waiting[session] = flow, until
