"""The secrets of chosen sessions as lines of a key log (RFC 9850), and where in a capture the sessions are.

Whatever opened a session, its secrets are written in a form that opens it alone: of TLS 1.3 the lines of the key log under its
client random, and under the outer one where that hid another (ECH); up to TLS 1.2 its master secret. So a private key, which
would open others too, is never written.
"""

from collections.abc import Collection, Iterator

from analyzer.secrets.keylog import CLIENT_RANDOM, KeyLog
from analyzer.tls.session import Session

LARGEST_BLOCK = 1 << 20
"""Bytes of lines in one Decryption Secrets Block; readers take less than the format allows."""

_CLIENT_HELLO = 1
_RANDOM = slice(6, 38)

Span = tuple[int, int]
"""The first and the last frame of a connection."""


class SessionSecrets:
    """Collects from sessions that have ended, whose messages kept their bytes.

    lines: by number of session. without: the chosen sessions of which no secret is known. spans: by both keys of a connection,
    as of `Packet.key`, where it is in the capture.
    """

    def __init__(self, sessions: Collection[int] = ()) -> None:
        """sessions: the numbers of those chosen, all if empty."""
        self.lines: dict[int, bytes] = {}
        self.without: list[int] = []
        self.spans: dict[bytes, list[Span]] = {}
        self._sessions = frozenset(sessions)

    def take(self, session: Session, keylog: KeyLog | None) -> None:
        """Take a session; `keylog` is what was there to open it."""
        if self._sessions and session.id not in self._sessions:
            return
        lines = b"".join(_lines(session, keylog))
        if lines:
            self.lines[session.id] = lines
        else:
            self.without.append(session.id)
        connection = session.connection
        for half in (connection.opener, connection.answerer):
            self.spans.setdefault(half.key, []).append((session.first_frame, session.last_frame))

    def blocks(self) -> Iterator[bytes]:
        """All lines in order of sessions, in blocks of at most LARGEST_BLOCK and a session's lines."""
        block = bytearray()
        for number in sorted(self.lines):
            block += self.lines[number]
            if len(block) >= LARGEST_BLOCK:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


def _lines(session: Session, keylog: KeyLog | None) -> Iterator[bytes]:
    named: dict[bytes, bytes | None] = {}
    proven: dict[str, bytes] = {}
    for message in session.messages:
        if message.type == _CLIENT_HELLO:
            named[message.raw[_RANDOM]] = None
    if session.decryption is not None:
        named |= session.decryption.named
        proven = session.decryption.proven
    for random, master in named.items():
        if master is not None:
            yield f"{CLIENT_RANDOM} {random.hex()} {master.hex()}\n".encode("ascii")
        elif keylog is not None:
            yield keylog.write(random, proven)
