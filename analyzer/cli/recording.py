"""How many processes make the records of a run, and where one is enough."""

import os
from argparse import Namespace

from analyzer.cli.reading import Reading
from analyzer.engine import Engine
from analyzer.store.chains import Chains
from analyzer.store.records import Records
from analyzer.workers import usable_processors

MOST_WORKERS = 16
"""Processes that are started unasked: one reads for all, and has its hands full with fewer."""

WORTH_SHARING = 8 << 20
"""Bytes of captures for which further processes are started unasked: less is done before they are at work."""


def open_records(reading: Reading, engine: Engine, chains: Chains, options: Namespace, messages: bool = False) -> Records:
    """What gives the records of the sessions that `engine` reads; use it in a `with`.

    A pipe is read by one process, since each session should come out as soon as it ends; and so is what may have secrets
    that nobody could read yet, since sessions then wait for them.
    """
    jobs = options.jobs
    if jobs is None:
        small = reading.total is None or reading.total < WORTH_SHARING
        jobs = 1 if small else min(usable_processors(), MOST_WORKERS)
    if jobs == 1 or not hasattr(os, "fork") or reading.piped or reading.may_hide_secrets():
        return Records(engine, chains, messages)
    from analyzer.store.crew import Crew

    return Crew(engine, chains, jobs, messages)
