r"""The patterns of `matches`: PCRE2, which Wireshark has too, on bytes and without regard to case.

Text is matched as its bytes in UTF-8, as there: `.` is one byte, and only ASCII letters have another case. A pattern comes
from the person who filters, and the text from a stranger, so the steps of one search are limited as PCRE2 limits them, by
count and not by time: the same packets pass on every machine. A search that reaches the limit finds nothing;
`BytePattern.exhausted` counts them.
"""

from typing import Any

from analyzer.filters.filter_error import FilterError

MAX_STEPS = 1_000_000
"""Backtracking steps of one search: about 10 ms."""
MAX_HEAP = 20_000
"""Memory of one search, in kibibytes."""

_UNICODE = (b"(*UTF)", b"(*UCP)")


class BytePattern:
    """A compiled pattern."""

    def __init__(self, pattern: bytes, at: int, length: int) -> None:
        import pcre2

        self.source = pattern
        self.exhausted = 0
        self._limit: type[Exception] = pcre2.LibraryError
        if any(option in pattern for option in _UNICODE):
            raise FilterError("a pattern of bytes has no Unicode mode: leave (*UTF) out", at, length)
        limited = b"(*LIMIT_MATCH=%d)(*LIMIT_HEAP=%d)" % (MAX_STEPS, MAX_HEAP)
        try:
            self._pattern: Any = pcre2.compile(limited + pattern, pcre2.IGNORECASE)
        except pcre2.LibraryError as error:
            reason = str(error).rpartition("; ")[2]
            raise FilterError(f"no regular expression: {reason}", at, length) from None

    def is_in(self, data: bytes) -> bool:
        """Return whether the pattern matches somewhere in the data."""
        try:
            return self._pattern.search(data) is not None
        except self._limit:
            self.exhausted += 1
            return False
