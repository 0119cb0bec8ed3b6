"""Writes the secrets of chosen sessions as lines of a key log (RFC 9850), and notes where in a capture the sessions are.

The secrets of a session are written in a form that decrypts only this session, however it was decrypted. For TLS 1.3 these are
the lines of the key log with its client random, and with the random of the outer ClientHello if there was another inside (ECH).
Up to TLS 1.2 it is the master secret. A private key is never written, because it would decrypt other sessions too.
"""

from collections.abc import Collection, Iterator, Sequence

from analyzer.engine.run import Listener
from analyzer.packet.addresses import reverse_key
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import CLIENT_RANDOM
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM
from analyzer.tls.session import Session

LARGEST_BLOCK = 1 << 20
"""Bytes of lines after which a Decryption Secrets Block ends. Readers accept less than the format allows."""

Span = tuple[int, int]
"""The first and the last frame of a connection."""


class SessionSecrets(Listener):
    """Collects the secrets of sessions that have ended. The messages of the sessions must have kept their bytes.

    lines: the key log lines by session number. without: the chosen sessions of which no secret is known. spans: the frames of
    a connection, by both of its keys (see `Packet.key`).
    """

    def __init__(self, material: KeyMaterial, sessions: Collection[int] = ()) -> None:
        """material: the secrets that decrypted the sessions. sessions: the numbers of the chosen sessions, all if empty."""
        self._material = material
        self.lines: dict[int, bytes] = {}
        self.without: list[int] = []
        self.spans: dict[bytes, list[Span]] = {}
        self._sessions = set(sessions)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.add(event.ended)

    def add(self, session: Session) -> None:
        """Take a session that has ended."""
        flow = session.flow
        if not self._sessions or session.id in self._sessions:
            lines, span = session_lines(session, self._material.keylog), (flow.first_frame, flow.last_frame)
            self.add_lines(session.id, lines, flow.key, span, around_of(session))

    def add_lines(self, number: int, lines: bytes, key: bytes, span: Span, around: int = -1) -> None:
        """Take the key log lines of the session with that number, the key of its flow, and its frames.

        around: the number of the session that carries it, -1 for none. It ends later, and its secrets are needed too.
        """
        if self._sessions and number not in self._sessions:
            return
        if self._sessions and around >= 0:
            self._sessions.add(around)
        if lines:
            self.lines[number] = lines
        else:
            self.without.append(number)
        for one in (key, reverse_key(key)):
            self.spans.setdefault(one, []).append(span)

    def blocks(self) -> Iterator[bytes]:
        """Yield all lines in the order of sessions, in blocks of at most LARGEST_BLOCK plus the lines of one session."""
        block = bytearray()
        for number in sorted(self.lines):
            block += self.lines[number]
            if len(block) >= LARGEST_BLOCK:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


def around_of(session: Session) -> int:
    """Return the number of the session that carries another one, -1 for none."""
    carrier = session.flow.carrier
    return -1 if carrier is None else int(carrier.session)


def session_lines(session: Session, keylog: KeyLog | None) -> bytes:
    """Return the key log lines of a session that has ended. keylog: where its secrets are from."""
    return b"".join(_lines(session, keylog))


def _lines(session: Session, keylog: KeyLog | None) -> Iterator[bytes]:
    named: dict[bytes, bytes | None] = {}
    verified: dict[str, bytes] = {}
    for message in session.log.messages:
        if message.type == CLIENT_HELLO:
            named[message.raw[RANDOM]] = None
    if session.decryption is not None:
        named |= session.decryption.keys.named
        verified = session.decryption.keys.verified
    for random, master in named.items():
        if master is not None:
            yield f"{CLIENT_RANDOM} {random.hex()} {master.hex()}\n".encode("ascii")
        elif keylog is not None:
            yield keylog.write(random, verified)
