"""Reads the session of a command line: its number, or the name or address of its server."""

import argparse
import os

from analyzer.cli.number_argument import read_number
from analyzer.store.named_host import read_host

SESSION = "the number of a session, from 0, or its server name or address"
"""The help of the session of a command."""


def read_session(text: str) -> int | str:
    """Read the ID of a command line: the number of a session, or a server name or address. Raises ArgumentTypeError."""
    if text.isdigit() or text[:1] == "-":
        return read_number(text)
    if os.path.isfile(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file: which session of it?")
    try:
        read_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number and no server name") from error
    return text
