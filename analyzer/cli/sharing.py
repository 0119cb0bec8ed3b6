"""Decides whether several processes read the captures of a command, and runs them."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.interruption import Interruption
from analyzer.cli.key_files import Keys
from analyzer.cli.output import CommandError, complain
from analyzer.cli.part_arguments import part_of
from analyzer.engine import Engine, Listener
from analyzer.tls.events import Event

if TYPE_CHECKING:
    from analyzer.store.chain_verdicts import Chains
    from analyzer.store.shard import Describe
    from analyzer.store.shards import Shards, SharedSession

PAYS_FROM, PAYS_DECRYPTED_FROM = 48 << 20, 8 << 20
"""Bytes of captures from which several processes are faster; and if sessions are decrypted. Below, starting them costs more."""

SAMPLE = 2 << 20
"""Bytes at the beginning of the captures that tell what is in them."""

DENSE = 64
"""Sessions in a MiB from which they are most of the work. Each process reads all packets, but only its own sessions."""

MOST_PROCESSES = 8
"""Processes that are used at most if nobody asked for a number. More of them read more than they share."""


class SharedListener(Listener):
    """A listener that also takes sessions which were read in several processes."""

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """Take the sessions that ended in a turn, in the order of their ends."""

    def leave_out(self, session: int) -> None:
        """Take the number of a session that is not in the part of the capture that is shown."""


class Several(SharedListener):
    """Gives everything to several listeners, each of which writes its own output. A session is described once for all."""

    def __init__(self, listeners: "Sequence[SharedListener]") -> None:
        self._listeners = listeners

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for listener in self._listeners:
            listener.take(events)

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        described = cast("Sequence[SharedSession]", [_Described(session) for session in sessions])
        for listener in self._listeners:
            listener.take_shared(described)

    def leave_out(self, session: int) -> None:
        """See `SharedListener.leave_out`."""
        for listener in self._listeners:
            listener.leave_out(session)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        for listener in self._listeners:
            listener.end_turn()

    def close(self) -> None:
        """See `Listener.close`."""
        for listener in self._listeners:
            listener.close()


class _Described:
    """A session that several listeners ask for its description, which it gives only once."""

    __slots__ = ("_session", "_text", "id", "key")

    def __init__(self, session: "SharedSession") -> None:
        self.id, self.key = session.id, session.key
        self._session = session
        self._text: bytes | None = None

    def describe(self, chains: "Chains") -> bytes:
        """See `SharedSession.describe`."""
        if self._text is None:
            self._text = self._session.describe(chains)
        return self._text


def make_shards(
    options: Namespace,
    capture_run: CaptureRun,
    keys: Keys,
    describe: "Describe",
    chains: "Chains",
    settings: Mapping[str, Any] | None = None,
    traffic: bool = False,
    records: bool = False,
) -> "Shards | None":
    """Return the processes that share the work of a command; None if one process does it, as it does for a part of a capture.

    describe: see `Shard`. settings: further arguments of `Engine`. traffic: whether packets are counted.
    records: whether `describe` returns records as JSON.
    """
    if part_of(options) is not None:
        if (options.jobs or 1) > 1:
            complain(f"-j {options.jobs}: with --since, --until or --host, one process reads the captures")
        return None
    number = _n_processes(options, capture_run, keys)
    if number == 1:
        return None
    from analyzer.store.shards import Shards

    return Shards(
        capture_run.reader, number, {**keys, **(settings or {}), "may_grow": None}, describe, chains, traffic, records
    )


def _n_processes(options: Namespace, capture_run: CaptureRun, keys: Keys) -> int:
    """Return how many processes share the work.

    Without `-j` there is one for each processor, if the beginning of large captures shows that this pays: many short sessions,
    or mostly sessions that are decrypted. With RSA or pre-shared keys there is one process, because resumed sessions need
    the secrets of others.
    """
    if options.jobs == 1 or not can_share() or not capture_run.rereadable():
        return 1
    if options.jobs is not None:
        jobs: int = options.jobs
        return jobs
    decrypts = keys["keylog"] is not None
    if (capture_run.total or 0) < (PAYS_DECRYPTED_FROM if decrypts else PAYS_FROM) or keys["private_keys"] or keys["psks"]:
        return 1
    number = min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
    return number if number > 1 and _pays(capture_run.reader.paths, decrypts) else 1


def _pays(paths: Sequence[str], decrypts: bool) -> bool:
    """Return whether the work on sessions is most of the work, by the beginning of the captures."""
    engine = Engine(fields=False)
    engine.dispatcher.share(2, 2)  # neither of the two: it finds sessions, and reads none
    reader = CaptureReader(paths)
    for packet_reader in reader.packet_readers():
        engine.run(packet_reader)
        if reader.n_bytes() >= SAMPLE:
            break
    if decrypts:
        return sum(engine.dispatcher.loads) >= reader.n_bytes() / 2
    return engine.dispatcher.count >= DENSE * reader.n_bytes() / (1 << 20)


def can_share() -> bool:
    """Return whether this system can divide a process safely."""
    return sys.platform == "linux"


def run_shared(capture_run: CaptureRun, shards: "Shards", listener: SharedListener) -> None:
    """Read the captures in several processes, to their end or until the first signal.

    Afterwards `capture_run` has the facts of the files.
    """
    from analyzer.store.shards import ShardError

    try:
        with Interruption(shards.stop):
            for turn in capture_run.with_progress(shards.turns(), lambda: shards.reader.n_bytes()):
                listener.take_shared(turn)
                listener.end_turn()
    except ShardError as error:
        raise CommandError(str(error)) from error
    capture_run.reader = shards.reader
    listener.close()
