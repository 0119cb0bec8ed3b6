"""The capture that the README opens: half a minute of somebody's browsing, with something of everything."""

from __future__ import annotations

import ssl
import struct
import zlib

from datagrams import put_arp, put_dns, put_ntp, put_ping
from endpoints import Exchange, Standard
from programs import ProgramError, Relay, curl, nginx
from scene import SECOND, Scene, Stated, UnavailableError
from scenes_network import http_request, http_response
from wire import Host

_LAPTOP = Host("192.0.2.10", "00:00:5e:00:53:0a")
_LAPTOP6 = Host("2001:db8:10::10", "00:00:5e:00:53:0a")
_ROUTER = Host("192.0.2.1", "00:00:5e:00:53:01")
_RESOLVER = Host("192.0.2.53", "00:00:5e:00:53:35")

_ADDRESSES = {
    "www.shop.example": "198.51.100.20",
    "news.example": "203.0.113.30",
    "www.bank.example": "198.51.100.44",
    "old.example": "203.0.113.77",
    "legacy.example": "203.0.113.99",
    "api.weather.example": "2001:db8:20::443",
}


def demo(scene: Scene) -> None:
    """Half a minute of browsing: six named sites, TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, two resumed sessions, segments out
    of order, a certificate that has expired, a handshake that fails, a post-quantum group over IPv6, and the DNS, ARP, NTP,
    ICMP and plain HTTP around it. The key log is inside the file, in a Decryption Secrets Block.
    """
    scene.comment = "A demonstration capture: made-up sites, documentation addresses, secrets included."
    scene.secrets_inside = True
    scene.beside_folder = True
    put_arp(scene.wire, scene.at, _LAPTOP, _ROUTER)
    put_arp(scene.wire, scene.at + SECOND // 80, _LAPTOP, _RESOLVER)
    put_ntp(scene.wire, scene.at + SECOND // 2, _LAPTOP, Host("203.0.113.123", _ROUTER.mac, 51))
    _shop(scene)
    _news(scene)
    _bank(scene)
    _expired(scene)
    _legacy(scene)
    _weather(scene)
    put_ping(scene.wire, scene.at + 26 * SECOND, _LAPTOP, _site("www.shop.example"), 3)


def _shop(scene: Scene) -> None:
    """A redirect from plain HTTP; TLS 1.3; a second connection resumes it, with segments out of order."""
    name = "www.shop.example"
    _resolve(scene, 1.0, name)
    plain = scene.connect(client=_LAPTOP, server=_site(name), port=80, after=1.05)
    plain.send("client", http_request(name, "/"))
    plain.send("server", http_response(b"", "text/html", "301 Moved Permanently", f"Location: https://{name}/"))
    plain.close()

    identity = scene.authority.issue(name, "shop.example")
    contexts = scene.contexts(identity, version="1.3", alpn=("http/1.1",))
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=1.2)
    tls = scene.talk(tcp, contexts, name, server=identity)
    page = b"<!doctype html>\n<title>The Example Shop</title>\n<link rel=stylesheet href=/style.css>\n<h1>Welcome</h1>\n"
    page += b"".join(b"<li><a href=/item/%d>Item %d</a>, %d.50\n" % (n, n, n * 3) for n in range(1, 30))
    _get(tls, name, "/", page, "text/html")
    tcp.wait(40)
    _get(tls, name, "/style.css", b"h1 { color: #0a5 }\nli { margin: .5rem }\n" * 12, "text/css")
    tcp.wait(900)
    _get(tls, name, "/cart.json", b'{"items": [{"id": 7, "count": 2}], "total": "43.00"}\n', "application/json")

    client = tls.ends["client"]
    assert isinstance(client, Standard)
    again = scene.connect(client=_LAPTOP, server=_site(name), after=2.1)
    images = scene.talk(again, contexts, name, session=client.tls.session, resumption="psk", resumes=0)
    _get(images, name, "/images/banner.png", _picture(72), "image/png")
    late = again.segments["server"][-3:]
    late[0].packet.at, late[2].packet.at = late[2].packet.at, late[0].packet.at
    tcp.wait(2500)
    for exchange, conversation in ((tls, tcp), (images, again)):
        exchange.close()
        conversation.close()


def _news(scene: Scene) -> None:
    """curl and nginx speak HTTP/2; their bytes are put on this wire as they came."""
    name = "news.example"
    _resolve(scene, 5.0, name)
    identity = scene.authority.issue(name)
    story = b"<!doctype html>\n<title>News</title>\n<h1>Nothing happened today</h1>\n<p>And it was widely welcomed.\n"
    files = {"index.html": story, "feed.json": b'{"items": [' + b", ".join(b'{"story": %d}' % n for n in range(90)) + b"]}\n"}
    aside = scene.folder.parent / "aside"
    try:
        with nginx(aside, identity, files) as port:
            relay = Relay(port)
            curl(relay.port, scene.keys, name, ("/index.html", "/feed.json"), "--http2")
            said = relay.finish()
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=5.03, round_trip=38)
    for side, data in said:
        tcp.send(side, data)
    tcp.close()
    scene.stated.append(Stated(None, identity, extra={"established": True, "resumed": False}))


def _bank(scene: Scene) -> None:
    """TLS 1.2 with an RSA certificate; a login; then a second connection resumes by ticket."""
    name = "www.bank.example"
    _resolve(scene, 9.0, name)
    identity = scene.authority.issue(name, key="rsa")
    contexts = scene.contexts(identity, version="1.2", alpn=("http/1.1",), ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=9.02, round_trip=31)
    tls = scene.talk(tcp, contexts, name, server=identity)
    form = b"user=alice&password=correct+horse+battery+staple"
    head = f"POST /login HTTP/1.1\r\nHost: {name}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    tls.say("client", head.encode("ascii") + b"Content-Length: %d\r\n\r\n" % len(form) + form)
    cookie = "Set-Cookie: session=d3m0; Secure; HttpOnly"
    tls.say("server", http_response(b"", "text/html", "303 See Other", "Location: /accounts", cookie))
    tls.close()
    tcp.close()

    client = tls.ends["client"]
    assert isinstance(client, Standard)
    session: ssl.SSLSession | None = client.tls.session
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=10.4, round_trip=31)
    tls = scene.talk(tcp, contexts, name, session=session, resumption="ticket", resumes=3)
    tls.say("client", http_request(name, "/accounts", "Cookie: session=d3m0"))
    tls.say("server", http_response(b'{"accounts": [{"iban": "XX00 EXAMPLE", "balance": "1024.00"}]}\n', "application/json"))
    tls.close()
    tcp.close()


def _expired(scene: Scene) -> None:
    """The client refuses a certificate that expired a week ago."""
    name = "old.example"
    _resolve(scene, 14.0, name)
    identity = scene.authority.issue(name, days=(-97, -7))
    contexts = scene.contexts(identity, version="1.2", client={"trust": scene.authority.root_pem()})
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=14.03, round_trip=55)
    scene.talk(tcp, contexts, name, server=identity)
    tcp.close()


def _legacy(scene: Scene) -> None:
    """A server that only knows RSA key exchange, and a client that no longer offers it."""
    name = "legacy.example"
    _resolve(scene, 17.0, name)
    identity = scene.authority.issue(name, key="rsa")
    contexts = scene.contexts(identity, version="1.2", client={"ciphers": "ECDHE+AESGCM"}, server={"ciphers": "AES128-SHA"})
    tcp = scene.connect(client=_LAPTOP, server=_site(name), after=17.02, round_trip=70)
    scene.talk(tcp, contexts, name)
    tcp.close("server")


def _weather(scene: Scene) -> None:
    """TLS 1.3 with X25519MLKEM768 over IPv6."""
    name = "api.weather.example"
    _resolve(scene, 21.0, name)
    identity = scene.authority.issue(name)
    tcp = scene.connect(client=_LAPTOP6, server=Host(_ADDRESSES[name], _ROUTER.mac, 55), after=21.03, round_trip=18)
    tls = scene.talk(tcp, scene.bundled_contexts(identity), name, server=identity)
    report = (
        b'{"place": "Exampleton", "hours": ['
        + b", ".join(b'{"hour": %d, "rain": %d}' % (h, h % 5) for h in range(24))
        + b"]}\n"
    )
    _get(tls, name, "/v1/forecast?place=exampleton", report, "application/json")
    tls.close()
    tcp.close()


def _resolve(scene: Scene, after: float, name: str) -> None:
    put_dns(scene.wire, scene.at + int(after * SECOND), _LAPTOP, _RESOLVER, name, _ADDRESSES[name])


def _site(name: str) -> Host:
    return Host(_ADDRESSES[name], _ROUTER.mac, 57)


def _get(tls: Exchange, name: str, path: str, body: bytes, kind: str) -> None:
    tls.say("client", http_request(name, path))
    tls.say("server", http_response(body, kind))


def _picture(size: int) -> bytes:
    """A square PNG of so many pixels, three bytes each."""
    rows = b"".join(
        b"\0" + b"".join(bytes([x * 3 & 255, y * 3 & 255, (x * y + x * x) & 255]) for x in range(size)) for y in range(size)
    )
    parts = (b"IHDR", struct.pack("!IIBBBBB", size, size, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")
    chunks = (struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data)) for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
