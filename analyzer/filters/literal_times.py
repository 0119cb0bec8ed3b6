"""Times in filters: ISO 8601, and the month-first form of Wireshark (`Dec 31, 2002 13:00:00.5 UTC`).

A time without a zone is local time, as the wireshark-filter manual has it. A zone is `Z`, an offset (`+02:00`, `+0200`,
`+02`); after the month-first form and after ISO 8601 with a space it can also be `UTC`, `GMT`, `UT`, a zone of North America,
or a military letter.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from analyzer.filters.filter_error import FilterError

_CLOCK = r"(?:(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?)"
_OFFSET = r"[+-]\d{2}(?::?\d{2})?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:(?P<mark>[T ]){_CLOCK})?"
    rf"(?P<zone>Z|\s*{_OFFSET}|\s+[A-Z]{{1,3}})?\s*"
)
_MONTH_FIRST = re.compile(
    rf"(?P<name>[A-Za-z]{{3,9}})\s+(?P<day>\d{{1,2}}),\s*(?P<year>\d{{4}})(?:\s+{_CLOCK})?"
    rf"(?:\s*(?P<zone>{_OFFSET}|[A-Z]{{1,3}}))?\s*"
)
_EPOCH_SECONDS = re.compile(r"-?\d+(?:\.\d+)?")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NAMED_ZONES = {
    "UTC": 0,
    "GMT": 0,
    "UT": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}
_LAST_SECOND, _LAST_DAY = 61, 31
"""The largest second and day, as in Wireshark: 31 February is a day of March. Beside a T the second is at most 60."""
_MAX_TIME = 64
"""The longest time, in characters."""
_NANOSECONDS = 1_000_000_000


def absolute_time(text: str, at: int, length: int) -> int:
    """Return the nanoseconds from 1970 in UTC to a time; raise FilterError where the text is none."""
    if len(text) <= _MAX_TIME and _EPOCH_SECONDS.fullmatch(text):
        return relative_time(text)
    found = _ISO.fullmatch(text) or _MONTH_FIRST.fullmatch(text) if len(text) <= _MAX_TIME else None
    moment = _moment(found) if found else None
    if found is None or moment is None:
        raise FilterError(
            f'"{text}" is no time; examples: "2011-07-04 12:34:56Z", "Nov 12, 1999 08:55:44.123"', at, max(1, length)
        )
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    fraction = (found["fraction"] or "")[:9].ljust(9, "0")
    return seconds * _NANOSECONDS + int(fraction)


def relative_time(text: str) -> int:
    """Return the nanoseconds that a number of seconds stands for; digits after the ninth are left out."""
    try:
        return int(Decimal(text) * _NANOSECONDS)
    except InvalidOperation:
        return int(float.fromhex(text) * _NANOSECONDS)


def _moment(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    name = parts.get("name")
    if parts.get("mark") == "T" and parts["zone"] and parts["zone"].strip() in _NAMED_ZONES:
        return None
    if name:
        month = next((n for n, known in enumerate(_MONTHS, 1) if name.lower() in (known, known[:3])), 0)
    else:
        month = int(parts["month"])
    second = int(parts["second"] or 0)
    strict, day = parts.get("mark") == "T", int(parts["day"])
    if second > _LAST_SECOND - strict or not 1 <= day <= _LAST_DAY:
        return None
    try:
        zone = _zone((parts["zone"] or "").strip())
        moment = datetime(int(parts["year"]), month, day if strict else 1, int(parts["hour"] or 0), int(parts["minute"] or 0))
        moment += timedelta(days=0 if strict else day - 1)
        moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
        return moment + timedelta(seconds=second)
    except (ValueError, OverflowError, KeyError):
        return None


def _zone(text: str) -> timezone | None:
    """Return the zone that is named, None for local time; raise KeyError for a name that is none."""
    if not text:
        return None
    if text[0] in "+-":
        digits = text[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(offset if text[0] == "+" else -offset)
    if text == "Z":
        return UTC
    if len(text) == 1:
        return timezone(timedelta(hours=_military(text)))
    return timezone(timedelta(hours=_NAMED_ZONES[text]))


def _military(letter: str) -> int:
    """Return the hours east of UTC of a military zone (RFC 2822 section 4.3): A to M are +1 to +12, N to Y -1 to -12."""
    if letter <= "M":
        return "ABCDEFGHIKLM".index(letter) + 1
    return -("NOPQRSTUVWXY".index(letter) + 1)
