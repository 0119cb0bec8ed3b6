"""Makes flows of packets: their endpoints, their interleaving, and the traffic that is not TLS.

A flow is an iterator of (microseconds, frame) in order of time. A flow source makes one that begins at a given time; it also
has the kind of the flow, and the number of packets to expect.
"""

import heapq
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator

from benchmarks.wire import Path, Stamped, conversation, conversation_length

# 2026-03-02T09:00:00Z, in microseconds: within the certificates' validity.
BEGIN = 1_772_442_000_000_000
# Average microseconds from the end of one flow to the start of the next, which replaces it.
PAUSE = 20_000
POOL = random.Random("pool").randbytes(1 << 20)
CLIENT_PORTS = 28_000
TRANSFER_FLIGHT = 40 * 1460

Flow = Iterator[Stamped]
FlowSource = tuple[str, int, Callable[[int], Flow]]
"""The source of a flow: its kind, the packets to expect, and a function that makes the flow for a start time."""
Address = tuple[bytes, int]


def endpoints(number: int, port: int, server: int, *, ip6: bool = False) -> tuple[Address, Address]:
    """Return the client and the server of flow `number`: no two flows have the same pair."""
    host = number // CLIENT_PORTS * 64 + number % 61
    client_port = 32768 + number % CLIENT_PORTS
    if ip6:
        network = bytes.fromhex("20010db8")
        client = network + bytes(10) + (0x100 + host).to_bytes(2, "big")
        return (client, client_port), (network + b"\0\1" + bytes(8) + (0x100 + server).to_bytes(2, "big"), port)
    return ((0x0A010000 + host).to_bytes(4, "big"), client_port), ((0xC6120000 + server).to_bytes(4, "big"), port)


def interleave(sources: Iterator[FlowSource], n_open: int, seed: str, kinds: Counter[str]) -> Iterator[Stamped]:
    """Yield the frames of all flows in order of time, with `n_open` flows at a time; the next one replaces a flow that ended.

    The packets of each kind are counted in `kinds`.
    """
    rng = random.Random(seed)
    running: list[tuple[int, int, bytes, str, Flow]] = []
    number = 0
    for kind, _, open_flow in sources:
        flow = open_flow(BEGIN + number * PAUSE // n_open)
        at, frame = next(flow)
        heapq.heappush(running, (at, number, frame, kind, flow))
        number += 1
        if number == n_open:
            break
    while running:
        at, slot, frame, kind, flow = running[0]
        yield at, frame
        kinds[kind] += 1
        following = next(flow, None)
        if following is None:
            source = next(sources, None)
            if source is None:
                heapq.heappop(running)
                continue
            kind, _, open_flow = source
            slot = number = number + 1
            flow = open_flow(at + int(rng.expovariate(1 / PAUSE)))
            following = next(flow)
        heapq.heapreplace(running, (following[0], slot, following[1], kind, flow))


def opaque(rng: random.Random, size: int) -> bytes:
    """Return `size` bytes without meaning."""
    begin = rng.randrange(len(POOL) - 65536)
    return (POOL[begin:] + POOL * (size // len(POOL) + 1))[:size] if size > 65536 else POOL[begin : begin + size]


def http(number: int) -> FlowSource:
    """A connection to port 80 with a few requests and responses."""
    rng = random.Random(f"http {number}")
    flights = []
    for _ in range(rng.randrange(1, 5)):
        request = f"GET /{rng.randrange(1 << 40):x}.png HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n".encode()
        body = opaque(rng, min(int(rng.expovariate(1 / 12_000)), 60_000))
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        flights += [(False, request), (True, answer)]
    client, server = endpoints(number, 80, rng.randrange(200), ip6=rng.randrange(7) == 0)
    count = conversation_length(len(data) for _, data in flights)
    return "http", count, lambda start: conversation(rng, client, server, start, flights)


def transfer(number: int) -> FlowSource:
    """A connection to port 9000 that carries 0.1 to 3 MB one way."""
    rng = random.Random(f"transfer {number}")
    n_flights = rng.randrange(2, 52)
    upward = rng.randrange(4) == 0
    client, server = endpoints(number, 9000, rng.randrange(20))
    count = conversation_length([TRANSFER_FLIGHT] * n_flights + [40])

    def flights() -> Iterator[tuple[bool, bytes]]:
        yield False, opaque(rng, 40)
        for _ in range(n_flights):
            yield not upward, opaque(rng, TRANSFER_FLIGHT)

    return "transfer", count, lambda start: conversation(rng, client, server, start, flights())


def dns(number: int) -> FlowSource:
    """A query to port 53 for the address of a name, and its answer."""
    rng = random.Random(f"dns {number}")
    client, server = endpoints(number, 53, rng.randrange(4), ip6=rng.randrange(7) == 0)
    label = f"host-{rng.randrange(5000)}".encode()
    question = bytes([len(label)]) + label + b"\x07example\x03com\x00\x00\x01\x00\x01"
    query = struct.pack("!HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + question
    answer = struct.pack("!HHHHHH", number & 0xFFFF, 0x8180, 1, 1, 0, 0) + question
    answer += struct.pack("!HHHIH4s", 0xC00C, 1, 1, 300, 4, rng.randbytes(4))

    def flow(start: int) -> Flow:
        yield start, Path(client, server, number & 0xFFFF).datagram(query)
        yield start + rng.randrange(500, 30_000), Path(server, client).datagram(answer)

    return "dns", 2, flow


def datagrams(number: int) -> FlowSource:
    """Opaque datagrams to and from UDP port 443 that begin like QUIC's short header: a connection that is already open."""
    rng = random.Random(f"datagrams {number}")
    client, server = endpoints(number, 443, rng.randrange(200), ip6=rng.randrange(7) == 0)
    count = rng.randrange(20, 300)

    def flow(start: int) -> Flow:
        up, down = Path(client, server), Path(server, client)
        client_id = rng.randbytes(8)
        at = start
        for _ in range(count):
            at += rng.randrange(15, 3000)
            if rng.randrange(3):
                yield at, down.datagram(b"\x45" + opaque(rng, 1250))
            else:
                yield at, up.datagram(b"\x52" + client_id + opaque(rng, rng.randrange(25, 60)))

    return "datagrams", count, flow


def control(number: int) -> FlowSource:
    """An ARP request and its reply, or an ICMP echo request and its reply."""
    rng = random.Random(f"control {number}")
    client, server = endpoints(number, 0, rng.randrange(200))
    there, back = Path(client, server), Path(server, client)

    def flow(start: int) -> Flow:
        if rng.randrange(2):
            yield start, there.arp(1)
            yield start + 150, back.arp(2)
        else:
            yield start, there.echo(8, number & 0xFFFF)
            yield start + rng.randrange(500, 30_000), back.echo(0, number & 0xFFFF)

    return "control", 2, flow
