"""Verdicts on the certificates of sessions, as the session record has them: judged offline, each at its session's own time.

One object holds what all verdicts of a run rest on: the trust stores with their dates, further intermediates, revocation lists,
the list of transparency logs, the moment. Nothing of it is read before the first chain comes, for many captures have none.
Certificates that authorities have, seen in earlier sessions, may complete a later chain; so verdicts hang on the order in
which sessions end, which is that of the capture.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.engine.capture_events import RevocationSeen
from analyzer.engine.run import Listener
from analyzer.tls.events import Event
from analyzer.tls.session import Session
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.trust import Trust

if TYPE_CHECKING:
    from analyzer.x509.ct_logs import Logs
    from analyzer.x509.judge import Judge
    from analyzer.x509.revocation import Revocation
    from analyzer.x509.revocation_data import RevocationData
    from analyzer.x509.sct import SctVerdict
    from analyzer.x509.verdict import Verdict

CLIENT, SERVER = 0, 1
"""Roles of a session."""

MAX_SEEN = 1024
"""Certificates remembered of earlier sessions that may complete a chain; public authorities have some two thousand."""

SEEN_SIZE = 1 << 14
"""Bytes of a certificate that is remembered to complete others; most have two thousand."""

REMEMBERED_BYTES = 32 << 20
"""Bytes of chains whose verdicts are kept: some ten thousand chains. A verdict stands for all sessions with that chain and name
in a stretch of time."""

COST = 2048
"""Bytes of memory that a verdict takes beside the certificates."""

_TIMESTAMPS = encode_object_identifier("1.3.6.1.4.1.11129.2.4.2")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) * 1_000_000_000

ABSENT: dict[str, Any] = {
    "verdict": "absent", "at": None, "name": None, "path": [], "problems": [], "notes": [], "revocation": [], "scts": [],
    "trust": [],
}  # fmt: skip
"""The record of a side that sent no certificate that was seen."""

_ABSENT_JSON = orjson.dumps(ABSENT)

_GAP = b"\0"
"""What stands for a value that changes: JSON has no such byte."""


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of the path, DER, and what is known of its revocation: None for one that nothing on the path issued."""

    der: bytes
    revocation: "Revocation | None"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found out about one side's certificates. name: what they were judged against, None for no name. at: the moment,
    nanoseconds since the epoch. links: the path, the leaf first. record: as in the session record, but without `at`; written:
    the same as JSON, what stands before the value of `at` and what behind."""

    verdict: "Verdict"
    name: str | None
    at: int
    links: tuple[Link, ...]
    scts: "tuple[SctVerdict, ...]"
    record: dict[str, Any]
    written: tuple[bytes, bytes]


@dataclass(slots=True)
class _Span:
    """What is known of a chain under a name from one second to another, after so much was seen elsewhere in the capture:
    certificates in other sessions, answers about certificates."""

    first: int
    last: int
    seen: tuple[bytes, ...]
    n_seen: int
    judged: Judged


class Chains(Listener):
    """Judges chains. trust: where paths have to end. intermediates, crls: DER. logs: of certificate transparency, None for
    those shipped. at: the moment for all, nanoseconds since the epoch, None for each session's own start; a session whose
    capture has no times is judged at the moment of asking."""

    def __init__(
        self,
        trust: Trust | None = None,
        *,
        intermediates: Sequence[bytes] = (),
        crls: Sequence[bytes] = (),
        logs: "Logs | None" = None,
        at: int | None = None,
    ) -> None:
        self.trust = Trust() if trust is None else trust
        self.intermediates = tuple(intermediates)
        self.crls = tuple(crls)
        self.logs = logs
        self.at = at
        self._judge: Judge | None = None
        self._stores: list[dict[str, str | int]] = []
        self._seen: dict[bytes, None] = {}
        self._seen_tuple: tuple[bytes, ...] = ()
        self._spans: dict[tuple[Any, ...], _Span] = {}
        self._told: dict[tuple[int, tuple[bytes, ...]], Judged] = {}
        self._n_bytes = 0
        self._revocation_data: RevocationData | None = None
        self._revocation_frozen = False
        self._revocation_shared = False

    def take(self, events: Sequence[Event]) -> None:
        """Keep the OCSP responses and revocation lists that came by in the capture: certificates are judged by them."""
        for event in events:
            if isinstance(event, RevocationSeen) and not self._revocation_frozen:
                if self._revocation_data is None:
                    from analyzer.x509.revocation_data import RevocationData

                    self._revocation_data = RevocationData()
                elif self._revocation_shared:
                    self._revocation_data = self._revocation_data.copy()
                self._revocation_shared = False
                self._revocation_data.take(event.content_type, event.body)

    def freeze_revocation(self) -> None:
        """Judge from now on by what was seen of responses and lists so far."""
        self._revocation_frozen = True

    def judge(self, session: Session, role: int) -> Judged | None:
        """Judge the certificates that the client (0) or the server (1) of a session sent; None without any to judge.

        Raises `Unreadable` where a trust store cannot be read.
        """
        chain = session.handshake.certificates[role]
        if not chain or certificate(chain[0]).type == RAW_PUBLIC_KEY:
            return None
        known = self._known(session, role, chain)
        at = self._moment(session)
        return known if known.at == at else replace(known, at=at)

    def record(self, session: Session, role: int, start: str | None = None) -> dict[str, Any]:
        """Give the entry `chain` (of the server) or `client_chain` of the session record. start: when the session began, as
        text, for who has it already."""
        chain = session.handshake.certificates[role]
        if not chain:
            return ABSENT
        if certificate(chain[0]).type == RAW_PUBLIC_KEY:
            return _RAW
        return self._known(session, role, chain).record | {"at": self._told_moment(session, start)}

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        """Give the entry as `record` does, as JSON: of a chain that was judged before in a fraction of the time."""
        chain = session.handshake.certificates[role]
        if not chain:
            return _ABSENT_JSON
        known = self._recall(session, role, chain)
        if known is None:
            if certificate(chain[0]).type == RAW_PUBLIC_KEY:
                return _RAW_JSON
            known = self._known(session, role, chain)
        before, behind = known.written
        return b'%b"%b"%b' % (before, self._told_moment(session, start).encode(), behind)

    def _recall(self, session: Session, role: int, chain: Sequence[bytes]) -> Judged | None:
        """Give what was found out about a chain, perhaps of another moment at which the same is true; None for nothing."""
        if session.handshake.stapled:
            return None
        span = self._spans.get((role, session.handshake.hellos.server_name if role == SERVER else None, *chain))
        if span is None or span.seen is not self._seen_tuple or span.n_seen != self._n_seen():
            return None
        return span.judged if span.first <= self._moment(session) // 1_000_000_000 <= span.last else None

    def _known(self, session: Session, role: int, chain: Sequence[bytes]) -> Judged:
        """Give what was found out about a chain, now or before."""
        known = self._recall(session, role, chain)
        if known is not None:
            return known
        at = self._moment(session)
        seen, n_seen = self._seen_tuple, self._n_seen()
        judged = self._find_out(session, role, chain, at)
        if session.handshake.stapled:
            return judged
        second = at // 1_000_000_000
        key = (role, session.handshake.hellos.server_name if role == SERVER else None, *chain)
        span = self._spans.get(key)
        if span is not None and span.judged is judged:  # one verdict holds for one stretch of time, without holes
            span.first, span.last = min(span.first, second), max(span.last, second)
            span.seen, span.n_seen = seen, n_seen
            return judged
        self._spans[key] = _Span(second, second, seen, n_seen, judged)
        return judged

    def _n_seen(self) -> int:
        return 0 if self._revocation_data is None else len(self._revocation_data)

    def _find_out(self, session: Session, role: int, chain: Sequence[bytes], at: int) -> Judged:
        asked = session.handshake.hellos.server_name if role == SERVER else None
        name = None if asked is None else asked.decode("utf-8", "backslashreplace")
        stapled = session.handshake.stapled
        ocsp = tuple(one for sender, _, kind, one in stapled if sender == role and kind == "ocsp")
        scts = tuple(one for sender, place, kind, one in stapled if (sender, place, kind) == (role, 0, "scts"))
        crls: tuple[bytes, ...] = ()
        if self._revocation_data is not None:
            ocsp = tuple(dict.fromkeys([*ocsp, *(one for der in chain for one in self._revocation_data.ocsp(der))]))
            crls = tuple(dict.fromkeys(one for der in chain for one in self._revocation_data.crls(der)))
        verdict = self._ready().judge(
            chain,
            at=_EPOCH + timedelta(seconds=at // 1_000_000_000),
            name=name,
            purpose="client" if role == CLIENT else "server",
            ocsp=ocsp,
            crls=crls,
            seen=self._seen_tuple,
        )
        self.add_certificates(session)
        key = id(verdict), scts
        known = self._told.get(key)
        if known is None or known.verdict is not verdict:
            known = self._tell(verdict, name, at, ocsp, self.crls + crls, scts)
            self._n_bytes += COST + sum(map(len, verdict.path)) + sum(map(len, chain)) + sum(map(len, scts))
            if self._n_bytes > REMEMBERED_BYTES:
                self._n_bytes = 0
                self._told.clear()
                self._spans.clear()
            self._told[key] = known
        return known

    def add_certificates(self, session: Session) -> None:
        """Remember what may complete the chains of later sessions: all that was sent behind a sender's own certificate.

        Who judges a session has it learnt from too.
        """
        for chain in session.handshake.certificates:
            for der in chain[1:] if chain else ():
                if der not in self._seen and len(self._seen) < MAX_SEEN and len(der) <= SEEN_SIZE:
                    self._seen[der] = None
                    self._seen_tuple = tuple(self._seen)

    def evidence(self) -> tuple[tuple[bytes, ...], "RevocationData | None"]:
        """Give what was seen so far, for `record_by`: it stays as it is when more is seen."""
        self._revocation_shared = True
        return self._seen_tuple, self._revocation_data

    def record_by(
        self, evidence: tuple[tuple[bytes, ...], "RevocationData | None"], session: Session, role: int, start: str | None
    ) -> dict[str, Any]:
        """Give the entry as `record` does, but by what was seen at the moment of `evidence`."""
        current = self._seen_tuple, self._revocation_data
        self._seen_tuple, self._revocation_data = evidence
        try:
            return self.record(session, role, start)
        finally:
            self._seen_tuple, self._revocation_data = current

    def stores(self) -> list[dict[str, Any]]:
        """Give the trust stores as JSON values, empty as long as none was needed."""
        return [] if self._judge is None else self.trust.record()

    def _ready(self) -> "Judge":
        if self._judge is None:
            from analyzer.x509.judge import Judge

            self._judge = Judge(self.trust.roots, self.intermediates, self.crls)
            self._stores = [{"store": store["store"], "date": store["date"]} for store in self.trust.record()]
        return self._judge

    def _moment(self, session: Session) -> int:
        if self.at is not None:
            return self.at
        return session.flow.start if 0 <= session.flow.start <= _LATEST else time.time_ns()

    def _told_moment(self, session: Session, start: str | None) -> str:
        own = self.at is None and start is not None and 0 <= session.flow.start <= _LATEST
        return start if own and start is not None else _rfc3339(self._moment(session))

    def _tell(
        self,
        verdict: "Verdict",
        name: str | None,
        at: int,
        ocsp: tuple[bytes, ...],
        crls: tuple[bytes, ...],
        lists: tuple[bytes, ...],
    ) -> Judged:
        moment = _EPOCH + timedelta(seconds=at // 1_000_000_000)
        links = _links(verdict, moment, ocsp, crls)
        issuer = verdict.path[1] if len(verdict.path) > 1 else None
        scts: tuple[SctVerdict, ...] = ()
        if lists or ocsp or _TIMESTAMPS in verdict.path[0]:
            from analyzer.x509.ct_logs import shipped_logs
            from analyzer.x509.sct import judge_scts

            logs = shipped_logs() if self.logs is None else self.logs
            scts = judge_scts(verdict.path[0], issuer, tls=lists, ocsp=ocsp, logs=logs, at=moment)
        record = {
            "verdict": "valid" if verdict.valid else "invalid",
            "at": None,
            "name": name,
            "path": [certificate(der).sha256 for der in verdict.path],
            "problems": [_told(problem) for problem in verdict.problems],
            "notes": [_told(note) for note in verdict.notes],
            "revocation": [_revocation_record(link) for link in links if link.revocation is not None],
            "scts": [_timestamp_record(sct) for sct in scts],
            "trust": self._stores,
        }
        before, behind = orjson.dumps(record | {"at": orjson.Fragment(_GAP)}).split(_GAP)
        return Judged(verdict, name, at, links, scts, record, (before, behind))


class Written:
    """Gives the verdicts of `chains` as JSON, for records that are written and not looked at."""

    def __init__(self, chains: Chains) -> None:
        self._json = chains.json

    def record(self, session: Session, role: int, start: str | None = None) -> orjson.Fragment:
        """As `Chains.record`."""
        return orjson.Fragment(self._json(session, role, start))


class Unjudged(Chains):
    """Stands where nobody asks for verdicts: every chain is absent."""

    def judge(self, session: Session, role: int) -> Judged | None:
        """Judge nothing."""
        return None

    def record(self, session: Session, role: int, start: str | None = None) -> dict[str, Any]:
        """Give the record of no chain."""
        return ABSENT

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        """Give the same as JSON."""
        return _ABSENT_JSON


UNJUDGED = Unjudged()


@cache
def default_chains() -> Chains:
    """Give what judges where nobody asked for anything else: Mozilla's roots, each session at its own time."""
    return Chains()


_RAW: dict[str, Any] = ABSENT | {
    "notes": [
        {
            "code": "raw_public_key",
            "certificate": 0,
            "detail": "a raw public key (RFC 7250) was sent: who knows it has it from elsewhere, and no chain vouches for it",
        }
    ]
}

_RAW_JSON = orjson.dumps(_RAW)


def _links(verdict: "Verdict", moment: datetime, ocsp: tuple[bytes, ...], crls: tuple[bytes, ...]) -> tuple[Link, ...]:
    from analyzer.x509.revocation import judge_revocation

    issuers = verdict.path[1:]
    found = [
        judge_revocation(der, issuer, ocsp=ocsp, crls=crls, at=moment) if ocsp or crls else None
        for der, issuer in zip(verdict.path, issuers, strict=False)
    ]
    rest = [None] * (len(verdict.path) - len(found))
    return tuple(Link(der, revocation) for der, revocation in zip(verdict.path, [*found, *rest], strict=True))


def _told(fact: Any) -> dict[str, Any]:
    return {"code": fact.code, "certificate": fact.certificate, "detail": fact.detail}


def _revocation_record(link: Link) -> dict[str, Any]:
    revocation = link.revocation
    assert revocation is not None
    return {
        "sha256": certificate(link.der).sha256,
        "status": revocation.status,
        "source": revocation.source,
        "detail": revocation.detail,
    }


def _timestamp_record(sct: "SctVerdict") -> dict[str, Any]:
    time = None if sct.timestamp is None else f"{sct.timestamp:%Y-%m-%dT%H:%M:%S}.{sct.timestamp.microsecond:06d}000Z"
    return {
        "source": sct.source,
        "log": sct.log,
        "log_id": sct.log_id,
        "time": time,
        "status": sct.status,
        "detail": sct.detail,
    }


def _rfc3339(at: int) -> str:
    second, rest = divmod(at, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=second)).isoformat()[:19]}.{rest:09d}Z"
