"""Paths from a certificate to a root, through whatever certificates there are (RFC 4158, path building).

Certificates form a graph: from each, edges go to those whose subject is its issuer and whose key made its signature. Roots that
sign each other, authorities with several keys or several certificates for one key make many paths, of which one may be good
and others not; so paths are found one after another, the likeliest first. A stranger may send a graph in which there are more
paths than atoms, a signature costs a tenth of a millisecond, and every session may bring another leaf: what one search may do
is bounded by the limits below, and so is what all searches of a run may do beyond the little that honest chains need.

An issuer whose name and key identifier fit, but not its key, is followed too where there is no better: then the signature is
what is wrong, and not that nobody knows the issuer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analyzer.x509.certificate_view import REMEMBERED_SIZE, CertificateView
from analyzer.x509.signature_strength import GOOD, Outcome, check_signature

LENGTH = 20
"""Most certificates in a path; real ones have three or four, and browsers stop at about ten."""

PATHS = 64
"""Most paths found for one chain; the graphs of the Web PKI have fewer than ten from any certificate."""

SIGNATURES = 100
"""Most signatures checked in one search, some 10 ms, as in Go's verifier. One by a long key counts for several."""

KEY_LENGTH = 512
"""Octets of a SubjectPublicKeyInfo for which a signature counts once; the key of RSA-2048 takes 294, of RSA-16384 2,100."""

STEPS = 4096
"""Most edges looked at in one search; a path that was found counts as many as it has certificates."""

FREE_SIGNATURES, FREE_STEPS = 4, 128
"""What each search may do whatever the run has cost: honest chains have three signatures, and a handful of issuers a name."""

SIGNATURES_IN_ALL = 1 << 15
"""Signatures checked beyond the free ones, of all searches: two seconds with keys on P-256, a minute on the slowest curves."""

STEPS_IN_ALL = 1 << 21
"""Edges looked at beyond the free ones, of all searches: some ten seconds."""

WRONG_ISSUERS = 2
"""Issuers followed whose key does not fit."""


@dataclass(frozen=True, slots=True)
class Path:
    """Certificates from the leaf on, and for each but the last the check of its signature. trusted: whether a root ends it."""

    certificates: tuple[CertificateView, ...]
    signatures: tuple[Outcome, ...]
    trusted: bool


class Signatures:
    """Checks of signatures, remembered: each authority signs many, and each pair comes again in many chains.

    n_checked: those that were made. left, steps: how many signatures and edges more than the free ones all searches may take.
    """

    REMEMBERED = 16384
    """Checks remembered, each some 200 bytes besides what certificate it belongs to."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], Outcome] = {}
        self.n_checked = 0
        self.left = SIGNATURES_IN_ALL
        self.steps = STEPS_IN_ALL

    def known(self, subject: CertificateView, issuer: CertificateView) -> Outcome | None:
        """Give a check made before."""
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
        """Add certificates; one that is there already, or that cannot be read, is passed over."""
        for certificate in certificates:
            if certificate.found and certificate.der not in self._known:
                self._known.add(certificate.der)
                self._by_subject.setdefault(certificate.subject, []).append(certificate)

    def named(self, subject: bytes) -> list[CertificateView]:
        """Give the certificates with this subject, as `name_key` has it."""
        return self._by_subject.get(subject, _NONE)


_NONE: list[CertificateView] = []


@dataclass(slots=True)
class Search:
    """One search for paths; `paths` gives them, the others say afterwards what it has seen.

    roots: where paths end. pools: where issuers are looked for, the nearest first. at: the time, in seconds since the epoch;
    issuers valid then are tried first. touched: every certificate that was on a path or might have been. asked: the issuer
    names looked for. ended: whether a limit was reached.
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
        """Give the paths from a certificate, likely ones first; one that no issuer continues ends without trust."""
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
        """Give the issuers of the last certificate of a path, whether each is a root, and the check of the signature."""
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
                # A certificate for a name and key that the path has already passed leads back to where the path was.
                if issuer.der not in seen and all(issuer.spki != one.spki or issuer.subject != one.subject for one in path):
                    seen.add(issuer.der)
                    candidates.append((issuer, False))
        self.touched += [issuer for issuer, _ in candidates]
        if len(candidates) > 1:
            candidates.sort(key=lambda candidate: self._unlikeliness(subject, *candidate))
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

    def _unlikeliness(self, subject: CertificateView, issuer: CertificateView, is_root: bool) -> tuple[bool, bool, bool, int]:
        valid = (issuer.not_before or 0) <= self.at <= (issuer.not_after or 0)
        return _identifiers_agree(subject, issuer) is False, not valid, not is_root, -(issuer.not_before or 0)


def _identifiers_agree(subject: CertificateView, issuer: CertificateView) -> bool | None:
    """Whether the key that a certificate names as its signer's is this issuer's; None when one of them does not say."""
    wanted, present = subject.issuer_key_identifier, issuer.subject_key_identifier
    return None if wanted is None or present is None else wanted == present
