"""Real TLS traffic for tests of live sniffing: servers and clients in a network namespace, and `analyzer live` beside them."""

import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hierarchy import HOST, hierarchy

WAIT = 60.0
"""Seconds within which everything happens, on a busy machine."""

ROOT = Path(__file__).resolve().parents[1]

PATIENT = """
import sys
from analyzer.capture.processes import connection_witness, process_search
from analyzer.cli.main import main

connection_witness._WAIT = 10.0
process_search.LONGEST_SEARCH = 5.0
sys.exit(main())
"""
"""Is `analyzer`, and waits for answers about processes on a busy machine too."""


@dataclass(frozen=True)
class Site:
    """The files of a server: its chain, its key, and the root that a client trusts."""

    chain: Path
    key: Path
    root: Path


def make_site(folder: Path) -> Site:
    """Make a server with a certificate for HOST that is valid today."""
    now = datetime.now(UTC)
    dates = {"not_before": now - timedelta(days=10), "not_after": now + timedelta(days=10)}
    made = hierarchy(dates, dates, dates)
    site = Site(folder / "chain.pem", folder / "key.pem", folder / "root.pem")
    chain = [made.leaf.certificate, made.intermediate.certificate]
    site.chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    site.key.write_bytes(made.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    site.root.write_bytes(made.root.certificate.public_bytes(Encoding.PEM))
    for path in (site.chain, site.root):
        path.chmod(0o644)
    return site


@contextmanager
def openssl_server(site: Site, port: int = 4433) -> Iterator[int]:
    """Run OpenSSL's server, which answers every GET with a page. Give its port."""
    words = ["openssl", "s_server", "-accept", str(port), "-cert", str(site.chain), "-key", str(site.key), "-www", "-quiet"]
    words += ["-cert_chain", str(site.chain)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            yield port
        finally:
            process.kill()


@contextmanager
def nginx_server(site: Site, folder: Path, port: int = 4434) -> Iterator[int]:
    """Run nginx with HTTP/2 and one page. Give its port."""
    settings = folder / "nginx.conf"
    settings.write_text(f"""
        daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
        events {{ worker_connections 64; }}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder};
            keepalive_requests 100000;
            server {{ listen {port} ssl http2; ssl_certificate {site.chain}; ssl_certificate_key {site.key};
                location / {{ return 200 "hello from nginx\\n"; }} }}
        }}""")
    with subprocess.Popen(["nginx", "-c", str(settings)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            yield port
        finally:
            process.terminate()


def wait_for_port(port: int) -> None:
    """Wait until somebody listens. Nothing is sent."""
    until = time.monotonic() + WAIT
    wanted = f":{port:04X} "
    while not any(wanted in line and " 0A " in line for name in ("tcp", "tcp6") for line in tables(name)):
        assert time.monotonic() < until, f"nobody listens on {port}"
        time.sleep(0.05)


def tables(name: str) -> list[str]:
    """The lines of a table of sockets in the namespace of this thread."""
    return Path(f"/proc/thread-self/net/{name}").read_text().splitlines()


def fetch(site: Site, port: int, key_log: Path | None = None, path: str = "/", close: bool = True, stays: float = 0.0) -> bytes:
    """Get a page over TLS, as HTTP/1.0, and return it. key_log: the secrets are appended to it.

    stays: seconds for which the socket stays open after the answer, so that its process can be found on a busy machine.
    """
    context = ssl.create_default_context(cafile=str(site.root))
    if key_log is not None:
        context.keylog_filename = str(key_log)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=WAIT) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as client,
    ):
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
        time.sleep(stays)
    return answer


@contextmanager
def going_on(site: Site, port: int) -> Iterator[Callable[[], int]]:
    """Ask for pages over one TLS connection, HTTP/1.1, until the end of the block. Give what returns their number so far."""
    context = ssl.create_default_context(cafile=str(site.root))
    asked = f"GET /going-on HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    n_pages = 0
    over = threading.Event()

    def ask() -> None:
        nonlocal n_pages
        while not over.is_set():
            client.sendall(asked)
            assert client.recv(1 << 16)
            n_pages += 1
            over.wait(0.01)

    with (
        socket.create_connection(("127.0.0.1", port), timeout=WAIT) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as client,
    ):
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield lambda: n_pages
        finally:
            over.set()
            asking.join()


class Live:
    """A running `analyzer live`."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._rest = b""
        self._said = b""

    def wait_until_open(self) -> None:
        """Wait until it captures: its handlers for signals are the last it sets up."""
        status = Path(f"/proc/{self.process.pid}/status")
        until = time.monotonic() + WAIT
        while self.process.poll() is None and not int(status.read_text().partition("SigCgt:")[2].split()[0], 16) & 1 << (
            signal.SIGTERM - 1
        ):
            assert time.monotonic() < until
            time.sleep(0.02)

    def wait_for_workers(self, number: int) -> None:
        """Wait until so many workers capture: each has a handler of SIGINT then.

        A new one has that of its parent, until it ignores the signal. After that it begins a session of its own.
        """
        until = time.monotonic() + WAIT
        while len(self.workers()) < number or not all(map(_captures, self.workers())):
            assert time.monotonic() < until
            time.sleep(0.02)

    def workers(self) -> list[int]:
        """The children of its main thread."""
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def wait_for_word(self, said: str) -> None:
        """Wait until it has written this to standard error."""
        assert self.process.stderr is not None
        until = time.monotonic() + WAIT
        while said.encode() not in self._said:
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, until - time.monotonic()))
            assert ready, f"it says only {self._said.decode()}"
            data = os.read(self.process.stderr.fileno(), 1 << 16)
            assert data, f"it said only {self._said.decode()}"
            self._said += data

    def line(self) -> bytes:
        """The next line of its results."""
        assert self.process.stdout is not None
        until = time.monotonic() + WAIT
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            assert ready, f"no line within {WAIT} s"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, self.process.stderr.read() if self.process.stderr is not None else b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def record(self) -> dict[str, Any]:
        """The next line of its results, as JSON."""
        record = json.loads(self.line())
        assert isinstance(record, dict)
        return record

    def stop(self, number: int = signal.SIGINT) -> tuple[int, bytes, str]:
        """Send a signal. Return its status, the rest of its results, and what it wrote to standard error."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, bytes, str]:
        """Wait for its end. Return as `stop` does."""
        out, err = self.process.communicate(timeout=WAIT)
        err = self._said + err
        assert b"Traceback" not in err, err.decode()
        return self.process.returncode, self._rest + out, err.decode()


def _captures(worker: int) -> bool:
    status = Path(f"/proc/{worker}/status").read_text()
    return os.getsid(worker) == worker and bool(int(status.partition("SigCgt:")[2].split()[0], 16) & 1 << (signal.SIGINT - 1))


@contextmanager
def live(*arguments: object, before: tuple[str, ...] = (), patient: bool = False, **options: Any) -> Iterator[Live]:
    """Run `analyzer live` until the end of the block. before: a program that runs it, with its own arguments.

    patient: see PATIENT.
    """
    program = ["-c", PATIENT] if patient else ["-m", "analyzer"]
    words = [*before, sys.executable, *program, "live", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, "cwd": ROOT} | options
    with subprocess.Popen(words, **settings) as process:
        try:
            started = Live(process)
            started.wait_until_open()
            yield started
        finally:
            process.kill()
