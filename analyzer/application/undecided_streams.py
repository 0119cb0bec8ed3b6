"""Finds the protocol of a QUIC connection whose ALPN is not known, by the first bytes of its streams.

HTTP/3 is certain: each side opens a unidirectional stream that begins with the type 0x00 of a control stream and the type 0x04
of SETTINGS (RFC 9114 section 6.2.1). Until that is seen, what comes is held. Other protocols have no mark.
"""

from collections.abc import Callable
from typing import Final

from analyzer.application.exchange import ConversationLog
from analyzer.application.http3 import Http3
from analyzer.application.protocol_reader import StreamReader, UnknownProtocol

HELD_MAX: Final = 1 << 16
"""Maximum bytes that are held; each call counts as CALL_COST more."""

CALL_COST: Final = 64

_CONTROL_BEGINS: Final = b"\x00\x04"


class UndecidedStreams:
    """Holds what arrives until the protocol is known, and passes it on to its reader (`protocol_reader.StreamReader`)."""

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._reader: StreamReader | None = None
        self._held: list[Callable[[StreamReader], None]] = []
        self._n_held = 0
        self._starts: dict[int, bytes] = {}

    @property
    def kind(self) -> str:
        """Return the kind of the protocol that was found; `bytes` before that."""
        return "bytes" if self._reader is None else self._reader.kind

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of one role in a stream."""
        self._pass(lambda reader: reader.feed_stream(stream, role, data, end, frame, at), len(data))
        if self._reader is None and stream & 2:
            start = self._starts[stream] = (self._starts.get(stream, b"") + data)[: len(_CONTROL_BEGINS)]
            if start == _CONTROL_BEGINS:
                self._decide(Http3(self._log))

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Handle missing bytes."""
        self._pass(lambda reader: reader.gap_stream(stream, role, length))
        self._starts[stream] = b"\xff"

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM."""
        self._pass(lambda reader: reader.reset_stream(stream, role, code, frame, at))

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle STOP_SENDING."""
        self._pass(lambda reader: reader.stop_stream(stream, role, code, frame, at))

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Take a datagram."""
        self._pass(lambda reader: reader.feed_datagram(role, data, frame, at), len(data))

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Ignore data outside of streams."""

    def gap(self, side: int, length: int | None) -> None:
        """Ignore data outside of streams."""

    def close(self) -> None:
        """Handle the end of both sides."""
        if self._reader is None:
            self._decide(UnknownProtocol())
        if self._reader is not None:
            self._reader.close()

    def _pass(self, call: Callable[[StreamReader], None], n_bytes: int = 0) -> None:
        if self._reader is not None:
            call(self._reader)
            return
        self._held.append(call)
        self._n_held += n_bytes + CALL_COST
        if self._n_held > HELD_MAX:
            self._decide(UnknownProtocol())

    def _decide(self, reader: StreamReader) -> None:
        self._reader = reader
        held, self._held = self._held, []
        self._starts.clear()
        for call in held:
            call(reader)
