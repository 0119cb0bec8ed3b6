"""The names of the protocols in a frame, outermost first, as Wireshark writes them: `eth:ethertype:ip:tcp:tls`.

What TCP or UDP carry has a name where it is read here: TLS with what its certificates contain, HTTP with its media type, DNS.
The names of the headers are those of `header_names`.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from analyzer.application.exchange import Exchange, Request, Response
from analyzer.filters.certificate_fields import certificates_and_responses
from analyzer.filters.certificate_protocols import names_inside
from analyzer.filters.crypto_readings import CryptoReadings
from analyzer.filters.dns_fields import PORTS, DnsFields
from analyzer.filters.dtls_fields import DtlsFields
from analyzer.filters.frame_view import Found, FrameView, found
from analyzer.filters.header_names import TextEnds, header_names, in_datagram, in_segment
from analyzer.filters.http2_fields import Http2Fields
from analyzer.filters.http3_fields import Http3Fields
from analyzer.filters.quic_fields import QuicFields
from analyzer.filters.tls_readings import TlsReadings
from analyzer.filters.websocket_fields import WebsocketFields
from analyzer.tls.events import Data, Event, HandshakeMessage, RecordRead
from analyzer.tls.messages.numbers import CERTIFICATE_REQUEST

_MEDIA = {
    "application/atom+xml": "xml",
    "application/json": "json",
    "application/json-patch+json": "json",
    "application/json-rpc": "json",
    "application/jsonrequest": "json",
    "application/mathml+xml": "xml",
    "application/merge-patch+json": "json",
    "application/ocsp-request": "ocsp",
    "application/ocsp-response": "ocsp",
    "application/problem+json": "json",
    "application/rdf+xml": "xml",
    "application/rss+xml": "xml",
    "application/smil": "xml",
    "application/soap+xml": "xml",
    "application/x-javascript": "data-text-lines",
    "application/x-ndjson": "json",
    "application/x-www-form-urlencoded": "urlencoded-form",
    "application/xml": "xml",
    "image/gif": "image-gif",
    "image/jfif": "image-jfif",
    "image/jpeg": "image-jfif",
    "image/jpg": "image-jfif",
    "image/png": "png",
    "image/svg+xml": "xml",
    "text/xml": "xml",
}
"""What Wireshark names a body by its media type."""

_BINARY = 2
_MESSAGES = frozenset({"icmp", "icmpv6"})
_MAX_SHAPES = 4096
"""Orders of headers whose names are remembered; a real capture has some twenty."""

_MAX_NAMES = 256
"""Names in one value: a certificate has some twenty, and a message can have many certificates."""


class ProtocolFields:
    """The source of `frame.protocols`."""

    def __init__(self) -> None:
        self._dns = DnsFields()
        self._dtls = DtlsFields()
        self._http2 = Http2Fields()
        self._http3 = Http3Fields()
        self._quic = QuicFields()
        self._websocket = WebsocketFields()
        self._text_ends = TextEnds()
        self._is_again = False
        self._readings = TlsReadings()
        self._crypto = CryptoReadings()
        self._dns.want(frozenset())
        self._had_events = False
        self._shapes: dict[tuple[int, bytes], tuple[list[str], Found]] = {}

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._dns.take(view)
        self._dtls.take(view)
        self._quic.take(view)
        self._is_again = self._text_ends.is_again(view.layers.packet)
        self._readings.take(view)
        self._crypto.take(view)
        if view.events or self._had_events:
            self._http2.take(view)
            self._http3.take(view)
            self._websocket.take(view)
            self._had_events = bool(view.events)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        shape = view.frame.link_type, view.layers.shape()
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            headers, fixed = header_names(view.layers, view.frame.link_type)
            known = headers, found(("frame.protocols", ":".join(headers[:_MAX_NAMES]))) if headers else {}
            if fixed:
                self._shapes[shape] = known
        names, alone = known
        if not names or names[-1] not in ("tcp", "udp") or not _MESSAGES.isdisjoint(names):
            return alone
        carried = list(islice(self._carried(view), _MAX_NAMES)) if self._may_carry(view) else None
        if carried is None or (not carried and names[-1] == "tcp"):
            packet = view.layers.packet
            if names[-1] == "udp":
                name = in_datagram(packet)
            else:  # what is not text for its port may look so: a part of a record behind STARTTLS
                name = "" if self._is_again or self._readings.is_known(packet.key()) else in_segment(packet)
            if name is None:
                return {}
            return found(("frame.protocols", ":".join([*names, name][:_MAX_NAMES]))) if name else alone
        return found(("frame.protocols", ":".join([*names, *carried][:_MAX_NAMES])))

    def _may_carry(self, view: FrameView) -> bool:
        """Return whether anything is known of what TCP or UDP carry; most frames of a capture have nothing of it."""
        if view.events or self._dns.find(view) or self._quic.find(view) or self._dtls.find(view):
            return True
        facts, number = view.facts, view.frame.number
        return facts is not None and (
            number in facts.requests or number in facts.responses or number in facts.sections or number in facts.plain.found
        )

    def _carried(self, view: FrameView) -> Iterator[str]:
        """Yield what TCP or UDP carry."""
        yield from (name for name in PORTS.values() if name in self._dns.find(view))
        if "dtls" in self._dtls.find(view):
            yield "dtls"
            for event in view.events:
                yield from _in_message(event)
            if any(isinstance(event, Data) for event in view.events):
                yield "data"
            return
        if "quic" in self._quic.find(view):
            yield from self._in_quic(view)
            return
        yield from self._in_tls(view)
        exchanges = _http(view)
        if self._http2.readings:
            return
        if "http2" in self._http2.find(view):
            yield "http2"
        elif exchanges:
            yield "http"
            ders = [] if view.facts is None else view.facts.revocation_messages.get(view.frame.number, [])
            yield from (name for message in exchanges for name in _media(message))
            for _, der in ders:
                yield from names_inside(der)
        elif "websocket" in (frames := self._websocket.find(view)):
            yield from ("http", "websocket")
            yield from ("data-text-lines" for _ in frames.get("websocket.payload.text", ()))
            yield from ("data" for one in frames["websocket.opcode"] if one.value == _BINARY)

    def _in_tls(self, view: FrameView) -> Iterator[str]:
        """Yield TLS, once for each reading, each with what its messages contain, and HTTP/2."""
        readings = deque(self._readings.found)
        for place, event in enumerate(view.events):
            if isinstance(event, RecordRead):
                while readings and readings[0].start <= event.offset:
                    readings.popleft()
                    yield "tls"
            yield from _in_message(event)
            if place in self._http2.readings:
                count, complete = self._http2.readings[place]
                yield from ["http2"] * count
                for exchange, message in () if view.facts is None else view.facts.bodies.get(view.frame.number, ()):
                    if exchange.stream in complete:
                        yield from _media(message)

    def _in_quic(self, view: FrameView) -> Iterator[str]:
        """Yield QUIC, and what is complete in its frames."""
        yield "quic"
        for place, event in enumerate(view.events):
            yield from ["tls"] * self._crypto.counts.get(place, 0)
            yield from _in_message(event)
            if place in self._http3.readings:
                yield from ["http3"] * self._http3.readings[place].n_readings


def _in_message(event: Event) -> Iterator[str]:
    """Yield what a handshake message contains: certificates, responses of OCSP, and the names of authorities."""
    for der in certificates_and_responses(event):
        yield from names_inside(der)
    if isinstance(event, HandshakeMessage) and event.type == CERTIFICATE_REQUEST and event.body is not None:
        for name in getattr(event.body, "certificate_authorities", None) or ():
            yield from names_inside(name)


def _http(view: FrameView) -> list[Request | Response]:
    if view.facts is None:
        return []
    number = view.frame.number
    asked: list[Exchange] = view.facts.requests.get(number, [])
    answered: list[Exchange] = view.facts.responses.get(number, [])
    return [one for one in [each.request for each in asked] + [each.response for each in answered] if one is not None]


def _media(message: Request | Response) -> Iterator[str]:
    """Yield what Wireshark reads the body as, by its type."""
    if not message.body.length:
        return
    kinds = [value for name, value in message.headers or () if name.lower() == "content-type"]
    kind = kinds[0].partition(";")[0].strip().lower() if kinds else ""
    if kind in _MEDIA:
        yield _MEDIA[kind]
    elif kind.startswith("text/"):
        yield "data-text-lines"
    else:
        yield "media" if kind else "data"
