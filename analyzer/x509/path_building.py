"""Finds paths from a certificate to a root, through all available certificates (RFC 4158, path building).

Certificates form a graph: each has edges to those whose subject is its issuer and whose key made its signature. Cross-signed
roots, and authorities with several keys or several certificates for one key, make many paths; some may be valid and others not.
Therefore the paths are found one after another, likely ones first.

An attacker may send a graph with an extremely large number of paths. A signature costs a tenth of a millisecond, and every
session may bring a new leaf. The limits below bound the work of one search, and the work of all searches of a run beyond the
small amount that honest chains need.

If no issuer has the right key, one with the right name and key identifier is followed too. Then the problem is reported as a
bad signature, and not as an unknown issuer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analyzer.x509.certificate_view import REMEMBERED_SIZE, CertificateView
from analyzer.x509.signature_strength import GOOD, Outcome, check_signature

LENGTH = 20
"""Maximum number of certificates in a path; real ones have three or four, and browsers stop at about ten."""

PATHS = 64
"""Maximum number of paths found for one chain; in the Web PKI there are fewer than ten from any certificate."""

SIGNATURES = 100
"""Maximum number of signatures checked in one search, about 10 ms, as in Go's verifier. One by a long key counts several
times."""

KEY_LENGTH = 512
"""Bytes of a SubjectPublicKeyInfo for which a signature counts once; the key of RSA-2048 has 294, of RSA-16384 2,100."""

STEPS = 4096
"""Maximum number of edges tried in one search; each path that is found adds the number of its certificates."""

FREE_SIGNATURES, FREE_STEPS = 4, 128
"""The work that each search may always do: honest chains have three signatures, and a few issuers with the same name."""

SIGNATURES_IN_ALL = 1 << 15
"""Signatures checked beyond the free ones, in all searches: two seconds with keys on P-256, a minute on the slowest curves."""

STEPS_IN_ALL = 1 << 21
"""Edges tried beyond the free ones, in all searches: about ten seconds."""

WRONG_ISSUERS = 2
"""Maximum number of issuers with a wrong key that are followed."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path: its certificates, the leaf first, and the check of each one's signature but the last. trusted: whether a root
    ends it."""

    certificates: tuple[CertificateView, ...]
    signatures: tuple[Outcome, ...]
    trusted: bool


class Signatures:
    """Cache of signature checks: each authority signs many certificates, and each pair occurs in many chains.

    n_checked: number of checks made. left, steps: number of signatures and edges beyond the free ones that all searches may
    still use.
    """

    REMEMBERED = 16384
    """Maximum number of cached checks, about 200 bytes each without the certificates."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], Outcome] = {}
        self.n_checked = 0
        self.left = SIGNATURES_IN_ALL
        self.steps = STEPS_IN_ALL

    def known(self, subject: CertificateView, issuer: CertificateView) -> Outcome | None:
        """Return a cached check; None if there is none."""
        return self._known.get((subject.der, issuer.spki))

    def check(self, subject: CertificateView, issuer: CertificateView) -> Outcome:
        """Check whether the key of `issuer` made the signature on `subject`."""
        key = subject.der, issuer.spki
        outcome = self._known.get(key)
        if outcome is None:
            self.n_checked += 1
            outcome = check_signature(subject.signed, subject.signature, subject.algorithm, issuer.spki)
            if len(subject.der) <= REMEMBERED_SIZE:
                if len(self._known) >= self.REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[key] = outcome
        return outcome


class Names:
    """Certificates by their subject."""

    def __init__(self, certificates: Iterable[CertificateView] = ()) -> None:
        self._by_subject: dict[bytes, list[CertificateView]] = {}
        self._known: set[bytes] = set()
        self.add(certificates)

    def add(self, certificates: Iterable[CertificateView]) -> None:
        """Add certificates. One that is already there, or that cannot be read, is skipped."""
        for certificate in certificates:
            if certificate.found and certificate.der not in self._known:
                self._known.add(certificate.der)
                self._by_subject.setdefault(certificate.subject, []).append(certificate)

    def named(self, subject: bytes) -> list[CertificateView]:
        """Return the certificates with this subject, in the form of `name_key`."""
        return self._by_subject.get(subject, _NONE)


_NONE: list[CertificateView] = []


@dataclass(slots=True)
class Search:
    """One search for paths. `paths` yields them; the other attributes describe the search afterwards.

    roots: where paths end. pools: where issuers are searched, the nearest first. at: the time, in seconds since the epoch;
    issuers that are valid then are tried first. touched: every certificate that was on a path or a candidate. asked: the issuer
    names searched. ended: whether a limit was reached.
    """

    roots: Names
    pools: tuple[Names, ...]
    at: int
    signatures: Signatures
    touched: list[CertificateView] = field(default_factory=list)
    asked: set[bytes] = field(default_factory=set)
    ended: bool = False
    _n_checked: int = 0
    _n_looked: int = 0

    def paths(self, leaf: CertificateView) -> Iterator[Path]:
        """Yield the paths from a certificate, likely ones first. A path without a further issuer ends without trust."""
        self.touched.append(leaf)
        if any(root.der == leaf.der for root in self.roots.named(leaf.subject)):
            yield Path((leaf,), (), True)
            return
        for n_paths, path in enumerate(self._from((leaf,), ()), 1):
            self._look(len(path.certificates))
            yield path
            if n_paths == PATHS or not self._may_look:
                self.ended = True
                return

    def _from(self, path: tuple[CertificateView, ...], signatures: tuple[Outcome, ...]) -> Iterator[Path]:
        found = False
        if len(path) < LENGTH:
            for issuer, is_root, outcome in self._issuers(path):
                found = True
                longer = (*path, issuer)
                if is_root:
                    yield Path(longer, (*signatures, outcome), True)
                else:
                    yield from self._from(longer, (*signatures, outcome))
        else:
            self.ended = True
        if not found:
            yield Path(path, signatures, False)

    def _issuers(self, path: tuple[CertificateView, ...]) -> Iterator[tuple[CertificateView, bool, Outcome]]:
        """Yield the issuers of the last certificate of a path: each with whether it is a root, and the check of the
        signature."""
        subject = path[-1]
        wrong: list[tuple[CertificateView, bool, Outcome]] = []
        followed = False
        for issuer, is_root in self._candidates(path):
            outcome = self.signatures.known(subject, issuer)
            if outcome is None:
                if not self._may_check:
                    self.ended = True
                    continue
                outcome = self._check(subject, issuer)
            if outcome is GOOD:
                followed = True
                yield issuer, is_root, outcome
            elif len(wrong) < WRONG_ISSUERS and _identifiers_agree(subject, issuer) is not False:
                wrong.append((issuer, is_root, outcome))
        if not followed:
            yield from wrong

    def _candidates(self, path: tuple[CertificateView, ...]) -> list[tuple[CertificateView, bool]]:
        subject = path[-1]
        if not subject.found:
            return []
        name = subject.issuer
        self.asked.add(name)
        candidates = [(root, True) for root in self.roots.named(name) if root.der != subject.der]
        seen = {root.der for root, _ in candidates}
        self._look(len(candidates))
        for pool in self.pools:
            for issuer in pool.named(name):
                if not self._may_look:
                    self.ended = True
                    break
                self._look(1)
                # A certificate with a name and key that the path already has would make a loop.
                if issuer.der not in seen and all(issuer.spki != one.spki or issuer.subject != one.subject for one in path):
                    seen.add(issuer.der)
                    candidates.append((issuer, False))
        self.touched += [issuer for issuer, _ in candidates]
        if len(candidates) > 1:
            candidates.sort(key=lambda candidate: self._sort_key(subject, *candidate))
        return candidates

    @property
    def _may_check(self) -> bool:
        return self._n_checked < FREE_SIGNATURES or (self._n_checked < SIGNATURES and self.signatures.left > 0)

    def _check(self, subject: CertificateView, issuer: CertificateView) -> Outcome:
        cost = 1 + len(issuer.spki) // KEY_LENGTH
        self._n_checked += cost
        if self._n_checked > FREE_SIGNATURES:
            self.signatures.left -= cost
        return self.signatures.check(subject, issuer)

    @property
    def _may_look(self) -> bool:
        return self._n_looked < FREE_STEPS or (self._n_looked < STEPS and self.signatures.steps > 0)

    def _look(self, n_edges: int) -> None:
        self._n_looked += n_edges
        if self._n_looked > FREE_STEPS:
            self.signatures.steps -= n_edges

    def _sort_key(self, subject: CertificateView, issuer: CertificateView, is_root: bool) -> tuple[bool, bool, bool, int]:
        valid = (issuer.not_before or 0) <= self.at <= (issuer.not_after or 0)
        return _identifiers_agree(subject, issuer) is False, not valid, not is_root, -(issuer.not_before or 0)


def _identifiers_agree(subject: CertificateView, issuer: CertificateView) -> bool | None:
    """Return whether the issuer has the key identifier that a certificate names for its signer; None if one of them has no
    identifier."""
    wanted, present = subject.issuer_key_identifier, issuer.subject_key_identifier
    return None if wanted is None or present is None else wanted == present
