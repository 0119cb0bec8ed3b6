"""The formats of the column time, by the names that `-t` of tshark has, all in UTC.

| name | time |
| --- | --- |
| `r`, `d`, `dd` | seconds since the first frame, since the frame before, since the frame before it that is shown |
| `e` | seconds since 1970 |
| `a`, `ad`, `adoy` | time of the day; with the date; with the year and the day of the year |
| `u`, `ud`, `udoy` | the same, with `Z` behind it |
"""

from collections.abc import Callable
from datetime import UTC, datetime

from analyzer.filters.field_text import seconds_text

_SECOND = 1_000_000_000
_DATES = {"": "%H:%M:%S", "d": "%Y-%m-%d %H:%M:%S", "doy": "%Y/%j %H:%M:%S"}
_ABSOLUTE = {f"{zone}{date}": (form, "Z" if zone == "u" else "") for zone in "au" for date, form in _DATES.items()}

TIME_FORMATS = ("r", "d", "dd", "e", *_ABSOLUTE)
"""The names of all formats."""


class TimeText:
    """Writes the times of frames in one format. Every frame goes through `take`, in their order; `shown` names those shown."""

    def __init__(self, name: str) -> None:
        self._since = {"r": self._from_first, "d": self._from_before, "dd": self._from_shown}.get(name)
        self._write: Callable[[int], str] = seconds_text if name == "e" else _dated(name)
        self._first = self._before = self._at = self._last_shown = -1

    def take(self, at: int) -> str:
        """Return the time of the next frame, in nanoseconds since 1970; empty where it has none (negative)."""
        if at < 0:
            return ""
        self._before, self._at = self._at, at
        if self._first < 0:
            self._first = at
        return self._write(at) if self._since is None else seconds_text(self._since(at))

    def shown(self) -> None:
        """Say that the frame that was taken last is shown."""
        self._last_shown = self._at

    def _from_first(self, at: int) -> int:
        return at - self._first

    def _from_before(self, at: int) -> int:
        return at - self._before if self._before >= 0 else 0

    def _from_shown(self, at: int) -> int:
        return at - self._last_shown if self._last_shown >= 0 else 0


def _dated(name: str) -> Callable[[int], str]:
    form, zone = _ABSOLUTE.get(name, ("", ""))

    def write(at: int) -> str:
        whole, part = divmod(at, _SECOND)
        try:
            return f"{datetime.fromtimestamp(whole, UTC):{form}}.{part:09d}{zone}"
        except (OverflowError, OSError, ValueError):  # beyond the year 9999
            return seconds_text(at)

    return write
