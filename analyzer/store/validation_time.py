"""Reads the moment for which chains are validated: `capture`, `now`, or a time as RFC 3339 has it."""

import re
from datetime import UTC, datetime, timedelta

CAPTURE = "capture"
NOW = "now"

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_moment(text: str) -> int | str:
    """Return `capture`, `now`, or a time in nanoseconds since the epoch, from RFC 3339 or a date (its first moment in UTC).

    Raises ValueError for other text.
    """
    if text in (CAPTURE, NOW):
        return text
    parts = _TIME.fullmatch(text)
    if parts is not None:
        day, clock, fraction, zone = parts.groups()
        try:
            whole = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{(zone or 'Z').upper()}").astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is no time: {error}") from error
        return (whole - _EPOCH) // timedelta(seconds=1) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
    raise ValueError(f"{text!r} is no time: say capture, now, or as in 2026-10-03T12:00:00Z")
