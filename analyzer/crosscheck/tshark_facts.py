"""The facts that tshark gives, from the packets that pyshark makes of its PDML, by TCP stream, QUIC connection
or UDP stream with DTLS.

A packet has layers, and a layer has fields: for each name all values in their order, without the tree above them. What belongs
together is therefore told from the order and from the layer: a layer `tls` is what was dissected of one reassembled unit.
Values of bytes are hex in `value`; numbers and texts are in `show`. Numbers get their names from our registries, so that only
the numbers are compared. Display filter reference: https://www.wireshark.org/docs/dfref/t/tls.html
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from analyzer.codec.registry import registry
from analyzer.crosscheck.facts import ANYWHERE, CLOSED, HELLO_RETRY, HELLO_RETRY_NAME, SCALARS, Fact, Facts
from analyzer.crosscheck.quic_facts import CONNECTION_IDS, OFFERED, REACHED, Found, connection_number, read_http3, read_quic
from analyzer.crosscheck.tshark_dtls import STREAMS, DtlsFlights, as_tls

Endpoint = tuple[str, int]

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE = 1, 2, 11, 12
SSL2_SERVER_HELLO = 4

CLIENT = "client"
"""What tells that this sender sent a ClientHello."""

FRAGMENT = "fragment"
"""What a record is called that tshark takes for a part of a message. It is compared with nothing."""

CLIENT_RANDOM, LEGACY_VERSION = "client_random", "legacy_version"
"""What a ClientHello and the ServerHello of TLS 1.3 have, for the reasons of differences. It is compared with nothing."""

RETRIED = "retried "
"""Begins the names of what a HelloRetryRequest chooses: it is compared if no ServerHello follows."""

REMEMBERED = 4096
"""How many pairs of ends are kept whose streams were compared."""

_VERSIONS = registry("versions").names
_SUITES = registry("cipher_suites").names
_GROUPS = registry("supported_groups").names
_TYPES = registry("handshake_types").names
_SSL2_TYPES = registry("ssl2_message_types").names
_LEVELS = registry("alert_levels").names
_DESCRIPTIONS = registry("alert_descriptions").names


@dataclass(slots=True)
class StreamFacts:
    """What tshark says of one TCP stream, one QUIC connection, or one UDP stream with DTLS.

    number: tshark's `tcp.stream`, -1 less its number of the connection, or `STREAMS` plus its `udp.stream`. ends: both
    endpoints. first_frame: the first frame that came out. found: field, sender and fact, in their order. hellos: senders and
    frames of ClientHello messages. length: of each sender's stream in bytes, where its end was seen. first_id: the connection
    ID to which the first packet of QUIC went, which the client made up. begun: the first frame of its connection, of QUIC, also
    of packets that say nothing; else 0.
    """

    number: int
    ends: frozenset[Endpoint]
    first_frame: int
    last_frame: int = 0
    found: list[tuple[str, Endpoint, Fact]] = field(default_factory=list)
    hellos: list[tuple[Endpoint, int]] = field(default_factory=list)
    length: dict[Endpoint, Fact] = field(default_factory=dict)
    first_id: str = ""
    begun: int = 0

    @property
    def client(self) -> Endpoint | None:
        """Who sent a ClientHello; None if nobody did."""
        return self.hellos[-1][0] if self.hellos else None

    def split(self, frame: int) -> "StreamFacts | None":
        """Cut off and return what begins with a ClientHello behind a frame; None, with nothing changed, if there is none."""
        at = next((place for _, place in self.hellos if place > frame), None)
        if at is None:
            return None
        later = StreamFacts(self.number, self.ends, at, self.last_frame)
        later.found = [one for one in self.found if one[2].frame >= at]
        later.hellos = [one for one in self.hellos if one[1] >= at]
        later.length = {sender: fact for sender, fact in self.length.items() if fact.frame >= at}
        self.found = [one for one in self.found if one[2].frame < at]
        self.hellos = [one for one in self.hellos if one[1] < at]
        self.length = {sender: fact for sender, fact in self.length.items() if fact.frame < at}
        self.last_frame = frame
        return later

    def facts(self, client: Endpoint) -> Facts:
        """Return the facts in the form of a session whose client is known."""
        facts = Facts()
        for name, sender, fact in self.found:
            role = "client" if sender == client else "server"
            if name in ("handshake", "alerts"):
                facts.lists[name].append(Fact(f"{role} {fact.text}", fact.frame))
            elif name in ANYWHERE:
                known = Fact(f"{role} {fact.text}", fact.frame)
                if all(known.text != other.text for other in facts.lists[name]):
                    facts.lists[name].append(known)
            elif name in facts.lists:
                facts.lists[name].append(fact)
            elif name in SCALARS:
                facts.scalars.setdefault(name, fact)
        for name, _, fact in self.found:
            for lead in (RETRIED, OFFERED):
                if name.startswith(lead):
                    facts.scalars.setdefault(name.removeprefix(lead), fact)
        for sender, fact in self.length.items():
            facts.scalars["client_bytes" if sender == client else "server_bytes"] = fact
        return facts


class TsharkStreams:
    """The streams about which tshark has said something, until their sessions are compared."""

    def __init__(self) -> None:
        self._streams: dict[int, StreamFacts] = {}
        self._by_ends: dict[frozenset[Endpoint], list[StreamFacts]] = {}
        self._compared: set[int] = set()
        self._last_taken: dict[frozenset[Endpoint], None] = {}
        self._begun: dict[int, int] = {}  # by number of a connection of QUIC
        self._flights: dict[int, DtlsFlights] = {}  # by number of a UDP stream

    def add(self, packet: Any) -> None:
        """Add what one packet says to its stream."""
        frame = int(packet.number)
        tcp = udp = addresses = None
        inside: list[Any] = []
        for layer in packet.layers:
            name = layer.layer_name
            if name in ("ip", "ipv6") and tcp is None:
                addresses = _addresses(layer, name)
            elif name == "tcp":
                tcp = layer
            elif name == "udp" and not inside:
                udp = layer
            elif name in (_OVER_UDP if udp is not None else ()) or (
                tcp is not None and name in (_READERS if inside else ("tls",))
            ):
                inside.append(layer)
        if udp is not None and addresses is not None and tcp is None and inside:
            ports = _number(udp, "udp.srcport"), _number(udp, "udp.dstport")
            sender, receiver = (addresses[0], ports[0]), (addresses[1], ports[1])
            dtls = [layer for layer in inside if layer.layer_name == "dtls"]
            if dtls:
                self._add_dtls(frame, sender, receiver, _number(udp, "udp.stream"), dtls)
            else:
                self._add_datagram(frame, sender, receiver, inside)
        if tcp is None or addresses is None:
            return
        sender = addresses[0], _number(tcp, "tcp.srcport")
        receiver = addresses[1], _number(tcp, "tcp.dstport")
        said = [pair for layer in inside for pair in _READERS[layer.layer_name](layer)]
        begins = any(name == CLIENT for name, _ in said)
        stream = self._stream(_number(tcp, "tcp.stream"), sender, receiver, frame, bool(inside), begins)
        if stream is None:
            return
        stream.last_frame = frame
        if _shown(tcp, "tcp.flags.fin")[:1] in (["1"], ["True"]):
            # The relative number of the first byte is 1.
            stream.length[sender] = Fact(str(_number(tcp, "tcp.seq") - 1 + _number(tcp, "tcp.len")), frame)
        for name, text in said:
            if name == CLIENT:
                stream.hellos.append((sender, frame))
            else:
                stream.found.append((name, sender, Fact(text, frame)))

    def _add_datagram(self, frame: int, sender: Endpoint, receiver: Endpoint, layers: list[Any]) -> None:
        """Add what the packets of a datagram say to their connection: that of their number, or the last one of these ends."""
        said: Found = []
        for layer in layers:
            messages = _read_tls(layer) if layer.layer_name == "quic" else []
            said += messages + (read_quic(layer, messages) if layer.layer_name == "quic" else read_http3(layer))
        number = connection_number(layers)
        begins = any(name == CLIENT for name, _ in said)
        if number is None:
            known = self._by_ends.get(frozenset((sender, receiver)), [])
            if not known:
                return
            number = -1 - known[-1].number
        begun = self._begun.setdefault(number, frame)
        if len(self._begun) > REMEMBERED:
            del self._begun[next(iter(self._begun))]
        speaks = any(name in ("handshake", "alerts", FRAGMENT) for name, _ in said)
        stream = self._stream(-1 - number, sender, receiver, frame, speaks, begins)
        if stream is None:
            return
        stream.begun = min(stream.begun or begun, begun)
        stream.last_frame = frame
        if sender not in stream.ends:  # it has moved
            sender = next((end for end in stream.ends if end != receiver), sender)
        peer = next((end for end in stream.ends if end != sender), receiver)
        if not stream.first_id:
            stream.first_id = next((text for name, text in said if name == REACHED), "")
        for name, text in said:
            if name == CLIENT:
                stream.hellos.append((sender, frame))
            elif name == REACHED:
                if text != stream.first_id:
                    stream.found.append((CONNECTION_IDS, peer, Fact(text, frame)))
            else:
                stream.found.append((name, sender, Fact(text, frame)))

    def _add_dtls(self, frame: int, sender: Endpoint, receiver: Endpoint, number: int, layers: list[Any]) -> None:
        """Add what the records of a datagram say to the session of its UDP stream."""
        flights = self._flights.setdefault(number, DtlsFlights())
        if len(self._flights) > REMEMBERED:
            del self._flights[next(iter(self._flights))]
        said: Found = []
        for layer in layers:
            messages, types = flights.read(layer, sender)
            named = as_tls(layer)
            said += [*messages, *_contents(named, types, ("handshake", HELLO_RETRY_NAME) in messages), *_alerts(named)]
        begins = any(name == CLIENT for name, _ in said)
        stream = self._stream(STREAMS + number, sender, receiver, frame, bool(said), begins)
        if stream is None:
            return
        stream.last_frame = frame
        for name, text in said:
            if name == CLIENT:
                stream.hellos.append((sender, frame))
            else:
                stream.found.append((name, sender, Fact(text, frame)))

    def take(self, ends: frozenset[Endpoint], first_frame: int, last_frame: int) -> StreamFacts | None:
        """Return the stream between these ends whose first frame is in that range, and forget it. None if there is none.

        If a ClientHello comes behind the range, the stream has a second session, and is kept from there on.
        """
        candidates = self._by_ends.get(ends, [])
        for stream in candidates:
            if first_frame <= stream.first_frame <= last_frame:
                candidates.remove(stream)
                if not candidates:
                    del self._by_ends[ends]
                del self._streams[stream.number]
                self._compared.add(stream.number)
                later = stream.split(last_frame)
                if later is not None:
                    self._keep(later)
                self._last_taken.pop(ends, None)
                self._last_taken[ends] = None
                if len(self._last_taken) > REMEMBERED:
                    del self._last_taken[next(iter(self._last_taken))]
                return stream
        return None

    def taken(self, ends: frozenset[Endpoint]) -> bool:
        """Return whether a stream between these ends was taken, of which more may come. The last REMEMBERED are known."""
        return ends in self._last_taken

    def rest(self) -> list[StreamFacts]:
        """Return the streams that were not taken."""
        return list(self._streams.values())

    def _stream(
        self, number: int, sender: Endpoint, receiver: Endpoint, frame: int, speaks: bool, begins: bool
    ) -> StreamFacts | None:
        """Return the stream of a packet. None if only its TCP header is known so far, or if it is compared already.

        begins: whether the packet has a ClientHello, with which a stream that is compared begins a second session.
        """
        stream = self._streams.get(number)
        if stream is None and speaks and (begins or number not in self._compared):
            stream = StreamFacts(number, frozenset((sender, receiver)), frame)
            self._keep(stream)
        return stream

    def _keep(self, stream: StreamFacts) -> None:
        self._streams[stream.number] = stream
        self._by_ends.setdefault(stream.ends, []).append(stream)


def _read_tls(layer: Any) -> Found:
    found: Found = []
    types = [int(text) for text in _shown(layer, "tls.handshake.type")]
    if not _titles(layer, "tls.handshake"):
        old = types or [int(text) for text in _shown(layer, "tls.ssl2.handshake.type")]  # its name before 4.6, and since
        return _read_ssl2(layer, old) if old else _alerts(layer)
    hellos = iter(_raw(layer, "tls.handshake.random"))
    retried = False
    rest = iter(types)
    for title in _titles(layer, "tls.handshake"):
        if title.endswith("Encrypted Handshake Message"):
            found.append(("handshake", CLOSED))
            continue
        if title.endswith("(fragment)"):  # the message itself comes with its last fragment
            found.append((FRAGMENT, title))
            continue
        number = next(rest, None)
        if number is None:
            break
        name = _TYPES[number]
        if number in (CLIENT_HELLO, SERVER_HELLO) and next(hellos, "") == HELLO_RETRY and number == SERVER_HELLO:
            name, retried = HELLO_RETRY_NAME, True
        found.append(("handshake", name))
    return [*found, *_contents(layer, types, retried), *_alerts(layer)]


def _contents(layer: Any, types: list[int], retried: bool) -> Found:
    """Read what messages of these types say. retried: whether the ServerHello is a HelloRetryRequest."""
    found: Found = []
    if CLIENT_HELLO in types:
        found.append((CLIENT, ""))
        found += [(CLIENT_RANDOM, text) for text in _raw(layer, "tls.handshake.random")[-1:]]
        found += _texts(layer, "server_name", "tls.handshake.extensions_server_name")
        # The last one is of the whole hello. Before it may come those of an inner hello, as compressed as it was sent.
        found += [("ja3", text) for text in _shown(layer, "tls.handshake.ja3")[-1:]]
        found += [("ja4", text) for text in _shown(layer, "tls.handshake.ja4")[-1:]]
    elif SERVER_HELLO in types:
        chosen = _server_hello(layer)
        if retried:
            found += [(RETRIED + name, text) for name, text in chosen]
        else:
            found += [*chosen, *_texts(layer, "ja3s", "tls.handshake.ja3s")]
    if SERVER_KEY_EXCHANGE in types:
        found += [("group", _GROUPS[_int(text)]) for text in _shown(layer, "tls.handshake.server_named_curve")[:1]]
    if CLIENT_HELLO not in types:
        found += _texts(layer, "alpn", "tls.handshake.extensions_alpn_str")
    if CERTIFICATE in types:
        found += _certificates(layer)
    return found


def _read_ssl2(layer: Any, types: list[int]) -> Found:
    """Read messages of SSL 2.0, which are records of their own. A ClientHello in that form may lead to a later version."""
    found: Found = [("handshake", _SSL2_TYPES[number]) for number in types]
    if CLIENT_HELLO in types:
        found.append((CLIENT, ""))
    if SSL2_SERVER_HELLO in types:
        found += [("version", _VERSIONS[_int(text)]) for text in _shown(layer, "tls.handshake.version")[:1]]
    return found + _certificates(layer)


def _certificates(layer: Any) -> Found:
    return [
        ("certificates", hashlib.sha256(bytes.fromhex(value)).hexdigest()) for value in _raw(layer, "tls.handshake.certificate")
    ]


def _server_hello(layer: Any) -> Found:
    """Read what a ServerHello chooses. A HelloRetryRequest chooses the same already (RFC 9846 section 4.1.4)."""
    chosen = _shown(layer, "tls.handshake.extensions.supported_version") or _shown(layer, "tls.handshake.version")
    found = [("version", _VERSIONS[_int(text)]) for text in chosen[:1]]
    found += [(LEGACY_VERSION, _VERSIONS[_int(text)]) for text in _shown(layer, "tls.handshake.version")[:1]]
    found += [("cipher_suite", _SUITES[_int(text)]) for text in _shown(layer, "tls.handshake.ciphersuite")[:1]]
    for name in ("tls.handshake.extensions_key_share_group", "tls.handshake.extensions_key_share_selected_group"):
        found += [("group", _GROUPS[_int(text)]) for text in _shown(layer, name)[:1]]
    return found


def _alerts(layer: Any) -> Found:
    found: Found = []
    kinds = iter(zip(_shown(layer, "tls.alert_message.level"), _shown(layer, "tls.alert_message.desc"), strict=False))
    for title in _titles(layer, "tls.alert_message"):
        kind = None if "Encrypted" in title else next(kinds, None)
        found.append(("alerts", CLOSED if kind is None else f"{_LEVELS[int(kind[0])]} {_DESCRIPTIONS[int(kind[1])]}"))
    return found


def _read_http(layer: Any) -> Found:
    methods, paths = _shown(layer, "http.request.method"), _shown(layer, "http.request.uri")
    found = [("requests", f"{method} {path}") for method, path in zip(methods, paths, strict=False)]
    return found + _texts(layer, "statuses", "http.response.code", 1 << 16)


def _read_http2(layer: Any) -> Found:
    methods = _shown(layer, "http2.headers.method")
    paths = _shown(layer, "http2.headers.path") or _shown(layer, "http2.headers.authority")
    found = [("requests", f"{method} {path}") for method, path in zip(methods, paths, strict=False)]
    return found + _texts(layer, "statuses", "http2.headers.status", 1 << 16)


_OVER_UDP = ("quic", "http3", "dtls")
_READERS = {"tls": _read_tls, "http": _read_http, "http2": _read_http2}


def _texts(layer: Any, name: str, wire_name: str, most: int = 1) -> Found:
    return [(name, text) for text in _shown(layer, wire_name)[:most]]


def _fields(layer: Any, name: str) -> list[Any]:
    """Return all fields of that name. `get_field` of pyshark would compare every name of the layer where there is none."""
    container = layer._all_fields.get(name)
    return [] if container is None else container.fields


def _shown(layer: Any, name: str) -> list[str]:
    return [one.show or "" for one in _fields(layer, name)]


def _raw(layer: Any, name: str) -> list[str]:
    return [one.raw_value or "" for one in _fields(layer, name)]


def _titles(layer: Any, name: str) -> list[str]:
    return [one.showname or "" for one in _fields(layer, name)]


def _int(text: str) -> int:
    return int(text, 0)


def _number(layer: Any, name: str) -> int:
    return int(next(iter(_shown(layer, name)), "0"), 0)


def _addresses(layer: Any, name: str) -> tuple[str, str]:
    return _shown(layer, f"{name}.src")[0], _shown(layer, f"{name}.dst")[0]
