"""One session as a typed object, made from what the engine kept of it.

Nothing is made in advance. An attribute that is read makes its own part of the record, with the functions that also make the
JSON output (`store.session_record`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from analyzer.analysis.authenticity import authenticity
from analyzer.analysis.chain_outcome import judge_outcome
from analyzer.analysis.outcome import outcome
from analyzer.api.endpoint_object import Endpoint
from analyzer.api.quic_parts import DnsMessage, Quic
from analyzer.api.session_parts import (
    Alert,
    Authenticity,
    BeforeTls,
    Certificates,
    Chain,
    Decryption,
    EncryptedClientHello,
    Finding,
    Gap,
    HandshakeMessage,
    HttpExchange,
    Outcome,
    Process,
)
from analyzer.api.typed_record import Record
from analyzer.store.certificate_records import certificates_record, chain_record
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.quic_record import quic_facts, quic_record
from analyzer.store.schema import SESSION
from analyzer.store.session_record import (
    alert_record,
    decryption_record,
    dns_record,
    ech_record,
    findings_record,
    gap_record,
    http_record,
    session_head,
    session_record,
)
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate


class ChainsAtTheEnd:
    """Validates the certificates of one session by what the captures had shown when it ended, whenever it is asked."""

    def __init__(self, chains: Chains, session: Any) -> None:
        """session: one that has just ended. What it sent may complete the chains of later sessions."""
        self._chains = chains
        before = chains.evidence()
        if any(sent and certificate(sent[0]).type != RAW_PUBLIC_KEY for sent in session.handshake.certificates):
            chains.add_certificates(session)
        # As in the JSON output, where the server's chain is validated first.
        self._evidence = (chains.evidence(), before)

    def record(self, session: Any, role: int, start: str | None) -> dict[str, Any]:
        """Return the entry `client_chain` (role 0) or `chain` (role 1). Raises `Unreadable` for a bad trust store."""
        return self._chains.record_by(self._evidence[role], session, role, start)


class Session(Record, declared=SESSION):
    """One TLS session: a record of `analyzer sessions --format json`.

    All attributes are lazy: the plain ones (up to `ja4`) are made together when one of them is first read, each of the others
    by itself. Expensive are `chain` and `client_chain`, where certificates are verified. What counts is what the captures had
    shown when the session ended, also if they are read later. Decoded fields (`handshake[i].message`, `ech.inner`) need
    `messages=True`, and are decoded when they are read.

    A session keeps what the engine kept of it, some kilobytes, and with `messages=True` its handshake messages. Drop it, and
    the memory is free.
    """

    id: int
    protocol: str
    capture: str | None
    frame_in_capture: int | None
    client: Endpoint
    server: Endpoint
    before: tuple[BeforeTls, ...] | None
    inside: int | None
    first_frame: int
    last_frame: int
    start_time: str | None
    end_time: str | None
    version: str | None
    cipher_suite: str | None
    cipher_suite_id: int | None
    group: str | None
    server_name: str | None
    alpn: str | None
    ech: EncryptedClientHello | None
    established: bool | None
    outcome: Outcome
    resumed: bool | None
    resumption: str | None
    resumes: int | None
    ja3: str | None
    ja3s: str | None
    ja4: str | None
    handshake: tuple[HandshakeMessage, ...]
    alerts: tuple[Alert, ...]
    certificates: Certificates
    chain: Chain
    client_chain: Chain
    decryption: Decryption
    authenticity: Authenticity
    gaps: tuple[Gap, ...]
    http: tuple[HttpExchange, ...]
    dns: tuple[DnsMessage, ...] | None
    quic: Quic | None
    findings: tuple[Finding, ...]
    process: Process | None

    def __init__(self, ended: Any, messages: bool, chains: ChainsAtTheEnd) -> None:
        """ended: the session of the engine. messages: whether decoded fields are wanted."""
        super().__init__({})
        self._ended = ended
        self._messages = messages
        self._chains = chains

    def _json(self) -> Any:
        return session_record(self._ended, self._messages, self._chains)

    def _value(self, key: str) -> Any:
        part = _PARTS.get(key)
        if part is not None:
            return part(self)
        if not self._values:
            self._values = session_head(self._ended)
        return self._values[key]

    def __repr__(self) -> str:
        facts = f"version={self.version!r}, cipher_suite={self.cipher_suite!r}, server_name={self.server_name!r}"
        return f"<Session {self.id}: {self.client} to {self.server}, {facts}>"


def _messages(session: Session) -> Any:
    wanted = session._messages
    return tuple(HandshakeMessage(message, wanted) for message in session._ended.log.messages)


def _certificates(session: Session) -> Any:
    return {"client": certificates_record(session._ended, CLIENT), "server": certificates_record(session._ended, SERVER)}


def _ech(session: Session) -> Any:
    ech = session._ended.handshake.hellos.ech
    return None if ech is None else ech_record(ech, session._messages)


def _outcome(session: Session) -> Any:
    found = outcome(session._ended)
    record: dict[str, Any] = {"outcome": found.record()}
    if found.asks_chain:
        record["alerts"] = [alert_record(alert) for alert in session._ended.log.alerts]
        record["chain"] = _chain(session, SERVER)
        judge_outcome(record)
    return record["outcome"]


def _chain(session: Session, role: int) -> Any:
    return chain_record(session._ended, role, session._chains, session.start_time)


_PARTS: Mapping[str, Callable[[Session], Any]] = {
    "ech": _ech,
    "outcome": _outcome,
    "handshake": _messages,
    "alerts": lambda session: [alert_record(alert) for alert in session._ended.log.alerts],
    "certificates": _certificates,
    "chain": lambda session: _chain(session, SERVER),
    "client_chain": lambda session: _chain(session, CLIENT),
    "decryption": lambda session: decryption_record(session._ended),
    "authenticity": lambda session: authenticity(session._ended),
    "gaps": lambda session: [gap_record(gap) for gap in session._ended.log.gaps],
    "http": lambda session: http_record(session._ended),
    "dns": lambda session: dns_record(session._ended),
    "quic": lambda session: quic_record(quic_facts(session._ended.transport), session._ended.handshake.parameters.alpn),
    "findings": lambda session: findings_record(session._ended),
}
"""What makes the value of a key that is not plain."""
