"""What a judgement of a certificate chain says: valid or not, along which path, and everything that is wrong with it.

The codes are a closed list that programs read; the sentences are for people. A problem makes a chain invalid. A note does not:
clients build their paths from what they get, in any order (RFC 8446, section 4.4.2), so a chain sent in a mess can be valid.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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
}
"""Every code, and how much it speaks against a path when paths are compared: who vouches weighs more than when or how well."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: a code of `WEIGHTS`, the index of the certificate in the chain as sent, and a sentence.

    certificate: None when the certificate was not sent; `detail` names its subject.
    """

    code: str
    certificate: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about the chain as it was sent, which is no fault of the path.

    code: `duplicate` (sent before), `misordered` (does not follow what it issued), `extra` (not on the path),
    `missing_intermediate` (on the path, not sent), `odd_encoding` (which clients take),
    `revocation_unknown`, `search_ended` (at a limit of the search).
    """

    code: str
    certificate: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one chain under one name at one time.

    path: the certificates of the best path, DER, from the leaf to the root, or as far as it goes. problems: all of that path,
    empty when `valid`. trusted: whether the path ends in the trust store.
    """

    valid: bool
    path: tuple[bytes, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...] = ()
    trusted: bool = False


def weigh(problems: Iterable[Problem]) -> int:
    """Give the weight of problems together: of two paths the one with the lower weight is the better."""
    return sum(WEIGHTS[problem.code] for problem in problems)
