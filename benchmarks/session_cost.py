"""Counts what one short session costs: `python -m benchmarks.session_cost CAPTURE [-k KEYS]`, a row of Markdown.

Instructions and allocations are counted by callgrind in two runs of `analyzer sessions`, over the first 24 and the first 48 MB
of the capture. The difference, divided by the sessions between, has neither the start-up nor most of what is done once for each
server. Blocks and bytes are what a session that has ended still holds (`sys.getallocatedblocks`, `tracemalloc`).

Counts do not depend on what else the machine does. Those of OpenSSL are given apart: valgrind offers it an older processor, so
that it needs more instructions than it would otherwise.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.events import SessionEnded

MEGABYTES = 48
"""What the second run reads of the capture. The first one reads half of it."""

OPENSSL = "_rust.abi3.so"
"""The library of `cryptography` that contains OpenSSL."""

ALLOCATE = "_PyObject_Malloc"


class Counts(NamedTuple):
    """What one run took: sessions, instructions, those in OpenSSL, and calls that allocate memory for objects."""

    sessions: int
    instructions: int
    openssl: int
    allocations: int


def run(capture: Path, keys: list[str], form: str, folder: Path) -> Counts:
    """Run the analyzer under callgrind."""
    profile = folder / "profile"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", sys.executable, "-m", "analyzer"]
    command += ["sessions", str(capture), "--format", form, "-j", "1", *keys]
    printed = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True).stdout
    return Counts(printed.count(b"\n"), *read_profile(profile))


def read_profile(path: Path) -> tuple[int, int, int]:
    """Return the instructions of a profile, those in OpenSSL, and how often `ALLOCATE` was called.

    The format is described in the manual of valgrind. A line after `calls=` is the cost of the called function, which is
    counted there.
    """
    names: dict[str, str] = {}
    total = openssl = allocations = 0
    library = called = ""
    of_call = False
    with path.open() as lines:
        for line in lines:
            key, equals, value = line.rstrip().partition("=")
            if equals and key in {"ob", "cob", "cfn", "fn"}:
                number, _, name = value.partition(" ")
                place = key[-2:] + number
                name = names.setdefault(place, name)
                library = name if key == "ob" else library
                called = name if key == "cfn" else called
            elif key == "calls":
                allocations += int(value.split()[0]) if called == ALLOCATE else 0
                of_call = True
            elif line[:1] in "0123456789+-*" and not equals and " " in line:
                cost = 0 if of_call else int(line.split()[1])
                total += cost
                openssl += cost if library.endswith(OPENSSL) else 0
                of_call = False
    return total, openssl, allocations


def held(capture: Path, keylog: Path | None) -> Iterator[tuple[int, int, int]]:
    """Yield for each turn of a run: sessions that have ended, blocks and bytes that are freed with them."""
    keys = None
    if keylog is not None:
        keys = KeyLog()
        keys.take(keylog.read_bytes(), str(keylog))
    engine = Engine(fields=False, watches_revocation=True, keylog=keys)
    for packet_reader in CaptureReader([str(capture)]).packet_readers():
        engine.run(packet_reader)
        events = engine.take()
        n_sessions = sum(isinstance(event, SessionEnded) for event in events)
        blocks, (n_bytes, _) = sys.getallocatedblocks(), tracemalloc.get_traced_memory()
        del events
        yield n_sessions, blocks - sys.getallocatedblocks(), n_bytes - tracemalloc.get_traced_memory()[0]


def main() -> None:
    """Print the row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session_cost", description=__doc__.partition("\n")[0])
    parser.add_argument("capture", type=Path)
    parser.add_argument("-k", "--keylog", type=Path)
    parser.add_argument("--format", choices=("json", "csv", "text"), default="json")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES, help="read by the second run; half of it by the first")
    options = parser.parse_args()
    keys = ["-k", str(options.keylog)] if options.keylog else []
    with tempfile.TemporaryDirectory() as name, options.capture.open("rb") as whole:
        folder = Path(name)
        n_bytes = options.megabytes * 1_000_000
        data = whole.read(n_bytes)
        counts = []
        for cut in (n_bytes // 2, n_bytes):
            part = folder / "part.pcap"
            part.write_bytes(data[:cut])
            counts.append(run(part, keys, options.format, folder))
        less, more = counts
        n_sessions = more.sessions - less.sessions
        instructions, openssl, allocations = (
            (after - before) // n_sessions for before, after in zip(less[1:], more[1:], strict=True)
        )
        tracemalloc.start()
        turns = list(held(part, options.keylog))
    n_ended, blocks, held_bytes = (sum(column) for column in zip(*turns, strict=True))
    row = (instructions, instructions - openssl, openssl, allocations, blocks // n_ended, held_bytes // n_ended)
    print(f"| {options.format}{', with keys' if keys else ''} | {' | '.join(f'{number:,}' for number in row)} |")


if __name__ == "__main__":
    main()
