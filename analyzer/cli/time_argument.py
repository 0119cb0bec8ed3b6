"""Moments on the command line: `capture`, `now`, or a time as RFC 3339 has it."""

from argparse import ArgumentTypeError

from analyzer.store.moment import read_moment


def parse_time(text: str) -> int | str:
    """The value of `--at`: `capture`, `now`, or a time in nanoseconds since the epoch, from RFC 3339 or a date (its first
    moment in UTC). Raises what argparse reports."""
    try:
        return read_moment(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
