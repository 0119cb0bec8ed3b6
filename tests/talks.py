"""Makes sessions of real endpoints that speak HTTP, with their plaintext and key logs."""

import ssl
from functools import cache
from typing import Any

from conversations import CLIENT, SERVER, Flight, contexts
from keyed import Talk, talk_between

from analyzer.application.conversation import Conversation

SIZES = (300, 5000, 40_000)


class Kept(Conversation):
    """A conversation that keeps the data that it receives."""

    __slots__ = ("data",)

    def __init__(self, alpn: bytes | None) -> None:
        super().__init__(None)
        self.data = [b"", b""]

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        self.data[side] += data


def talk_over(client_context: ssl.SSLContext, server_context: ssl.SSLContext, session: Any = None) -> tuple[Talk, Any]:
    """Return a handshake, a request and a response of each size, and close_notify; and the session for a resumption."""
    script: list[Flight] = []
    for n_bytes in SIZES:
        script.append((CLIENT, b"GET /%d HTTP/1.1\r\nHost: example.test\r\n\r\n" % n_bytes))
        script.append((SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n_bytes + b"a" * n_bytes))
    return talk_between(client_context, server_context, script, session)


def client_of(version: str, ciphers: str | None = None) -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.minimum_version = client.maximum_version = ssl.TLSVersion[version]
    if ciphers:
        client.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return client


@cache
def converse(version: str, ciphers: str | None = None) -> Talk:
    server = contexts.__wrapped__()[1]
    if ciphers:
        server.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return talk_over(client_of(version, ciphers), server)[0]
