"""Gives the TLS sessions of a workload: starts worker programs (`benchmarks.peers`), and reads their sessions."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from benchmarks import peers

TLS13_PREFERENCES = (
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
)

Part = tuple[int, bytes]


class Sessions:
    """The source of a workload's sessions; counts what OpenSSL negotiated in those that have ended."""

    def __init__(self, certificates: Path, scratch: Path) -> None:
        self.certificates = certificates
        self.scratch = scratch
        self.n_ended = 0
        self.n_resumed = 0
        self.n_carried = 0
        self.negotiated: Counter[str] = Counter()

    @contextmanager
    def worker(self, tag: str, preference: int, *arguments: str) -> Iterator[Iterator[Part]]:
        """Give the parts that one worker writes, read on demand; the worker is stopped at the end.

        tag: names its key log. preference: the TLS 1.3 suites of its clients.
        """
        settings = self.scratch / f"{tag}.cnf"
        settings.write_text(
            "openssl_conf = start\n[start]\nssl_conf = tls\n[tls]\nsystem_default = all\n[all]\n"
            f"Ciphersuites = {TLS13_PREFERENCES[preference]}\n"
        )
        command = [
            *(sys.executable, "-m", "benchmarks.peers", *arguments),
            *("--certificates", str(self.certificates), "--keylog", str(self.scratch / f"{tag}.keys")),
        ]
        root = Path(__file__).resolve().parent.parent
        environment = {**os.environ, "OPENSSL_CONF": str(settings.resolve()), "PYTHONPATH": str(root)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            try:
                yield read_parts(process.stdout)
            finally:
                process.terminate()

    @contextmanager
    def short(self, count: int) -> Iterator[Iterator[list[Part]]]:
        """Give `count` short sessions, each complete, from one worker for each of TLS13_PREFERENCES in turn."""
        with ExitStack() as stack:
            n_workers = len(TLS13_PREFERENCES)
            workers = []
            for n in range(n_workers):
                share = len(range(n, count, n_workers))
                worker = self.worker(f"short-{n}", n, "short", "--seed", str(n), "--count", str(share))
                workers.append(stack.enter_context(worker))
            yield (whole_session(workers[n % n_workers]) for n in range(count))

    def flights(self, parts: Iterable[Part]) -> Iterator[tuple[bool, bytes]]:
        """Yield the flights of the next session in `parts`; count the session at its end."""
        for kind, data in parts:
            if kind == peers.END:
                facts = json.loads(data)
                self.n_ended += 1
                self.n_resumed += facts["resumed"]
                self.n_carried += facts["carried"]
                self.negotiated[f"{facts['version']} {facts['cipher_suite']}"] += 1
                return
            yield kind == peers.SERVER, data
        raise EOFError("a worker stopped in the middle of a session")


def server_of(part: Part) -> int:
    """The number of the server, from the SESSION part that begins a session."""
    server: int = json.loads(part[1])["server"]
    return server


def read_parts(stream: IO[bytes]) -> Iterator[Part]:
    """The parts on `stream`, to its end."""
    while header := stream.read(peers.PART.size):
        kind, size = peers.PART.unpack(header)
        yield kind, stream.read(size)


def whole_session(parts: Iterator[Part]) -> list[Part]:
    """The parts of the next session, to its END."""
    session: list[Part] = []
    for part in parts:
        session.append(part)
        if part[0] == peers.END:
            return session
    raise EOFError("a worker stopped before its last session")
