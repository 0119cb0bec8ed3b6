"""Traffic that costs its sender little and its reader much, in any size: what each costs must grow no faster than its bytes.

    python tests/torture.py                          every flood in two sizes, through `sessions`: time, memory, and their ratio
    python tests/torture.py crypto_flood --size 20000 --command summary
    python tests/torture.py flows --instructions             instructions instead of seconds, an eighth of the size: valgrind
    python tests/torture.py --largest                        one size, beyond every limit: the memory

A flood of twice the size may take at most 2.2 times as long, and no more memory than `MAX_BYTES`. The status is 1 if one does.
Seconds are those of a processor, and a figure is the smallest of three runs. Even so they depend on what else the machine
does, as its caches are shared: what a larger flood takes from memory is slower than what a smaller one takes from a cache.
Instructions depend on nothing else. The tests (`test_torture.py`) count lines of Python, with small sizes. A limit that is
reached between the two sizes can make the ratio larger than it is for two sizes beyond it.
"""

import argparse
import os
import re
import resource
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

MAX_RATIO = 2.2
"""Seconds of twice the size, as a multiple: less than 2 where a limit ends the work, and what a clock is wrong by."""

MAX_BYTES = 500_000_000
"""Memory of the process, its modules included. What keeps most is a flood of sessions: `HELD_TOTAL` bounds them."""

BEYOND = 120_000
"""Size of a flood that is beyond every limit of how many there are at one time; `OPEN_CONNECTIONS` is the largest."""

SMALLER = 8
"""What the sizes are divided by where instructions are counted, which takes fifty times as long."""

CLIENT, SERVER = 0, 1
HOSTS = (b"\x0a\0\0\1", b"\x0a\0\0\2")
SYN, FIN, RST, ACK = 2, 1, 4, 16


class Flood(NamedTuple):
    """A flood. frames: yields the Ethernet frames of a size. size: of the smaller measured one.

    limit: the module and the names of what bounds the memory that it costs.

    keys: returns the key log with which it is read; None for none.
    """

    frames: Callable[[int], Iterator[bytes]]
    size: int
    limit: str
    keys: Callable[[], bytes] | None = None


def ethernet(ip: bytes) -> bytes:
    """A frame with an IP packet."""
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + (b"\x08\0" if ip[0] >> 4 == 4 else b"\x86\xdd") + ip


def ipv4(
    protocol: int, body: bytes, source: bytes = HOSTS[0], target: bytes = HOSTS[1], field: int = 0, number: int = 0
) -> bytes:
    """An IPv4 packet. field: of fragmentation. number: its identification."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number & 0xFFFF, field, 64, protocol, 0, source, target)
    return head + body


def udp(side: int, payload: bytes, port: int = 50000, source: bytes = HOSTS[0]) -> bytes:
    """A frame with a datagram between a client, whose port and address are given, and port 443."""
    ends = (source, HOSTS[1])
    ports = (port, 443)
    head = struct.pack(">HHHH", ports[side], ports[1 - side], 8 + len(payload), 0)
    return ethernet(ipv4(17, head + payload, ends[side], ends[1 - side]))


class Tcp:
    """A connection whose segments are made one after the other."""

    def __init__(self, port: int = 50000, source: bytes = HOSTS[0]) -> None:
        self.ends, self.ports, self.next = (source, HOSTS[1]), (port, 443), [1, 1]

    def segment(self, side: int, flags: int, payload: bytes = b"", sequence: int | None = None) -> bytes:
        """A frame. sequence: instead of the next one, which then stays."""
        at = self.next[side] if sequence is None else sequence
        head = struct.pack(
            ">HHIIBBHHH", self.ports[side], self.ports[1 - side], at & 0xFFFFFFFF, self.next[1 - side] & 0xFFFFFFFF,
            0x50, flags, 64240, 0, 0,
        )  # fmt: skip
        if sequence is None:
            self.next[side] += len(payload) + bool(flags & (SYN | FIN))
        return ethernet(ipv4(6, head + payload, self.ends[side], self.ends[1 - side]))

    def open(self) -> Iterator[bytes]:
        """The three packets of the beginning."""
        self.next = [1000, 5000]
        yield self.segment(CLIENT, SYN)
        yield self.segment(SERVER, SYN | ACK)
        yield self.segment(CLIENT, ACK)

    def say(self, side: int, data: bytes, size: int = 1400) -> Iterator[bytes]:
        """Segments with these bytes."""
        for at in range(0, len(data), size):
            yield self.segment(side, ACK, data[at : at + size])


def record(content_type: int, body: bytes) -> bytes:
    """A TLS record."""
    return bytes([content_type, 3, 3]) + len(body).to_bytes(2) + body


def hello(extensions: bytes = b"\0\x2b\0\3\2\3\4", random: bytes = bytes(32)) -> bytes:
    """A ClientHello."""
    body = b"\3\3" + random + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2) + extensions
    return b"\1" + len(body).to_bytes(3) + body


def answer() -> bytes:
    """A ServerHello of TLS 1.3."""
    extensions = b"\0\x2b\0\2\3\4\0\x33\0\x24\0\x1d\0\x20" + bytes(range(32))
    body = b"\3\3" + bytes(range(32)) + b"\0\x13\1\0" + len(extensions).to_bytes(2) + extensions
    return b"\2" + len(body).to_bytes(3) + body


def _tls(tcp: Tcp) -> Iterator[bytes]:
    """A connection up to its two hellos."""
    yield from tcp.open()
    yield from tcp.say(CLIENT, record(22, hello()))
    yield from tcp.say(SERVER, record(22, answer()))


# TCP and IP.


def syn_flood(n: int) -> Iterator[bytes]:
    """As many connection attempts, from as many addresses."""
    for number in range(n):
        yield Tcp(1024 + number % 60000, struct.pack(">I", 0x0B000000 + number)).segment(CLIENT, SYN)


def flows(n: int) -> Iterator[bytes]:
    """As many connections, each with a ClientHello, and none ends."""
    for number in range(n):
        tcp = Tcp(1024 + number % 60000, struct.pack(">I", 0x0B000000 + number // 7))
        yield from tcp.open()
        yield from tcp.say(CLIENT, record(22, hello(random=struct.pack(">32xI", number)[-32:])))


def ip_fragments(n: int) -> Iterator[bytes]:
    """As many first fragments of datagrams that are never complete."""
    for number in range(n):
        yield ethernet(ipv4(17, bytes(1400), struct.pack(">I", 0x0B000000 + number // 1000), HOSTS[1], 0x2000, number))


def overlapping_fragments(n: int) -> Iterator[bytes]:
    """As many fragments of one datagram, at places that overlap, without its end."""
    random = Random(1)
    for number in range(n):
        if number % 3000 == 0:
            place = 0
        place = random.randrange(1, 8000)
        yield ethernet(ipv4(17, random.randbytes(64), HOSTS[0], HOSTS[1], 0x2000 | place, 7))


def holes(n: int) -> Iterator[bytes]:
    """As many segments of one byte, with a hole of one byte before each."""
    tcp = Tcp()
    yield from _tls(tcp)
    begin = tcp.next[CLIENT]
    for number in range(n):
        yield tcp.segment(CLIENT, ACK, b"\x17", begin + 1 + 2 * number)


def tiny_segments(n: int) -> Iterator[bytes]:
    """One session whose records come a byte at a time."""
    tcp = Tcp()
    yield from _tls(tcp)
    for octet in (record(23, bytes(30)) * (n // 35 + 1))[:n]:
        yield tcp.segment(CLIENT, ACK, bytes([octet]))


def resent(n: int) -> Iterator[bytes]:
    """One segment, sent again and again with other bytes."""
    tcp = Tcp()
    yield from _tls(tcp)
    begin = tcp.next[CLIENT]
    for number in range(n):
        yield tcp.segment(CLIENT, ACK, struct.pack(">I", number) * 25, begin)


def tunnels(n: int) -> Iterator[bytes]:
    """Packets in packets, as deep as a frame holds."""
    inner = ipv4(6, bytes(20))
    while len(inner) < 1400:
        inner = ipv4(4, inner)
    for _ in range(n):
        yield ethernet(inner)


# TLS.


def tiny_records(n: int) -> Iterator[bytes]:
    """One session with as many records of the smallest size."""
    tcp = Tcp()
    yield from _tls(tcp)
    for start in range(0, n, 50):
        yield from tcp.say(CLIENT, record(23, bytes(17)) * min(50, n - start))


def tiny_messages(n: int) -> Iterator[bytes]:
    """One session with as many empty handshake messages."""
    tcp = Tcp()
    yield from tcp.open()
    yield from tcp.say(CLIENT, record(22, hello()))
    for start in range(0, n, 300):
        yield from tcp.say(SERVER, record(22, b"\0\0\0\0" * min(300, n - start)))


def alerts(n: int) -> Iterator[bytes]:
    """One session with as many warnings."""
    tcp = Tcp()
    yield from _tls(tcp)
    for start in range(0, n, 150):
        yield from tcp.say(SERVER, record(21, b"\1\x5a") * min(150, n - start))


def hellos(n: int) -> Iterator[bytes]:
    """One connection with as many ClientHellos."""
    tcp = Tcp()
    yield from tcp.open()
    for number in range(n):
        yield from tcp.say(CLIENT, record(22, hello(random=struct.pack(">32xI", number)[-32:])))


def lines_before_tls(n: int) -> Iterator[bytes]:
    """A dialogue of as many lines before STARTTLS."""
    tcp = Tcp()
    yield from tcp.open()
    yield from tcp.say(SERVER, b"220 a ESMTP\r\n")
    for _ in range(n):
        yield from tcp.say(CLIENT, b"NOOP\r\n")
        yield from tcp.say(SERVER, b"250 ok\r\n")


def requests(n: int) -> Iterator[bytes]:
    """As many requests in one connection without TLS, none of which is answered."""
    tcp = Tcp()
    yield from tcp.open()
    for start in range(0, n, 40):
        yield from tcp.say(CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * min(40, n - start))


# QUIC.


@cache
def _pair() -> Any:
    from aioquic.quic.crypto import CryptoPair

    pair = CryptoPair()
    pair.setup_initial(b"abcdefgh", is_client=True, version=1)
    return pair


def _initial(number: int, payload: bytes, pair: Any = None, target: bytes = b"abcdefgh") -> bytes:
    payload += bytes(max(0, 1162 - len(payload)))
    head = b"\xc3\0\0\0\1\x08" + target + b"\x08ijklmnop\0" + (4 + len(payload) + 16 | 0x4000).to_bytes(2) + number.to_bytes(4)
    sealed: bytes = (pair or _pair()).encrypt_packet(head, payload, number)
    return sealed


def _crypto(offset: int, data: bytes) -> bytes:
    return b"\6" + (offset | 0x80000000).to_bytes(4) + (len(data) | 0x4000).to_bytes(2) + data


def _quic_hello() -> bytes:
    extensions = b"\0\x2b\0\3\2\3\4\0\x39\0\x0a" + b"\x0f\x08ijklmnop"
    return hello(extensions)


def crypto_flood(n: int) -> Iterator[bytes]:
    """Initials with CRYPTO frames at far, overlapping and backward offsets; the handshake never becomes whole."""
    random = Random(2)
    yield udp(CLIENT, _initial(0, _crypto(0, _quic_hello()[:40])))
    for number in range(1, n):
        frames = b"".join(_crypto(50 + random.randrange(1 << 20), random.randbytes(40)) for _ in range(20))
        yield udp(CLIENT, _initial(number, frames))


def forged_initials(n: int) -> Iterator[bytes]:
    """As many Initials of a client, each with keys of its own, on the same addresses and ports."""
    from aioquic.quic.crypto import CryptoPair

    for number in range(n):
        target, pair = struct.pack(">Q", number + 1), CryptoPair()
        pair.setup_initial(target, is_client=True, version=1)
        yield udp(CLIENT, _initial(0, _crypto(0, _quic_hello()), pair, target))


def initials_of_many(n: int) -> Iterator[bytes]:
    """The same from as many ports and addresses."""
    sealed = _initial(0, _crypto(0, _quic_hello()))
    for number in range(n):
        yield udp(CLIENT, sealed, 1024 + number % 60000, struct.pack(">I", 0x0B000000 + number // 60000))


def quic_connections(n: int) -> Iterator[bytes]:
    """As many connections, each from another port, and none is answered or ends."""
    from aioquic.quic.crypto import CryptoPair

    for number in range(n):
        target, pair = struct.pack(">Q", number + 1), CryptoPair()
        pair.setup_initial(target, is_client=True, version=1)
        ends = 1024 + number % 60000, struct.pack(">I", 0x0B000000 + number // 60000)
        yield udp(CLIENT, _initial(0, _crypto(0, _quic_hello()), pair, target), *ends)


def random_ids(n: int) -> Iterator[bytes]:
    """A connection, and as many short packets of random connection IDs on its addresses and ports."""
    random = Random(3)
    yield udp(CLIENT, _initial(0, _crypto(0, _quic_hello())))
    for _ in range(n):
        yield udp(random.randrange(2), b"\x40" + random.randbytes(40))


def random_ids_of_many(n: int) -> Iterator[bytes]:
    """The same, each from another port."""
    random = Random(4)
    yield udp(CLIENT, _initial(0, _crypto(0, _quic_hello())))
    for number in range(n):
        yield udp(CLIENT, b"\x40" + random.randbytes(40), 1024 + number % 60000)


def migrations(n: int) -> Iterator[bytes]:
    """A connection whose client sends each packet from another address."""
    random = Random(5)
    sent = _talk().sent
    for one in sent:
        yield one.frame()
    last = next(one for one in reversed(sent) if one.side == CLIENT and not one.payload[0] & 0x80)
    for number in range(n):
        payload = last.payload[:9] + random.randbytes(30)
        yield udp(CLIENT, payload, 1024 + number % 60000, struct.pack(">I", 0x0B000000 + number))


@cache
def _talk() -> Any:
    from quic_talks import Talk

    return Talk().connect()


def _sealed(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Packets of the client of `_talk` with these payloads, sealed with its keys."""
    from aioquic.tls import Epoch

    talk = _talk()
    for one in talk.sent:
        yield one.frame()
    pair = talk.client._cryptos[Epoch.ONE_RTT]
    target = talk.client._peer_cid.cid
    for number, payload in enumerate(frames, 1000):
        yield udp(CLIENT, pair.encrypt_packet(b"\x43" + target + number.to_bytes(4), payload, number))


def new_connection_ids(n: int) -> Iterator[bytes]:
    """As many NEW_CONNECTION_ID frames, thirty in a packet, opened with the keys."""
    random = Random(6)

    def payloads() -> Iterator[bytes]:
        for start in range(0, n, 30):
            yield b"".join(
                b"\x18" + (number | 0x80000000).to_bytes(4) + b"\0\x08" + random.randbytes(24)
                for number in range(start, min(n, start + 30))
            )

    return _sealed(payloads())


def streams(n: int) -> Iterator[bytes]:
    """As many streams, each with one byte far behind a hole, a hundred in a packet."""

    def payloads() -> Iterator[bytes]:
        for start in range(0, n, 100):
            yield b"".join(
                b"\x0e" + (4 * number | 0x80000000).to_bytes(4) + b"\x80\x01\0\0\1x"
                for number in range(start, min(n, start + 100))
            )

    return _sealed(payloads())


def acknowledgements(n: int) -> Iterator[bytes]:
    """Packets that acknowledge as many single numbers, each behind a gap."""

    def payloads() -> Iterator[bytes]:
        for start in range(0, n, 400):
            count = min(400, n - start)
            yield (
                b"\2"
                + (0x80000000 | 4 * count + 9).to_bytes(4)
                + b"\0"
                + (0x4000 | count).to_bytes(2)
                + b"\0"
                + b"\0\0" * count
            )

    return _sealed(payloads())


# DTLS and EAP.


def _dtls(number: int, body: bytes, content_type: int = 22, epoch: int = 0) -> bytes:
    return bytes([content_type]) + b"\xfe\xfd" + epoch.to_bytes(2) + number.to_bytes(6) + len(body).to_bytes(2) + body


def _fragment(kind: int, sequence: int, length: int, offset: int, data: bytes) -> bytes:
    head = bytes([kind]) + length.to_bytes(3) + sequence.to_bytes(2)
    return head + offset.to_bytes(3) + len(data).to_bytes(3) + data


def _dtls_hello(number: int) -> bytes:
    body = b"\xfe\xfd" + struct.pack(">28xI", number) + b"\0\0" + b"\0\2\xc0\x2f" + b"\1\0"
    return _fragment(1, number & 0xFFFF, len(body), 0, body)


def dtls_hellos(n: int) -> Iterator[bytes]:
    """As many ClientHellos on one flow, each with another random."""
    for number in range(n):
        yield udp(CLIENT, _dtls(number, _dtls_hello(number)))


def dtls_hellos_of_many(n: int) -> Iterator[bytes]:
    """A ClientHello from as many ports and addresses."""
    for number in range(n):
        yield udp(CLIENT, _dtls(0, _dtls_hello(0)), 1024 + number % 60000, struct.pack(">I", 0x0B000000 + number // 60000))


def dtls_fragments(n: int) -> Iterator[bytes]:
    """As many fragments of messages that are never whole, twenty in a datagram."""
    random = Random(7)
    yield udp(CLIENT, _dtls(0, _dtls_hello(0)))
    for number in range(0, n, 20):
        pieces = (
            _fragment(11, random.randrange(1, 30), 60_000, random.randrange(1, 59_000), random.randbytes(30)) for _ in range(20)
        )
        yield udp(SERVER, b"".join(_dtls(number + place, one) for place, one in enumerate(pieces)))


def dtls_replays(n: int) -> Iterator[bytes]:
    """A session, and as many sealed records of random epochs and numbers."""
    random = Random(8)
    yield udp(CLIENT, _dtls(0, _dtls_hello(0)))
    for _ in range(n):
        yield udp(CLIENT, _dtls(random.randrange(1 << 48), random.randbytes(40), 23, random.randrange(1 << 16)))


def stations(n: int) -> Iterator[bytes]:
    """802.1X: the beginning of EAP-TLS from as many hardware addresses."""
    packet = b"\1\0\0\6" + b"\1\1\0\6\x0d\x20"
    answer_ = b"\1\0\0\x0b" + b"\2\1\0\x0b\x0d\x80\0\0\0\x20h"
    for number in range(n):
        station = b"\x02\0" + number.to_bytes(4)
        yield station + b"\x02\0\0\0\0\2\x88\x8e" + packet
        yield b"\x02\0\0\0\0\2" + station + b"\x88\x8e" + answer_


def _keys() -> bytes:
    keys: bytes = _talk().keys
    return keys


FLOODS: dict[str, Flood] = {
    "syn_flood": Flood(syn_flood, 40_000, "flows/limits.py: OPEN_CONNECTIONS"),
    "flows": Flood(flows, 10_000, "flows/limits.py: OPEN_CONNECTIONS, HELD_TOTAL"),
    "ip_fragments": Flood(ip_fragments, 20_000, "flows/fragments.py: MAX_DATAGRAMS, MAX_BYTES"),
    "overlapping_fragments": Flood(overlapping_fragments, 20_000, "flows/fragments.py: MAX_FRAMES, MAX_BYTES"),
    "holes": Flood(holes, 40_000, "flows/limits.py: PENDING_SEGMENTS"),
    "tiny_segments": Flood(tiny_segments, 40_000, "tls/limits.py: MAX_PIECES"),
    "resent": Flood(resent, 20_000, "flows/limits.py: HISTORY_SLOTS, HISTORY_TOTAL"),
    "tunnels": Flood(tunnels, 20_000, "packet/headers.py: _LAYER_LIMIT"),
    "tiny_records": Flood(tiny_records, 200_000, "tls/limits.py: MAX_PIECES"),
    "tiny_messages": Flood(tiny_messages, 100_000, "tls/limits.py: MAX_MESSAGES"),
    "alerts": Flood(alerts, 100_000, "tls/limits.py: MAX_ALERTS"),
    "hellos": Flood(hellos, 20_000, "tls/limits.py: MAX_MESSAGES, MAX_TRANSCRIPT"),
    "lines_before_tls": Flood(lines_before_tls, 20_000, "engine/preface.py: MAX_BEFORE, MAX_PIECES"),
    "requests": Flood(requests, 40_000, "application/exchange.py: EXCHANGES_MAX"),
    "crypto_flood": Flood(crypto_flood, 4_000, "tls/quic/stream_reassembly.py: MAX_WAITING, MAX_PIECES"),
    "forged_initials": Flood(forged_initials, 4_000, "engine/quic_flows.py: MAX_CONNECTIONS, MAX_OPENING_ATTEMPTS"),
    "initials_of_many": Flood(initials_of_many, 10_000, "flows/limits.py: UDP_FLOWS"),
    "quic_connections": Flood(quic_connections, 4_000, "flows/limits.py: UDP_FLOWS, HELD_TOTAL"),
    "random_ids": Flood(random_ids, 40_000, "tls/quic/quic_session.py: MAX_STRAYS_IN_A_ROW"),
    "random_ids_of_many": Flood(random_ids_of_many, 40_000, "flows/limits.py: UDP_FLOWS"),
    "migrations": Flood(migrations, 20_000, "tls/quic/transport_facts.py: MAX_LISTED"),
    "new_connection_ids": Flood(new_connection_ids, 60_000, "tls/quic/known_ids.py: MAX_IDS", _keys),
    "streams": Flood(streams, 60_000, "tls/quic/stream_data.py: MAX_STREAMS, MAX_WAITING_TOTAL", _keys),
    "acknowledgements": Flood(acknowledgements, 100_000, "tls/quic/frames.py: MAX_RANGES", _keys),
    "dtls_hellos": Flood(dtls_hellos, 20_000, "engine/dtls_flows.py: MAX_ASSOCIATIONS"),
    "dtls_hellos_of_many": Flood(dtls_hellos_of_many, 10_000, "flows/limits.py: UDP_FLOWS"),
    "dtls_fragments": Flood(dtls_fragments, 60_000, "tls/dtls/handshake_flights.py: MAX_AHEAD, MAX_WAITING, MAX_FRAGMENTS"),
    "dtls_replays": Flood(dtls_replays, 20_000, "tls/dtls/record_opening.py: MAX_EPOCHS"),
    "stations": Flood(stations, 10_000, "engine/eap_sessions.py: MAX_CONVERSATIONS"),
}
"""All floods by name."""


def write(frames: Iterable[bytes], path: Path) -> int:
    """Write a capture whose frames are 10 µs apart. Return its size."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, data in enumerate(frames):
            second, rest = divmod(number * 10, 1_000_000)
            file.write(struct.pack("<IIII", 1_790_000_000 + second, rest, len(data), len(data)) + data)
        return file.tell()


class Used(NamedTuple):
    """What a run took. work: seconds of a processor, or instructions. memory: in bytes, 0 where it is not measured."""

    work: float
    memory: int
    status: int


def measure(line: list[str]) -> Used:
    """Run a command line in a child."""
    child = os.fork()
    if child == 0:
        from analyzer.cli.main import main

        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        status = 99
        try:
            status = main(line)
        finally:
            os._exit(status)
    _, status, used = os.wait4(child, 0)
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))


def count(line: list[str]) -> Used:
    """Run a command line under valgrind, which counts the instructions."""
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    words = [*tool, sys.executable, "-m", "analyzer", *line]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise SystemExit(done.stderr)
    return Used(int(found[1].replace(",", "")), 0, done.returncode)


def main() -> int:
    """Measure, and print a row for each flood."""
    parser = argparse.ArgumentParser(prog="python tests/torture.py", description="Floods in two sizes: time and memory.")
    parser.add_argument("floods", nargs="*", help="names; all if left out")
    parser.add_argument("--size", type=int, help="of the smaller one, instead of that of each flood")
    parser.add_argument("--command", default="sessions", help="what reads them")
    parser.add_argument("--instructions", action="store_true", help="count instructions, with valgrind")
    parser.add_argument("--largest", action="store_true", help=f"one size, {BEYOND}: the memory beyond the limits")
    options = parser.parse_args()
    from analyzer.codec.build import build

    print(build(), "MB of this process:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    n_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path, keys = Path(folder) / "flood.pcap", Path(folder) / "flood.keys"
        write(Tcp().open(), path)
        run, times, unit = (count, 1, 1e6) if options.instructions else (measure, 3, 1)
        base = min(run([options.command, str(path)]) for _ in range(times)).work  # of imports, which no flood makes longer
        for name in options.floods or FLOODS:
            flood = FLOODS[name]
            more = []
            if flood.keys is not None:
                keys.write_bytes(flood.keys())
                more = ["-k", str(keys)]
            size = options.size or (flood.size // SMALLER if options.instructions else flood.size)
            line = [options.command, str(path), *more]
            if options.largest:
                n = options.size or max(BEYOND, size)
                n_bytes = write(flood.frames(n), path)
                rows = [run(line)] * 2
            else:
                rows = []
                for n in (size, 2 * size):
                    n_bytes = write(flood.frames(n), path)
                    rows.append(min(run(line) for _ in range(times)))
            one, two = (max(row.work - base, 0.01) for row in rows)
            ratio = two / one
            grows = ratio > MAX_RATIO and two > unit
            wrong = grows or rows[1].memory > MAX_BYTES or rows[1].status not in (0, 1)
            n_wrong += wrong
            work = "".join(f"  {one / unit:8.2f} {'M' if options.instructions else 's'}" for one in (one, two))
            print(
                f"{name:22} {n:8} {n_bytes / 1e6:7.1f} MB{work}  x{ratio:4.2f}"
                f"  {rows[1].memory / 1e6:4.0f} MB  status {rows[1].status}{'  WRONG' if wrong else ''}",
                flush=True,
            )
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
