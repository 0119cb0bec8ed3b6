"""Writes the session record as a line of JSON, without making its values first.

The line is that of `session_record`, byte for byte, for a fraction of its instructions. Each part of the record was written
once as JSON with holes, by the functions of `session_record`, and a session fills in numbers and times. Parts that are the same
in many sessions are remembered as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from analyzer.analysis.authenticity import authenticity
from analyzer.analysis.before_tls import before_of
from analyzer.analysis.calm_outcome import calm_end
from analyzer.analysis.outcome import outcome
from analyzer.analysis.outcome_facts import ESTABLISHED, Outcome
from analyzer.analysis.outcome_steps import spans
from analyzer.analysis.shown_certificates import LISTED, NONE, shown_certificates
from analyzer.analysis.shown_resumption import is_resumed
from analyzer.codec.byte_slices import slice_bytes
from analyzer.flows.flow import Flow
from analyzer.packet.addresses import HARDWARE, address_text
from analyzer.store.certificate_records import certificate_record
from analyzer.store.chain_verdicts import CLIENT, SERVER
from analyzer.store.clock import Clock, rfc3339
from analyzer.store.declaration import empty, path_text
from analyzer.store.quic_record import letter_of, quic_facts, quic_record
from analyzer.store.schema import SESSION
from analyzer.store.session_record import (
    alert_record,
    decryption_record,
    dns_record,
    ech_record,
    findings_record,
    gap_record,
    hello_fingerprints,
    http_record,
    inside_of,
    message_record,
    server_fingerprint,
    session_head,
    text,
)
from analyzer.store.unjudged_chains import UNJUDGED_JSON
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import Alert, Gap, HandshakeMessage, handshake_message
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.tls.session_log import SessionLog

if TYPE_CHECKING:
    import cython

REMEMBERED = 4096
"""The most entries that each memory keeps. Most sessions share a few of each."""

REMEMBERED_SHARED = 512
"""Maximum number of cached objects that many sessions share: the reasons and results of `session_record` and `authenticity`."""

LONGEST_REMEMBERED = 1 << 14
"""The most bytes of a name or certificate whose JSON is kept."""

SECOND = 1_000_000_000

SMALLEST_DECIMAL = 100_000
"""Nanoseconds from which orjson writes seconds without an exponent."""

LARGEST_EXACT = 10**15
"""Nanoseconds up to which a float of seconds has all digits, because it needs no more than 15 of them."""

ZEROS: tuple[str, ...] = tuple("0" * n for n in range(10))

_HOLE = "\0"
"""Stands for a value that is filled in later; JSON has no such character."""

HOLE: Any = orjson.Fragment(_HOLE)
QUOTED_HOLE: Any = orjson.Fragment(f'"{_HOLE}"')

QUOTED: Clock = Clock('"', "null")
"""Writes times as JSON."""


def template(first: str, last: str, **values: Any) -> tuple[str, ...]:
    """Return the JSON of the record's keys from one to another, split at its holes. values: those that are more than a hole."""
    keys = list(empty(SESSION))
    chosen = {key: values.get(key, HOLE) for key in keys[keys.index(first) : keys.index(last) + 1]}
    written = orjson.dumps(chosen).decode().removeprefix("{").removesuffix("}")
    opening, closing = "{" if first == "id" else ",", "}" if last == "process" else ""
    return tuple(f"{opening}{written}{closing}".split(_HOLE))


def around_holes(value: Any) -> tuple[str, ...]:
    """Return the JSON of a value that contains holes, split at them."""
    return tuple(orjson.dumps(value).decode().split(_HOLE))


_END = {"address": QUOTED_HOLE, "port": HOLE}
HEAD: tuple[str, ...] = template("id", "end_time", protocol=QUOTED_HOLE, client=_END, server=_END)
PATHS: dict[str, str] = {}
_SIDES = {"client": HOLE, "server": HOLE}
FINGERPRINTS: tuple[str, ...] = template("ja3", "ja4")
TAIL: tuple[bytes, ...] = tuple(
    part.encode() for part in template("handshake", "process", handshake=[HOLE], alerts=[HOLE], certificates=_SIDES)
)
KNOWN_FACTS: dict[tuple[Any, ...], tuple[bytes, bytes, bytes, bytes]] = {}
ADDRESSES: dict[bytes, str] = {}
NAMES: dict[bytes, bytes] = {}
MESSAGES: dict[str, list[tuple[str, ...]]] = {}
CALM: dict[tuple[Any, ...], tuple[str, ...]] = {}
"""The outcomes of calm sessions, by who ended them and the step, split at frames and durations."""
ALERTS: dict[tuple[int, int, int, bool, bool], tuple[str, ...]] = {}
CERTIFICATES: dict[bytes, bytes] = {}
SHARED: dict[int, tuple[dict[str, Any], bytes]] = {}
"""The JSON of values that are one object for many sessions, by their identity; an entry keeps its object alive."""


def session_json(
    session: Session,
    messages: cython.bint,
    chains: Any,
    resumes: bytes | None = None,
    signatures: cython.bint = True,
    holes: Any = None,
) -> bytes:
    """Return the record of a session that has ended, as a line of JSON without its end.

    messages: include the decoded fields of every handshake message. chains: has the methods `json` and `outcome` of `Chains`.
    resumes: the value of that key; None for what the session itself knows. signatures: as in `session_record`. holes: the
    `Holes`, if the session does not know what it repeats.
    """
    log: SessionLog = session.log
    handshake: SessionHandshake = session.handshake
    hellos: Hellos = handshake.hellos
    work: Decryption | None = handshake.decryption
    quic: Any = quic_facts(session.transport)
    message: HandshakeMessage  # noqa: F842 - the types of the comprehensions below, for C
    alert: Alert  # noqa: F842
    gap: Gap  # noqa: F842
    client, server = handshake.certificates
    shown_client: cython.int = shown_certificates(session, CLIENT)
    shown_server: cython.int = shown_certificates(session, SERVER)
    start: str | None = rfc3339(session.flow.start) if client or server else None
    if resumes is None:
        found = handshake.resumed_from
        resumes = b"null" if found is None or not handshake.parameters.resumption else b"%d" % found.number
    before, middle, between, behind = facts(session, messages)
    found_outcome, asks_chain = outcome_json(session)
    findings = findings_record(session)
    opened: cython.bint = work is not None and (work.records > 0 or work.failed > 0)
    decryption = decryption_record(session)
    line: bytes = b"".join(
        (
            head(session).encode(),
            before,
            b"null" if hellos.server_name is None else name_json(hellos.server_name),
            middle,
            found_outcome,
            between,
            resumes,
            behind,
            fingerprints(session).encode(),
            TAIL[0],
            ",".join([message_json(message, messages) for message in log.messages]).encode(),
            TAIL[1],
            ",".join([alert_json(alert) for alert in log.alerts]).encode() if log.alerts else b"",
            TAIL[2],
            certificates_json(client, shown_client),
            TAIL[3],
            certificates_json(server, shown_server),
            TAIL[4],
            chains.json(session, SERVER, start) if shown_server == LISTED else UNJUDGED_JSON[shown_server],
            TAIL[5],
            chains.json(session, CLIENT, start) if shown_client == LISTED else UNJUDGED_JSON[shown_client],
            TAIL[6],
            orjson.dumps(decryption) if opened else shared_json(decryption),
            TAIL[7],
            shared_json(authenticity(session)) if signatures else b"null",
            TAIL[8],
            orjson.dumps([gap_record(gap) for gap in log.gaps]) if log.gaps else b"[]",
            TAIL[9],
            b"[]" if work is None else orjson.dumps(http_record(session)),
            TAIL[10],
            b"null" if quic is None else orjson.dumps(dns_record(session)),
            TAIL[11],
            b"null" if quic is None else quic_json(session),
            TAIL[12],
            (orjson.dumps(findings) if findings else b"[]") if holes is None else open_list(findings, holes),
            TAIL[13],
            b"null" if session.flow.process is None else orjson.dumps(session.flow.process.record()),
            TAIL[14],
        )
    )
    if asks_chain:
        line = chains.outcome(line)
    return line


def quic_json(session: Session) -> bytes:
    """Return the entry `quic` as JSON."""
    written: bytes = orjson.dumps(quic_record(quic_facts(session.transport), session.handshake.parameters.alpn))
    return written


def outcome_json(session: Session) -> tuple[bytes, bool]:
    """Return the entry `outcome`, and whether the verdict on the server's chain decides about it."""
    calm: tuple[Any, ...] | None = calm_end(session)
    if calm is None:
        found = outcome(session)
        return orjson.dumps(found.record()), found.asks_chain
    by, step, frame = calm
    kind: tuple[str, ...] | None = CALM.get((by, step))
    if kind is None:
        holes = {"tcp": HOLE, "hello": HOLE, "handshake": HOLE, "total": HOLE}
        known = Outcome(ESTABLISHED, by, step)
        CALM[by, step] = kind = around_holes(known.record() | {"frames": [HOLE], "durations": holes})
    tcp, hello, handshake, total = spans(session)
    written = (
        f"{kind[0]}{frame or ''}{kind[1]}{seconds_json(tcp)}{kind[2]}{seconds_json(hello)}{kind[3]}"
        f"{seconds_json(handshake)}{kind[4]}{seconds_json(total)}{kind[5]}"
    )
    return written.encode(), False


def seconds_json(nanoseconds: cython.longlong) -> str:
    """Return nanoseconds as JSON in seconds, with as few digits as orjson writes; null for a number below 0."""
    if nanoseconds < 0:
        return "null"
    if nanoseconds < SMALLEST_DECIMAL or nanoseconds >= LARGEST_EXACT:
        known: str = orjson.dumps(nanoseconds / 1e9).decode()
        return known
    seconds: cython.longlong = nanoseconds // SECOND
    rest: cython.longlong = nanoseconds - seconds * SECOND
    digits: cython.int = 9
    while digits > 1 and rest % 10 == 0:
        rest //= 10
        digits -= 1
    fraction: str = f"{rest}"
    return f"{seconds}.{ZEROS[digits - len(fraction)]}{fraction}"


def open_list(findings: list[Any], holes: Any) -> bytes:
    """Return a list as JSON, with a hole at its end."""
    end: bytes = holes.repeats(len(findings) > 0)
    written: bytes = orjson.dumps(findings)
    return b"%b%b]" % (written[: len(written) - 1], end)


def head(session: Session) -> str:
    """Return the JSON of the record's keys up to the times."""
    flow: Flow = session.flow
    key: bytes = flow.key
    half: cython.Py_ssize_t = (len(key) - 4) >> 1
    at: cython.Py_ssize_t = 2 * half
    client_port: str = "null" if half == HARDWARE else str(key[at] << 8 | key[at + 1])
    server_port: str = "null" if half == HARDWARE else str(key[at + 2] << 8 | key[at + 3])
    client: str = address(slice_bytes(key, 0, half))
    server: str = address(slice_bytes(key, half, at))
    protocol: str = "tls" if session.transport is None else session.transport.name
    return (
        f"{HEAD[0]}{session.id}{HEAD[1]}{protocol}{capture_json(flow)}{client}{HEAD[5]}{client_port}{HEAD[6]}{server}{HEAD[7]}{server_port}{HEAD[8]}"
        f"{before_json(flow)}{HEAD[9]}{inside_json(flow)}{HEAD[10]}{flow.first_frame}{HEAD[11]}{flow.last_frame}{HEAD[12]}"
        f"{QUOTED.write(flow.start)}{HEAD[13]}{QUOTED.write(flow.end)}"
    )


def capture_json(flow: Flow) -> str:
    """Return the JSON of the keys `capture` and `frame_in_capture`, with what is before and behind their values."""
    path: str = "null"
    number: str = "null"
    if flow.capture is not None:
        known: str | None = PATHS.get(flow.capture[0])
        if known is None:
            known = orjson.dumps(path_text(flow.capture[0])).decode()
            keep(PATHS, flow.capture[0], known)
        path = known
        if flow.capture[1] is not None:
            number = str(flow.capture[1])
    return f"{HEAD[2]}{path}{HEAD[3]}{number}{HEAD[4]}"


def before_json(flow: Flow) -> str:
    """Return what came before TLS as JSON."""
    if flow.before is None and flow.carrier is None:
        return "null" if flow.late else "[]"
    written: str = orjson.dumps(before_of(flow)).decode()
    return written


def inside_json(flow: Flow) -> str:
    """Return the number of the session that carries a flow, as JSON."""
    number: int | None = None if flow.carrier is None else inside_of(flow)
    return "null" if number is None else str(number)


def address(known: bytes) -> str:
    """Return the text of an address of 4 or 16 bytes."""
    written: str | None = ADDRESSES.get(known)
    if written is None:
        written = address_text(known)
        keep(ADDRESSES, known, written)
    return written


def facts(session: Session, messages: cython.bint) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the JSON of the keys from `version` to `resumes`, without the values of `server_name`, `outcome` and `resumes`.

    These are four parts: before the first value, between the values, behind the last (with the name of the next key).
    """
    hellos: Hellos = session.handshake.hellos
    parameters: Parameters = session.handshake.parameters
    kind = (
        session.log.version, parameters.cipher_suite, parameters.group, parameters.alpn, session.established,
        parameters.resumption, is_resumed(session),
    )  # fmt: skip
    known: tuple[bytes, bytes, bytes, bytes] | None = KNOWN_FACTS.get(kind) if hellos.ech is None else None
    if known is None:
        record = session_head(session) | {"server_name": HOLE, "outcome": HOLE, "resumes": HOLE}
        if hellos.ech is not None:
            record["ech"] = ech_record(hellos.ech, messages)
        before, middle, between, behind = template("version", "resumes", **record)
        known = before.encode(), middle.encode(), between.encode(), behind.encode()
        if hellos.ech is None:
            keep(KNOWN_FACTS, kind, known)
    return known


def fingerprints(session: Session) -> str:
    """Return the JSON of the fingerprints."""
    hellos: Hellos = session.handshake.hellos
    client = hellos.fingerprint_input
    server = hellos.server_fingerprint_input
    ja3, ja4 = ("", "") if client is None else hello_fingerprints(client, letter_of(session.transport))
    ja3s = "" if server is None else server_fingerprint(server)
    if client is not None and server is not None:
        return f'{FINGERPRINTS[0]}"{ja3}"{FINGERPRINTS[1]}"{ja3s}"{FINGERPRINTS[2]}"{ja4}"'
    written = [f'"{value}"' if value else "null" for value in (ja3, ja3s, ja4)]
    return f"{FINGERPRINTS[0]}{written[0]}{FINGERPRINTS[1]}{written[1]}{FINGERPRINTS[2]}{written[2]}"


def name_json(name: bytes) -> bytes:
    """Return a server name as JSON."""
    known: bytes | None = NAMES.get(name)
    if known is None:
        known = orjson.dumps(text(name))
        if len(name) <= LONGEST_REMEMBERED:
            keep(NAMES, name, known)
    return known


def message_json(message: HandshakeMessage, fields: cython.bint) -> str:
    """Return one entry of `handshake`, as `message_record`."""
    if message.problems or (fields and message.body is not None):
        written: str = orjson.dumps(message_record(message, fields)).decode()
        return written
    kinds: list[tuple[str, ...]] | None = MESSAGES.get(message.name)
    if kinds is None:
        kinds = message_kinds(message.name)
    kind: tuple[str, ...] = kinds[2 * message.role + message.encrypted]
    return f"{kind[0]}{message.frame}{kind[1]}{QUOTED.write(message.at)}{kind[2]}{message.length}{kind[3]}"


def message_kinds(name: str) -> list[tuple[str, ...]]:
    """Return the entries for a message name, by role and encryption, split at frame, time and length."""
    holes = {"frame": HOLE, "time": HOLE, "length": HOLE}
    kinds = []
    for role in range(2):
        for encrypted in (False, True):
            message = handshake_message(0, name, role, 0, -1, 0, b"", None, [], encrypted)
            kinds.append(around_holes(message_record(message, False) | holes))
    MESSAGES[name] = kinds  # names are few: message types have 8 bits
    return kinds


def alert_json(alert: Alert) -> str:
    """Return one entry of `alerts`, as `alert_record`."""
    kind = alert.level, alert.description, alert.role, alert.encrypted, alert.injected
    known: tuple[str, ...] | None = ALERTS.get(kind)
    if known is None:
        known = around_holes(alert_record(alert) | {"frame": HOLE})
        keep(ALERTS, kind, known)
    return f"{known[0]}{alert.frame}{known[1]}"


def certificates_json(listed: list[bytes] | None, shown: cython.int) -> bytes:
    """Return the certificates of a role, as `certificates_record`. shown: what `shown_certificates` says of them."""
    if listed:
        return b"[%b]" % b",".join([certificate_json(der) for der in listed])
    return b"[]" if shown == NONE else b"null"


def certificate_json(der: bytes) -> bytes:
    """Return one entry of `certificates`, as `certificate_record`."""
    known: bytes | None = CERTIFICATES.get(der)
    if known is None:
        known = orjson.dumps(certificate_record(der))
        if len(der) <= LONGEST_REMEMBERED:
            keep(CERTIFICATES, der, known)
    return known


def shared_json(value: dict[str, Any]) -> bytes:
    """Return the JSON of an object that many sessions share."""
    known: tuple[dict[str, Any], bytes] | None = SHARED.get(id(value))
    if known is None:
        known = value, orjson.dumps(value)
        if len(SHARED) >= REMEMBERED_SHARED:
            SHARED.clear()
        SHARED[id(value)] = known
    return known[1]


def keep(memory: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep a value. A full memory begins anew."""
    if len(memory) >= REMEMBERED:
        memory.clear()
    memory[key] = value
