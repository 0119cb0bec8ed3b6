"""Make the captures for the benchmarks: `python -m benchmarks.workloads NAME -o FILE`.

There are six workloads, each a pcap file with its key log (`.keys`) and its facts (`.json`) next to it;
`benchmarks/README.md` describes them. TLS bytes are OpenSSL's own (`benchmarks.peers`). Ports, addresses, times and sizes come
from fixed seeds, so two runs differ only in keys, randoms and signatures.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import traffic, wire
from benchmarks.certificates import write_certificates
from benchmarks.sessions import Part, Sessions, server_of

# Part of the name of a cached file: increase it when the content of the captures changes.
RECIPE = 2
OPEN_AT_ONCE = 200
HANDSHAKE_SESSIONS = 40_000
MIXED_PACKETS = 2_000_000
# Packets of a short session, on average: measured on `handshakes`.
SESSION_PACKETS = 14
# The share of each kind in the packets of `mixed`.
SHARES: dict[str, float] = {"tls": 0.05, "http": 0.25, "transfer": 0.41, "dns": 0.1, "datagrams": 0.15, "control": 0.04}
# The same for `live`, which has more TLS.
LIVE_SHARES = SHARES | {"tls": 0.10, "transfer": 0.36}
PLAIN: dict[str, Callable[[int], traffic.FlowSource]] = {
    "http": traffic.http,
    "transfer": traffic.transfer,
    "dns": traffic.dns,
    "datagrams": traffic.datagrams,
    "control": traffic.control,
}
BULK_SESSIONS = 20
BULK_BYTES = 1_000_000_000
TEXT_BYTES = 50_000_000
QUIC_PACKETS = 1_000_000
# Of one connection, which carries about QUIC_BYTES: 1,170 in a packet of the server, and one packet in eleven is the client's.
QUIC_CONNECTION = 4_600
QUIC_BYTES = 5_000_000
QUIC_OPEN = 20
# Version, TLS 1.2 suites, and which of TLS13_PREFERENCES, for the sessions of `bulk` in turn.
BULK_KINDS = (
    ("TLSv1_3", "", 0),
    ("TLSv1_2", "ECDHE+AESGCM", 0),
    ("TLSv1_3", "", 2),
    ("TLSv1_2", "ECDHE+AES256:!AESGCM:!AESCCM", 0),
    ("TLSv1_3", "", 1),
    ("TLSv1_2", "ECDHE+CHACHA20", 0),
    ("TLSv1_2", "ECDHE+AES128:!AESGCM:!AESCCM", 0),
)

Facts = dict[str, Any]


def default_folder() -> Path:
    """Where captures are kept: BENCH_DIR, or `.cache` beside this file."""
    return Path(os.environ.get("BENCH_DIR", Path(__file__).resolve().parent / ".cache"))


def cached(name: str, scale: float, folder: Path) -> Path:
    """Return the capture of workload `name` in `folder`; make it if it does not exist."""
    path = folder / f"{name}-{scale:g}-v{RECIPE}.pcap"
    if not path.exists():
        make(name, scale, path, folder / "certificates")
    return path


def facts_of(path: Path) -> Facts:
    """Return the facts of a capture made by this module."""
    facts: Facts = json.loads(path.with_suffix(".json").read_text())
    return facts


def make(name: str, scale: float, path: Path, certificates: Path) -> None:
    """Write workload `name` to `path`, its key log and its facts beside it; `path` appears only when it is complete."""
    started = time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_certificates(certificates)
    part = path.with_suffix(".part")
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        sessions = Sessions(certificates, Path(scratch))
        with part.open("wb", buffering=1 << 20) as file:
            pcap = wire.PcapFile(file)
            for at, frame in WORKLOADS[name](sessions, scale, kinds):
                pcap.write(at, frame)
        with path.with_suffix(".keys").open("wb") as keys:
            for log in sorted(Path(scratch).glob("*.keys")):
                keys.write(log.read_bytes())
    facts: Facts = {
        "workload": name,
        "scale": scale,
        "packets": pcap.n_packets,
        "bytes": part.stat().st_size,
        "sessions": sessions.n_ended,
        "resumed": sessions.n_resumed,
        "application_bytes": sessions.n_carried,
        "negotiated": dict(sorted(sessions.negotiated.items())),
        "kinds": dict(kinds),
        "seconds_to_make": round(time.monotonic() - started, 1),
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
    part.rename(path)


def handshakes(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """Short TLS sessions, and nothing else."""
    with sessions.short(round(HANDSHAKE_SESSIONS * scale)) as short:
        sources = (short_session(sessions, number, parts) for number, parts in enumerate(short))
        yield from traffic.interleave(sources, OPEN_AT_ONCE, "handshakes", kinds)


def mixed(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """All kinds of traffic by SHARES."""
    yield from by_shares(sessions, scale, kinds, SHARES, "mixed")


def live(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """All kinds of traffic by LIVE_SHARES, for `benchmarks.live_load`."""
    yield from by_shares(sessions, scale, kinds, LIVE_SHARES, "live")


def by_shares(
    sessions: Sessions, scale: float, kinds: Counter[str], shares: dict[str, float], seed: str
) -> Iterator[wire.Stamped]:
    """Traffic of which each kind has its share of the packets."""
    total = round(MIXED_PACKETS * scale)
    with sessions.short(round(total * shares["tls"] / SESSION_PACKETS) + 1) as short:

        def sources() -> Iterator[traffic.FlowSource]:
            expected: Counter[str] = Counter()
            number = 0
            while expected.total() < total:
                kind = min(shares, key=lambda kind: expected[kind] / shares[kind])
                source = short_session(sessions, number, next(short)) if kind == "tls" else PLAIN[kind](number)
                number += 1
                expected[kind] += source[1]
                yield source

        yield from traffic.interleave(sources(), OPEN_AT_ONCE, seed, kinds)


def bulk(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """A few TLS sessions that carry many bytes, all open at once."""
    with ExitStack() as stack:
        sources = []
        for number in range(BULK_SESSIONS):
            version, ciphers, preference = BULK_KINDS[number % len(BULK_KINDS)]
            size = round(BULK_BYTES * scale) // BULK_SESSIONS
            arguments = ("long", "--bytes", str(size), "--server", str(number), "--version", version, "--cipher", ciphers)
            worker = sessions.worker(f"long-{number}", preference, *arguments)
            sources.append(tls_session(sessions, number, 0, stack.enter_context(worker)))
        yield from traffic.interleave(iter(sources), BULK_SESSIONS, "bulk", kinds)


def text(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """One TLS session with a page of text, for `benchmarks.follow_text`."""
    size = str(round(TEXT_BYTES * scale))
    with sessions.worker("text", 0, "long", "--bytes", size, "--server", "1", "--version", "TLSv1_3", "--text") as parts:
        yield from traffic.interleave(iter([tls_session(sessions, 0, 0, parts)]), 1, "text", kinds)


def quic(sessions: Sessions, scale: float, kinds: Counter[str]) -> Iterator[wire.Stamped]:
    """Connections over QUIC with HTTP/3, many at a time."""
    from benchmarks.quic_traffic import quic_connection  # needs aioquic, which only this workload does

    sizes = random.Random("quic")
    count = max(1, round(QUIC_PACKETS * scale / QUIC_CONNECTION))
    with (sessions.scratch / "quic.keys").open("w") as keys:
        sources = (
            quic_connection(
                number, sizes.randrange(QUIC_BYTES // 2, QUIC_BYTES * 3 // 2), sessions.certificates, keys, sessions
            )
            for number in range(count)
        )
        yield from traffic.interleave(sources, QUIC_OPEN, "quic", kinds)


def short_session(sessions: Sessions, number: int, parts: list[Part]) -> traffic.FlowSource:
    """The connection of one short session."""
    return tls_session(sessions, number, SESSION_PACKETS, iter(parts))


def tls_session(sessions: Sessions, number: int, expected: int, parts: Iterator[Part]) -> traffic.FlowSource:
    """The connection of the session that comes next in `parts`, which are read as its flights are sent."""

    def flow(start: int) -> traffic.Flow:
        rng = random.Random(f"tls {number}")
        client, server = traffic.endpoints(number, 443, server_of(next(parts)), ip6=rng.randrange(7) == 0)
        return wire.conversation(rng, client, server, start, sessions.flights(parts))

    return "tls", expected, flow


WORKLOADS: dict[str, Callable[[Sessions, float, Counter[str]], Iterator[wire.Stamped]]] = {
    "handshakes": handshakes,
    "mixed": mixed,
    "live": live,
    "bulk": bulk,
    "text": text,
    "quic": quic,
}


def main() -> None:
    """Read the command line and make one workload."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description="Make a benchmark capture.")
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("-o", "--output", type=Path, help="the capture to write (default: in the folder)")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full size, such as 0.1")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="for captures and certificates (BENCH_DIR)")
    args = parser.parse_args()
    if args.output is None:
        path = cached(args.name, args.scale, args.folder)
    else:
        path = args.output
        make(args.name, args.scale, path, args.folder / "certificates")
    print(path)
    json.dump(facts_of(path), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
