"""Reads the session of a command line: its number, or the name or address of its server."""

import argparse
import os

from analyzer.cli.number_argument import read_number
from analyzer.store.named_host import read_host

SESSION = "the number of a session, from 0, its server name or address, or a display filter that only one session passes"
"""The help of the session of a command."""


def read_session(text: str) -> int | str:
    """Read the ID of a command line: the number of a session, a server name or address, or a filter that chooses one.

    Raises ArgumentTypeError.
    """
    if text.isdigit() or text[:1] == "-":
        return read_number(text)
    if os.path.isfile(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file: which session of it?")
    if is_filter(text):
        return text
    try:
        read_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, no server name and no filter") from error
    return text


def is_filter(text: str) -> bool:
    """Return whether an ID is a display filter: no host has blanks, or the signs of a comparison."""
    return not set(text).isdisjoint(" =<>!&|(){}")
