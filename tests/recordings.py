"""Recordings of real endpoints: what TLS programs and libraries send each other, taken down by a relay between them.

A recording is one or more connections, in order, with the secrets that one of the endpoints logged. `recorded_programs` starts
programs, `recorded_libraries` drives libraries in memory. No packet is captured: `packetise` makes the packets of the bytes.
"""

import contextlib
import datetime
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from conversations import Flight, Tap, packetise
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.session import Session

NAME = "example.test"
REQUEST = f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n".encode()
PATIENCE = 60.0
FOLDER = TemporaryDirectory(prefix="recordings")


class CannotRecordError(Exception):
    """The version of a peer that is installed cannot do what is to be recorded; the text says why."""


@dataclass(frozen=True)
class Recording:
    """Connections of real endpoints, one after the other, and the secrets of all of them, empty if nobody logs them."""

    name: str
    connections: tuple[tuple[Flight, ...], ...]
    keylog: str = ""

    def sessions(self, keyed: bool) -> list[Session]:
        """The sessions that the engine finds, by number; `keyed`: with the secrets."""
        keylog = KeyLog()
        keylog.feed(self.keylog.encode())
        tap = Tap()
        tap.at = time.time_ns()
        tap.engine = Engine(keylog=keylog if keyed else None)
        for number, flights in enumerate(self.connections):
            tap.feed(*packetise(flights, ports=(50_000 + number, 443)))
        return sorted(tap.close(), key=lambda session: session.id)


class Relay:
    """Passes connections on to a port of the loopback interface. flights: by connection, what each side sent, in order."""

    def __init__(self, to_port: int) -> None:
        self.flights: list[list[Flight]] = []
        self._to_port = to_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def finish(self) -> tuple[tuple[Flight, ...], ...]:
        """Take no more connections, and wait for those that are open. Returns the flights."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        return tuple(tuple(flights) for flights in self.flights if flights)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed: no more connections
                return
            flights: list[Flight] = []
            self.flights.append(flights)
            self._threads.append(threading.Thread(target=self._pass_on, args=(client, flights), daemon=True))
            self._threads[-1].start()

    def _pass_on(self, client: socket.socket, flights: list[Flight]) -> None:
        server = socket.create_connection(("127.0.0.1", self._to_port))
        ends = (client, server)
        with client, server, selectors.DefaultSelector() as selector:
            for side, end in enumerate(ends):
                selector.register(end, selectors.EVENT_READ, side)
            while selector.get_map():
                for key, _ in selector.select(PATIENCE):
                    side = key.data
                    with contextlib.suppress(ConnectionError, BrokenPipeError):
                        data = ends[side].recv(1 << 16)
                        if data:
                            flights.append((side, data))
                            ends[1 - side].sendall(data)
                            continue
                    selector.unregister(ends[side])
                    with contextlib.suppress(OSError):
                        ends[1 - side].shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[None]:
    """Run a server until it is not needed any more. port: where it listens."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as process:
        try:
            until = time.monotonic() + PATIENCE
            while not listens(port):
                assert process.poll() is None, f"{command} has ended"
                assert time.monotonic() < until, f"{command} does not listen"
                time.sleep(0.02)
            yield
        finally:
            process.kill()


def listens(port: int) -> bool:
    """Whether somebody listens at a port of the loopback interface. Nothing is sent there."""
    with Path("/proc/net/tcp").open() as table:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in list(table)[1:])


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@cache
def identity(kind: str) -> Path:
    """A file with a private key and a certificate of its own, for NAME. kind: ec, rsa or ed25519."""
    key = {
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None if kind == "ed25519" else hashes.SHA256())
    )
    file = Path(FOLDER.name, f"{kind}.pem")
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def new_file(name: str) -> Path:
    """The path of a file that is not there yet."""
    return Path(FOLDER.name, f"{time.monotonic_ns()}-{name}")


def text_of(path: Path) -> str:
    """The text of a key log, empty if nothing was logged."""
    return path.read_text("ascii") if path.exists() else ""
