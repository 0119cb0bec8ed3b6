"""Real TLS peers: OpenSSL talks to OpenSSL through memory, and the bytes go to standard output, flight by flight.

Run as a program by `benchmarks.workloads`, because the TLS 1.3 suites that OpenSSL offers can only be chosen for a whole
process (`OPENSSL_CONF`). `short` makes many small sessions, `long` makes one with many bytes.

The output is a series of parts. Each is a byte for its kind, a 32-bit length, and that many bytes: SESSION (JSON, before the
first flight: `server`), CLIENT and SERVER (bytes of that side), END (JSON: `version`, `cipher_suite`, `resumed`, and `carried`,
the bytes of application data).
"""

import argparse
import contextlib
import json
import random
import ssl
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from benchmarks.certificates import N_SERVERS, pem_path, server_name

CLIENT, SERVER, SESSION, END = range(4)
PART = struct.Struct("<BI")
# Bytes given to OpenSSL at once in a long session: four full records.
CHUNK = 65536
# How often a client resumes if it has a session to resume.
RESUMPTION = 0.45

# What the clients offer: highest version, TLS 1.2 suites, ALPN. A TLS 1.3 client offers TLS 1.2 too.
PROFILES: tuple[tuple[ssl.TLSVersion, str, tuple[str, ...]], ...] = (
    (ssl.TLSVersion.TLSv1_3, "DEFAULT", ("h2", "http/1.1")),
    (ssl.TLSVersion.TLSv1_3, "ECDHE+AESGCM:ECDHE+CHACHA20", ("http/1.1",)),
    (ssl.TLSVersion.TLSv1_3, "ECDHE+CHACHA20:ECDHE+AESGCM", ()),
    (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM:ECDHE+CHACHA20:AESGCM", ("h2", "http/1.1")),
    (ssl.TLSVersion.TLSv1_2, "ECDHE+CHACHA20:ECDHE+AESGCM", ()),
    (ssl.TLSVersion.TLSv1_2, "ECDHE+AES128:ECDHE+AES256:!AESGCM:!AESCCM", ("http/1.1",)),
    (ssl.TLSVersion.TLSv1_2, "kRSA+AESGCM:ECDHE+AESGCM+AES128", ()),
)


class Link:
    """A client and a server joined by memory BIOs."""

    def __init__(
        self, client: ssl.SSLContext, server: ssl.SSLContext, name: str, session: ssl.SSLSession | None = None
    ) -> None:
        self.to_client, self.from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.to_server, self.from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self.from_client, server_hostname=name, session=session)
        self.server = server.wrap_bio(self.to_server, self.from_server, server_side=True)

    def carry(self, kind: int) -> bytes:
        """Copy the bytes that one side has written to the other, and return them."""
        if kind == CLIENT:
            data = self.from_client.read()
            self.to_server.write(data)
        else:
            data = self.from_server.read()
            self.to_client.write(data)
        return data

    def handshake(self) -> Iterator[tuple[int, bytes]]:
        """Yield the flights until both sides are done, without what the client holds back to send with its first data."""
        client_done = server_done = False
        while True:
            client_done = client_done or advance(self.client)
            if client_done and self.from_client.pending and self.client.version() == "TLSv1.3":
                return
            if data := self.carry(CLIENT):
                yield CLIENT, data
            if client_done and server_done:
                return
            server_done = server_done or advance(self.server)
            if data := self.carry(SERVER):
                yield SERVER, data


def advance(peer: ssl.SSLObject) -> bool:
    """Continue the handshake. Return whether it is complete."""
    try:
        peer.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def close(peer: ssl.SSLObject) -> None:
    """Send close_notify."""
    with contextlib.suppress(ssl.SSLWantReadError):
        peer.unwrap()


def server_context(pem: Path, index: int) -> ssl.SSLContext:
    """Return the context of server `index`: every fourth resumes by session ID and not by ticket, every tenth requires
    P-256."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.num_tickets = 1
    # The clients have different preferences; they decide.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers("ALL:@SECLEVEL=2")
    if index % 4 == 3:
        context.options |= ssl.OP_NO_TICKET
    if index % 10 == 9:
        context.set_ecdh_curve("prime256v1")
    context.set_alpn_protocols(["http/1.1"])
    return context


def client_context(profile: int, keylog: Path) -> ssl.SSLContext:
    """Return the context of a client that offers the values in PROFILES and writes its secrets to `keylog`."""
    highest, ciphers, protocols = PROFILES[profile]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = highest
    context.set_ciphers(ciphers)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    context.keylog_filename = str(keylog)
    return context


def write_part(out: BinaryIO, kind: int, data: bytes) -> None:
    """Write one part of the output."""
    out.write(PART.pack(kind, len(data)))
    out.write(data)


def write_end(out: BinaryIO, client: ssl.SSLObject, carried: int) -> None:
    """Write the facts of a session that has ended, as OpenSSL reports them, and its number of application bytes."""
    cipher = client.cipher()
    facts = {
        "version": client.version(),
        "cipher_suite": cipher[0] if cipher else None,
        "resumed": client.session_reused,
        "carried": carried,
    }
    write_part(out, END, json.dumps(facts).encode())


def write_short(out: BinaryIO, certificates: Path, keylog: Path, count: int, seed: str) -> None:
    """Make `count` sessions, each with a handshake, a request, a response and two close_notify."""
    rng = random.Random(seed)
    servers: dict[int, ssl.SSLContext] = {}
    clients = [client_context(profile, keylog) for profile in range(len(PROFILES))]
    known: dict[tuple[int, int], ssl.SSLSession] = {}
    filler = rng.randbytes(65536)
    for _ in range(count):
        index = min(rng.randrange(N_SERVERS), rng.randrange(N_SERVERS))
        profile = rng.randrange(len(PROFILES))
        if index not in servers:
            servers[index] = server_context(pem_path(certificates, index), index)
        name = server_name(index)
        session = known.get((profile, index)) if rng.random() < RESUMPTION else None
        link = Link(clients[profile], servers[index], name, session)
        write_part(out, SESSION, json.dumps({"server": index}).encode())
        for kind, data in link.handshake():
            write_part(out, kind, data)
        request = f"GET /{rng.randrange(1 << 40):x} HTTP/1.1\r\nHost: {name}\r\nAccept: */*\r\nCookie: "
        carried = link.client.write(request.encode() + filler[: rng.randrange(20, 400)].hex().encode() + b"\r\n\r\n")
        write_part(out, CLIENT, link.carry(CLIENT))
        advance(link.server)
        link.server.read(4096)
        body = filler[: min(int(rng.expovariate(1 / 1200)), 12_000)]
        carried += link.server.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        write_part(out, SERVER, link.carry(SERVER))
        link.client.read(16384)
        resumable = link.client.session
        if resumable is not None and resumable.id:
            known[profile, index] = resumable
        close(link.client)
        write_part(out, CLIENT, link.carry(CLIENT))
        close(link.server)
        write_part(out, SERVER, link.carry(SERVER))
        write_end(out, link.client, carried)


def text_filler(rng: random.Random) -> bytes:
    """Return CHUNK bytes of a page in HTML, in lines of about 60 characters; one in ten lines has letters outside of ASCII."""
    lines = []
    for number in range(CHUNK // 40):
        name = "".join(rng.choices("abcdefghijklmnop ", k=rng.randrange(4, 40)))
        lines.append(f'<li><a href="/item/{number}">{name}{"é" * (number % 10 == 0)}</a>, {rng.randrange(9999) / 100}\n')
    return "".join(lines).encode()[:CHUNK]


def write_long(
    out: BinaryIO, certificates: Path, keylog: Path, n_bytes: int, index: int, version: str, cipher: str, text: bool = False
) -> None:
    """Make one session with server `index`, in which `n_bytes` are downloaded, or uploaded if `index` is a multiple of 5.

    text: lines of text instead of random bytes.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.keylog_filename = str(keylog)
    client.minimum_version = client.maximum_version = ssl.TLSVersion[version]
    if cipher:
        client.set_ciphers(cipher)
    link = Link(client, server_context(pem_path(certificates, index), index), server_name(index))
    write_part(out, SESSION, json.dumps({"server": index}).encode())
    for kind, data in link.handshake():
        write_part(out, kind, data)
    up = index % 5 == 0
    method, length = (b"POST", b"Content-Length: %d\r\n" % n_bytes) if up else (b"GET", b"")
    carried = link.client.write(b"%b /archive HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (method, server_name(index).encode(), length))
    write_part(out, CLIENT, link.carry(CLIENT))
    advance(link.server)
    link.server.read(4096)
    filler = text_filler(random.Random(index)) if text else random.Random(index).randbytes(CHUNK)
    side, sender, outgoing = (CLIENT, link.client, link.from_client) if up else (SERVER, link.server, link.from_server)
    if not up:
        carried += sender.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n_bytes)
    left = n_bytes
    carried += n_bytes
    while left:
        # The other end does not read the data: only the ciphertext is used.
        left -= sender.write(filler[: min(left, CHUNK)])
        write_part(out, side, outgoing.read())
    if up:
        carried += link.server.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        write_part(out, SERVER, link.from_server.read())
    close(link.client)
    write_part(out, CLIENT, link.from_client.read())
    close(link.server)
    write_part(out, SERVER, link.from_server.read())
    write_end(out, link.client, carried)


def main() -> None:
    """Read the command line and write one of the two kinds of output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("short", "long"))
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--keylog", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--bytes", type=int, default=0)
    parser.add_argument("--server", type=int, default=0)
    parser.add_argument("--version", default="TLSv1_3")
    parser.add_argument("--cipher", default="")
    parser.add_argument("--text", action="store_true")
    args = parser.parse_args()
    out = sys.stdout.buffer
    if args.kind == "short":
        write_short(out, args.certificates, args.keylog, args.count, args.seed)
    else:
        write_long(out, args.certificates, args.keylog, args.bytes, args.server, args.version, args.cipher, args.text)
    out.flush()


if __name__ == "__main__":
    main()
