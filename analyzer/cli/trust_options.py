"""Reads the trust options of the command line: trust stores, time, intermediates, revocation lists, transparency logs.

All named files are read before the captures, so that a wrong name is reported at once. If no trust store is named, the roots of
Mozilla are read when the first chain comes.
"""

import time
from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.output import CommandError
from analyzer.cli.time_argument import CAPTURE, NOW
from analyzer.store.chain_verdicts import Chains
from analyzer.x509.trust import MOZILLA, SYSTEM, Trust, Unreadable, read_certificates, read_revocation_lists

if TYPE_CHECKING:
    from analyzer.x509.ct_logs import Logs


def read_chains(options: Namespace) -> Chains:
    """Return the object that validates the certificates of this run. Raises Refusal for a file that cannot be read."""
    try:
        trust = Trust(options.trust or [MOZILLA])
        if options.trust:
            trust.record()
        return Chains(
            trust,
            intermediates=[der for path in options.intermediates for der in read_certificates(path)],
            crls=[der for path in options.crl for der in read_revocation_lists(path)],
            logs=None if options.ct_logs is None else _read_logs(options.ct_logs),
            at=None if options.at == CAPTURE else time.time_ns() if options.at == NOW else options.at,
        )
    except Unreadable as error:
        raise CommandError(str(error)) from error


def trust_option_paths(options: Namespace) -> list[str]:
    """Return the files that the trust options name, in their order."""
    stores = [name for name in options.trust if name not in (MOZILLA, SYSTEM)]
    logs = [] if options.ct_logs is None else [options.ct_logs]
    return [*stores, *options.intermediates, *options.crl, *logs]


def _read_logs(path: str) -> "Logs":
    from analyzer.x509.ct_logs import LIST_SIZE, read_logs

    try:
        with open(path, "rb") as file:
            return read_logs(file.read(LIST_SIZE + 1))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
