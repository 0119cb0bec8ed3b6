"""Reads the numbers of the command line."""

import argparse

MOST_JOBS = 64
"""The largest number of processes that `--jobs` accepts."""

MOST_ROWS = 100
"""The largest number of rows that `--top` accepts."""


MOST_NUMBERS = 1_000_000
"""The most numbers that a list with ranges may have."""


def read_number(text: str) -> int:
    """Read a number from 0. Raises ArgumentTypeError, as all of these do."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def read_numbers(text: str) -> list[int]:
    """Read numbers and ranges with commas between, such as `0-3,7`; at most MOST_NUMBERS."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        begin = read_number(first)
        end = read_number(last) if dash else begin
        if end < begin:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} ends before it begins")
        if len(found) + end - begin >= MOST_NUMBERS:
            raise argparse.ArgumentTypeError(f"{text!r} are more than {MOST_NUMBERS} numbers")
        found += range(begin, end + 1)
    return found


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
