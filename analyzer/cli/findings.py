"""Collects and prints the findings of a summary: by kind, the most severe first, with the places where they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from analyzer.analysis.capture_finding import CaptureFinding
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import FileFacts
from analyzer.cli.output import Output
from analyzer.cli.table import pad, width, wrap
from analyzer.codec.codes import SEVERITIES
from analyzer.store.declaration import path_text
from analyzer.text.escape import harmless
from analyzer.text.file_findings import file_findings, traffic_findings
from analyzer.text.formatting import count_text, missing_text, size_text
from analyzer.text.language import ENGLISH, noted, retold, say, spoken, translated_codes
from analyzer.text.punctuation import listing

noted(("high", "medium", "low", "info"))  # as severities are shown

STYLES = {"high": "alarm", "medium": "yellow", "low": "cyan", "info": "dim"}

SHOWN_PLACES = 5
"""The most sessions or frames that are named for one kind of finding."""


@dataclass(slots=True)
class Kind:
    """All findings of one code: their number, the detail of the first one, and the places of the first few."""

    severity: str
    detail: str
    count: int = 0
    places: list["Place"] = field(default_factory=list)


class Place(NamedTuple):
    """Where a finding is: a session, None for none, and a frame, 0 for none. after: the finding is after that frame."""

    session: int | None
    frame: int = 0
    after: bool = False

    def __str__(self) -> str:
        if self.session is None:
            return say("frame {n}", n=self.frame) if self.frame else ""
        if self.after:
            if not self.frame:
                return say("session {n}, before its first bytes", n=self.session)
            return say("session {session} after frame {frame}", session=self.session, frame=self.frame)
        session = say("session {n}", n=self.session)
        return session + (say(" frame {n}", n=self.frame) if self.frame else "")


class Findings:
    """Collects findings of sessions and files."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._gap_bytes = 0
        self._sizes_known = True

    def add(self, code: str, severity: str, detail: str, place: Place | None = None, variant: str = "") -> None:
        """Add one finding. Of findings with the same code and variant, the first detail is kept. There must be few variants."""
        kind = self._kinds.setdefault((severity, code, variant), Kind(severity, detail))
        kind.count += 1
        if len(kind.places) < SHOWN_PLACES and place is not None and place not in kind.places:
            kind.places.append(place)

    def take(self, record: dict[str, Any]) -> None:
        """Take the findings and gaps of a session's record."""
        for finding in record["findings"]:
            code, detail, frames = finding["code"], finding["detail"], finding["frames"]
            if code == "gap":  # the gaps themselves are summed up below
                continue
            place = Place(record["id"], frames[0] if frames else 0)
            self.add(code, finding["severity"], detail, place, detail if code == "fatal_alert" else "")
        for gap in record["gaps"]:
            self._gap_bytes += gap["length"] or 0
            self._sizes_known = self._sizes_known and gap["length"] is not None
            self.add("gap", "low", "", Place(record["id"], gap["after_frame"] or 0, True))

    def take_files(self, files: Sequence[FileFacts]) -> None:
        """Take the findings about the files."""
        for finding in file_findings(files):
            self.add(*finding)

    def take_capture(self, found: Sequence[CaptureFinding]) -> None:
        """Take the findings about the capture as a whole."""
        for finding in found:
            for occurrence in finding.occurrences[:SHOWN_PLACES]:
                place = Place(occurrence.session, occurrence.frames[0] if occurrence.frames else 0)
                self.add(finding.code, finding.severity, finding.detail, place, finding.detail)
            kind = self._kinds.setdefault(
                (finding.severity, finding.code, finding.detail), Kind(finding.severity, finding.detail)
            )
            kind.count = finding.count

    def take_traffic(self, traffic: Traffic) -> None:
        """Take the findings from the counting of packets."""
        for finding in traffic_findings(traffic):
            known = self._kinds.get((finding.severity, finding.code, ""))
            if known is None:
                self.add(*finding)
            else:  # its sessions are counted already; the detail is about all of them
                known.detail = finding.detail

    def in_order(self) -> list[tuple[str, Kind]]:
        """Return the findings with their codes, the most severe first."""
        gap = self._kinds.get(("low", "gap", ""))
        if gap is not None:
            pieces = count_text(gap.count, "piece")
            size = size_text(self._gap_bytes) if self._sizes_known else missing_text([self._gap_bytes, None])
            gap.detail = say("{size} of TLS streams in {pieces} are missing from the capture", size=size, pieces=pieces)
        return [(code, kind) for (_, code, _), kind in sorted(self._kinds.items(), key=_order)]

    def records(self) -> list[dict[str, Any]]:
        """Return the findings as JSON values, the most severe first."""
        return [
            {
                "code": code,
                "severity": kind.severity,
                "detail": path_text(kind.detail),
                "count": kind.count,
                "places": [{"session": place.session, "frame": place.frame or None} for place in kind.places],
            }
            for code, kind in self.in_order()
        ]

    def print(self, output: Output, n: int) -> None:
        """Print the findings, the most severe first, at most `n` kinds."""
        output.line()
        if not self._kinds:
            output.line(output.paint(say("Findings"), "bold") + output.paint("  " + say("none"), "dim"))
            return
        output.line(output.paint(say("Findings"), "bold"))
        kinds = self.in_order()
        room = max((len(code) for code, _ in kinds[:n]), default=0)
        for code, kind in kinds[:n]:
            times = say(" ({n:,} times)", n=kind.count) if kind.count > 1 and code != "gap" else ""
            more = ["…"] if kind.count > len(kind.places) else []
            where = say(" [{places}]", places=listing([*map(str, kind.places), *more])) if kind.places else ""
            _print_finding(output, kind.severity, pad(code, room), kind.detail, times + where)
        if len(kinds) > n:
            further = count_text(len(kinds) - n, "further kind")
            output.line(output.paint("  " + say("and {further} of findings, none of them worse", further=further), "dim"))


def print_findings(output: Output, record: dict[str, Any]) -> None:
    """Print the findings of a session's record with their frames, the most severe first; nothing if there are none."""
    if not record["findings"]:
        return
    output.line()
    output.line(output.paint(say("Findings"), "bold"))
    room = max(len(finding["code"]) for finding in record["findings"])
    for finding in sorted(record["findings"], key=lambda one: SEVERITIES.index(one["severity"])):
        frames = [say("frame {n}", n=frame) for frame in finding["frames"][:SHOWN_PLACES]]
        more = ["…"] if len(finding["frames"]) > SHOWN_PLACES else []
        where = say(" [{places}]", places=listing([*frames, *more])) if frames else ""
        _print_finding(output, finding["severity"], pad(finding["code"], room), finding["detail"], where)


def _print_finding(output: Output, severity: str, code: str, detail: str, after: str) -> None:
    """Print a finding. code: padded. Its text, with what is told after it, stands in the last column."""
    head = f"  {pad(say(severity), 6)}  {code}  "
    for line in wrap(harmless(finding_text(code.rstrip(), detail)) + after, max(30, output.width - width(head))):
        output.line(output.paint(head, STYLES[severity]) + line)
        head = " " * width(head)


def finding_text(code: str, detail: str) -> str:
    """Return the detail of a finding; in another language than English with its title before it."""
    told = retold(detail)
    return (
        told if spoken() == ENGLISH else say("{title}: {detail}", title=translated_codes("findings")[code].title, detail=told)
    )


def _order(entry: tuple[tuple[str, str, str], Kind]) -> tuple[int, str, str]:
    severity, code, variant = entry[0]
    return SEVERITIES.index(severity), code, variant
