"""Reads the numbers of the command line."""

import argparse

MOST_JOBS = 64
"""The largest number of processes that `--jobs` accepts."""

MOST_ROWS = 100
"""The largest number of rows that `--top` accepts."""


def read_number(text: str) -> int:
    """Read a number from 0. Raises ArgumentTypeError, as all of these do."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def read_jobs(text: str) -> int:
    """Read a number of processes."""
    number = read_number(text)
    if not 1 <= number <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_JOBS}")
    return number


def read_rows(text: str) -> int:
    """Read a number of rows."""
    number = read_number(text)
    if not 1 <= number <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_ROWS}")
    return number


def read_size(text: str) -> int:
    """Read a number of bytes, which may end with k, M or G for thousands, millions or billions."""
    number, factor = text[:-1], {"k": 1000, "M": 1000**2, "G": 1000**3}.get(text[-1:], 0)
    return read_number(number) * factor if factor else read_number(text)
