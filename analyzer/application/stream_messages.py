"""Passes on the heads and bodies of HTTP/2 and HTTP/3 in the form of HTTP/1, for a view that shows what was said.

A head is a start line, the pseudo-header fields `:protocol` and `:authority`, and the fields in the order sent (RFC 9113
section 8, RFC 9114 section 4). Bodies come as they are decoded, without content codings. Streams are mixed as their frames
are. Messages of DNS over QUIC come as lines of text, with records in the form of zone files (RFC 1035 section 5.1).
"""

from collections.abc import Callable
from typing import Final, Protocol

from analyzer.application.conversation import Conversation
from analyzer.application.dns_message import DnsMessage
from analyzer.application.exchange import CLIENT, SERVER, Exchange, Fields, Request, Response
from analyzer.application.message_framing import MessageBody
from analyzer.application.request_target import content_type

OPEN_MAX: Final = 1024
"""The most exchanges that are watched for their next head or end. Beyond, the oldest is forgotten; see `http2.STREAMS_MAX`."""


class Take(Protocol):
    """Takes bytes of a stream; see `message_framing.Take`."""

    def __call__(self, side: int, data: bytes, body: MessageBody | None, ends: bool, stream: int | None = None) -> None:
        """Take the bytes."""


class StreamMessages:
    """Both directions of one connection. Side 0 is the client. alpn: the protocol that was agreed on."""

    def __init__(self, alpn: str, take: Take, note_reset: Callable[[int, str], None]) -> None:
        """note_reset: called with a stream and the name of the error code with which it was reset."""
        self._take = take
        self._note_reset = note_reset
        self._conversation = Conversation(alpn, hashing=False, on_body=self._feed_body)
        self._n_dns = 0
        self._n_seen = 0
        self._open: list[_Stream] = []
        self._by_exchange: dict[int, _Stream] = {}

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of a side."""
        self._conversation.feed(side, data, frame, at)
        self._pass_on()

    def feed_stream(self, stream: int, side: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of a side in a QUIC stream. end: whether they are the last."""
        self._conversation.feed_stream(stream, side, data, end, frame, at)
        self._pass_on()

    def reset_stream(self, stream: int, side: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM of a side."""
        self._conversation.reset_stream(stream, side, code, frame, at)
        self._pass_on()

    def lose_stream(self, stream: int, side: int, length: int | None) -> None:
        """Handle missing bytes of a side in a QUIC stream."""
        self._conversation.gap_stream(stream, side, length)

    def lose(self, role: int | None) -> None:
        """Handle bytes that are missing, of both sides if it is not known whose."""
        for side in (CLIENT, SERVER) if role is None else (role,):
            self._conversation.gap(side, None)

    def close(self) -> None:
        """End the connection."""
        self._conversation.close(0)
        self._open.clear()
        self._by_exchange.clear()

    def _pass_on(self) -> None:
        """Pass on the heads, ends and messages that have come since the last call."""
        for message in (self._conversation.dns or ())[self._n_dns :]:
            self._n_dns += 1
            self._take(message.side, _dns_text(message), None, False, message.stream)
        exchanges = self._conversation.exchanges
        for exchange in exchanges[self._n_seen :]:
            self._stream_of(exchange)
        self._n_seen = len(exchanges)
        for stream in self._open:
            stream.show_heads(self._take)
            for end in (CLIENT, SERVER):
                if stream.has_ended(end) and not stream.ended[end]:
                    stream.ended[end] = True
                    self._take(end, b"", stream.bodies[end], True, stream.exchange.stream)
            if stream.exchange.reset is not None:
                self._note_reset(stream.exchange.stream or 0, stream.exchange.reset)
        for stream in [stream for stream in self._open if stream.is_over]:
            self._open.remove(stream)
            del self._by_exchange[id(stream.exchange)]

    def _feed_body(self, exchange: Exchange, side: int, data: bytes) -> None:
        stream = self._stream_of(exchange)
        stream.show_heads(self._take)
        self._take(side, data, stream.bodies[side], False, exchange.stream)

    def _stream_of(self, exchange: Exchange) -> "_Stream":
        stream = self._by_exchange.get(id(exchange))
        if stream is None:
            if len(self._open) >= OPEN_MAX:
                del self._by_exchange[id(self._open.pop(0).exchange)]
            stream = self._by_exchange[id(exchange)] = _Stream(exchange)
            self._open.append(stream)
        return stream


class _Stream:
    """One exchange: which of its heads were passed on, and which of its bodies have ended."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.bodies: list[MessageBody | None] = [None, None]
        self.ended = [False, False]

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it can come."""
        return self.exchange.reset is not None or all(self.ended)

    def has_ended(self, side: int) -> bool:
        """Return whether the body of a side is complete."""
        message = self._message(side)
        return message is not None and message.body.complete

    def show_heads(self, take: Take) -> None:
        """Pass on the heads that have come since the last call."""
        for side in (CLIENT, SERVER):
            message = self._message(side)
            if message is not None and self.bodies[side] is None:
                self.bodies[side] = MessageBody(content_type(message.headers), [])
                take(side, _head(message, self.exchange.protocol), None, False, self.exchange.stream)

    def _message(self, side: int) -> Request | Response | None:
        return self.exchange.request if side == CLIENT else self.exchange.response


def _head(message: Request | Response, protocol: str | None) -> bytes:
    fields: Fields = list(message.headers or ())
    if isinstance(message, Request):
        start = f"{message.method or '?'} {message.path or message.authority or '?'} HTTP/{message.version}"
        if message.authority is not None and message.path is not None:
            fields.insert(0, (":authority", message.authority))
        if protocol is not None and message.method == "CONNECT":
            fields.insert(0, (":protocol", protocol))
    else:
        start = f"HTTP/{message.version} {message.status if message.status is not None else '?'}"
    lines = [start, *(f"{name}: {value}" for name, value in fields)]
    return "".join(line.replace("\n", "\\n") + "\r\n" for line in lines).encode("utf-8", "backslashreplace") + b"\r\n"


def _dns_text(message: DnsMessage) -> bytes:
    asked = "; ".join(f"{one.name} {one.kind}" for one in message.questions) or "?"
    start = f"response {message.rcode} {asked}" if message.is_response else f"query {asked}"
    lines = [start, *(f"{one.name} {one.ttl} {one.kind} {one.data}" for one in message.answers)]
    return "".join(line.replace("\n", "\\n") + "\r\n" for line in lines).encode("utf-8", "backslashreplace")


class RawStreams:
    """Passes on the bytes of the streams of a protocol that is not read."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Pass on bytes outside of streams: a datagram."""
        self._take(side, data, None, False)

    def feed_stream(self, stream: int, side: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Pass on the next bytes of a side in a stream."""
        if data:
            self._take(side, data, None, False, stream)

    def reset_stream(self, stream: int, side: int, code: int, frame: int, at: int) -> None:
        """Do nothing: no head says what is missing."""

    def lose_stream(self, stream: int, side: int, length: int | None) -> None:
        """Do nothing."""

    def lose(self, role: int | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: no bytes are held."""
