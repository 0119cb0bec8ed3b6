"""The scenes that show what TLS travels in: other protocols, IPv6, a VLAN, and a TCP connection with every trouble."""

from __future__ import annotations

import ssl

from certificates import Identity
from scene import CLIENT, SERVER, Scene
from wire import Conversation, Host

_PROXY = Host("203.0.113.8", "00:00:5e:00:53:01", 60)


def smtp_starttls(scene: Scene) -> None:
    """SMTP on port 25 that goes over to TLS 1.2 by STARTTLS (RFC 3207), and a message inside."""
    identity = scene.authority.issue("mail.example")
    tcp = scene.connect(port=25)
    tcp.send("server", b"220 mail.example ESMTP ready\r\n")
    tcp.send("client", b"EHLO laptop.example\r\n")
    tcp.send("server", b"250-mail.example\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
    tcp.send("client", b"STARTTLS\r\n")
    tcp.send("server", b"220 2.0.0 Go ahead\r\n")
    tls = scene.talk(tcp, scene.contexts(identity, version="1.2"), "mail.example", server=identity)
    for said, answered in (
        (b"EHLO laptop.example\r\n", b"250-mail.example\r\n250 SIZE 10240000\r\n"),
        (b"MAIL FROM:<alice@example.com>\r\n", b"250 2.1.0 Ok\r\n"),
        (b"RCPT TO:<bob@mail.example>\r\n", b"250 2.1.5 Ok\r\n"),
        (b"DATA\r\n", b"354 End data with <CR><LF>.<CR><LF>\r\n"),
        (b"Subject: A demonstration\r\n\r\nHello, Bob.\r\n.\r\n", b"250 2.0.0 Ok: queued\r\n"),
        (b"QUIT\r\n", b"221 2.0.0 Bye\r\n"),
    ):
        tls.say("client", said)
        tls.say("server", answered)
    tls.close("server")
    tcp.close("server")


def http_connect(scene: Scene) -> None:
    """TLS 1.3 through an HTTP proxy on port 3128, opened by CONNECT (RFC 9110, 9.3.6)."""
    identity = scene.authority.issue("www.example")
    tcp = scene.connect(server=_PROXY, port=3128)
    tcp.send("client", b"CONNECT www.example:443 HTTP/1.1\r\nHost: www.example:443\r\n\r\n")
    tcp.send("server", b"HTTP/1.1 200 Connection established\r\n\r\n")
    tls = scene.talk(tcp, scene.contexts(identity, version="1.3"), "www.example", server=identity)
    tls.say("client", http_request("www.example", "/"))
    tls.say("server", http_response(b"Hello through a proxy.\n"))
    tls.close()
    tcp.close()


def ipv6(scene: Scene) -> None:
    """TLS 1.3 between documentation addresses of IPv6, in a big-endian pcapng file."""
    scene.byte_order = "big"
    client = Host("2001:db8:10::10", CLIENT.mac)
    server = Host("2001:db8:20::443", SERVER.mac, 57)
    identity = scene.authority.issue("www.example", "2001:db8:20::443")
    tcp = scene.connect(client=client, server=server)
    tls = scene.talk(tcp, scene.contexts(identity, version="1.3"), "www.example", server=identity)
    tls.say("client", http_request("www.example", "/"))
    tls.say("server", http_response(b"Hello over IPv6.\n"))
    tls.close()
    tcp.close()


def vlan(scene: Scene) -> None:
    """TLS 1.2 in Ethernet frames with the 802.1Q tag of VLAN 42, in a nanosecond pcap file."""
    scene.suffix = "pcap"
    identity = scene.authority.issue("www.example")
    tcp = scene.connect(vlan=42)
    tls = scene.talk(tcp, scene.contexts(identity, version="1.2"), "www.example", server=identity)
    tls.say("client", http_request("www.example", "/"))
    tls.say("server", http_response(b"Hello from VLAN 42.\n"))
    tls.close()
    tcp.close()


def tcp_trouble(scene: Scene) -> None:
    """Four TLS 1.2 connections: segments of a Certificate swapped; one sent twice; one sent again with other bytes; one lost.

    The second copy of the third connection differs from the first in application data; the first is what the client
    accepted. The fourth lacks one segment of application data which the client acknowledged: the capture lost it.
    """
    identity = scene.authority.issue("www.example", key="rsa")
    contexts = scene.contexts(identity, version="1.2", ciphers="ECDHE-RSA-AES128-GCM-SHA256", tickets=False)
    pages = [_page(scene, identity, contexts, number) for number in range(4)]

    one, two = (segment.packet for segment in pages[0].segments["server"][:2])
    one.at, two.at = two.at, one.at

    again = pages[1].segments["server"][0].packet
    scene.wire.put(again.at + 180_000, again.data)

    original, following = pages[2].segments["server"][-5:-3]
    changed = bytearray(original.data)
    changed[600:640] = b"!" * 40
    pages[2].segment("server", original.offset, bytes(changed), at=following.packet.at + 2_000)

    lost = pages[3].segments["server"][-4]
    scene.wire.packets.remove(lost.packet)
    scene.stated[3].extra["gaps"] = [{"from": "server", "offset": lost.offset, "length": len(lost.data)}]


def _page(scene: Scene, identity: Identity, contexts: tuple[ssl.SSLContext, ssl.SSLContext], number: int) -> Conversation:
    tcp = scene.connect(after=2.0 * number)
    tls = scene.talk(tcp, contexts, "www.example", server=identity)
    tls.say("client", http_request("www.example", f"/{number}"))
    whole = http_response(b"".join(b"%05d A capture is a record of what passed by.\n" % line for line in range(120)))
    tls.say("server", *(whole[start : start + 700] for start in range(0, len(whole), 700)))
    tls.close()
    tcp.close()
    return tcp


def http_request(authority: str, path: str, *fields: str) -> bytes:
    """An HTTP/1.1 GET."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {authority}", "User-Agent: demonstration/1.0", "Accept: */*", *fields]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def http_response(body: bytes, kind: str = "text/plain", status: str = "200 OK", *fields: str) -> bytes:
    """An HTTP/1.1 response."""
    lines = [f"HTTP/1.1 {status}", "Server: example", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


SCENES = (
    smtp_starttls,
    http_connect,
    ipv6,
    vlan,
    tcp_trouble,
)
