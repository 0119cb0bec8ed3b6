"""Validates the certificates of sessions, for the session record: offline, each chain at its session's own time.

One object holds everything that the verdicts of a run depend on: the trust stores with their dates, further intermediates,
revocation lists, the list of transparency logs, the time. Nothing of it is read before the first chain comes, because many
captures have none. Certificates of authorities that were seen in earlier sessions may complete a later chain. So verdicts
depend on the order in which sessions end, which is the order of the capture.
"""

import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.chain_outcome import judged_line
from analyzer.engine.capture_events import RevocationSeen
from analyzer.engine.run import Listener
from analyzer.store.circumstances import Circumstances, circumstances
from analyzer.store.declaration import path_text
from analyzer.store.key_proof import as_proved
from analyzer.store.root_age import with_root_age
from analyzer.store.unjudged_chains import ABSENT, ABSENT_JSON, CUT_SHORT, RAW_KEY, RAW_KEY_JSON
from analyzer.tls.events import Event
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.must_staple import Staple
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
"""The most certificates of earlier sessions that are kept to complete chains; public authorities have about two thousand."""

SEEN_SIZE = 1 << 14
"""The most bytes of a certificate that is kept to complete chains; most certificates have two thousand."""

REMEMBERED_BYTES = 32 << 20
"""The most bytes of chains whose verdicts are kept: about ten thousand chains. One verdict is used for all sessions with that
chain and name in a validity interval."""

COST = 2048
"""Bytes of memory that a verdict needs in addition to the certificates."""

_TIMESTAMPS = encode_object_identifier("1.3.6.1.4.1.11129.2.4.2")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) * 1_000_000_000

_GAP = b"\0"
"""The placeholder for a value that changes. JSON contains no such byte."""


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of the path, DER, and what is known of its revocation: None if no certificate of the path issued it."""

    der: bytes
    revocation: "Revocation | None"


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The result of the validation of one side's certificates.

    name: the name against which they were validated, None for no name. at: the time of the verdict, nanoseconds since the
    epoch. links: the path, the leaf first. scts: the results for the signed certificate timestamps. record: as in the session
    record, but without `at`. written: the same as JSON: the part before the value of `at`, and the part after it.
    """

    verdict: "Verdict"
    name: str | None
    at: int
    links: tuple[Link, ...]
    scts: "tuple[SctVerdict, ...]"
    record: dict[str, Any]
    written: tuple[bytes, bytes]


@dataclass(slots=True)
class _Span:
    """The verdict on a chain and name in a validity interval, from the second `first` to `last`.

    It holds as long as nothing new was seen elsewhere in the capture. seen: certificates in other sessions. n_seen: the number
    of entries of the revocation data.
    """

    first: float
    last: float
    seen: tuple[bytes, ...]
    n_seen: int
    judged: ChainVerdict


class Chains(Listener):
    """Validates chains.

    trust: the roots at which paths have to end. intermediates, crls: DER. logs: of certificate transparency, None for those
    that are shipped. at: the time for all verdicts, nanoseconds since the epoch; None for each session's own start. If the
    capture has no times, a session is validated at the current time. strict: as for `Judge`.
    """

    def __init__(
        self,
        trust: Trust | None = None,
        *,
        intermediates: Sequence[bytes] = (),
        crls: Sequence[bytes] = (),
        logs: "Logs | None" = None,
        at: int | None = None,
        strict: bool = False,
    ) -> None:
        self.trust = Trust() if trust is None else trust
        self.intermediates = tuple(intermediates)
        self.crls = tuple(crls)
        self.logs = logs
        self.at = at
        self.strict = strict
        self._judge: Judge | None = None
        self._stores: list[dict[str, str | int]] = []
        self._seen: dict[bytes, None] = {}
        self._seen_tuple: tuple[bytes, ...] = ()
        self._spans: dict[tuple[Any, ...], _Span] = {}
        self._kept: dict[tuple[int, tuple[bytes, ...], int], tuple[Verdict, ChainVerdict]] = {}
        self._n_bytes = 0
        self._revocation_data: RevocationData | None = None
        self._revocation_frozen = False
        self._revocation_shared = False

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`. Keeps the OCSP responses and revocation lists in the capture, which are used for verdicts."""
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
        """Use only the responses and lists that were seen until now for all later verdicts."""
        self._revocation_frozen = True

    def judge(self, session: Session, role: int) -> ChainVerdict | None:
        """Validate the certificates that the client (0) or the server (1) of a session sent. None if there are none.

        None too for a raw public key, and for certificates of which the capture has a part. Raises `Unreadable` if a trust
        store cannot be read.
        """
        chain = session.handshake.certificates[role]
        if not chain or CUT in chain or certificate(chain[0]).type == RAW_PUBLIC_KEY:
            return None
        known = as_proved(session, role, self._find_or_validate(session, role, chain))
        at = self._time(session)
        return known if known.at == at else replace(known, at=at)

    def record(self, session: Session, role: int, start: str | None = None) -> dict[str, Any]:
        """Return the entry `chain` (of the server) or `client_chain` of the session record.

        start: the start of the session as text, if the caller has it.
        """
        chain = session.handshake.certificates[role]
        if not chain:
            return ABSENT
        if CUT in chain:
            return CUT_SHORT
        if certificate(chain[0]).type == RAW_PUBLIC_KEY:
            return RAW_KEY
        known = as_proved(session, role, self._find_or_validate(session, role, chain))
        return known.record | {"at": self._time_text(session, start)}

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        """Return the entry of `record` as JSON. For a chain that was validated before, this needs a fraction of the time."""
        chain = session.handshake.certificates[role]
        if not chain:
            return ABSENT_JSON
        known = self._find_kept(session, role, chain)
        if known is None:
            if certificate(chain[0]).type == RAW_PUBLIC_KEY:
                return RAW_KEY_JSON
            known = self._find_or_validate(session, role, chain)
        before, behind = as_proved(session, role, known).written
        return b'%b"%b"%b' % (before, self._time_text(session, start).encode(), behind)

    def outcome(self, line: bytes) -> bytes:
        """Return a session record as JSON whose outcome the verdict on the server's chain decides, completed."""
        return judged_line(line)

    def _find_kept(self, session: Session, role: int, chain: Sequence[bytes]) -> ChainVerdict | None:
        """Return a kept verdict on a chain, None if there is none. It may be of another time for which the same is true."""
        if session.handshake.stapled:
            return None
        span = self._spans.get(_span_key(session, role, chain))
        if span is None or span.seen is not self._seen_tuple or span.n_seen != self._n_seen():
            return None
        return span.judged if span.first <= self._time(session) // 1_000_000_000 <= span.last else None

    def _find_or_validate(self, session: Session, role: int, chain: Sequence[bytes]) -> ChainVerdict:
        """Return the verdict on a chain: a kept one, or a new one."""
        known = self._find_kept(session, role, chain)
        if known is not None:
            return known
        at = self._time(session)
        seen, n_seen = self._seen_tuple, self._n_seen()
        judged = self._validate(session, role, chain, at)
        if session.handshake.stapled:
            return judged
        first, last = self._loaded_judge().interval
        if any(note.code == "younger_roots" for note in judged.verdict.notes):  # it counts years
            year = (_EPOCH + timedelta(seconds=at // 1_000_000_000)).year
            first, last = max(first, timegm((year, 1, 1, 0, 0, 0))), min(last, timegm((year, 12, 31, 23, 59, 59)))
        self._spans[_span_key(session, role, chain)] = _Span(first, last, seen, n_seen, judged)
        return judged

    def _n_seen(self) -> int:
        return 0 if self._revocation_data is None else len(self._revocation_data)

    def _validate(self, session: Session, role: int, chain: Sequence[bytes], at: int) -> ChainVerdict:
        server_name = session.handshake.hellos.server_name if role == SERVER else None
        name = None if server_name is None else server_name.decode("utf-8", "backslashreplace")
        stapled = session.handshake.stapled
        ocsp = tuple(one for sender, _, kind, one in stapled if sender == role and kind == "ocsp")
        scts = tuple(one for sender, place, kind, one in stapled if (sender, place, kind) == (role, 0, "scts"))
        crls: tuple[bytes, ...] = ()
        if self._revocation_data is not None:
            ocsp = tuple(dict.fromkeys([*ocsp, *(one for der in chain for one in self._revocation_data.ocsp(der))]))
            crls = tuple(dict.fromkeys(one for der in chain for one in self._revocation_data.crls(der)))
        date_time = _EPOCH + timedelta(seconds=at // 1_000_000_000)
        found = circumstances(session) if role == SERVER else Circumstances("signature")
        own = tuple(one for sender, place, kind, one in stapled if (sender, place, kind) == (role, 0, "ocsp"))
        verdict = self._loaded_judge().judge(
            chain,
            at=date_time,
            name=name,
            purpose="client" if role == CLIENT else "server",
            ocsp=ocsp,
            crls=crls,
            seen=self._seen_tuple,
            staple=Staple(bool(found.asked), own) if own or (found.visible and found.asked is not None) else None,
            key_use=found.key_use,
        )
        self.add_certificates(session)
        key = id(verdict), scts, date_time.year
        kept = self._kept.get(key)
        if kept is not None and kept[0] is verdict:
            known = kept[1]
        else:
            aged = with_root_age(verdict, self._stores, date_time)
            known = self._make_judged(aged, name, at, ocsp, self.crls + crls, scts)
            self._n_bytes += COST + sum(map(len, verdict.path)) + sum(map(len, chain)) + sum(map(len, scts))
            if self._n_bytes > REMEMBERED_BYTES:
                self._n_bytes = 0
                self._kept.clear()
                self._spans.clear()
            self._kept[key] = verdict, known
        return known

    def add_certificates(self, session: Session) -> None:
        """Keep the certificates that may complete the chains of later sessions: all that come after a sender's own one.

        To validate a session calls this too.
        """
        for chain in session.handshake.certificates:
            for der in chain[1:] if chain else ():
                if der and der not in self._seen and len(self._seen) < MAX_SEEN and len(der) <= SEEN_SIZE:
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
        """Return the trust stores as JSON values; empty as long as none was needed."""
        return [] if self._judge is None else self.trust.record()

    def fixed_time(self) -> str | None:
        """Return the time for all verdicts as RFC 3339 text; None for each session's own start."""
        return None if self.at is None else moment_rfc3339(self.at)

    def _loaded_judge(self) -> "Judge":
        if self._judge is None:
            from analyzer.x509.judge import Judge

            self._judge = Judge(self.trust.roots, self.intermediates, self.crls, strict=self.strict)
            self._stores = [
                {
                    "store": path_text(str(store["store"])),
                    "date": store["date"],
                }
                for store in self.trust.record()
            ]
        return self._judge

    def _time(self, session: Session) -> int:
        if self.at is not None:
            return self.at
        return session.flow.start if 0 <= session.flow.start <= _LATEST else time.time_ns()

    def _time_text(self, session: Session, start: str | None) -> str:
        own = self.at is None and start is not None and 0 <= session.flow.start <= _LATEST
        return start if own and start is not None else moment_rfc3339(self._time(session))

    def _make_judged(
        self,
        verdict: "Verdict",
        name: str | None,
        at: int,
        ocsp: tuple[bytes, ...],
        crls: tuple[bytes, ...],
        lists: tuple[bytes, ...],
    ) -> ChainVerdict:
        date_time = _EPOCH + timedelta(seconds=at // 1_000_000_000)
        links = _links(verdict, date_time, ocsp, crls)
        issuer = verdict.path[1] if len(verdict.path) > 1 else None
        scts: tuple[SctVerdict, ...] = ()
        if lists or ocsp or _TIMESTAMPS in verdict.path[0]:
            from analyzer.x509.ct_logs import shipped_logs
            from analyzer.x509.sct import judge_scts

            logs = shipped_logs() if self.logs is None else self.logs
            scts = judge_scts(verdict.path[0], issuer, tls=lists, ocsp=ocsp, logs=logs, at=date_time)
        record = {
            "verdict": "valid" if verdict.valid else "invalid",
            "at": None,
            "name": name,
            "path": [certificate(der).sha256 for der in verdict.path],
            "problems": [_fact_record(problem) for problem in verdict.problems],
            "notes": [_fact_record(note) for note in verdict.notes],
            "revocation": [_revocation_record(link) for link in links if link.revocation is not None],
            "scts": [_timestamp_record(sct) for sct in scts],
            "trust": self._stores,
        }
        before, behind = orjson.dumps(record | {"at": orjson.Fragment(_GAP)}).split(_GAP)
        return ChainVerdict(verdict, name, at, links, scts, record, (before, behind))


class NoVerdicts(Chains):
    """Is used where no verdicts are needed: every chain is absent."""

    def judge(self, session: Session, role: int) -> ChainVerdict | None:
        """See `Chains.judge`. Always None."""
        return None

    def record(self, session: Session, role: int, start: str | None = None) -> dict[str, Any]:
        """See `Chains.record`. Always the record of no chain."""
        return ABSENT

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        """See `Chains.json`. Always the record of no chain."""
        return ABSENT_JSON


NO_VERDICTS = NoVerdicts()


@cache
def default_chains() -> Chains:
    """Return the default `Chains`: Mozilla's roots, each session at its own time."""
    return Chains()


def _span_key(session: Session, role: int, chain: Sequence[bytes]) -> tuple[Any, ...]:
    """Return what a verdict depends on, besides the time and what was seen elsewhere."""
    if role == CLIENT:
        return (CLIENT, None, None, *chain)
    return (SERVER, session.handshake.hellos.server_name, circumstances(session), *chain)


def _links(verdict: "Verdict", date_time: datetime, ocsp: tuple[bytes, ...], crls: tuple[bytes, ...]) -> tuple[Link, ...]:
    from analyzer.x509.revocation import judge_revocation

    issuers = verdict.path[1:]
    found = [
        judge_revocation(der, issuer, ocsp=ocsp, crls=crls, at=date_time) if ocsp or crls else None
        for der, issuer in zip(verdict.path, issuers, strict=False)
    ]
    rest = [None] * (len(verdict.path) - len(found))
    return tuple(Link(der, revocation) for der, revocation in zip(verdict.path, [*found, *rest], strict=True))


def _fact_record(fact: Any) -> dict[str, Any]:
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


def moment_rfc3339(at: int) -> str:
    """Return a time in nanoseconds since 1970, of the years 1 to 9999, as RFC 3339 text in UTC.

    `session_record.rfc3339` has 64 bits, which end in the year 2262.
    """
    second, rest = divmod(at, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=second)).isoformat()[:19]}.{rest:09d}Z"
