"""Connections of real programs that fail, and others that do not: a server, a client, and what must be said of them.

Each case has a port of its own, by its place. Servers of Python use OpenSSL; programs are openssl, gnutls-cli, gnutls-serv,
nginx and curl, and `endpoint.go` for crypto/tls of Go. All run at the same time.
"""

import datetime
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from faulty_path import ALSO_NEAR, FAR, Fault, forbid, limit_size, lose_all, lose_data, lose_large, reset_hello

FIRST_PORT = 20000
NAME = "server.test"
SECONDS = 20
"""Seconds for which sockets of Python wait."""

PATIENCE = 60
"""Seconds after which a program is ended that should have ended by itself, also on a busy machine."""

LEFT = 3
"""Seconds for which a server may still be busy with a connection whose client has ended."""

Serve = Callable[[socket.socket], None]
"""Takes a connection that was accepted."""


@dataclass
class Case:
    """One connection.

    serve: what a server of Python does, or the arguments of a program. client: the arguments of a program, or a function.
    expected: who ended it, and the cause; steps: those that may be the last. fault: what the path does.
    """

    name: str
    serve: Serve | list[str] | None
    client: list[str] | Callable[[int], None]
    expected: tuple[str | None, str] | None
    steps: tuple[str, ...] = ()
    fault: Fault | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Pki:
    """Certificates for the cases, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime.datetime.now(datetime.UTC)
        self.root = self.make("Case Root", None, authority=True)
        self.other = self.make("Other Root", None, authority=True)
        self.middle = self.make("Case Intermediate", self.root, authority=True)
        self.leaf("good", self.middle)
        self.leaf("expired", self.middle, begin=-60, end=-1)
        self.leaf("future", self.middle, begin=30, end=60)
        self.leaf("elsewhere", self.middle, name="elsewhere.test")
        self.leaf("foreign", self.other, chain=False)
        self.leaf("bare", self.middle, chain=False)
        self.leaf("weak", self.middle, key=rsa.generate_private_key(65537, 1024))
        self.leaf("rsa", self.middle, key=rsa.generate_private_key(65537, 2048))
        self.leaf("client", self.root, name="alice")
        self.leaf("stranger", self.other, name="mallory")
        self.leaf("own", None)
        for name, pair in (("root", self.root), ("other", self.other)):
            (folder / f"{name}.pem").write_bytes(pair[0].public_bytes(serialization.Encoding.PEM))

    def make(
        self, name: str, issuer: Any, authority: bool = False, begin: int = -10, end: int = 300, key: Any = None
    ) -> tuple[x509.Certificate, Any]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer[0].subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + datetime.timedelta(days=begin))
            .not_valid_after(self.now + datetime.timedelta(days=end))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            made = made.add_extension(usage, critical=True)
        else:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        signer = key if issuer is None else issuer[1]
        above = signer.public_key()
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
        return made.sign(signer, hashes.SHA256()), key

    def leaf(self, file: str, issuer: Any, name: str = NAME, chain: bool = True, **more: Any) -> None:
        certificate, key = self.make(name, issuer, **more)
        listed = [certificate, issuer[0]] if issuer is not None and chain and issuer is self.middle else [certificate]
        pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in listed)
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / f"{file}.pem").write_bytes(pem + secret)

    def __getitem__(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")


def reads(n: int = 65536, then: bytes = b"", reset: bool = False, wait: float = 0.0) -> Serve:
    """A server that reads once, answers, waits, and closes or resets."""

    def serve(connection: socket.socket) -> None:
        if n:
            connection.recv(n)
        if then:
            connection.sendall(then)
        time.sleep(wait)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return serve


def leaves(connection: socket.socket) -> None:
    """A server that closes its side at once, and reads what comes."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass
    connection.close()


def says(*lines: tuple[bytes, bytes]) -> Serve:
    """A server of a dialogue: what it waits for (empty for nothing), and what it says then."""

    def serve(connection: socket.socket) -> None:
        for wanted, said in lines:
            seen = b""
            while wanted and wanted not in seen:
                more = connection.recv(4096)
                if not more:
                    return
                seen += more
            connection.sendall(said)
        connection.recv(4096)
        connection.close()

    return serve


def tls(pki: Pki, certificate: str = "good", answer: bytes | None = b"hello", setup: Any = None, ends: str = "") -> Serve:
    """A TLS server of Python: it reads a request and answers.

    setup: changes its context. ends: `reset` instead of an answer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki[certificate])
    if setup is not None:
        setup(context)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(4096)
            if ends == "reset":
                wrapped.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(wrapped.detach())
                return
            if answer is not None:
                wrapped.sendall(answer)
            if ends == "close":
                return
            wrapped.unwrap()

    return serve


def asks(
    pki: Pki, setup: Any = None, trust: str = "root", ends: str = "unwrap", plain: bytes = b"", source: str = ""
) -> Callable[[int], None]:
    """A TLS client of Python: it asks, and reads the answer. setup: changes its context. ends: how it leaves.

    source: its address, if it is not that of all others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pki[trust])
    if setup is not None:
        setup(context)

    def client(port: int) -> None:
        with socket.create_connection((FAR, port), SECONDS, (source, 0) if source else None) as connection:
            if plain:
                connection.sendall(plain)
                connection.recv(4096)
            with context.wrap_socket(connection, server_hostname=NAME) as wrapped:
                wrapped.sendall(b"GET / HTTP/1.0\r\n\r\n")
                wrapped.recv(4096)
                if ends == "reset":
                    wrapped.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    os.close(wrapped.detach())
                elif ends == "unwrap":
                    wrapped.unwrap()

    return client


def sends(data: bytes, wait: float = 0.0) -> Callable[[int], None]:
    """A client that sends bytes, reads once, and closes."""

    def client(port: int) -> None:
        with socket.create_connection((FAR, port), SECONDS) as connection:
            if data:
                connection.sendall(data)
                connection.recv(4096)
            time.sleep(wait)

    return client


def only(version: str) -> Callable[[ssl.SSLContext], None]:
    """Changes a context to one version."""

    def setup(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    return setup


def demands(pki: Pki, version: str) -> Callable[[ssl.SSLContext], None]:
    """Changes a server's context: it demands a certificate of the client."""

    def setup(context: ssl.SSLContext) -> None:
        only(version)(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pki["root"])

    return setup


def shows(pki: Pki, certificate: str, version: str) -> Callable[[ssl.SSLContext], None]:
    """Changes a client's context: it has a certificate."""

    def setup(context: ssl.SSLContext) -> None:
        only(version)(context)
        context.load_cert_chain(pki[certificate])

    return setup


def suites(names: str) -> Callable[[ssl.SSLContext], None]:
    """Changes a context to cipher suites of TLS 1.2."""

    def setup(context: ssl.SSLContext) -> None:
        only("TLSv1_2")(context)
        context.set_ciphers(names)

    return setup


def s_server(pki: Pki, *more: str, certificate: str = "good") -> list[str]:
    """The arguments of `openssl s_server`."""
    return [
        "openssl",
        "s_server",
        "-accept",
        f"{FAR}:{{port}}",
        "-cert",
        pki[certificate],
        "-key",
        pki[certificate],
        "-cert_chain",
        pki[certificate],
        "-www",
        *more,
    ]


def s_client(pki: Pki, *more: str) -> list[str]:
    """The arguments of `openssl s_client`."""
    return ["openssl", "s_client", "-connect", f"{FAR}:{{port}}", "-servername", NAME, "-CAfile", pki["root"], *more]


def gnutls_server(pki: Pki, *more: str, certificate: str = "good") -> list[str]:
    """The arguments of `gnutls-serv`."""
    return [
        "gnutls-serv",
        "-p",
        "{port}",
        "--x509keyfile",
        pki[certificate],
        "--x509certfile",
        pki[certificate],
        "--http",
        *more,
    ]


def gnutls_client(pki: Pki, *more: str, trust: str = "root") -> list[str]:
    """The arguments of `gnutls-cli`."""
    return [
        "gnutls-cli",
        "-p",
        "{port}",
        "--x509cafile",
        pki[trust],
        "--sni-hostname",
        NAME,
        "--verify-hostname",
        NAME,
        *more,
        FAR,
    ]


def curl(pki: Pki, *more: str, scheme: str = "https", trust: str = "root") -> list[str]:
    """The arguments of `curl`."""
    return [
        "curl",
        "-sS",
        "-m",
        str(PATIENCE),
        "--cacert",
        pki[trust],
        "--connect-to",
        f"::{FAR}:{{port}}",
        *more,
        f"{scheme}://{NAME}:{{port}}/",
    ]


def build_endpoint(folder: Path) -> None:
    """Compile the end with Go's crypto/tls, for `go_server` and `go_client`."""
    source = Path(__file__).parent / "endpoint.go"
    subprocess.run(["go", "build", "-o", str(folder / "endpoint"), str(source)], check=True)


def go_server(pki: Pki, *more: str, certificate: str = "good") -> list[str]:
    """The arguments of a server of Go."""
    return [str(pki.folder / "endpoint"), "-serve", "-address", f"{FAR}:{{port}}", "-certificate", pki[certificate], *more]


def go_client(pki: Pki, *more: str, trust: str = "root") -> list[str]:
    """The arguments of a client of Go."""
    return [str(pki.folder / "endpoint"), "-address", f"{FAR}:{{port}}", "-name", NAME, "-trust", pki[trust], *more]


def nginx(folder: Path, number: int, server: str) -> list[str]:
    """The arguments of `nginx` with one server."""
    place = folder / f"nginx{number}"
    place.mkdir()
    places = "".join(f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "index.html").write_text("hello")
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {place}/pid; error_log {place}/error.log; events {{ }} "
        f"http {{ access_log off; {places} server {{ root {place}; {server} }} }}"
    )
    return ["nginx", "-p", str(place), "-c", str(place / "nginx.conf")]


def port_of(case: Case, place: int) -> int:
    """The port of a case: its own, or one by its place."""
    port: int = case.extra.get("port", FIRST_PORT + place)
    return port


def run_case(path: Any, case: Case, port: int) -> None:
    """Run a server and its client to their ends."""
    if case.fault is not None:
        path.faults[port] = case.fault
    server: Any = None
    if isinstance(case.serve, list):
        words = [word.replace("{port}", str(port)) for word in case.serve]
        quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = path.within(True, lambda: subprocess.Popen(words, **quiet))
        path.within(True, lambda: _wait(port))
    elif case.serve is not None:
        path.within(True, lambda: _listen(port, case.serve))
    try:
        path.within(False, lambda: _ask(case, port))
    finally:
        time.sleep(0.3)
        path.within(True, lambda: _wait_for_end(port))
        if server is not None:
            server.kill()
            server.wait()


def _ask(case: Case, port: int) -> None:
    if callable(case.client):
        try:
            case.client(port)
        except (OSError, ssl.SSLError):
            return
        return
    words = [word.replace("{port}", str(port)) for word in case.client]
    try:
        subprocess.run(
            words,
            input=b"GET / HTTP/1.0\r\n\r\n",
            capture_output=True,
            timeout=case.extra.get("patience", PATIENCE),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return


def _listen(port: int, serve: Any) -> None:
    listening = socket.create_server((FAR, port), backlog=8)
    listening.settimeout(SECONDS)

    def work() -> None:
        with listening:
            try:
                connection = listening.accept()[0]
                connection.settimeout(SECONDS)
                serve(connection)
            except (OSError, ssl.SSLError):
                return

    threading.Thread(target=work, daemon=True).start()


def _wait(port: int) -> None:
    """Wait until a program listens, without a connection to it."""
    until = time.monotonic() + PATIENCE
    while LISTENING not in _states(port):
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens on {port}")
        time.sleep(0.05)


def _wait_for_end(port: int) -> None:
    """Wait until the server has no connection at its port any more, but not for long: some servers never close theirs."""
    until = time.monotonic() + LEFT
    while _states(port) - {LISTENING, TIME_WAIT} and time.monotonic() < until:
        time.sleep(0.05)


def _states(port: int) -> set[str]:
    """The states of the sockets at a port, as the kernel writes them."""
    table = Path("/proc/thread-self/net/tcp").read_text() + Path("/proc/thread-self/net/tcp6").read_text()
    rows = [line.split() for line in table.splitlines()]
    return {row[3] for row in rows if row[1].endswith(f":{port:04X}")}


TIME_WAIT, LISTENING = "06", "0A"


HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"


def failing(pki: Pki, folder: Path) -> list[Case]:
    """Connections that fail."""
    v12, v13 = only("TLSv1_2"), only("TLSv1_3")
    web = f"ssl_certificate {pki['good']}; ssl_certificate_key {pki['good']};"
    hello, after = ("client_hello",), ("certificate", "key_exchange", "server_hello", "finished", "client_certificate")
    return [
        Case("refused", None, sends(b""), ("server", "connection_refused"), ("tcp",)),
        Case("no answer", reads(), sends(b""), ("nobody", "no_answer"), ("tcp",), lose_all),
        Case("closed at once", leaves, asks(pki), ("server", "closed_without_alert"), ("tcp", "client_hello")),
        Case(
            "reset at once",
            reads(0, reset=True),
            asks(pki),
            ("server", "reset_by_peer"),
            ("tcp", "client_hello"),
            extra={"port": 993},
        ),
        Case("closed after the hello", reads(), asks(pki), ("server", "closed_without_alert"), hello),
        Case("reset after the hello", reads(reset=True), asks(pki), ("server", "reset_by_peer"), hello),
        Case("silent", reads(wait=60), s_client(pki), ("client", "peer_silent"), hello, extra={"patience": 8}),
        Case("HTTP instead", reads(then=HTTP_400), curl(pki), (None, "peer_speaks_no_tls"), hello),
        Case("SSH instead", reads(then=b"SSH-2.0-OpenSSH_9.2\r\n"), gnutls_client(pki), (None, "peer_speaks_no_tls"), hello),
        Case(
            "plain to TLS",
            s_server(pki),
            sends(b"GET / HTTP/1.0\r\n\r\n"),
            ("server", "client_speaks_no_tls"),
            extra={"port": 8443},
        ),
        Case("1.3 to 1.2", tls(pki, setup=v12), asks(pki, v13), ("server", "no_common_version"), hello),
        Case("1.2 to 1.3", tls(pki, setup=v13), asks(pki, v12), ("server", "no_common_version"), hello),
        Case("1.2 to 1.3, openssl", s_server(pki, "-tls1_3"), s_client(pki, "-tls1_2"), ("server", "no_common_version"), hello),
        Case(
            "suites, gnutls",
            gnutls_server(pki, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM"),
            gnutls_client(pki, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM"),
            ("server", "no_common_cipher_suite"),
            hello,
        ),
        Case(
            "suites",
            tls(pki, setup=suites("ECDHE-ECDSA-AES256-GCM-SHA384")),
            asks(pki, suites("ECDHE-ECDSA-AES128-GCM-SHA256")),
            ("server", "no_common_cipher_suite"),
            hello,
        ),
        Case(
            "suites of the other kind",
            s_server(pki, "-tls1_2"),
            s_client(pki, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("server", "no_common_cipher_suite"),
            hello,
        ),
        Case(
            "groups",
            s_server(pki, "-groups", "P-384"),
            s_client(pki, "-groups", "X25519", "-tls1_3"),
            ("server", "no_common_group"),
            hello,
        ),
        Case(
            "schemes",
            s_server(pki, certificate="rsa"),
            s_client(pki, "-sigalgs", "ECDSA+SHA256", "-tls1_3"),
            ("server", "no_common_signature_scheme"),
            hello,
        ),
        Case("ALPN", s_server(pki, "-alpn", "h2"), s_client(pki, "-alpn", "imap"), ("server", "no_common_alpn"), hello),
        Case(
            "name",
            s_server(pki, "-servername", "other.test", "-cert2", pki["good"], "-key2", pki["good"], "-servername_fatal"),
            s_client(pki),
            ("server", "unrecognized_name"),
            hello,
        ),
        Case("expired", tls(pki, "expired", setup=v12), asks(pki), ("client", "certificate_expired"), after),
        Case("not yet valid", tls(pki, "future", setup=v12), asks(pki), ("client", "certificate_not_yet_valid"), after),
        Case("wrong name", tls(pki, "elsewhere", setup=v12), asks(pki), ("client", "certificate_name_mismatch"), after),
        Case("unknown issuer", tls(pki, "foreign", setup=v12), asks(pki), ("client", "certificate_unknown_issuer"), after),
        Case("self-signed", tls(pki, "own", setup=v12), asks(pki), ("client", "certificate_unknown_issuer"), after),
        Case("another store", tls(pki, setup=v12), asks(pki, trust="other"), ("client", "certificate_refused"), after),
        Case("incomplete chain", tls(pki, "bare", setup=v12), asks(pki), ("client", "certificate_incomplete_chain"), after),
        Case(
            "expired, curl",
            s_server(pki, "-tls1_2", certificate="expired"),
            curl(pki),
            ("client", "certificate_expired"),
            after,
        ),
        Case(
            "unknown issuer, gnutls",
            gnutls_server(pki, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2", certificate="foreign"),
            gnutls_client(pki),
            ("client", "certificate_unknown_issuer"),
            after,
        ),
        Case("expired, 1.3", tls(pki, "expired", setup=v13), asks(pki), ("client", "certificate_expired"), ("server_hello",)),
        Case(
            "weak key",
            s_server(pki, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0", certificate="weak"),
            s_client(pki, "-cipher", "DEFAULT:@SECLEVEL=2", "-verify_return_error"),
            ("client", "certificate_weak"),
            after,
        ),
        Case(
            "no certificate",
            tls(pki, setup=demands(pki, "TLSv1_2")),
            asks(pki),
            ("server", "client_certificate_missing"),
            ("client_certificate", "key_exchange", "finished"),
        ),
        Case(
            "no certificate, 1.3",
            tls(pki, setup=demands(pki, "TLSv1_3")),
            asks(pki),
            ("server", "client_certificate_missing"),
            ("client_certificate", "finished", "server_hello"),
        ),
        Case(
            "strange certificate",
            tls(pki, setup=demands(pki, "TLSv1_2")),
            asks(pki, shows(pki, "stranger", "TLSv1_2")),
            ("server", "client_certificate_refused"),
            ("client_certificate", "key_exchange", "finished"),
        ),
        Case(
            "strange certificate, 1.3",
            tls(pki, setup=demands(pki, "TLSv1_3")),
            asks(pki, shows(pki, "stranger", "TLSv1_3")),
            ("server", "client_certificate_refused"),
            ("client_certificate", "finished", "server_hello"),
        ),
        Case(
            "no certificate, gnutls",
            gnutls_server(
                pki, "--require-client-cert", "--x509cafile", pki["root"], "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"
            ),
            gnutls_client(pki),
            ("server", "client_certificate_missing"),
            ("client_certificate", "key_exchange", "finished"),
        ),
        Case(
            "binder",
            ["openssl", "s_server", "-accept", f"{FAR}:{{port}}", "-nocert", "-psk", "00112233", "-tls1_3"],
            ["openssl", "s_client", "-connect", f"{FAR}:{{port}}", "-psk", "44556677", "-tls1_3"],
            ("server", "binder_wrong"),
            hello,
        ),
        Case(
            "keys differ",
            ["openssl", "s_server", "-accept", f"{FAR}:{{port}}", "-nocert", "-psk", "00112233", "-tls1_2"],
            [
                "openssl",
                "s_client",
                "-connect",
                f"{FAR}:{{port}}",
                "-psk",
                "44556677",
                "-tls1_2",
                "-cipher",
                "PSK-AES128-CBC-SHA",
            ],
            ("server", "bad_record_mac"),
            ("key_exchange", "finished"),
        ),
        Case("fallback", s_server(pki), s_client(pki, "-fallback_scsv", "-tls1_2"), ("server", "fallback_refused"), hello),
        Case("reset on the path", reads(), asks(pki), ("between", "reset_between"), hello, reset_hello),
        Case(
            "black hole",
            tls(pki, "rsa", setup=v12),
            s_client(pki),
            (None, "packets_lost_on_path"),
            (),
            lose_large,
            extra={"patience": 12},
        ),
        Case(
            "nothing gets through",
            reads(),
            s_client(pki),
            (None, "packets_lost_on_path"),
            hello,
            lose_data,
            extra={"patience": 12},
        ),
        Case(
            "STARTTLS refused",
            says(
                (b"", b"220 mail.test ESMTP\r\n"),
                (b"EHLO", b"250-mail.test\r\n250 STARTTLS\r\n"),
                (b"STARTTLS", b"454 TLS not available\r\n"),
            ),
            s_client(pki, "-starttls", "smtp"),
            ("server", "starttls_refused"),
            ("before_tls", "client_hello"),
        ),
        Case(
            "proxy refuses",
            says((b"\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\n\r\n")),
            ["curl", "-sS", "-m", str(PATIENCE), "-x", f"http://{FAR}:{{port}}", "https://x.test/"],
            ("server", "proxy_refused"),
            ("before_tls",),
        ),
        Case(
            "proxy wants a password",
            says((b"\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")),
            ["curl", "-sS", "-m", str(PATIENCE), "-x", f"http://{FAR}:{{port}}", "https://x.test/"],
            ("server", "proxy_refused"),
            ("before_tls",),
        ),
        Case(
            "reset in a request",
            tls(pki, ends="reset", setup=v12),
            asks(pki),
            ("server", "reset_by_peer"),
            ("application_data",),
        ),
        Case(
            "nginx, plain",
            nginx(folder, 1, f"listen {FAR}:443 ssl; {web}"),
            curl(pki, scheme="http"),
            (None, "client_speaks_no_tls"),  # nginx answers, and then either side may close first
            ("before_tls",),
            extra={"port": 443},
        ),
        Case(
            "nginx rejects",
            nginx(folder, 2, f"listen {FAR}:{FIRST_PORT + 47} ssl; ssl_reject_handshake on;"),
            curl(pki),
            ("server", "unrecognized_name"),
            hello,
        ),
        Case(
            "curl, unknown issuer",
            s_server(pki, "-tls1_2", certificate="foreign"),
            curl(pki),
            ("client", "certificate_unknown_issuer"),
            after,
        ),
        Case("forbidden by a router", reads(), sends(b""), ("between", "connection_refused"), ("tcp",), forbid),
        Case(
            "Go, 1.2 to 1.3", go_server(pki, "-least", "772"), s_client(pki, "-tls1_2"), ("server", "no_common_version"), hello
        ),
        Case(
            "Go, 1.3 to 1.2", s_server(pki, "-tls1_2"), go_client(pki, "-least", "772"), ("server", "no_common_version"), hello
        ),
        Case(
            "Go, suites",
            go_server(pki),
            s_client(pki, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("server", "no_common_cipher_suite"),
            hello,
        ),
        Case(
            "Go, ALPN",
            go_server(pki, "-alpn", "h2"),
            go_client(pki, "-alpn", "imap"),
            ("server", "no_common_alpn"),
            ("client_hello", "server_hello"),
        ),
        Case("Go, expired", tls(pki, "expired", setup=v12), go_client(pki), ("client", "certificate_expired"), after),
        Case(
            "Go, unknown issuer",
            go_server(pki, "-most", "771", certificate="foreign"),
            go_client(pki),
            ("client", "certificate_unknown_issuer"),
            after,
        ),
        Case(
            "Go, wrong name",
            go_server(pki, certificate="elsewhere"),
            go_client(pki, "-most", "771"),
            ("client", "certificate_name_mismatch"),
            after,
        ),
        Case(
            "Go, no certificate",
            go_server(pki, "-demand", "-trust", pki["root"], "-most", "771"),
            go_client(pki),
            ("server", "client_certificate_missing"),
            ("client_certificate", "key_exchange", "finished"),
        ),
        Case(
            "Go, no certificate, 1.3",
            go_server(pki, "-demand", "-trust", pki["root"]),
            go_client(pki),
            ("server", "client_certificate_missing"),
            ("client_certificate", "finished", "server_hello"),
        ),
    ]


def healthy(pki: Pki, folder: Path, first: int) -> list[Case]:
    """Connections that do what they are for. first: the place of the first of them."""
    v12, v13 = only("TLSv1_2"), only("TLSv1_3")
    place = FIRST_PORT + first
    web = f"ssl_certificate {pki['good']}; ssl_certificate_key {pki['good']};"
    return [
        Case("nginx, HTTP/2", nginx(folder, 3, f"listen {FAR}:{place} ssl http2; {web}"), curl(pki), None),
        Case("nginx, HTTP/1.1", nginx(folder, 4, f"listen {FAR}:{place + 1} ssl; {web}"), curl(pki, "--http1.1"), None),
        Case("nginx, 1.2", nginx(folder, 5, f"listen {FAR}:{place + 2} ssl; {web}"), curl(pki, "--tls-max", "1.2"), None),
        Case("python 1.2", tls(pki, setup=v12), asks(pki), None),
        Case("python 1.3", tls(pki, setup=v13), asks(pki), None),
        Case("no close_notify", tls(pki, setup=v12, ends="close"), asks(pki, ends="none"), None),
        Case("no close_notify, 1.3", tls(pki, setup=v13, ends="close"), asks(pki, ends="none"), None),
        Case("the client resets", tls(pki, setup=v12), asks(pki, ends="reset"), None),
        Case("the client resets, 1.3", tls(pki, setup=v13), asks(pki, ends="reset"), None),
        Case("client certificate", tls(pki, setup=demands(pki, "TLSv1_2")), asks(pki, shows(pki, "client", "TLSv1_2")), None),
        Case(
            "client certificate, 1.3", tls(pki, setup=demands(pki, "TLSv1_3")), asks(pki, shows(pki, "client", "TLSv1_3")), None
        ),
        Case("openssl 1.2", s_server(pki, "-tls1_2"), s_client(pki, "-quiet"), None),
        Case("openssl 1.3", s_server(pki, "-tls1_3"), s_client(pki, "-quiet"), None),
        Case("openssl, retry", s_server(pki, "-groups", "P-384"), s_client(pki, "-groups", "X25519:P-384", "-quiet"), None),
        Case(
            "openssl, RSA",
            s_server(pki, "-tls1_2", certificate="rsa"),
            s_client(pki, "-cipher", "AES128-GCM-SHA256", "-quiet"),
            None,
        ),
        Case("gnutls", gnutls_server(pki), curl(pki), None),
        Case("gnutls 1.2", gnutls_server(pki, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"), curl(pki), None),
        Case("gnutls client", s_server(pki, "-tls1_2"), gnutls_client(pki), None),
        Case("gnutls client, 1.3", s_server(pki, "-tls1_3"), gnutls_client(pki), None),
        Case(
            "pre-shared key",
            ["openssl", "s_server", "-accept", f"{FAR}:{{port}}", "-nocert", "-psk", "00112233", "-rev"],
            ["openssl", "s_client", "-connect", f"{FAR}:{{port}}", "-psk", "00112233", "-quiet"],
            None,
            extra={"patience": 8},
        ),
        Case("a smaller MTU on the path", tls(pki, "rsa", setup=v12), asks(pki, source=ALSO_NEAR), None, fault=limit_size),
        Case("Go server", go_server(pki), curl(pki), None),
        Case("Go client, 1.2", s_server(pki, "-tls1_2"), go_client(pki), None),
        Case(
            "Go at both ends",
            go_server(pki, "-trust", pki["root"], "-demand"),
            go_client(pki, "-certificate", pki["client"]),
            None,
        ),
    ]
