"""Collects the certificates of a run for an inventory: each once, with who served it, and what was wrong with it.

The validity of a certificate is compared with one moment for all of them: the last packet of the captures, or a time that was
asked for. A certificate that was renewed in time is no longer served then; so whoever served it last is named with that time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analyzer.analysis.tally import Tally
from analyzer.store.chain_verdicts import ChainVerdict
from analyzer.x509.certificate import certificate
from analyzer.x509.weak_key import RSA_BITS

MOST_CERTIFICATES = 1 << 14
"""Certificates that are told apart: about 50 MB of text."""

MOST_SERVERS = 256
"""Ends that are named for one certificate."""

LARGEST = 1 << 16
"""Bytes of a certificate that is listed. A longer one is only counted as left out."""

MOST_NAMES = 256
"""Alternative names of a certificate that are kept."""

WEAK_SIGNATURE, WEAK_KEY = WEAK_CERTIFICATES = ("weak_signature", "weak_key")
"""What is weak in certificates: codes of problems of a chain, the worst first."""

_WITH_MODULUS = ("rsa", "rsassa-pss", "dsa")
_WEAK_DIGEST = re.compile("md[245]|sha1(?![0-9])", re.IGNORECASE)

_SECOND = len("2026-11-02T09:00:00")
"""Characters of a time up to its second: certificates have no fractions of it."""

VALID, EXPIRING, EXPIRED, NOT_YET_VALID, UNKNOWN = STATES = ("valid", "expiring", "expired", "not_yet_valid", "unknown")
"""How a certificate stands at a moment. unknown: its dates, or the moment, are not known; a raw public key has none."""


@dataclass(slots=True)
class SeenCertificate:
    """One certificate. facts: as in the session record. owns: whether a side sent it as its own, and not for its chain.

    first, last: times of the first and last session that sent it. servers, clients: ends that sent it, with their sessions.
    verdicts: of chains that begin with it; problems: codes of what was wrong with it in any chain.
    """

    facts: dict[str, Any]
    first: str | None = None
    last: str | None = None
    sessions: int = 0
    owns: bool = False
    servers: Tally = field(default_factory=lambda: Tally(MOST_SERVERS))
    clients: Tally = field(default_factory=lambda: Tally(MOST_SERVERS))
    verdicts: set[str] = field(default_factory=set)
    problems: set[str] = field(default_factory=set)

    def state(self, at: str | None, until: str | None) -> str:
        """Return how it stands at a moment, one of STATES. until: the end of the time in which it counts as expiring."""
        start, end = self.facts["not_before"], self.facts["not_after"]
        if at is None or start is None or end is None:
            return UNKNOWN
        if end[:_SECOND] < at[:_SECOND]:
            return EXPIRED
        if start[:_SECOND] > at[:_SECOND]:
            return NOT_YET_VALID
        return EXPIRING if until is not None and end[:_SECOND] <= until[:_SECOND] else VALID

    def weak(self) -> set[str]:
        """Return what is weak in it, as codes of problems of a chain, also where no chain with it was judged.

        The signature on a root that signed itself proves nothing to anybody, so it is not weak.
        """
        found = self.problems & {WEAK_SIGNATURE, WEAK_KEY}
        key = self.facts["public_key"] or {}
        if key.get("type") in _WITH_MODULUS and key.get("bits", RSA_BITS) < RSA_BITS:
            found.add(WEAK_KEY)
        if _WEAK_DIGEST.search(self.facts["signature_algorithm"] or "") and self.facts["subject"] != self.facts["issuer"]:
            found.add(WEAK_SIGNATURE)
        return found


class SeenCertificates:
    """Collects certificates by their SHA-256. left_out: how many were not, each time that one was sent."""

    def __init__(self) -> None:
        self.seen: dict[str, SeenCertificate] = {}
        self.left_out = 0

    def take(self, der: bytes, end: str, is_server: bool, is_own: bool, start: str | None, last: str | None) -> str | None:
        """Take a certificate that a side sent in a session. Return its SHA-256 in hex; None if it is left out.

        end: who sent it, as text. start, last: times of the session.
        """
        if len(der) > LARGEST:
            self.left_out += 1
            return None
        read = certificate(der)
        one = self.seen.get(read.sha256)
        if one is None:
            if len(self.seen) >= MOST_CERTIFICATES:
                self.left_out += 1
                return None
            facts: dict[str, Any] = dict(read.record())
            if facts["subject_alt_names"] is not None:
                facts["subject_alt_names"] = facts["subject_alt_names"][:MOST_NAMES]
            one = self.seen[read.sha256] = SeenCertificate(facts, start, last)
        one.sessions += 1
        one.owns = one.owns or is_own
        one.first, one.last = earlier(one.first, start), later(one.last, last)
        (one.servers if is_server else one.clients).add(end)
        return read.sha256

    def judge(self, chain: Sequence[bytes], judged: ChainVerdict) -> None:
        """Take the verdict on certificates that one side sent."""
        leaf = self.seen.get(certificate(chain[0]).sha256)
        if leaf is not None:
            leaf.verdicts.add(judged.record["verdict"])
        for problem in judged.verdict.problems:
            if problem.certificate is not None:
                one = self.seen.get(certificate(chain[problem.certificate]).sha256)
                if one is not None:
                    one.problems.add(problem.code)


def earlier(known: str | None, other: str | None) -> str | None:
    """Return the earlier of two times in RFC 3339 of one form; the known one if one is None."""
    return min(known, other) if known is not None and other is not None else known or other


def later(known: str | None, other: str | None) -> str | None:
    """Return the later of two times, as `earlier`."""
    return max(known, other) if known is not None and other is not None else known or other
