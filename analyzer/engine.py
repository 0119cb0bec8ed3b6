"""The one place that wires the rooms: frames in, one ordered stream of finished sessions out.

A file, a pipe and a live interface drive the same engine: `feed` takes one frame, `run` all frames that a walker can give
without more bytes. Sessions come out of `drain` as their connections end, so memory grows with the connections open at one
moment and not with the capture. The same frames give the same sessions. This module is compiled (see setup.cfg) and runs the
same uncompiled.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import cython

from analyzer.capture.frame import Frame
from analyzer.capture.reader import CaptureReader
from analyzer.capture.walker import Walker
from analyzer.flows.fragments import Defragmenter, FragmentReport
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read, read_ip
from analyzer.packet.packet import Packet
from analyzer.tls.detect import Sessions
from analyzer.tls.secrets import Application, Secrets
from analyzer.tls.session import Session

TCP = 6

# Once compiled this is a C variable, which no other module sees.
_TCP = TCP

TLS_KEY_LOG = 0x544C534B
"""The type of a Decryption Secrets Block that holds a TLS key log (pcapng, section 4.7)."""

THE_CAPTURE = "the capture"
"""What the lines of such blocks have as their source."""

MAX_REPORTS = 1024
"""Reports of odd fragments that are kept; a flood of fragments makes one for each."""


class Engine:
    """All rooms behind one door.

    packet: what the last frame fed said of addresses and ports; of a datagram that its fragments have just completed, the
    whole. trace: with `trace=True` the events of the last frame fed, pairs of a session and its message, alert or event; the
    caller clears the list. With `fields=False` messages come without their bytes and decoded fields. keylog, private_keys, psks
    (by identity): what decrypts; secrets inside a capture are read into the same key log, before the frames that follow them.
    coming: tells whether secrets may still come, so that sessions wait for them; not for those who look at the trace of each
    frame. application: makes the reader of a session's application data, `conversation` if None. answers: gives what keeps OCSP
    responses and revocation lists (`x509.answers.Answers`), asked when one comes by in clear HTTP; without it nobody looks for
    them. frames: how many were fed. fragments: what was odd about IP fragments, at most MAX_REPORTS.
    """

    __slots__ = (
        "at", "connections", "defragmenter", "fragments", "frame", "frames", "n_seen", "packet", "secrets", "seen", "sessions",
        "trace",
    )  # fmt: skip

    def __init__(
        self,
        trace: bool = False,
        fields: bool = True,
        keylog: Any = None,
        private_keys: Sequence[Any] = (),
        psks: Mapping[bytes, bytes] | None = None,
        coming: Callable[[], bool] | None = None,
        application: Callable[[Session], Application] | None = None,
        answers: Callable[[], Any] | None = None,
    ) -> None:
        self.secrets = Secrets(application or conversation, keylog, private_keys, psks, coming)
        self.seen: list[tuple[int, bytes]] = []
        self.n_seen = 0
        self.trace: list[tuple[Session, Any]] = [] if trace else None  # type: ignore[assignment]
        if answers is None:
            self.sessions = Sessions(self.trace, fields, self.secrets)
        else:
            from analyzer.x509.clear_http import AnsweringSessions

            self.sessions = AnsweringSessions(self.trace, fields, self.secrets, answers)
        self.connections = Connections(self.sessions)
        self.defragmenter = Defragmenter()
        self.fragments: list[FragmentReport] = []
        self.packet = Packet()
        self.frames = 0
        self.frame = 0
        self.at = 0

    def feed(self, frame: Frame) -> None:
        """Take one frame; `packet` then describes it."""
        packet: Packet = self.packet
        self.frames += 1
        self.frame = frame.number
        self.at = frame.at
        whole: cython.bint = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        while packet.fragment and not whole:  # what a tunnel's fragments carry may be a fragment again
            datagram = self.defragmenter.feed(packet, frame.at, frame.number)
            if datagram is None:
                return
            whole = read_ip(packet, datagram, 0, len(datagram))
        if whole and packet.protocol == _TCP:
            self.connections.feed(packet, frame.number, frame.at)

    def step(self, walker: Walker) -> cython.bint:
        """Take the next frame, and the secrets before it; False where the walker needs more bytes."""
        more: cython.bint = walker.advance()
        self.learn(walker.secrets)
        if more:
            self.feed(walker.frame)
        return more

    def run(self, walker: Walker) -> None:
        """Take all frames that the walker has the bytes of."""
        while self.step(walker):
            pass

    def learn(self, secrets: list[Any]) -> None:
        """Take the Decryption Secrets Blocks of a capture that came since the last call."""
        known: cython.Py_ssize_t = self.n_seen if secrets is self.seen else 0
        if len(secrets) == known:
            return
        from analyzer.secrets.keylog import KeyLog

        if self.secrets.keylog is None:
            self.secrets.keylog = KeyLog()
        keylog = self.secrets.keylog
        for kind, data in secrets[known:]:
            if kind == TLS_KEY_LOG:
                keylog.take(data, THE_CAPTURE)
        self.seen = secrets
        self.n_seen = len(secrets)

    def drain(self) -> list[Any]:
        """Give the sessions that have ended since the last call, in the order in which they ended."""
        self.sessions.look(self.at)
        ended: list[Any] = self.sessions.ended
        self.sessions.ended = []
        reports = self.defragmenter.take_reports()
        self.fragments.extend(reports[: MAX_REPORTS - len(self.fragments)])
        return ended

    def close(self) -> None:
        """End everything that is still open, at the end of the capture."""
        self.defragmenter.finish()
        self.connections.close(self.frame, self.at)
        self.sessions.close()


def conversation(session: Session) -> Application:
    """The reader of a session's application data; its room is entered only with a session that was decrypted."""
    reader: Application = _conversation()(None if session.alpn is None else session.alpn.decode("utf-8", "replace"))
    return reader


@cache
def _conversation() -> Any:
    from analyzer.application.conversation import Conversation

    return Conversation


def read_sessions(reader: CaptureReader, engine: Engine) -> Iterator[Session]:
    """All sessions of the captures that `reader` opens, each as soon as it has ended."""
    for walker in reader.walkers():
        engine.run(walker)
        yield from engine.drain()
    engine.close()
    yield from engine.drain()
