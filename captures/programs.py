"""Programs as endpoints: nginx and curl on loopback, with tcpdump beside them or a relay between them.

`sniff` records what really went over the loopback interface; `Relay` stands between the two, takes down who said which
bytes, and so lets a scene put a real conversation on its own wire.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from certificates import Identity
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wire import Side

_PATIENCE = 10.0


class ProgramError(Exception):
    """A program is not installed, or did not do what it was asked."""


@contextmanager
def nginx(folder: Path, identity: Identity, files: dict[str, bytes]) -> Iterator[int]:
    """Serve `files` over TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, on a free port of loopback; yields the port."""
    port = _free_port()
    root = folder / "root"
    root.mkdir(parents=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    (folder / "key.pem").write_bytes(identity.key_pem())
    (folder / "chain.pem").write_bytes(identity.chain_pem())
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
        events {{ }}
        http {{
          access_log off; server_tokens off; {places}
          types {{ text/html html; text/css css; application/json json; }}
          server {{
            listen 127.0.0.1:{port} ssl http2; root {root}; gzip on; gzip_min_length 200; gzip_types application/json text/css;
            ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
          }}
        }}"""
    )
    with _running([find_program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]):
        _await(lambda: _answers(port), "nginx does not listen")
        yield port


def curl(port: int, keys: Path, name: str, paths: tuple[str, ...], *options: str) -> list[bytes]:
    """Fetch `https://NAME/PATH` for each path over one connection to `port` of loopback; returns the bodies."""
    command = [find_program("curl"), "--silent", "--fail", "--insecure", "--connect-to", f"{name}:443:127.0.0.1:{port}"]
    parts = [keys.with_name(f"part{number}") for number in range(len(paths))]
    for path, part in zip(paths, parts, strict=True):
        command += ["-o", str(part), f"https://{name}{path}"]
    done = subprocess.run([*command, *options], env={**os.environ, "SSLKEYLOGFILE": str(keys)}, check=False, timeout=30)
    if done.returncode != 0:
        raise ProgramError(f"curl ended with {done.returncode}")
    bodies = [part.read_bytes() for part in parts]
    for part in parts:
        part.unlink()
    return bodies


def chromium(port: int, keys: Path, identity: Identity, name: str) -> str:
    """Open `https://NAME/` of `port` of loopback over QUIC without a window; returns the page as it stands then."""
    public = identity.chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    command = [
        find_program("chromium"),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={keys.parent.parent / 'profile'}",
    ]
    command += [f"--origin-to-force-quic-on={name}:{port}", f"--host-resolver-rules=MAP {name} 127.0.0.1"]
    command += [f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(public).digest()).decode()}"]
    command += ["--dump-dom", f"https://{name}:{port}/"]
    environment = {**os.environ, "SSLKEYLOGFILE": str(keys)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise ProgramError(f"chromium ended with {done.returncode}")
    return done.stdout


@contextmanager
def http3_server(identity: Identity, files: dict[str, bytes]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Serve `files` with aioquic on a free UDP port of loopback; yields the port and a list that gets the exchanges."""
    from aioquic.asyncio import QuicConnectionProtocol, serve
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import HeadersReceived
    from quic_endpoints import configurations

    answered: list[dict[str, Any]] = []

    class Answers(QuicConnectionProtocol):  # type: ignore[misc]
        http: H3Connection | None = None

        def quic_event_received(self, event: Any) -> None:
            self.http = self.http or H3Connection(self._quic)
            for received in self.http.handle_event(event):
                if isinstance(received, HeadersReceived):
                    fields = {name.decode(): value.decode() for name, value in received.headers}
                    self.answer(received.stream_id, fields)
            self.transmit()

        def answer(self, stream: int, asked: dict[str, str]) -> None:
            assert self.http is not None
            body = files.get(asked[":path"].removeprefix("/") or "index.html")
            status = 404 if body is None else 200
            request = {"method": asked[":method"], "authority": asked[":authority"], "path": asked[":path"]}
            answered.append({"request": request, "response": {"status": status}})
            self.http.send_headers(stream, [(b":status", str(status).encode()), (b"server", b"example")])
            self.http.send_data(stream, body or b"", end_stream=True)

    loop = asyncio.new_event_loop()
    port = _free_port()
    configuration = configurations(identity, None, ["h3"], "")["server"]
    server = loop.run_until_complete(serve("127.0.0.1", port, configuration=configuration, create_protocol=Answers))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield port, answered
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)


@contextmanager
def caddy(folder: Path, identity: Identity, files: dict[str, bytes]) -> Iterator[int]:
    """Serve `files` over HTTP/3 with Caddy (2.6 or later) on a free port of loopback; yields the port."""
    port = _free_port()
    root = folder / "root"
    root.mkdir(parents=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    (folder / "key.pem").write_bytes(identity.key_pem())
    (folder / "chain.pem").write_bytes(identity.chain_pem())
    (folder / "Caddyfile").write_text(
        f"""{{
          auto_https off
          admin off
          storage file_system {folder}/storage
        }}
        https://:{port} {{
          bind 127.0.0.1
          tls {folder}/chain.pem {folder}/key.pem
          root * {root}
          file_server
        }}"""
    )
    with _running([find_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]):
        _await(lambda: _answers(port), "caddy does not listen")
        yield port


def http3_client(port: int, keys: Path, name: str, paths: tuple[str, ...]) -> list[dict[str, Any]]:
    """Fetch `https://NAME/PATH` for each path over one connection of aioquic to `port` of loopback; returns the exchanges."""
    from aioquic.asyncio import QuicConnectionProtocol, connect
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import DataReceived, HeadersReceived
    from aioquic.quic.configuration import QuicConfiguration

    answered: list[dict[str, Any]] = []

    class Asks(QuicConnectionProtocol):  # type: ignore[misc]
        http: H3Connection
        status = b""
        done: asyncio.Future[None]

        def quic_event_received(self, event: Any) -> None:
            for received in self.http.handle_event(event):
                if isinstance(received, HeadersReceived):
                    self.status = dict(received.headers)[b":status"]
                if isinstance(received, HeadersReceived | DataReceived) and received.stream_ended:
                    self.done.set_result(None)

        async def ask(self, path: str) -> None:
            stream = self._quic.get_next_available_stream_id()
            self.done = asyncio.get_running_loop().create_future()
            fields = {":method": "GET", ":scheme": "https", ":authority": name, ":path": path}
            self.http.send_headers(stream, [(key.encode(), value.encode()) for key, value in fields.items()], end_stream=True)
            self.transmit()
            await asyncio.wait_for(self.done, _PATIENCE)
            request = {"method": "GET", "authority": name, "path": path}
            answered.append({"request": request, "response": {"status": int(self.status)}})

    def made(quic: Any, **more: Any) -> Asks:
        asks = Asks(quic, **more)
        asks.http = H3Connection(quic)
        return asks

    async def talk() -> None:
        configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name=name)
        configuration.verify_mode = ssl.CERT_NONE
        with keys.open("a") as configuration.secrets_log_file:
            async with connect("127.0.0.1", port, configuration=configuration, create_protocol=made) as asks:
                for path in paths:
                    await asks.ask(path)

    try:
        asyncio.run(talk())
    except (OSError, TimeoutError) as reason:
        raise ProgramError(f"aioquic got no answer: {reason}") from reason
    return answered


@contextmanager
def sniff(port: int, file: Path) -> Iterator[None]:
    """Record the packets from and to `port` on the loopback interface into `file` (pcap) with tcpdump."""
    command = [
        find_program("tcpdump"),
        "-i",
        "lo",
        "-n",
        "-U",
        "--immediate-mode",
        "--time-stamp-precision=nano",
        "-w",
        str(file),
        f"port {port}",
    ]
    with _running(command):
        # tcpdump writes the file header as soon as it listens.
        _await(lambda: file.exists() and file.stat().st_size >= 24, "tcpdump may not sniff here")
        time.sleep(0.2)
        yield
        time.sleep(0.5)


@contextmanager
def openssl_server(folder: Path, identity: Identity) -> Iterator[int]:
    """`openssl s_server` of TLS 1.3 on a free port of loopback, which sends every line back reversed; yields the port."""
    port = _free_port()
    folder.mkdir()
    (folder / "key.pem").write_bytes(identity.key_pem())
    (folder / "leaf.pem").write_bytes(identity.chain_pem())
    (folder / "rest.pem").write_bytes(Identity(identity.key, identity.chain[1:]).chain_pem())
    command = [find_program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_3", "-rev", "-quiet"]
    command += ["-key", f"{folder}/key.pem", "-cert", f"{folder}/leaf.pem", "-cert_chain", f"{folder}/rest.pem"]
    with _running(command):
        _await(lambda: _answers(port), "openssl s_server does not listen")
        yield port


def openssl_client(port: int, keys: Path, name: str, lines: tuple[str, ...]) -> None:
    """Type `lines` into `openssl s_client`, slowly; a line `K` makes it update its keys and ask the server to, `Q` ends it."""
    command = [
        find_program("openssl"),
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        name,
        "-keylogfile",
        str(keys),
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, text=True) as process:
        assert process.stdin is not None
        for line in lines:
            time.sleep(0.4)
            process.stdin.write(line + "\n")
            process.stdin.flush()
        process.stdin.close()
        process.wait(_PATIENCE)


class Relay:
    """A TCP relay on loopback for one connection; `said` is who said what, in order."""

    def __init__(self, to_port: int) -> None:
        self.said: list[tuple[Side, bytes]] = []
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> list[tuple[Side, bytes]]:
        """Wait for the connection to end; returns `said`."""
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise ProgramError("the relayed connection does not end")
        return self.said

    def _run(self) -> None:
        client, _ = self._listener.accept()
        self._listener.close()
        server = socket.create_connection(("127.0.0.1", self._to_port))
        ways: dict[socket.socket, tuple[Side, socket.socket]] = {client: ("client", server), server: ("server", client)}
        with client, server, selectors.DefaultSelector() as selector:
            for each in ways:
                selector.register(each, selectors.EVENT_READ, each)
            while selector.get_map():
                for key, _ in selector.select():
                    end: socket.socket = key.data
                    side, other = ways[end]
                    data = end.recv(65536)
                    if data:
                        self.said.append((side, data))
                        other.sendall(data)
                    else:
                        selector.unregister(end)
                        other.shutdown(socket.SHUT_WR)


def find_program(name: str) -> str:
    """The path of the program called `name`."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        raise ProgramError(f"needs {name}")
    return found


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _await(ready: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not ready():
        if time.monotonic() > until:
            raise ProgramError(otherwise)
        time.sleep(0.05)
