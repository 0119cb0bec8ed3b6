"""Makes the session record: the description of one session as JSON values.

The keys and their meaning are the project's contract with other programs: see `schema`. A value that is not known is None and
is never left out. Times are RFC 3339 in UTC with nine digits of a second. Bytes are lower-case hex. `session_json` writes the
same as JSON, without these values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.authenticity import authenticity
from analyzer.analysis.before_tls import before_of
from analyzer.analysis.chain_outcome import judge_outcome
from analyzer.analysis.decryption_failure import advice, evidence, reason_of
from analyzer.analysis.downgrade import downgrades
from analyzer.analysis.fingerprints import highest_version, ja3, ja3s, ja4
from analyzer.analysis.outcome import outcome
from analyzer.analysis.record_findings import anomalies, log_findings
from analyzer.analysis.session_findings import session_findings
from analyzer.analysis.shown_resumption import is_resumed
from analyzer.codec.errors import ParseError
from analyzer.codec.registry import registry
from analyzer.flows.flow import Flow
from analyzer.packet.addresses import HARDWARE, address_text
from analyzer.store.certificate_records import certificates_record, chain_record
from analyzer.store.chain_verdicts import CLIENT, SERVER, default_chains
from analyzer.store.clock import Clock
from analyzer.store.declaration import empty, path_text
from analyzer.store.quic_record import letter_of, quic_facts, quic_record
from analyzer.store.schema import SESSION
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import NOT_ENCRYPTED
from analyzer.tls.events import Alert, Finding, Gap, HandshakeMessage
from analyzer.tls.handshake.hello_features import LONGEST_REMEMBERED, FingerprintInput, ServerFingerprintInput
from analyzer.tls.handshake.parameters import UNKNOWN_WAY, Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import SERVER_NAME
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.tls.session_log import ROLES, SessionLog

if TYPE_CHECKING:
    import cython

VERSIONS = registry("versions").names
SUITES = registry("cipher_suites").names
GROUPS = registry("supported_groups").names
LEVELS = registry("alert_levels").names
DESCRIPTIONS = registry("alert_descriptions").names

NOTHING_KNOWN: dict[str, Any] = empty(SESSION)
"""The record before anything is known. A copy of it costs less than a new table that grows."""

FINGERPRINTS: dict[int, tuple[FingerprintInput, tuple[str, str]]] = {}

SERVER_FINGERPRINTS: dict[int, tuple[ServerFingerprintInput, str]] = {}
"""Fingerprints by the identity of the fingerprint input. Equal hellos share one input, and an entry keeps it alive. To hash the
input would take longer than all the rest."""

UNDECRYPTED: dict[tuple[str, str | None, str | None, str | None], dict[str, Any]] = {}

DECRYPTED: dict[str, Any] = {
    "status": "decrypted", "reason": None, "records": 0, "failed": 0, "bytes": None, "detail": None, "advice": None,
}  # fmt: skip
MESSAGES: dict[str, list[dict[str, Any]]] = {}
ALERTS: dict[tuple[int, int, int, bool, bool], dict[str, Any]] = {}
"""Entries in which only the kind is filled in. A copy costs less than a new table that grows."""

REMEMBERED = 4096
"""The most entries that are kept, of certificates and of kinds of hello. A few servers and clients send nearly all of them."""

REMEMBERED_REASONS = 256
"""Maximum number of cached reasons why nothing was decrypted. With a key log, each session has its own: it names its random."""

LARGEST_REMEMBERED = 1 << 14
"""The most bytes of a certificate whose entry is kept. Most certificates have two thousand."""


FROM_LOSS = frozenset(
    {
        "bad_start_line", "bad_stream", "frame_after_end", "malformed_content_coding", "malformed_field_line",
        "malformed_field_section", "malformed_message", "no_preface", "obsolete_line_folding", "wrong_content_length",
    }
)  # fmt: skip
"""Findings about the data that missing bytes bring about too. Nobody is blamed for them where bytes are missing."""


CLOCK: Clock = Clock()


def session_record(
    session: Session, messages: cython.bint, chains: Any = None, signatures: cython.bint = True
) -> dict[str, Any]:
    """Return the record of a session that has ended. messages: include the decoded fields of every handshake message.

    chains: the `Chains` that validate certificates; None for Mozilla's roots at the session's own time. signatures: verify
    them, which takes longer than all the rest; without it `authenticity` is None.
    """
    judge: Any = default_chains() if chains is None else chains
    log: SessionLog = session.log
    handshake: SessionHandshake = session.handshake
    ech: Any = handshake.hellos.ech
    message: HandshakeMessage  # noqa: F842 - its type in the comprehension below, for C
    record = session_head(session)
    start: str | None = record["start_time"]
    if ech is not None:
        record["ech"] = ech_record(ech, messages)
    record["handshake"] = [message_record(message, messages) for message in log.messages]
    record["alerts"] = [alert_record(alert) for alert in log.alerts]
    record["certificates"] = {"client": certificates_record(session, CLIENT), "server": certificates_record(session, SERVER)}
    record["chain"] = chain_record(session, SERVER, judge, start)
    record["client_chain"] = chain_record(session, CLIENT, judge, start)
    record["decryption"] = decryption_record(session)
    if signatures:
        record["authenticity"] = authenticity(session)
    record["gaps"] = [gap_record(gap) for gap in log.gaps]
    record["http"] = http_record(session)
    record["dns"] = dns_record(session)
    record["quic"] = quic_record(quic_facts(session.transport), handshake.parameters.alpn)
    record["findings"] = findings_record(session)
    found = outcome(session)
    record["outcome"] = found.record()
    if found.asks_chain:
        judge_outcome(record)
    return record


def session_head(session: Session) -> dict[str, Any]:
    """Return the plain values of the record of a session that has ended, up to the fingerprints. Other keys have None."""
    flow: Flow = session.flow
    handshake: SessionHandshake = session.handshake
    parameters: Parameters = handshake.parameters
    hellos: Hellos = handshake.hellos
    fingerprint_input = hellos.fingerprint_input
    answer = hellos.server_fingerprint_input
    resumed_from = handshake.resumed_from
    record = NOTHING_KNOWN.copy()
    record["id"] = session.id
    record["protocol"] = "tls" if session.transport is None else session.transport.name
    if flow.capture is not None:
        record["capture"], record["frame_in_capture"] = path_text(flow.capture[0]), flow.capture[1]
    record["client"] = endpoint_record(flow.key, CLIENT)
    record["server"] = endpoint_record(flow.key, SERVER)
    record["before"] = before_of(flow)
    record["inside"] = inside_of(flow)
    record["first_frame"] = flow.first_frame
    record["last_frame"] = flow.last_frame
    record["start_time"] = CLOCK.write(flow.start)
    record["end_time"] = CLOCK.write(flow.end)
    if parameters.version:
        record["version"] = VERSIONS[session.log.version]
    if parameters.cipher_suite >= 0:
        record["cipher_suite"] = SUITES[parameters.cipher_suite]
        record["cipher_suite_id"] = parameters.cipher_suite
    if parameters.group >= 0:
        record["group"] = GROUPS[parameters.group]
    record["server_name"] = text(hellos.server_name)
    record["alpn"] = text(parameters.alpn)
    record["established"] = session.established
    record["resumed"] = is_resumed(session)
    if parameters.resumption:
        record["resumption"] = None if parameters.resumption == UNKNOWN_WAY else parameters.resumption
        if resumed_from is not None:
            record["resumes"] = resumed_from.number
    if fingerprint_input is not None:
        record["ja3"], record["ja4"] = hello_fingerprints(fingerprint_input, letter_of(session.transport))
    if answer is not None:
        record["ja3s"] = server_fingerprint(answer)
    if flow.process is not None:
        record["process"] = flow.process.record()
    return record


def inside_of(flow: Flow) -> int | None:
    """Return the number of the session that carries a flow, None where no session does."""
    return None if flow.carrier is None or flow.carrier.session < 0 else flow.carrier.session


def gap_record(gap: Gap) -> dict[str, Any]:
    """Return one entry of `gaps`."""
    return {"from": ROLES[gap.role], "offset": gap.offset, "length": gap.length or None, "after_frame": gap.frame or None}


def endpoint_record(key: bytes, end: cython.int) -> dict[str, Any]:
    """Return one end of a connection, from the `Packet.key()` of its first packet. end: 0 its source, 1 its destination."""
    half: cython.Py_ssize_t = (len(key) - 4) >> 1
    start: cython.Py_ssize_t = half if end else 0
    port: cython.Py_ssize_t = 2 * (half + end)
    number: int | None = None if half == HARDWARE else key[port] << 8 | key[port + 1]
    return {"address": address_text(key[start : start + half]), "port": number}


def ech_record(ech: Any, fields: cython.bint) -> dict[str, Any]:
    """Return the entry `ech`: the result of an offer of Encrypted Client Hello. fields: include `inner`."""
    return {
        "status": ech.status,
        "config_id": ech.config_id,
        "public_name": text(ech.public_name),
        "outer_server_name": text(ech.outer_name),
        "inner_server_name": text(ech.name),
        "inner": ech.body.json() if fields and ech.body is not None else None,
    }


def text(name: bytes | None) -> str | None:
    """Return text from the wire. Bytes that are not UTF-8 become escapes."""
    return None if name is None else name.decode("utf-8", "backslashreplace")


def message_record(message: HandshakeMessage, fields: cython.bint) -> dict[str, Any]:
    """Return one entry of `handshake`. fields: include the decoded fields."""
    kinds: list[dict[str, Any]] | None = MESSAGES.get(message.name)
    if kinds is None:
        kinds = message_kinds(message.name)
    kind: dict[str, Any] = kinds[2 * message.role + message.encrypted]
    record = kind.copy()
    record["frame"] = message.frame
    record["time"] = CLOCK.write(message.at)
    record["length"] = message.length
    if fields and message.body is not None:
        record["message"] = message.body.json()
    if message.problems:
        record["problems"] = [parse_error_record(problem) for problem in message.problems]
    return record


def message_kinds(name: str) -> list[dict[str, Any]]:
    """Return the entries for a message name, by role and encryption. Names are few: message types have 8 bits."""
    unknown = {"frame": None, "time": None, "length": None}
    kinds = [
        {"type": name, "from": role, **unknown, "encrypted": encrypted, "message": None}
        for role in ROLES
        for encrypted in (False, True)
    ]
    MESSAGES[name] = kinds
    return kinds


def parse_error_record(error: ParseError) -> dict[str, Any]:
    """Return what is wrong with a message: the field, its offset in bytes from the start of the message, the cause."""
    return {"field": error.field, "offset": error.offset, "detail": error.why}


def alert_record(alert: Alert) -> dict[str, Any]:
    """Return one entry of `alerts`."""
    kind = alert.level, alert.description, alert.role, alert.encrypted, alert.injected
    known: dict[str, Any] | None = ALERTS.get(kind)
    if known is None:
        known = {
            "level": None if alert.level < 0 else LEVELS[alert.level],
            "description": None if alert.level < 0 else DESCRIPTIONS[alert.description],
            "from": ROLES[alert.role],
            "frame": None,
            "encrypted": alert.encrypted,
            "injected": alert.injected,
        }
        if len(ALERTS) >= REMEMBERED:
            ALERTS.clear()
        ALERTS[kind] = known
    record = known.copy()
    record["frame"] = alert.frame
    return record


def findings_record(session: Session) -> list[dict[str, Any]]:
    """Return the entry `findings`."""
    finding: Finding  # noqa: F842 - its type in the comprehensions below, for C
    parts = session.log.findings, log_findings(session), downgrades(session), session_findings(session)
    found = [finding_record(finding) for part in parts for finding in part]
    work: Any = session.handshake.decryption
    if work is not None:
        found += [finding_record(finding) for finding in anomalies(session)]
        if work.application is not None:
            cut: bool = len(session.log.gaps) > 0 or session.flow.late or session.flow.unseen != 0
            lossy: bool = cut or work.failed > 0 or work.has_gaps
            noted = work.application.findings
            found += [data_finding_record(one) for one in noted if not lossy or one.code not in FROM_LOSS]
    if session.log.repeats:
        found += [finding_record(finding) for finding in session.log.repeats]
    return found


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return one entry of `findings`."""
    return {"code": finding.code, "severity": finding.severity, "detail": finding.detail, "frames": finding.frames}


def decryption_record(session: Session) -> dict[str, Any]:
    """Return the entry `decryption`: what was decrypted, whether anything was encrypted, and what is missing.

    If nothing was decrypted, equal entries are one object, so it must not be changed.
    """
    handshake: SessionHandshake = session.handshake
    work: Decryption | None = handshake.decryption
    record: dict[str, Any] | None
    reason: str | None = None
    if work is not None and (work.records or work.failed):
        record = DECRYPTED.copy()
        record["records"] = work.records
        record["failed"] = work.failed
        record["bytes"] = {"client": work.sent[0], "server": work.sent[1]}
        status = work.status
        if status == "decrypted" and is_exposed(session):
            status, reason = "partial", NOT_ENCRYPTED
        elif status == "decrypted" and is_one_sided(session):
            status, reason = "partial", reason_of(session, True)
        elif status != "decrypted":
            reason = reason_of(session, True)
        if reason is not None:
            record["status"] = status
            record["reason"] = reason
            record["detail"] = evidence(session, reason)
            record["advice"] = advice(session, reason)
        return record
    encrypted = False
    sender: RoleState
    for sender in session.roles:
        if sender.n_protected or sender.n_application:
            encrypted = True
    known = not session.flow.mid_stream and handshake.hellos.client_seen  # keys are found by the random of the ClientHello
    if encrypted:
        reason = reason_of(session, known)
    status = "none" if encrypted else "not_needed"
    detail = None if reason is None else evidence(session, reason)
    advised = None if reason is None else advice(session, reason)
    record = UNDECRYPTED.get((status, reason, detail, advised))
    if record is None:
        record = {
            "status": status,
            "reason": reason,
            "records": 0,
            "failed": 0,
            "bytes": {"client": 0, "server": 0},
            "detail": detail,
            "advice": advised,
        }
        if len(UNDECRYPTED) >= REMEMBERED_REASONS:
            UNDECRYPTED.clear()
        UNDECRYPTED[status, reason, detail, advised] = record
    return record


def is_exposed(session: Session) -> cython.bint:
    """Return whether a role sent data, or its Finished, in plaintext where it had to encrypt (up to TLS 1.2)."""
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    return not session.handshake.parameters.tls13 and (client.exposed or server.exposed)


def is_one_sided(session: Session) -> cython.bint:
    """Return whether a role sent data of which nothing opened, because its ChangeCipherSpec was not seen (up to TLS 1.2)."""
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    if session.handshake.parameters.tls13:
        return False
    return (client.change_frame == 0 and client.n_application > 0) or (server.change_frame == 0 and server.n_application > 0)


def http_record(session: Session) -> list[dict[str, Any]]:
    """Return the entry `http`."""
    work: Any = session.handshake.decryption
    return [] if work is None or work.application is None else work.application.record()


def dns_record(session: Session) -> list[dict[str, Any]] | None:
    """Return the entry `dns`; None where no DNS was read."""
    work: Any = session.handshake.decryption
    messages = None if work is None else getattr(work.application, "dns", None)
    return None if messages is None else [message.record() for message in messages]


def data_finding_record(finding: Any) -> dict[str, Any]:
    """Return one entry of `findings`, for an anomaly inside the application data."""
    frames = [finding.frame] if finding.frame > 0 else []
    return {"code": finding.code, "severity": "low", "detail": finding.detail, "frames": frames}


def hello_fingerprints(fingerprint_input: FingerprintInput, letter: str = "t") -> tuple[str, str]:
    """Return JA3 and JA4 of a ClientHello. letter: what JA4 has for its transport."""
    known: tuple[FingerprintInput, tuple[str, str]] | None = FINGERPRINTS.get(id(fingerprint_input))
    if known is not None and known[1][1].startswith(letter):
        return known[1]
    version, suites, types, groups, formats, schemes, versions, first = fingerprint_input
    named: bool = SERVER_NAME in types
    fingerprints = (
        ja3(version, suites, types, groups, formats),
        ja4(letter, highest_version(version, versions), named, suites, types, first, schemes),
    )
    if len(suites) + len(types) < LONGEST_REMEMBERED:
        if len(FINGERPRINTS) >= REMEMBERED:
            FINGERPRINTS.clear()
        FINGERPRINTS[id(fingerprint_input)] = fingerprint_input, fingerprints
    return fingerprints


def server_fingerprint(fingerprint_input: ServerFingerprintInput) -> str:
    """Return JA3S of a ServerHello."""
    known: tuple[ServerFingerprintInput, str] | None = SERVER_FINGERPRINTS.get(id(fingerprint_input))
    if known is not None:
        return known[1]
    fingerprint = ja3s(fingerprint_input[0], fingerprint_input[1], fingerprint_input[2])
    if len(fingerprint_input[2]) < LONGEST_REMEMBERED:
        if len(SERVER_FINGERPRINTS) >= REMEMBERED:
            SERVER_FINGERPRINTS.clear()
        SERVER_FINGERPRINTS[id(fingerprint_input)] = fingerprint_input, fingerprint
    return fingerprint


def json_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON."""
    return orjson.dumps(record) + b"\n"
