"""Compares a key log with the sessions of a capture.

A session up to TLS 1.2 needs one secret: the master secret under its client random. A session of TLS 1.3 needs four, one for
each direction of the handshake and of the application data, and one more for early data (RFC 9850 section 2).

The presence of some of them proves little. Programs log only a part. A log may be of another run, or of the other side of a
proxy. If Encrypted Client Hello was accepted, the secrets are under a client random that is never on the wire (RFC 9849).
Therefore the audit reports for every session which secrets it needs, which of them the log has, and whether its records
decrypt. It reports for every line of the log whether it names a session of the capture.

The results contain no secret except the lines of the log themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.keylog_line import Line
from analyzer.secrets.labels import CLIENT_RANDOM, EARLY_LABEL, PREMASTER, TRAFFIC_SECRETS
from analyzer.secrets.private_keys import PrivateKey
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.compatible_hello import client_random_of, is_compatible
from analyzer.tls.messages.numbers import CLIENT_HELLO, CLIENT_KEY_EXCHANGE, EARLY_DATA, SERVER_HELLO, SSL3
from analyzer.tls.session import Session

COMPLETE, PARTIAL, NONE, NOT_NEEDED = "complete", "partial", "none", "not_needed"
"""Verdicts on a session: the log has all secrets that it needs, a part of them, or none; or the session encrypts nothing."""

NAMED_SESSIONS = 20
"""Maximum number of sessions that are listed for a private key."""


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What the keys contain for one session.

    client_random: from its first ClientHello; None if the capture does not have it. found: labels in the order of the log, each
    once. missing: the labels that it needs in addition. conflicting: labels for which the log has different secrets. lines: the
    lines of the log that name the session. inner_random: from the hello inside an Encrypted Client Hello, if known. ech:
    whether the client offered Encrypted Client Hello and it is not known what became of the offer. key: the source of the
    private key that matches the server's certificate. verdict: one of the verdicts above. detail: an explanation of the
    verdict, may be empty.
    """

    client_random: bytes | None
    found: tuple[str, ...]
    missing: tuple[str, ...]
    conflicting: tuple[str, ...]
    lines: tuple[Line, ...]
    inner_random: bytes | None
    ech: bool
    key: str | None
    verdict: str
    detail: str


@dataclass(slots=True)
class KeyFit:
    """What one private key can do.

    opens: the sessions that it decrypts. signs: the sessions whose certificate matches it, but whose secrets it cannot give.
    Both hold the numbers of the first NAMED_SESSIONS sessions. n_opens, n_signs: how many there are in all.
    """

    source: str
    n_bits: int
    opens: list[int]
    signs: list[int]
    n_opens: int = 0
    n_signs: int = 0


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the audit needs to know of a session.

    id: its number. randoms, inner, session_id, encrypted: all names by which a key log may refer to it: its client randoms, the
    one of the hello inside an Encrypted Client Hello, its session id, and the encrypted premaster secret. early: whether it has
    early data. ech: whether the client offered Encrypted Client Hello and it is not known what became of the offer. version,
    tls13: as negotiated. transports: whether the client sends the premaster secret, encrypted to the server's RSA key.
    certificate: of the server, DER, None if there is none.
    """

    id: int
    randoms: tuple[bytes, ...]
    inner: bytes | None
    session_id: bytes
    encrypted: bytes
    early: bool
    ech: bool
    version: int
    tls13: bool
    transports: bool
    certificate: bytes | None


class KeyAudit:
    """Takes the sessions of a run as they end, while they still have their messages.

    sessions: how many there were. wanting: how many of them encrypt something. known: for how many the log has a line.
    verdicts: how many of each. offering: how many offer Encrypted Client Hello and have no line in the log.
    """

    def __init__(self, material: KeyMaterial) -> None:
        self.material = material
        self.sessions = self.wanting = self.known = self.offering = 0
        self.verdicts = dict.fromkeys((COMPLETE, PARTIAL, NONE, NOT_NEEDED), 0)
        self.fits = [KeyFit(key.source, key.n_bytes * 8, [], []) for key in material.private_keys]
        self._named: set[bytes] = set()

    def take(self, facts: KeyFacts, status: str, reason: str | None) -> SessionKeys:
        """Compare a session that has ended with the keys. status, reason: the result of its decryption, as in its record."""
        keylog = self.material.keylog
        lines = [] if keylog is None else _lines(keylog, facts)
        self._named.update(line.session for line in lines)
        found = tuple(dict.fromkeys(line.label for line in lines))
        missing = _missing(facts, found)
        key = self._fit(facts, status)
        verdict, detail = _judge(facts, lines, missing, status, reason)
        if verdict == NONE and facts.randoms:
            detail = "no key log was given" if keylog is None else _unread(keylog, facts.randoms) or detail
        self.sessions += 1
        self.verdicts[verdict] += 1
        self.wanting += verdict != NOT_NEEDED
        self.known += bool(lines)
        self.offering += facts.ech and not lines
        return SessionKeys(
            client_random=facts.randoms[0] if facts.randoms else None,
            found=found,
            missing=() if verdict in (COMPLETE, NOT_NEEDED) else missing,
            conflicting=tuple(dict.fromkeys(line.label for line in lines if _contradicted(line, lines))),
            lines=tuple(lines),
            inner_random=facts.inner,
            ech=facts.ech,
            key=key,
            verdict=verdict,
            detail=detail,
        )

    def unused(self) -> Iterator[Line]:
        """Return the lines of the log that name no session so far."""
        keylog = self.material.keylog
        return iter(()) if keylog is None else (line for line in keylog.lines() if line.session not in self._named)

    def sentence(self) -> str:
        """Return a sentence that says whether the log belongs to this capture."""
        keylog = self.material.keylog
        lines = [] if keylog is None else list(keylog.lines())
        # ECH_SECRET and ECH_CONFIG are under a second name of a session; its other secrets are under the first.
        names = {line.session for line in lines if not line.label.startswith("ECH_")} or {line.session for line in lines}
        named = names & self._named
        if keylog is None:
            return "No key log was given, and the capture holds none."
        if not names:
            return f"The key log {keylog.fault() or 'has no secret that can be read'}."
        # A session that renegotiates has several handshakes, each with its own name.
        has = f"The log has secrets of {_count(len(names), 'handshake' if len(named) > self.sessions else 'session')}"
        if not named:
            if self.offering:
                return (
                    f"{has}, none of which is seen in this capture; {_count(self.offering, 'session')} of it may have another "
                    "client random inside an Encrypted Client Hello."
                )
            why = "it is of another run, of another program, or of the other side of a proxy"
            return f"{has}, none of this capture: {why}." if self.sessions else f"{has}; the capture has no TLS session."
        of = "all of them" if len(named) == len(names) else f"{len(named)} of them"
        return f"{has}, {of} of this capture, which has {_count(self.sessions, 'session')}."

    def _fit(self, facts: KeyFacts, status: str) -> str | None:
        """Count the session for every private key that matches the server's certificate. Return the source of the last such
        key.
        """
        if facts.certificate is None:
            return None
        fitting: PrivateKey | None = None
        for key, fit in zip(self.material.private_keys, self.fits, strict=True):
            if key.belongs_to(facts.certificate):
                fitting = key
                opened = status in ("decrypted", "partial") and facts.transports
                fit.n_opens += opened
                fit.n_signs += not opened
                named = fit.opens if opened else fit.signs
                if len(named) < NAMED_SESSIONS:
                    named.append(facts.id)
        return None if fitting is None else fitting.source


def key_facts(session: Session) -> KeyFacts:
    """Return what the audit needs to know of a session that has ended, and that still has its messages."""
    handshake = session.handshake
    parameters, certificates = handshake.parameters, handshake.certificates[1]
    transports = parameters.suite is not None and parameters.suite.key_exchange == "RSA"
    randoms: dict[bytes, None] = {}
    session_id = encrypted = b""
    early = False
    message: HandshakeMessage
    for message in session.log.messages:
        raw = message.raw
        random = client_random_of(raw) if message.type == CLIENT_HELLO and message.role == 0 else b""
        if random:
            if not randoms and message.body is not None and not is_compatible(raw):
                early = message.body.extension(EARLY_DATA) is not None
            randoms[random] = None
        elif message.type == SERVER_HELLO and not session_id:
            session_id = getattr(message.body, "legacy_session_id_echo", None) or b""
        elif message.type == CLIENT_KEY_EXCHANGE and not encrypted and transports:
            encrypted = raw[4:] if parameters.version <= SSL3 else raw[6:]
    ech = handshake.hellos.ech
    inner = None if ech is None else ech.random
    if inner is not None:
        randoms[inner] = None
    if session.decryption is not None:
        randoms |= dict.fromkeys(session.decryption.keys.named)  # randoms found by trial are in no hello
    return KeyFacts(
        id=session.id,
        randoms=tuple(randoms),
        inner=inner,
        session_id=b"" if parameters.tls13 else session_id,
        encrypted=encrypted,
        early=early,
        ech=ech is not None and ech.status == "offered",
        version=parameters.version,
        tls13=parameters.tls13,
        transports=transports,
        certificate=certificates[0] or None if certificates else None,
    )


def _lines(keylog: KeyLog, facts: KeyFacts) -> list[Line]:
    lines = keylog.lines_of(facts.randoms[0] if facts.randoms else b"", facts.session_id, facts.encrypted)
    for later in facts.randoms[1:]:
        lines += keylog.lines_of(later)
    return lines


def _judge(facts: KeyFacts, lines: Sequence[Line], missing: Sequence[str], status: str, reason: str | None) -> tuple[str, str]:
    """Return the verdict on a session, and an explanation."""
    if status == "not_needed":
        return NOT_NEEDED, "nothing of it is encrypted"
    if status == "decrypted":
        return COMPLETE, "" if not missing else "opened without a line of its own"
    if lines and not missing:
        if reason == "wrong_secret":
            return COMPLETE, "but they do not open its records: they are not of this session"
        return COMPLETE, "" if reason is None else f"but not all of it opens: {reason.replace('_', ' ')}"
    if lines:
        return PARTIAL, f"{missing[0]} is missing" if len(missing) == 1 else f"{', '.join(missing)} are missing"
    if not facts.randoms:
        return NONE, "its ClientHello, by which a key log names it, is not in the capture"
    if facts.ech:
        return NONE, "it may have another client random inside its Encrypted Client Hello, which ECH_SECRET tells"
    if not facts.version:
        return NONE, "its ServerHello is not in the capture"
    return NONE, "no line has its client random"


def _unread(keylog: KeyLog, randoms: Sequence[bytes]) -> str:
    """Return why there is no line for a session, if lines could not be read."""
    cut = next(filter(None, map(keylog.cut_lines, randoms)), None)
    if cut:
        return f"line {cut[0].line} names it and cannot be read: {cut[0].why}"
    fault = keylog.fault()
    return f"the key log {fault}" if fault else ""


def _missing(facts: KeyFacts, found: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a session needs and the log does not have."""
    if facts.tls13:
        needed = (EARLY_LABEL, *TRAFFIC_SECRETS) if facts.early else TRAFFIC_SECRETS
        return tuple(label for label in needed if label not in found)
    if facts.version:
        return () if {CLIENT_RANDOM, PREMASTER, "RSA"}.intersection(found) else (CLIENT_RANDOM,)
    return ()


def _contradicted(line: Line, lines: Sequence[Line]) -> bool:
    """Return whether another line with the same name and label has another secret. Secrets after a KeyUpdate share a label."""
    if line.label.endswith("_N"):
        return False
    return any(one.label == line.label and one.session == line.session and one.secret != line.secret for one in lines)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
