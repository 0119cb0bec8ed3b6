"""Reads times on the command line: `capture`, `now`, or a time in the form of RFC 3339."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

CAPTURE = "capture"
NOW = "now"

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str) -> int | str:
    """Return the value of `--at`: `capture`, `now`, or a time in nanoseconds since the epoch.

    The time is in the form of RFC 3339, or a date, which means its first second in UTC. Raises ArgumentTypeError.
    """
    if text in (CAPTURE, NOW):
        return text
    parts = _TIME.fullmatch(text)
    if parts is not None:
        day, clock, fraction, zone = parts.groups()
        try:
            whole = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{(zone or 'Z').upper()}").astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ArgumentTypeError(f"{text!r} is no time: {error}") from error
        return (whole - _EPOCH) // timedelta(seconds=1) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
    raise ArgumentTypeError(f"{text!r} is no time: say capture, now, or as in 2026-10-03T12:00:00Z")
