"""Decides whether several processes read the captures of a command, and runs them."""

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import Keys
from analyzer.cli.output import CommandError
from analyzer.engine import Listener

if TYPE_CHECKING:
    from analyzer.store.chain_verdicts import Chains
    from analyzer.store.shard import Describe
    from analyzer.store.shards import Shards, SharedSession

PAYS_FROM = 8 << 20
"""Bytes of captures from which several processes are faster, if sessions are decrypted. With less, starting them costs more."""

MOST_PROCESSES = 8
"""Processes that are used at most if nobody asked for a number. More of them read more than they share."""


class SharedListener(Listener):
    """A listener that also takes sessions which were read in several processes."""

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """Take the sessions that ended in a turn, in the order of their ends."""


def make_shards(
    options: Namespace,
    capture_run: CaptureRun,
    keys: Keys,
    describe: "Describe",
    chains: "Chains",
    settings: Mapping[str, Any] | None = None,
    traffic: bool = False,
) -> "Shards | None":
    """Return the processes that share the work of a command; None if one process does it.

    describe: see `Shard`. settings: further arguments of `Engine`. traffic: whether packets are counted.
    """
    number = _n_processes(options, capture_run, keys)
    if number == 1:
        return None
    from analyzer.store.shards import Shards

    return Shards(capture_run.reader, number, {**keys, **(settings or {}), "may_grow": None}, describe, chains, traffic)


def _n_processes(options: Namespace, capture_run: CaptureRun, keys: Keys) -> int:
    """Return how many processes share the work.

    Without `-j` there is one for each processor if there is a key log and much to read. Decryption takes longer than all the
    rest, and it is what is shared best. With RSA or pre-shared keys there is one process, because resumed sessions need the
    secrets of others.
    """
    if not _can_share(options, capture_run):
        return 1
    if options.jobs is not None:
        jobs: int = options.jobs
        return jobs
    if keys["keylog"] is None or keys["private_keys"] or keys["psks"] or (capture_run.total or 0) < PAYS_FROM:
        return 1
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


def _can_share(options: Namespace, capture_run: CaptureRun) -> bool:
    if options.jobs == 1 or not capture_run.rereadable():
        return False
    from analyzer.store.shards import can_share

    return can_share()


def run_shared(capture_run: CaptureRun, shards: "Shards", listener: SharedListener) -> None:
    """Read the captures in several processes. Afterwards `capture_run` has the facts of the files."""
    from analyzer.store.shards import ShardError

    try:
        for turn in capture_run.with_progress(shards.turns(), lambda: shards.reader.n_bytes()):
            listener.take_shared(turn)
            listener.end_turn()
    except ShardError as error:
        raise CommandError(str(error)) from error
    capture_run.reader = shards.reader
    listener.close()
