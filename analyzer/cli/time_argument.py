"""Reads times on the command line: `capture`, `now`, or a time in the form of RFC 3339."""

from argparse import ArgumentTypeError

from analyzer.store.validation_time import read_moment


def parse_time(text: str) -> int | str:
    """Return the value of `--at`: `capture`, `now`, or a time in nanoseconds since the epoch.

    The time is in the form of RFC 3339, or a date, which means its first second in UTC. Raises ArgumentTypeError.
    """
    try:
        return read_moment(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
