"""Defines the verdict on a certificate chain: whether it is valid, on which path, and all its problems.

The codes are a closed list, which programs read. The sentences are for people. A problem makes a chain invalid, with one
exception: `non_conforming` is listed, and the verdict does not depend on it unless the judge is strict. It never depends on a
note: clients build their paths from the certificates they receive, in any order (RFC 8446, section 4.4.2), so a chain in the
wrong order can be valid.
"""

from collections.abc import Iterable
from dataclasses import dataclass

NON_CONFORMING = "non_conforming"
"""The problem that breaks a rule which verifiers do not enforce: it makes a chain invalid only for a strict judge."""

WEIGHTS = {
    "unknown_issuer": 1 << 16,
    "self_signed": 1 << 16,
    "bad_signature": 1 << 15,
    "revoked": 1 << 14,
    "not_a_ca": 1 << 13,
    "name_mismatch": 1 << 12,
    "no_name": 1 << 12,
    "name_constraint": 1 << 11,
    "path_too_long": 1 << 11,
    "wrong_purpose": 1 << 10,
    "weak_key": 1 << 8,
    "weak_signature": 1 << 8,
    "unknown_critical_extension": 1 << 7,
    "malformed": 1 << 7,
    "expired": 1 << 6,
    "not_yet_valid": 1 << 6,
    "staple_missing": 1 << 5,
    NON_CONFORMING: 1,
}
"""All codes, and their weights for comparing paths: who issued a certificate has more weight than its time or its strength."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: a code of `WEIGHTS`, the index of the certificate in the chain as sent, and a sentence.

    certificate: None if the certificate was not sent; `detail` names its subject.
    """

    code: str
    certificate: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about the chain as it was sent, which is not a problem of the path.

    code: `duplicate` (sent before), `misordered` (does not follow the certificate that it issued), `extra` (not on the path),
    `missing_intermediate` (on the path, not sent), `odd_encoding` (an encoding error that clients accept),
    `revocation_unknown`, `staple_missing` (a response has to be stapled, none was, and nobody asked),
    `younger_roots` (the issuer is unknown by roots that are years younger than the time of the
    verdict), `search_ended` (at a limit of the search).
    """

    code: str
    certificate: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one chain for one name at one time.

    path: the certificates of the best path, DER, from the leaf to the root, or as far as it goes. problems: all problems of
    that path; if `valid`, none but `non_conforming`. trusted: whether the path ends in the trust store.
    """

    valid: bool
    path: tuple[bytes, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...] = ()
    trusted: bool = False


def weigh(problems: Iterable[Problem]) -> int:
    """Return the sum of the weights of problems: of two paths the one with the lower sum is better."""
    return sum(WEIGHTS[problem.code] for problem in problems)


def is_valid(problems: Iterable[Problem], *, strict: bool) -> bool:
    """Return whether a path with these problems is valid. strict: whether rules that verifiers do not enforce count."""
    return not any(strict or problem.code != NON_CONFORMING for problem in problems)
