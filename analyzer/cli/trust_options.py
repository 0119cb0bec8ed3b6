"""Reads the trust options of the command line: trust stores, time, intermediates, revocation lists, transparency logs.

All named files are read before the captures, so that a wrong name is reported at once. If no trust store is named, the roots of
Mozilla are read when the first chain comes.
"""

from argparse import Namespace

from analyzer.cli.output import CommandError
from analyzer.store import chain_options
from analyzer.store.chain_verdicts import Chains
from analyzer.x509.trust import MOZILLA, SYSTEM, Unreadable


def read_chains(options: Namespace) -> Chains:
    """Return the object that validates the certificates of this run. Raises CommandError for a file that cannot be read."""
    try:
        return chain_options.read_chains(
            options.trust, options.intermediates, options.crl, options.ct_logs, options.at, strict=options.strict
        )
    except Unreadable as error:
        raise CommandError(str(error)) from error


def trust_option_paths(options: Namespace) -> list[str]:
    """Return the files that the trust options name, in their order."""
    stores = [name for name in options.trust if name not in (MOZILLA, SYSTEM)]
    logs = [] if options.ct_logs is None else [options.ct_logs]
    return [*stores, *options.intermediates, *options.crl, *logs]
