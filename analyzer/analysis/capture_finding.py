"""Defines a finding about a capture as a whole, which only its end shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place of such a finding. session: its number, None for traffic that is no TLS session. frames: the first of them."""

    session: int | None
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaptureFinding:
    """A finding about the capture. code, severity: as in the registry. detail: a sentence. count: how many times it occurs.

    occurrences: the first of them, in the order of the capture, at most MAX_OCCURRENCES.
    """

    code: str
    severity: str
    detail: str
    count: int
    occurrences: tuple[Occurrence, ...]


MAX_OCCURRENCES = 50
"""Places of one finding that are kept. The report shows as many."""
