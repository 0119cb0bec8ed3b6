"""Programs that speak DTLS over loopback, and the path between them: OpenSSL's and GnuTLS's own client and server.

A `Path` is a UDP relay for one client after the other. It keeps every datagram with its side and time, and decides from the
side's count of datagrams what happens to it, so that loss, repetition and reordering happen where a scene wants them. The point
of capture is the relay: what it loses was seen, what it `miss`es was delivered and is not in the capture.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as File
from typing import Literal

from certificates import Identity
from programs import ProgramError, find_program
from wire import Side

Fate = Literal["deliver", "lose", "miss", "twice", "late"]
Judge = Callable[[Side, int], Fate]
"""Says of a side and of the number of its datagram, from 0, what the path does with it."""

_PATIENCE = 15
_LATE = 0.06
_LARGEST = 65536


def deliver(side: Side, number: int) -> Fate:
    """Deliver every datagram."""
    return "deliver"


class Path:
    """A UDP relay between clients of `port` and a server at `to_port`; `said`: when (s), by whom, to which client, what."""

    def __init__(self, to_port: int, judge: Judge = deliver) -> None:
        self.said: list[tuple[float, Side, int, bytes]] = []
        self.judge = judge
        self._server = ("127.0.0.1", to_port)
        self._front = _bound()
        self.port: int = self._front.getsockname()[1]
        self._clients: dict[tuple[str, int], tuple[int, socket.socket]] = {}
        self._counts: dict[tuple[int, Side], int] = {}
        self._late: list[tuple[float, socket.socket, tuple[str, int], Side, int, bytes]] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> list[tuple[float, Side, int, bytes]]:
        """Stop; returns `said`."""
        self._ended = True
        self._thread.join(_PATIENCE)
        for end in [self._front, *(back for _, back in self._clients.values())]:
            end.close()
        return self.said

    def _run(self) -> None:
        while not self._ended:
            ends = [self._front, *(back for _, back in self._clients.values())]
            for end in select.select(ends, [], [], 0.01)[0]:
                data, source = end.recvfrom(_LARGEST)
                if end is self._front:
                    number, back = self._clients.setdefault(source, (len(self._clients), _bound()))
                    self._carry("client", number, data, back, self._server)
                else:
                    client, (number, _) = next(item for item in self._clients.items() if item[1][1] is end)
                    self._carry("server", number, data, self._front, client)
            self._let_go(time.monotonic())

    def _carry(self, side: Side, client: int, data: bytes, out: socket.socket, to: tuple[str, int]) -> None:
        count = self._counts.get((client, side), 0)
        self._counts[client, side] = count + 1
        fate = self.judge(side, count)
        now = time.monotonic()
        if fate == "late":
            self._late.append((now + _LATE, out, to, side, client, data))
            return
        if fate != "miss":
            self.said += [(now, side, client, data)] * (2 if fate == "twice" else 1)
        for _ in range({"lose": 0, "twice": 2}.get(fate, 1)):
            out.sendto(data, to)

    def _let_go(self, now: float) -> None:
        for each in [each for each in self._late if each[0] <= now]:
            self._late.remove(each)
            _, out, to, side, client, data = each
            self.said.append((now, side, client, data))
            out.sendto(data, to)


@contextmanager
def openssl_server(folder: File, identity: Identity | None, *options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`openssl s_server` on a free UDP port of loopback; yields the port and the process, to whose input lines are typed."""
    port = free_datagram_port()
    command = [find_program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *options]
    if identity is None:
        command.append("-nocert")
    else:
        key, leaf, rest = keep(folder, "server", identity)
        command += ["-key", str(key), "-cert", str(leaf), "-cert_chain", str(rest)]
    with _typed(command) as process:
        time.sleep(0.4)
        yield port, process


@contextmanager
def openssl_client(port: int, *options: str, prints: File | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`openssl s_client` towards `port` of loopback; yields the process, to whose input lines are typed.

    prints: gets what the program prints.
    """
    command = [find_program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", *options]
    with _typed(command, prints=prints) as process:
        yield process


@contextmanager
def gnutls_server(folder: File, identity: Identity | None, *options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`gnutls-serv` on a free UDP port of loopback, which sends back what it gets; yields the port and the process."""
    port = free_datagram_port()
    command = [find_program("gnutls-serv"), "--udp", "--echo", "--quiet", "--port", str(port), *options]
    if identity is not None:
        key, _, _ = keep(folder, "server", identity)
        chain = folder / "server.chain.pem"
        chain.write_bytes(identity.chain_pem())
        command += ["--x509keyfile", str(key), "--x509certfile", str(chain)]
    with _typed(command) as process:
        time.sleep(0.4)
        yield port, process


@contextmanager
def gnutls_client(port: int, keys: File, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`gnutls-cli` towards `port` of loopback, which writes its key log to `keys`; yields the process."""
    command = [find_program("gnutls-cli"), "--udp", "--insecure", "--port", str(port), *options, "127.0.0.1"]
    with _typed(command, {"SSLKEYLOGFILE": str(keys)}) as process:
        yield process


def keep(folder: File, name: str, identity: Identity) -> tuple[File, File, File]:
    """Write the key, the leaf and the rest of the chain of `identity` as PEM into `folder`; returns the three paths."""
    folder.mkdir(exist_ok=True)
    paths = folder / f"{name}.key.pem", folder / f"{name}.leaf.pem", folder / f"{name}.rest.pem"
    parts = identity.key_pem(), Identity(identity.key, identity.chain[:1]).chain_pem()
    for path, part in zip(paths, (*parts, Identity(identity.key, identity.chain[1:]).chain_pem()), strict=True):
        path.write_bytes(part)
    return paths


def say(process: subprocess.Popen[bytes], line: str, wait: float = 0.3) -> None:
    """Type `line` into a program and wait some seconds."""
    assert process.stdin is not None
    try:
        process.stdin.write(line.encode("ascii") + b"\n")
        process.stdin.flush()
    except BrokenPipeError as ended:
        raise ProgramError(f"{process.args!r} ended before {line!r}") from ended
    time.sleep(wait)


def free_datagram_port() -> int:
    """A UDP port of loopback that nobody uses."""
    with _bound() as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _typed(
    command: list[str], environment: dict[str, str] | None = None, prints: File | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    around = {**os.environ, **(environment or {})}
    with (
        open(prints or os.devnull, "ab") as into,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=into, stderr=subprocess.DEVNULL, env=around) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _bound() -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind(("127.0.0.1", 0))
    return end
