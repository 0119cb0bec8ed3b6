"""Makes QUIC connections with HTTP/3 for the workload `quic`: both endpoints are aioquic's, without sockets and without loss.

The server sends a few objects of one to eight megabytes to each client, and the client acknowledges them, as aioquic does: an
acknowledgement for each flight. About one packet in eleven is the client's.
"""

import random
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.tls import CipherSuite
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from benchmarks.certificates import N_SERVERS, pem_path, server_name
from benchmarks.traffic import Flow, FlowSource, endpoints, opaque
from benchmarks.wire import SEGMENT_TIME
from benchmarks.wire import Path as WirePath

SUITES = (CipherSuite.AES_128_GCM_SHA256, CipherSuite.AES_256_GCM_SHA384, CipherSuite.AES_128_GCM_SHA256)
"""Of the connections in turn. ChaCha20 is rare on the web, and left out."""

HALF_ROUND_TRIP = 5_000
"""Microseconds."""

MAX_ROUNDS = 20_000
"""Flights of both sides after which a connection that does not end is an error."""


def quic_connection(number: int, size: int, certificates: Path, keys: TextIO, counts: Any) -> FlowSource:
    """A connection that carries `size` bytes. counts: a `Sessions`, which counts it when it has ended."""

    def flow(start: int) -> Flow:
        rng = random.Random(f"quic {number}")
        server = rng.randrange(N_SERVERS)
        suite = SUITES[number % len(SUITES)]
        addresses = endpoints(number, 443, server, ip6=rng.randrange(7) == 0)
        paths = (WirePath(*addresses), WirePath(addresses[1], addresses[0]))
        for at, role, datagram in _datagrams(rng, server, suite, size, certificates, keys):
            yield start + at, paths[role].datagram(datagram)
        counts.n_ended += 1
        counts.n_carried += size
        counts.negotiated[f"QUIC 1 {suite.name}"] += 1

    return "quic", size // 1100, flow


def _datagrams(
    rng: random.Random, server: int, suite: CipherSuite, size: int, certificates: Path, keys: TextIO
) -> Iterator[tuple[int, int, bytes]]:
    """Yield the datagrams of a connection: microseconds since its start, 0 for the client and 1 for the server, bytes."""
    ends, web = _endpoints(server, suite, certificates, keys)
    client = ends[0]
    now = 0
    client.connect(("192.0.2.1", 443), now=0.0)
    objects = rng.randrange(2, 5)
    asked = answered = 0
    for _ in range(MAX_ROUNDS):
        moved = False
        for role in (0, 1):
            now += HALF_ROUND_TRIP
            for data, _address in ends[role].datagrams_to_send(now / 1e6):
                moved = True
                now += SEGMENT_TIME
                yield now, role, data
                ends[1 - role].receive_datagram(data, ("192.0.2.1", 443), now=now / 1e6)
            for end in (1 - role, role):
                while (event := ends[end].next_event()) is not None:
                    for said in web[end].handle_event(event):
                        if end == 1 and isinstance(said, HeadersReceived):
                            body = opaque(rng, size // objects)
                            headers = [(b":status", b"200"), (b"content-length", b"%d" % len(body))]
                            web[1].send_headers(said.stream_id, [*headers, (b"content-type", b"video/mp4")])
                            web[1].send_data(said.stream_id, body, end_stream=True)
                        elif end == 0 and getattr(said, "stream_ended", False):
                            answered += 1
        if client._handshake_complete and asked == answered and asked < objects:
            stream = client.get_next_available_stream_id()
            name = server_name(server).encode()
            path = b"/%x.mp4" % rng.randrange(1 << 40)
            question = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", name), (b":path", path)]
            web[0].send_headers(stream, question, end_stream=True)
            asked += 1
        elif answered == objects:
            client.close()
            for data, _address in client.datagrams_to_send(now / 1e6):
                yield now, 0, data
            return
        if not moved:
            now = max(now, int(1e6 * min(end.get_timer() or 0 for end in ends)) + 1)
            for one in ends:
                one.handle_timer(now / 1e6)
    raise RuntimeError("a connection does not end")


def _endpoints(
    server: int, suite: CipherSuite, certificates: Path, keys: TextIO
) -> tuple[tuple[QuicConnection, QuicConnection], tuple[H3Connection, H3Connection]]:
    """Return a client and a server, and what speaks HTTP/3 over them."""
    ours = QuicConfiguration(
        alpn_protocols=["h3"], server_name=server_name(server), secrets_log_file=keys, cipher_suites=[suite]
    )
    ours.verify_mode = ssl.CERT_NONE
    theirs = QuicConfiguration(alpn_protocols=["h3"], is_client=False)
    pem = pem_path(certificates, server).read_bytes()
    chain = x509.load_pem_x509_certificates(pem)
    theirs.certificate, theirs.certificate_chain = chain[0], chain[1:]
    theirs.private_key = load_pem_private_key(pem, None)  # type: ignore[assignment]
    for one in (ours, theirs):
        one.max_data = one.max_stream_data = 1 << 24
    client = QuicConnection(configuration=ours)
    other = QuicConnection(configuration=theirs, original_destination_connection_id=client.original_destination_connection_id)
    return (client, other), (H3Connection(client), H3Connection(other))
