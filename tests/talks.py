"""Sessions of real endpoints that talk HTTP, with what was inside and their key logs."""

import contextlib
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conversations import Flight, contexts

SIZES = (300, 5000, 40_000)


@dataclass(frozen=True)
class Talk:
    """What was on the wire, what was inside, and the key log."""

    flights: tuple[Flight, ...]
    sent: tuple[bytes, bytes]
    keylog: str


def talk_over(client_context: ssl.SSLContext, server_context: ssl.SSLContext, session: Any = None) -> tuple[Talk, Any]:
    """A handshake, a request and an answer of each size, close_notify; and the session, to be resumed."""
    flights: list[Flight] = []
    sent = [b"", b""]
    inward, outward, to_server, to_client = (ssl.MemoryBIO() for _ in range(4))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "keys")
        client_context.keylog_filename = str(log)
        client = client_context.wrap_bio(to_client, outward, server_hostname="example.test", session=session)
        server = server_context.wrap_bio(to_server, inward, server_side=True)

        def carry(side: int) -> None:
            data = (outward, inward)[side].read()
            if data:
                (to_server, to_client)[side].write(data)
                flights.append((side, data))

        for _ in range(4):
            for side, peer in enumerate((client, server)):
                with contextlib.suppress(ssl.SSLWantReadError):
                    peer.do_handshake()
                carry(side)
        for n_bytes in SIZES:
            request = b"GET /%d HTTP/1.1\r\nHost: example.test\r\n\r\n" % n_bytes
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n_bytes + b"a" * n_bytes
            for side, (sender, receiver, data) in enumerate(((client, server, request), (server, client, answer))):
                sent[side] += data
                sender.write(data)
                carry(side)
                received = 0
                while received < len(data):
                    received += len(receiver.read(1 << 16))
        kept = client.session
        for side, peer in enumerate((client, server)):
            with contextlib.suppress(ssl.SSLError):
                peer.unwrap()
            carry(side)
        return Talk(tuple(flights), (sent[0], sent[1]), log.read_text("ascii")), kept


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
