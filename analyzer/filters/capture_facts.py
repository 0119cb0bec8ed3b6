"""What a filter wants to know before the frames are read: how their sessions end, and what HTTP they carry.

A frame does not say what becomes of its session, and an exchange is known when its data was read. So for such fields the
capture is read twice: a first reading collects these facts, and the second asks the filter. Memory grows with the number of
sessions, some 6 kB each where their records are wanted, and of exchanges of HTTP, some 5 kB each. The engine bounds what is
open at one time and not what has ended, so a hostile capture of short sessions is held whole in this form: 1 GB of them, of
3 kB each, would take 2 GB. What is kept of plain HTTP beside its exchanges has the limits of `plain_streams`.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.application.exchange import CLIENT, SERVER, Exchange, Request, Response
from analyzer.engine.capture_events import PlainHttp
from analyzer.engine.run import Listener
from analyzer.filters.http2_frame_reader import Http2FrameReader
from analyzer.filters.plain_streams import PlainStreams, kind_of
from analyzer.filters.websocket_reader import WebsocketReader
from analyzer.packet.addresses import reverse_key
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event, SessionEnded

_WITH_STREAMS = frozenset({"2", "3"})


class CaptureFacts(Listener):
    """Collects the facts. It is a listener of the first reading, behind the chains.

    requests, responses: exchanges by the frame in which the message is complete. sections: exchanges of HTTP/2 and HTTP/3 by
    the frame of the header section, with whether it is that of the response. bodies: their messages with a body, by the frame
    of its end, each with its exchange. revocation_messages: messages of OCSP in plain HTTP, by the frame that completes them,
    each with whether it is a response. plain: the watcher of plain HTTP, where the
    engine has one.
    """

    def __init__(self, chains: Chains, *, records: bool = True, exchanges: bool = True) -> None:
        """records: whether the records of sessions are wanted; exchanges: whether HTTP is."""
        self.requests: dict[int, list[Exchange]] = {}
        self.responses: dict[int, list[Exchange]] = {}
        self.sections: dict[int, list[tuple[Exchange, bool]]] = {}
        self.bodies: dict[int, list[tuple[Exchange, Request | Response]]] = {}
        self.plain = PlainStreams(Http2FrameReader, WebsocketReader)
        self.revocation_messages: dict[int, list[tuple[bool, bytes]]] = {}
        self._chains = chains
        self._records = records
        self._exchanges = exchanges
        self._spans: dict[bytes, list[tuple[int, int, int]]] = {}
        self._known: dict[int, dict[str, Any]] = {}

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                session = event.ended
                flow = session.flow
                for key in {flow.key, reverse_key(flow.key)}:
                    self._spans.setdefault(key, []).append((flow.first_frame, flow.last_frame, session.id))
                if self._records:
                    self._known[session.id] = session_record(session, False, self._chains)
                work = session.handshake.decryption
                if self._exchanges and work is not None and work.application is not None:
                    self._take_exchanges(work.application.exchanges)
            elif isinstance(event, PlainHttp) and self._exchanges:
                self._take_exchanges(event.exchanges)

    def sessions_at(self, key: bytes, frame: int) -> list[int]:
        """Return the numbers of the sessions that a frame belongs to. key: its addresses and ports."""
        return [number for first, last, number in self._spans.get(key, ()) if first <= frame <= last]

    def record(self, session: int) -> dict[str, Any]:
        """Return the record of a session."""
        return self._known[session]

    def _take_exchanges(self, exchanges: Sequence[Exchange]) -> None:
        for exchange in exchanges:
            for side, message, found in (
                (CLIENT, exchange.request, self.requests),
                (SERVER, exchange.response, self.responses),
            ):
                if message is None or message.frame <= 0:
                    continue
                der = self.plain.message(exchange, side)
                if der is not None:
                    at = max(message.frame, message.body.end_frame)
                    self.revocation_messages.setdefault(at, []).append((bool(kind_of(exchange, side)), der))
                if message.version in _WITH_STREAMS:
                    self.sections.setdefault(message.frame, []).append((exchange, message is exchange.response))
                    if message.body.length:
                        self.bodies.setdefault(max(message.frame, message.body.end_frame), []).append((exchange, message))
                else:
                    found.setdefault(max(message.frame, message.body.end_frame), []).append(exchange)
