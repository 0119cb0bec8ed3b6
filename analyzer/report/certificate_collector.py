"""Collects the certificates of all sessions for a report: each once, with the servers that sent it and the verdicts on it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analyzer.text.formatting import endpoint_text

MOST_CERTIFICATES = 10_000
"""Certificates that are listed."""

MOST_SENDERS = 20
"""Senders that are named for one certificate."""

_SECONDS_OF_DAY = 86_400


@dataclass(slots=True)
class _Seen:
    record: dict[str, Any]
    first_frame: int
    sessions: int = 0
    senders: dict[str, None] = field(default_factory=dict)
    roles: dict[str, None] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)


class CertificateCollector:
    """Collects certificates, at most MOST_CERTIFICATES. uncounted: how many, by session, were left out because of that."""

    def __init__(self) -> None:
        self.uncounted = 0
        self._seen: dict[str, _Seen] = {}

    def take(self, record: dict[str, Any]) -> None:
        """Take the certificates of a session's record."""
        for role, key in (("server", "chain"), ("client", "client_chain")):
            for place, certificate in enumerate(record["certificates"][role] or ()):
                if certificate["sha256"] is None:
                    continue
                seen = self._seen.get(certificate["sha256"])
                if seen is None:
                    if len(self._seen) >= MOST_CERTIFICATES:
                        self.uncounted += 1
                        continue
                    seen = self._seen[certificate["sha256"]] = _Seen(certificate, record["first_frame"])
                seen.sessions += 1
                seen.first_frame = min(seen.first_frame, record["first_frame"])
                seen.roles[role] = None
                if len(seen.senders) < MOST_SENDERS:
                    seen.senders[endpoint_text(record[role]["address"], record[role]["port"])] = None
                if place == 0:
                    seen.verdicts[record[key]["verdict"]] += 1

    def records(self, at: str | None) -> list[dict[str, Any]]:
        """Return them as JSON values, those of the earliest sessions first. at: the time from which validity is counted."""
        return [
            _record(seen, at) for seen in sorted(self._seen.values(), key=lambda one: (one.first_frame, one.record["sha256"]))
        ]


def _record(seen: _Seen, at: str | None) -> dict[str, Any]:
    certificate = seen.record
    return {
        "sha256": certificate["sha256"],
        "type": certificate["type"],
        "subject": certificate["subject"],
        "issuer": certificate["issuer"],
        "serial": certificate["serial"],
        "not_before": certificate["not_before"],
        "not_after": certificate["not_after"],
        "key": certificate["public_key"],
        "signature_algorithm": certificate["signature_algorithm"],
        "names": certificate["subject_alt_names"],
        "roles": sorted(seen.roles),
        "senders": list(seen.senders),
        "sessions": seen.sessions,
        "first_frame": seen.first_frame,
        "verdicts": dict(sorted(seen.verdicts.items())),
        "expires_in_days": _days_between(at, certificate["not_after"]),
    }


def _days_between(start: str | None, end: str | None) -> int | None:
    """Return the whole days between two times in RFC 3339, negative if the end came first; None if one is not known."""
    if start is None or end is None:
        return None
    try:
        distance = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except ValueError:  # a year that Python's calendar does not have
        return None
    return int(distance.total_seconds() // _SECONDS_OF_DAY)
