"""Writes counts, sizes, times and ends of connections as text for people."""

from collections.abc import Iterable

from analyzer.packet.addresses import end_text
from analyzer.store.clock import rfc3339
from analyzer.text.language import counted, retold, say
from analyzer.text.punctuation import listing

SHOWN_RANGES = 8
"""The most ranges of numbers in a line of text."""

_SECOND = 1_000_000_000
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def established_text(established: bool | None) -> str:
    """Return whether a handshake was completed, as a word: yes, no, or unknown where the capture does not show it."""
    return say("unknown") if established is None else say("yes") if established else say("no")


def count_text(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: `1 frame`, `1,204 frames`. many: the plural; if empty, it is `one` with an s."""
    form = counted(one)
    return f"{number:,} {one if number == 1 else many or one + 's'}" if form is None else form.format(n=f"{number:,}")


def problem_text(field: str, offset: int, why: str) -> str:
    """Return a parse error as text: the field, the position, and what is wrong."""
    return say("{field} at byte {offset}: {why}", field=field, offset=offset, why=retold(why))


def missing_text(lengths: Iterable[int | None]) -> str:
    """Return how many bytes are missing in gaps of these lengths, of which None is not known: `at least 300 bytes`."""
    known = list(lengths)
    n_bytes = sum(length or 0 for length in known)
    if all(known):
        return count_text(n_bytes, "byte")
    return say("at least {bytes}", bytes=count_text(n_bytes, "byte")) if n_bytes else say("an unknown number of bytes")


def size_text(n_bytes: int) -> str:
    """Return a size with three digits, in powers of ten: `812 bytes`, `1.20 MB`."""
    if n_bytes < 1000:
        return count_text(n_bytes, "byte")
    size, unit = float(n_bytes), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{digits}f} {_UNITS[unit]}"


def endpoint_text(address: str, port: int | None) -> str:
    """Return address and port, as `end_text`."""
    return end_text(address, port)


def duration_text(nanoseconds: int) -> str:
    """Return a duration as text: `340 µs`, `85.6 ms`, `1.085 s`, `1 h 02 min`."""
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1000:.0f} µs"
    if nanoseconds < _SECOND:
        return f"{nanoseconds / 1_000_000:.1f} ms"
    if nanoseconds < 120 * _SECOND:
        return f"{nanoseconds / _SECOND:.3f} s"
    minutes = nanoseconds // _SECOND // 60
    if minutes < 60:
        return say("{minutes} min {seconds:02d} s", minutes=minutes, seconds=nanoseconds // _SECOND % 60)
    if minutes < 48 * 60:
        return say("{hours} h {minutes:02d} min", hours=minutes // 60, minutes=minutes % 60)
    return say("{days} days {hours} h", days=minutes // 1440, hours=minutes // 60 % 24)


def moment_text(at: int | None) -> str:
    """Return a time, in nanoseconds since the epoch, as UTC text to the microsecond; `unknown` if there is none."""
    text = None if at is None else rfc3339(at)
    return say("unknown") if text is None else f"{text[:10]} {text[11:26]}"


def offset_text(at: int, start: int) -> str:
    """Return the milliseconds from `start` to `at` (both in nanoseconds): `+12.345 ms`; empty if one of them is unknown."""
    if at < 0 or start < 0:
        return ""
    return f"{(at - start) / 1_000_000:+.3f} ms"


def ranges_text(numbers: Iterable[int], limit: int = SHOWN_RANGES) -> str:
    """Return numbers as ranges: `0, 3-5, 9`. If there are more than `limit` ranges, add how many numbers there are in all."""
    different = set(numbers)
    ranges, is_whole = first_ranges(different, limit)
    shown = listing(ranges)
    return shown if is_whole else say("{shown}, … ({n:,} in all)", shown=shown, n=len(different))


def first_ranges(numbers: Iterable[int], limit: int = SHOWN_RANGES, dash: str = "-") -> tuple[list[str], bool]:
    """Return the first ranges of numbers, at most `limit`, and whether these are all. dash: stands within a range."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [str(first) if first == last else f"{first}{dash}{last}" for first, last in ranges[:limit]], len(ranges) <= limit
