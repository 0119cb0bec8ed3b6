"""What certificates are judged by, from the command line: trust stores, moment, intermediates, revocation lists, logs.

All that is named is read before anything of a capture is, so that a wrong name is told at once; where nothing is named the
roots of Mozilla are read when the first chain comes.
"""

from argparse import Namespace

from analyzer.cli.output import Refusal
from analyzer.store import chain_options
from analyzer.store.chain_verdicts import Chains
from analyzer.x509.trust import MOZILLA, SYSTEM, Unreadable


def read_chains(options: Namespace) -> Chains:
    """Give what judges the certificates of this run. Raises Refusal for a file that cannot be read."""
    try:
        return chain_options.read_chains(options.trust, options.intermediates, options.crl, options.ct_logs, options.at)
    except Unreadable as error:
        raise Refusal(str(error)) from error


def trust_option_paths(options: Namespace) -> list[str]:
    """The files that the options for judging name, in their order."""
    stores = [name for name in options.trust if name not in (MOZILLA, SYSTEM)]
    logs = [] if options.ct_logs is None else [options.ct_logs]
    return [*stores, *options.intermediates, *options.crl, *logs]
