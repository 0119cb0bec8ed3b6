"""Performs one validation: finds the best path of a search, its problems, and the interval in which the result holds.

The result depends on the time: certificates become valid and expire, and revocation statuses begin and cease to count. Each
such change of any data that was used bounds the validity interval, in which the same search gives the same result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf

from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.must_staple import Staple, must_staple, staple_fault
from analyzer.x509.path_building import Path, Search
from analyzer.x509.path_validation import key_use_problems, path_problems
from analyzer.x509.revocation import Revocation, judge_revocation
from analyzer.x509.verdict import Note, Problem, is_valid, weigh

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Validation:
    """The input: `sent` as certificate views, the time in seconds since the epoch, the rest as in `Judge` and
    `Judge.judge`; and the result.

    path, problems: of the best path so far; path is None before one was found. first, last: the validity interval, in seconds
    since the epoch, both inclusive.
    """

    sent: tuple[CertificateView, ...]
    at: int
    name: str | None
    purpose: str
    max_depth: int | None
    ocsp: Sequence[bytes]
    crls: Sequence[bytes]
    strict: bool = False
    staple: Staple | None = None
    key_use: str = ""
    path: Path | None = None
    problems: list[Problem] = field(default_factory=list)
    first: float = -inf
    last: float = inf
    _weight: float = inf
    _revocations: dict[tuple[bytes, bytes], Revocation] = field(default_factory=dict)

    def search(self, search: Search) -> None:
        """Check the paths of a search until one is valid, and keep the best."""
        places: dict[bytes, int] = {}
        for place, certificate in enumerate(self.sent):
            places.setdefault(certificate.der, place)
        for path in search.paths(self.sent[0]):
            findings = path_problems(path, self.at, self.name, self.purpose, self.max_depth)
            findings += key_use_problems(path.certificates[0], self.key_use)
            if self.ocsp or self.crls:
                findings += self._revoked(path)
            if self.staple is not None and must_staple(path.certificates[0]):
                findings += self._unstapled(path, self.staple)
            problems = [
                Problem(code, places.get(path.certificates[place].der), detail)
                for code, place, detail in sorted(findings, key=_place)
            ]
            weight = weigh(problems)
            if weight < self._weight:
                self._weight, self.path, self.problems = weight, path, problems
            if self.valid:
                break
        for certificate in search.touched:
            self._bound(certificate.not_before)
            self._bound(None if certificate.not_after is None else certificate.not_after + 1)

    @property
    def valid(self) -> bool:
        """Whether the best path so far is valid; False before one was found."""
        return self.path is not None and is_valid(self.problems, strict=self.strict)

    def revocation_notes(self) -> list[Note]:
        """Return a note for each certificate of the best path whose revocation is not known, if revocation data was given."""
        if self.path is None or not (self.ocsp or self.crls):
            return []
        notes: list[Note] = []
        sent = [certificate.der for certificate in self.sent]
        for certificate, revocation in self._revocations_of(self.path):
            if revocation.status == "unknown":
                index = sent.index(certificate.der) if certificate.der in sent else None
                detail = f"whether {certificate.title} is revoked is not known: {revocation.detail}"
                notes.append(Note("revocation_unknown", index, detail))
        return notes

    def staple_note(self) -> list[Note]:
        """Return a note if the leaf must be stapled and nobody asked for it."""
        if self.path is None or self.staple is None or self.staple.asked or self.staple.responses:
            return []
        leaf = self.path.certificates[0]
        if not must_staple(leaf):
            return []
        return [Note("staple_missing", 0, staple_fault((leaf,), self.staple, EPOCH)[0] or "")]

    def _unstapled(self, path: Path, staple: Staple) -> list[tuple[str, int, str]]:
        if not staple.asked and not staple.responses:
            return []
        sentence, since, until = staple_fault(path.certificates, staple, EPOCH + self.at * SECOND)
        for change in (since, until):
            self._bound(None if change is None else -((EPOCH - change) // SECOND))
        return [] if sentence is None else [("staple_missing", 0, sentence)]

    def _revoked(self, path: Path) -> list[tuple[str, int, str]]:
        return [
            ("revoked", place, f"{certificate.title} was {revocation.detail}")
            for place, (certificate, revocation) in enumerate(self._revocations_of(path))
            if revocation.status == "revoked"
        ]

    def _revocations_of(self, path: Path) -> list[tuple[CertificateView, Revocation]]:
        """Check each certificate of a path that another one issued. A root is not checked: it is revoked by removing it from
        the store."""
        pairs = zip(path.certificates, path.certificates[1:], path.signatures, strict=False)
        return [(subject, self._revocation(subject, issuer)) for subject, issuer, made in pairs if made.result == "good"]

    def _revocation(self, subject: CertificateView, issuer: CertificateView) -> Revocation:
        known = self._revocations.get((subject.der, issuer.der))
        if known is None:
            at = EPOCH + self.at * SECOND
            known = judge_revocation(subject.der, issuer.der, ocsp=self.ocsp, crls=self.crls, at=at)
            self._revocations[subject.der, issuer.der] = known
            for change in (known.since, known.until):
                # The result for a second is that for its beginning.
                self._bound(None if change is None else -((EPOCH - change) // SECOND))
        return known

    def _bound(self, change: int | None) -> None:
        """Bound the interval by a change: the first second at which something differs from before."""
        if change is None:
            return
        if change <= self.at:
            self.first = max(self.first, change)
        else:
            self.last = min(self.last, change - 1)


def _place(finding: tuple[str, int, str]) -> int:
    return finding[1]
