"""Records real conversations: nginx and curl on loopback, through a relay that removes curl's TLS and keeps the data of both.

Bodies are compared with the files under `www`. The analyzer does not define the expected results.
"""

import contextlib
import datetime
import hashlib
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.append(str(Path(__file__).parent))

Pieces = list[tuple[int, bytes]]

PATIENCE = 60
"""Seconds within which everything happens, on a busy machine."""

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ }}
http {{
    access_log off; default_type text/plain; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5; root {root}; gzip on; gzip_min_length 1; gzip_types *;
    server {{ listen 127.0.0.1:{plain};
             location /upload {{ client_max_body_size 10m; proxy_pass http://127.0.0.1:{plain}/taken; }}
             location /taken {{ return 201 "taken"; }} location /moved {{ return 301 /text; }} }}
    server {{ listen 127.0.0.1:{h2} http2; http2_push_preload on; location /moved {{ return 301 /text; }}
             location /pushing {{ add_header Link "</small>; rel=preload; as=style"; alias {root}/text; }} }}
}}
"""


@dataclass(frozen=True)
class Peers:
    """nginx on two ports, and its files."""

    plain: int
    h2: int
    files: dict[str, bytes]

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self.files[name]).hexdigest()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory, require_peers: Callable[..., None]) -> Iterator[Peers]:
    require_peers("nginx", "curl")
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "www"
    root.mkdir(mode=0o755)
    for parent in (root, *root.parents):
        if parent.stat().st_uid == folder.stat().st_uid and parent != Path("/"):
            parent.chmod(0o755)
    files = {
        "small": b"small\n",
        "empty": b"",
        "text": b"".join(b"line %d of a text that is worth compressing\n" % n for n in range(3000)),
        "random": random.Random(7).randbytes(300_000),
    }
    for name, content in files.items():
        (root / name).write_bytes(content)
    plain, h2 = free_port(), free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(root=root, plain=plain, h2=h2))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", h2)) == 0:
                    break
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Peers(plain, h2, files)
    finally:
        process.terminate()
        process.wait()


class Relay:
    """A relay between a TLS client and one port, for one connection; it keeps the plaintext: `pieces`, in order."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self._to = port
        self.port = int(self._listener.getsockname()[1])
        self.pieces: Pieces = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with closing(self._listener):
            plain = self._listener.accept()[0]
        client = self._context.wrap_socket(plain, server_side=True)
        server = socket.create_connection(("127.0.0.1", self._to))
        with closing(client), closing(server):
            other = threading.Thread(target=self._copy_revocation_data, args=(server, client))
            other.start()
            while data := client.recv(16384):
                self.pieces.append((0, data))
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            other.join()

    def _copy_revocation_data(self, server: socket.socket, client: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(16384):
                self.pieces.append((1, data))
                client.sendall(data)

    def join(self) -> Pieces:
        self._thread.join(PATIENCE)
        return self.pieces


def server_context(folder: Path, alpn: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - datetime.timedelta(1), now + datetime.timedelta(1))
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols([alpn])
    return context


@pytest.fixture(scope="session")
def ask(peers: Peers, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pieces]:
    """Run curl against nginx: `ask("plain", "--compressed", "/text", "/small")`. Return the data of both."""

    def run(server: str, *arguments: str, data: bytes | None = None) -> Pieces:
        context = server_context(tmp_path_factory.mktemp("relay"), "h2" if server == "h2" else "http/1.1")
        relay = Relay(getattr(peers, server), context)
        command = ["curl", "-sSk", "--max-time", str(PATIENCE)]
        command += [f"https://127.0.0.1:{relay.port}{a}" if a.startswith("/") else a for a in arguments]
        outputs = [option for a in arguments if a.startswith("/") for option in ("-o", "/dev/null")]
        subprocess.run(command + outputs, input=data, check=True, timeout=PATIENCE)
        return relay.join()

    return run


@pytest.fixture(scope="session")
def follow() -> Callable[..., Pieces]:
    """Return the plaintext of a capture's first TLS session from tshark: `follow(capture, key_log, stream=0)`."""

    def run(capture: Path, keys: Path | None = None, stream: int = 0) -> Pieces:
        command = ["tshark", "-r", str(capture), "-q", "-z", f"follow,tls,raw,{stream}"]
        if keys is not None:
            command += ["-o", f"tls.keylog_file:{keys}"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        pieces = [line for line in lines if line.strip() and set(line.strip()) <= set("0123456789abcdef")]
        found = [(line.startswith("\t"), bytes.fromhex(line.strip())) for line in pieces]
        # tshark calls the side with the first data node 0; that is the server if it sends its SETTINGS at once.
        client = next(node for node, data in found if data[:3].isalpha() and not data.startswith(b"HTTP"))
        return [(int(node != client), data) for node, data in found]

    return run
