"""The scenes of QUIC and HTTP/3: aioquic's client and server, each datagram on the scene's own wire."""

from __future__ import annotations

import struct
from typing import Any

from aioquic.h3.connection import H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion
from quic_endpoints import QuicTalk, Tickets, always, never
from scene import Scene, UnavailableError
from wire import SIDES, Host, Side

_NAME = "www.example"
_AGENT = ((b"user-agent", b"example/1.0"), (b"accept", b"*/*"), (b"cookie", b"session=0123456789abcdef"))
_PAGE = b"<!doctype html><title>Example</title><link rel=stylesheet href=/style.css><p>It works.\n"
_STYLE = b"body { font: 1rem/1.5 serif; margin: 2rem auto; max-width: 40rem }\n" * 8
_NOBODYS_VERSION = 0x1A2A3A4A  # reserved to make servers negotiate, RFC 9000 section 15
_ELSEWHERE = Host("203.0.113.77", "00:00:5e:00:53:0b")


def quic_http3(scene: Scene) -> None:
    """QUIC 1 with HTTP/3: three requests, one with a body, whose header sections use QPACK's dynamic table."""
    talk = _begin(scene)
    for path in ("/", "/style.css"):
        _get(talk, path)
    _post(talk, "/form", b"name=value")
    talk.close()


def quic_v2(scene: Scene) -> None:
    """QUIC 2 (RFC 9369), which the client speaks from its first packet on."""
    talk = _begin(scene, change=_only(QuicProtocolVersion.VERSION_2))
    _get(talk, "/")
    talk.close()


def quic_retry(scene: Scene) -> None:
    """The server answers the first Initial with Retry (RFC 9000, 8.1.2); the client returns its token with another hello."""
    scene.hidden_from_tshark = 2  # it takes the second ClientHello for a repetition of the first
    talk = _begin(scene, retry=True, extra={"first_frame": 1})
    _get(talk, "/")
    talk.close()


def quic_version_negotiation(scene: Scene) -> None:
    """The client begins with a version that nobody has, the server answers with Version Negotiation (RFC 9000, 6), and they
    agree on QUIC 1."""
    scene.hidden_from_tshark = 2  # it goes on with the first version

    def change(both: dict[Side, QuicConfiguration]) -> None:
        both["client"].supported_versions = [_NOBODYS_VERSION, QuicProtocolVersion.VERSION_1]
        both["client"].original_version = _NOBODYS_VERSION

    talk = _begin(scene, change=change)
    _get(talk, "/")
    talk.close()


def quic_early_data(scene: Scene) -> None:
    """A second connection resumes the first and sends its request as 0-RTT data, which the server accepts."""
    tickets = Tickets()
    _resumed(scene, tickets, accepted=True)


def quic_early_data_rejected(scene: Scene) -> None:
    """A second connection sends its request as 0-RTT data; the server has forgotten the ticket, and the client repeats it."""
    tickets = Tickets()
    _resumed(scene, tickets, accepted=False)


def quic_key_update(scene: Scene) -> None:
    """Both sides update their keys (RFC 9001, 6), the client twice, with requests between."""
    talk = _begin(scene)
    for side in ("client", "server", "client"):
        _get(talk, "/")
        talk.ends[side].request_key_update()
    _get(talk, "/style.css")
    talk.close()


def quic_connection_ids(scene: Scene) -> None:
    """Both sides change their connection IDs 14 times, and announce new ones; the capture lacks three of the announcements."""
    talk = _begin(scene)
    for number in range(14):
        _get(talk, "/")
        for side in SIDES:
            talk.ends[side].change_connection_id()
        talk.miss = always if number in (3, 4, 8) else never
        talk.run()
        talk.miss = never
    _get(talk, "/style.css")
    talk.close()


def quic_migration(scene: Scene) -> None:
    """A NAT gives the client another port; then the client moves to another address with another ID (RFC 9000, 9)."""
    talk = _begin(scene)
    _get(talk, "/")
    talk.move(talk.hosts["client"], 50001, new_id=False)
    _get(talk, "/")
    talk.move(_ELSEWHERE, 50003)
    _get(talk, "/style.css")
    talk.close()


def quic_loss(scene: Scene) -> None:
    """A body of 60 kB on a path that loses each 11th datagram of the server and delivers each 7th late."""
    talk = _begin(scene)
    talk.lose = lambda side, number: side == "server" and number % 11 == 10
    talk.late = lambda side, number: side == "server" and number % 7 == 6
    _get(talk, "/large", body=bytes(range(256)) * 235)
    talk.lose = never
    talk.run()
    talk.close()


def quic_doq(scene: Scene) -> None:
    """DNS over QUIC (RFC 9250): two queries, each in a stream of its own, and their answers."""
    talk = scene.talk_quic(scene.authority.issue(_NAME), ["doq"])
    talk.run()
    for name, kind, address in (("www.example", 1, bytes([192, 0, 2, 7])), ("www.example", 28, bytes(15) + b"\1")):
        stream = talk.ends["client"].get_next_available_stream_id()
        question = (
            b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
        )
        query = struct.pack("!6H", 0, 0x0100, 1, 0, 0, 0) + question
        answer = struct.pack("!6H", 0, 0x8180, 1, 1, 0, 0) + question
        answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(address)) + address
        for side, message in zip(SIDES, (query, answer), strict=True):
            talk.ends[side].send_stream_data(stream, struct.pack("!H", len(message)) + message, end_stream=True)
            talk.run()
    talk.close(code=0)


def _begin(scene: Scene, **options: Any) -> QuicTalk:
    """Connect, and exchange the SETTINGS of HTTP/3."""
    talk = scene.talk_quic(scene.authority.issue(_NAME), ["h3"], **options)
    talk.run()
    _speak(talk)
    return talk


def _speak(talk: QuicTalk) -> None:
    for side in ("server", "client"):
        talk.speak_http3(side)
    talk.run()


def _only(version: int) -> Any:
    def change(both: dict[Side, QuicConfiguration]) -> None:
        for configuration in both.values():
            configuration.supported_versions = [version]
            configuration.original_version = version

    return change


def _ask(talk: QuicTalk, path: str, body: bytes = b"") -> int:
    client = talk.ends["client"]
    stream = client.get_next_available_stream_id()
    method = b"POST" if body else b"GET"
    pseudo = [(b":method", method), (b":scheme", b"https"), (b":authority", _NAME.encode()), (b":path", path.encode())]
    http = talk.speak_http3("client")
    http.send_headers(stream, [*pseudo, *_AGENT], end_stream=not body)
    if body:
        http.send_data(stream, body, end_stream=True)
    return stream


def _answer(talk: QuicTalk, stream: int, body: bytes) -> None:
    http: H3Connection = talk.speak_http3("server")
    fields = [(b":status", b"200"), (b"server", b"example"), (b"content-length", str(len(body)).encode())]
    http.send_headers(stream, fields)
    http.send_data(stream, body, end_stream=True)
    talk.run()


def _get(talk: QuicTalk, path: str, body: bytes | None = None) -> None:
    stream = _ask(talk, path)
    talk.run()
    _answer(talk, stream, body or (_STYLE if path.endswith(".css") else _PAGE))
    _tell(talk, "GET", path)


def _post(talk: QuicTalk, path: str, body: bytes) -> None:
    stream = _ask(talk, path, body)
    talk.run()
    _answer(talk, stream, b"taken\n")
    _tell(talk, "POST", path)


def _tell(talk: QuicTalk, method: str, path: str) -> None:
    """Add an exchange to what the endpoints state."""
    request = {"method": method, "authority": _NAME, "path": path}
    talk.exchanges.append({"request": request, "response": {"status": 200}})


def _resumed(scene: Scene, tickets: Tickets, *, accepted: bool) -> None:
    identity = scene.authority.issue(_NAME)
    first = scene.talk_quic(identity, ["h3"], tickets=tickets)
    first.run()
    _speak(first)
    _get(first, "/")
    first.close()
    if not accepted:
        tickets.forget()

    def change(both: dict[Side, QuicConfiguration]) -> None:
        both["client"].session_ticket = first.session_ticket

    extra = {"resumption": "psk", "resumes": 0} if accepted else {}
    second = scene.talk_quic(identity, ["h3"], after=3, shows=not accepted, tickets=tickets, change=change, extra=extra)
    stream = _ask(second, "/style.css")
    second.run()
    _speak(second)
    second.run()
    _answer(second, stream, _STYLE)
    _tell(second, "GET", "/style.css")
    second.close()
    if second.completed.early_data_accepted is not accepted:
        raise UnavailableError("the server did not do with the early data what it should")


SCENES = (
    quic_http3,
    quic_v2,
    quic_retry,
    quic_version_negotiation,
    quic_early_data,
    quic_early_data_rejected,
    quic_key_update,
    quic_connection_ids,
    quic_migration,
    quic_loss,
    quic_doq,
)
