"""Reads when a response of HTTP was sent, by the clock of its server: `Date` and `Age`.

`Date` is in whole seconds (RFC 9110 section 6.6.1). If a cache had kept the response, `Age` says for how many seconds (RFC 9111
section 5.1). Each field may come once; from a response with more of them nothing can be said.
"""

import re
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

LONGEST_DATE = 64
"""Characters of a date that are read. The forms of HTTP have 33 at most."""

_AGE = re.compile(r"[0-9]{1,9}", re.ASCII)


def server_time(headers: Sequence[Sequence[str]]) -> int | None:
    """Return the time that a response gives, in seconds since the epoch: its `Date`, plus its `Age` if it has one.

    headers: names and values. None if there is no `Date` that can be read, or one of both fields more than once.
    """
    dates = [value for name, value in headers if len(name) == 4 and name.lower() == "date"]
    ages = [value for name, value in headers if len(name) == 3 and name.lower() == "age"]
    if len(dates) != 1 or len(ages) > 1 or (ages and not _AGE.fullmatch(ages[0])):
        return None
    date = _seconds(dates[0][:LONGEST_DATE])
    return None if date is None else date + (int(ages[0]) if ages else 0)


@lru_cache(maxsize=1024)
def _seconds(date: str) -> int | None:
    """Return an HTTP date in seconds since the epoch; None if it is none."""
    try:
        read = parsedate_to_datetime(date)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
