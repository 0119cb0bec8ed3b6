"""Collects findings for a report: by code and severity, with the places of the first ones. The worst come first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analyzer.analysis.capture_finding import CaptureFinding
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import FileFacts
from analyzer.codec.codes import SEVERITIES, codes
from analyzer.store.declaration import path_text
from analyzer.store.quic_record import path_keys
from analyzer.text.file_findings import file_findings, traffic_findings

MOST_OCCURRENCES = 50
"""Occurrences of one code that are kept. Further ones are counted."""

MOST_FRAMES = 16
"""Frames of a finding about the capture as a whole."""

_OF_SESSIONS = frozenset({"captured_twice"})
"""Findings that sessions have too, about the same packets."""


@dataclass(slots=True)
class _Kind:
    count: int = 0
    n_sessions: int = 0
    latest: int | None = None
    occurrences: list[dict[str, Any]] = field(default_factory=list)


class FindingCollector:
    """Collects findings of sessions and of the captures."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._paths: set[bytes] = set()

    def add(self, code: str, severity: str, detail: str, frames: Sequence[int] = (), session: int | None = None) -> None:
        """Add one finding. session: its number; None for a finding about the captures."""
        kind = self._kinds.setdefault((severity, code), _Kind())
        kind.count += 1
        if session is not None and session != kind.latest:  # the findings of a session come one after the other
            kind.n_sessions += 1
            kind.latest = session
        if len(kind.occurrences) < MOST_OCCURRENCES:
            kind.occurrences.append({"session": session, "frames": list(frames), "detail": path_text(detail)})

    def take(self, record: dict[str, Any]) -> None:
        """Add the findings of a session's record."""
        if record["protocol"] != "tls":
            self._paths.update(path_keys(record))
        for finding in record["findings"]:
            self.add(finding["code"], finding["severity"], finding["detail"], finding["frames"], record["id"])

    def take_files(self, files: Sequence[FileFacts]) -> None:
        """Add the findings about the files."""
        for finding in file_findings(files):
            self.add(*finding)

    def take_traffic(self, traffic: Traffic) -> None:
        """Add the findings from the counting of packets. What sessions have found of it is not counted again."""
        traffic.followed.update(self._paths)
        for finding in traffic_findings(traffic):
            if finding.code not in _OF_SESSIONS or (finding.severity, finding.code) not in self._kinds:
                self.add(*finding)

    def take_capture(self, found: Sequence[CaptureFinding]) -> None:
        """Add the findings about the capture as a whole, each as one occurrence. It names a session if it is about only one."""
        for finding in found:
            sessions = {place.session for place in finding.occurrences if place.session is not None}
            frames = [frame for place in finding.occurrences for frame in place.frames]
            self.add(finding.code, finding.severity, finding.detail, frames[:MOST_FRAMES])
            kind = self._kinds[finding.severity, finding.code]
            kind.n_sessions += len(sessions)
            if len(sessions) == 1 and len(finding.occurrences) == 1 and len(kind.occurrences) == kind.count:
                kind.occurrences[-1]["session"] = sessions.pop()

    def records(self) -> list[dict[str, Any]]:
        """Return the findings as JSON values, the most severe first."""
        known = codes("findings")
        return [
            {
                "code": code,
                "severity": severity,
                "title": known[code].title,
                "meaning": known[code].meaning,
                "reference": known[code].reference or None,
                "refuted_by": known[code].refuted_by or None,
                "count": kind.count,
                "n_sessions": kind.n_sessions,
                "occurrences": sorted(kind.occurrences, key=_place),
            }
            for (severity, code), kind in sorted(self._kinds.items(), key=lambda entry: _order(entry[0]))
        ]


def _order(key: tuple[str, str]) -> tuple[int, str]:
    return SEVERITIES.index(key[0]), key[1]


def _place(occurrence: dict[str, Any]) -> tuple[int, list[int]]:
    return -1 if occurrence["session"] is None else occurrence["session"], occurrence["frames"]
