"""Recordings of programs: OpenSSL's and GnuTLS's clients and servers in all combinations, curl, Chromium and nginx.

Each recording is a row: name, options of the server, options of each connection of the client. The client asks for a page.
"""

import fcntl
import os
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from conversations import SERVER, Flight
from recordings import (
    NAME,
    PATIENCE,
    REQUEST,
    CannotRecordError,
    Recording,
    Relay,
    free_port,
    identity,
    new_file,
    serving,
    text_of,
)

Row = tuple[str, str, tuple[str, ...]]
Client = Callable[[int, Path, str], None]

OPENSSL: tuple[Row, ...] = (
    ("suite AES-128", "-ciphersuites TLS_AES_128_GCM_SHA256", ("",)),
    ("suite AES-256", "-ciphersuites TLS_AES_256_GCM_SHA384", ("",)),
    ("suite ChaCha20", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", ("",)),
    ("suite CCM", "-ciphersuites TLS_AES_128_CCM_SHA256", ("-ciphersuites TLS_AES_128_CCM_SHA256",)),
    ("group P-256", "-groups P-256", ("-groups P-256",)),
    ("group P-521", "-groups P-521", ("-groups P-521",)),
    ("group X448", "-groups X448", ("-groups X448",)),
    ("group ffdhe2048", "-groups ffdhe2048", ("-groups ffdhe2048",)),
    ("retry", "-groups P-384", ("",)),
    ("retry, ffdhe3072", "-groups ffdhe3072", ("-groups X25519:ffdhe3072",)),
    ("retry in a resumption", "-groups P-384", ("-sess_out SESSION", "-sess_in SESSION")),
    ("resumption 1.3", "", ("-sess_out SESSION", "-sess_in SESSION")),
    ("resumption 1.2 by ticket", "-tls1_2", ("-sess_out SESSION", "-sess_in SESSION")),
    ("resumption 1.2 by id", "-tls1_2 -no_ticket", ("-sess_out SESSION", "-sess_in SESSION")),
    ("resumption refused", "-no_ticket -no_cache", ("-sess_out SESSION", "-sess_in SESSION")),
    ("mutual 1.3", "-verify 1", ("-cert CERT -key CERT",)),
    ("mutual 1.2", "-tls1_2 -verify 1", ("-cert CERT -key CERT",)),
    ("no certificate 1.3", "-verify 1", ("",)),
    ("no certificate 1.2", "-tls1_2 -verify 1", ("",)),
    ("Ed25519", "-cert ED25519 -key ED25519", ("",)),
    ("RSA 1.3", "-cert RSA -key RSA", ("",)),
    ("RSA 1.2", "-tls1_2 -cert RSA -key RSA", ("",)),
    ("1.2 ChaCha20", "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", ("",)),
    ("1.2 CCM", "-tls1_2 -cipher ECDHE-ECDSA-AES128-CCM", ("-cipher ECDHE-ECDSA-AES128-CCM",)),
    ("1.2 DHE", "-tls1_2 -cert RSA -key RSA -cipher DHE-RSA-AES128-GCM-SHA256 -dhparam DH", ("-cipher DHE",)),
    ("max_fragment_length 1.2", "-tls1_2", ("-maxfraglen 512",)),
    ("max_fragment_length 1.3", "", ("-maxfraglen 1024",)),
    ("padding", "-record_padding 512", ("",)),
    ("small records", "-split_send_frag 600 -max_send_frag 900", ("",)),
    ("ALPN", "-alpn http/1.1", ("-alpn h2,http/1.1",)),
    ("no middlebox", "-no_middlebox", ("-no_middlebox",)),
    ("status_request", "", ("-status",)),
    ("external PSK 1.3", "-psk 00112233445566778899aabbccddeeff -nocert", ("-psk 00112233445566778899aabbccddeeff",)),
)
"""Rows for `openssl s_server` and `openssl s_client`. Words in capitals stand for files."""

GNUTLS: tuple[Row, ...] = (
    ("1.3", "", ("",)),
    ("1.2", "", ("--priority NORMAL:-VERS-TLS1.3",)),
    ("resumption 1.3", "", ("--resume",)),
    ("resumption 1.2", "", ("--resume --priority NORMAL:-VERS-TLS1.3",)),
    ("rehandshake 1.2", "", ("--rehandshake --priority NORMAL:-VERS-TLS1.3",)),
    ("retry", "--priority NORMAL:-GROUP-ALL:+GROUP-SECP521R1", ("",)),
    ("mutual", "--require-client-cert --x509cafile CERT", ("--x509certfile CERT --x509keyfile CERT",)),
    ("ALPN", "--alpn http/1.1", ("--alpn http/1.1",)),
    ("record size", "", ("--recordsize 1024",)),
    ("group ffdhe2048", "--priority NORMAL:-GROUP-ALL:+GROUP-FFDHE2048", ("--priority NORMAL:-GROUP-ALL:+GROUP-FFDHE2048",)),
)
"""Rows for `gnutls-serv` and `gnutls-cli`."""

COMPRESSED: tuple[Row, ...] = tuple(
    (f"compressed certificate, {name}", f"--compress-cert {name}", (f"--compress-cert {name}",))
    for name in ("zlib", "brotli", "zstd")
)
"""The same, for a GnuTLS that is new enough, and built with these libraries."""

HYBRID = "X25519MLKEM768"
COMPRESS_CERTIFICATE = 27
CHANGE_CIPHER_SPEC = 20

CROSSED: tuple[Row, ...] = (
    ("1.3", "", ("",)),
    ("1.2", "-tls1_2", ("",)),
    ("retry", "-groups P-384", ("",)),
    ("RSA", "-cert RSA -key RSA", ("",)),
    ("resumption 1.3", "", ("--resume",)),
    ("resumption 1.2", "-tls1_2", ("--resume",)),
)
"""Rows for `openssl s_server` and `gnutls-cli`."""

CROSSED_BACK: tuple[Row, ...] = (
    ("1.3", "", ("",)),
    ("1.2", "", ("-tls1_2",)),
    ("resumption 1.3", "", ("-sess_out SESSION", "-sess_in SESSION")),
    ("resumption 1.2", "", ("-tls1_2 -sess_out SESSION", "-tls1_2 -sess_in SESSION")),
    ("max_fragment_length", "", ("-maxfraglen 2048",)),
)
"""Rows for `gnutls-serv` and `openssl s_client`."""


def openssl_recordings() -> Iterator[Recording]:
    """OpenSSL's server and client."""
    for name, server, clients in OPENSSL:
        yield _recorded(f"OpenSSL, {name}", openssl_server(server), clients, openssl_client)


def gnutls_recordings() -> Iterator[Recording]:
    """GnuTLS's server and client."""
    for name, server, clients in GNUTLS:
        yield _recorded(f"GnuTLS, {name}", gnutls_server(server), clients, gnutls_client)


def compressed_recordings() -> Iterator[Recording]:
    """GnuTLS at both ends, with compressed certificates (RFC 8879). Raises CannotRecordError."""
    if b"--compress-cert" not in subprocess.run(["gnutls-serv", "--help"], capture_output=True, check=True).stdout:
        raise CannotRecordError("this GnuTLS does not compress certificates")
    for name, server, clients in COMPRESSED:
        recording = _recorded(f"GnuTLS, {name}", gnutls_server(server), clients, gnutls_client)
        (session,) = recording.sessions(keyed=False)
        offered = session.handshake.hellos.fingerprint_input
        if offered is None or COMPRESS_CERTIFICATE not in offered[2]:
            raise CannotRecordError("this GnuTLS is built without compression of certificates")
        yield recording


def hybrid_recordings() -> Iterator[Recording]:
    """OpenSSL at both ends, with a group that resists quantum computers. Raises CannotRecordError."""
    listed = subprocess.run(["openssl", "list", "-kem-algorithms"], capture_output=True, check=True).stdout
    if HYBRID.encode() not in listed:
        raise CannotRecordError(f"this OpenSSL has no {HYBRID}: that needs OpenSSL 3.5")
    for name, options in (("hybrid", f"-groups {HYBRID}"), ("hybrid after a retry", f"-groups X25519:{HYBRID}")):
        yield _recorded(f"OpenSSL, {name}", openssl_server(f"-groups {HYBRID}"), (options,), openssl_client)


def crossed_recordings() -> Iterator[Recording]:
    """GnuTLS at one end, and OpenSSL at the other."""
    for name, server, clients in CROSSED:
        yield _recorded(f"GnuTLS to OpenSSL, {name}", openssl_server(server), clients, gnutls_client)
    for name, server, clients in CROSSED_BACK:
        yield _recorded(f"OpenSSL to GnuTLS, {name}", gnutls_server(server), clients, openssl_client)


def _recorded(name: str, server: tuple[list[str], int], clients: Sequence[str], client: Client) -> Recording:
    command, port = server
    keys = new_file("keys")
    session = new_file("session")
    with serving(command, port):
        relay = Relay(port)
        for options in clients:
            client(relay.port, keys, options.replace("SESSION", str(session)))
        connections = relay.finish()
    return Recording(name, connections, text_of(keys))


def _words(options: str) -> list[str]:
    files = {"CERT": "ec", "RSA": "rsa", "ED25519": "ed25519"}
    return [
        str(identity(files[word])) if word in files else str(_dh_parameters()) if word == "DH" else word
        for word in options.split()
    ]


def _dh_parameters() -> Path:
    file = identity("ec").with_name("ffdhe2048.pem")
    if not file.exists():
        command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", str(file)]
        subprocess.run(command, check=True, capture_output=True)
    return file


def openssl_server(options: str) -> tuple[list[str], int]:
    """The command of a server that answers each request with a page, and its port."""
    port = free_port()
    own = [] if "-cert " in options or "-nocert" in options else ["-cert", str(identity("ec")), "-key", str(identity("ec"))]
    return ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *own, *_words(options)], port


def openssl_client(port: int, keys: Path, options: str) -> None:
    """Ask for a page, and wait for its end."""
    command = [
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        NAME,
        "-keylogfile",
        str(keys),
        "-ign_eof",
    ]
    done = subprocess.run([*command, *_words(options)], input=REQUEST, capture_output=True, timeout=PATIENCE, check=False)
    assert b"200 ok" in done.stdout.lower(), (command, done.stderr[-500:])


def gnutls_server(options: str) -> tuple[list[str], int]:
    """The command of a server that answers each request with a page, and its port."""
    port, own = free_port(), str(identity("ec"))
    command = ["gnutls-serv", "--quiet", "--http", "--port", str(port), "--x509certfile", own, "--x509keyfile", own]
    return [*command, *_words(options)], port


def gnutls_client(port: int, keys: Path, options: str) -> None:
    """Ask for a page, and wait for its end."""
    command = ["gnutls-cli", "--port", str(port), "--insecure", "--sni-hostname", NAME, *_words(options), "127.0.0.1"]
    environment = {**os.environ, "SSLKEYLOGFILE": str(keys)}
    done = subprocess.run(command, input=REQUEST, capture_output=True, timeout=PATIENCE, check=False, env=environment)
    assert b"200 ok" in done.stdout.lower(), (command, done.stdout[-500:], done.stderr[-500:])


# Sessions in which somebody types.


def typed_recordings() -> Iterator[Recording]:
    """OpenSSL's client, which renegotiates, updates its keys, or sends early data."""
    for name, server, client, lines in (
        ("renegotiation", "-tls1_2 -client_renegotiation -rev", "", ("before", "R", "after", "Q")),
        ("key update", "-rev", "", ("before", "K", "after", "k", "again", "Q")),
    ):
        yield _typed(f"OpenSSL, {name}", server, ((client, lines),))
    early = new_file("early")
    early.write_bytes(REQUEST)
    session = new_file("session")
    clients = ((f"-sess_out {session}", ("hello", "Q")), (f"-sess_in {session} -early_data {early}", ("Q",)))
    yield _typed("OpenSSL, early data", "-early_data -max_early_data 4096", clients)
    yield _typed("OpenSSL, early data refused", "-max_early_data 4096 -no_anti_replay", clients)


def _typed(name: str, server: str, clients: Iterable[tuple[str, tuple[str, ...]]]) -> Recording:
    command, port = openssl_server(server)
    command.remove("-www")
    keys = new_file("keys")
    with serving(command, port):
        relay = Relay(port)
        for options, lines in clients:
            _type(relay, keys, options, lines)
        connections = relay.finish()
    return Recording(name, connections, text_of(keys))


def _type(relay: Relay, keys: Path, options: str, lines: Iterable[str]) -> None:
    """Type lines. Each is one of its own for the client, which has read the one before.

    `Q` waits for a session to be kept, and what follows `R` for the end of the new handshake.
    """
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{relay.port}", "-servername", NAME, "-keylogfile", str(keys)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, *options.split()], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as process:
        assert process.stdin is not None
        for line in lines:
            time.sleep(0.15)
            if line == "Q" and "-sess_out " in options:
                _wait_for(Path(options.partition("-sess_out ")[2].split()[0]).exists)
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            _wait_for(partial(_is_read, process))
            if line == "R":
                _wait_for(lambda: _count_of(CHANGE_CIPHER_SPEC, relay.flights[-1]) == 2)
        process.stdin.close()
        process.wait(PATIENCE)


def _is_read(process: "subprocess.Popen[bytes]") -> bool:
    """Whether nothing is left in the pipe that is the standard input of a process, or the process has ended."""
    assert process.stdin is not None
    (n_left,) = struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, b"    "))
    return n_left == 0 or process.poll() is not None


def _count_of(content_type: int, flights: Sequence[Flight]) -> int:
    """How many records of a type the server has sent."""
    data, place, n_found = b"".join(data for side, data in list(flights) if side == SERVER), 0, 0
    while place < len(data):
        n_found += data[place] == content_type
        place += 5 + int.from_bytes(data[place + 3 : place + 5], "big")
    return n_found


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


# nginx.


@contextmanager
def _nginx(settings: str = "", protocols: str = "TLSv1.2 TLSv1.3") -> Iterator[int]:
    port, folder = free_port(), new_file("nginx")
    (folder / "root").mkdir(parents=True)
    (folder / "root" / "index.html").write_text("<title>It works</title>\n" * 300)
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{ }}
        http {{ access_log off; {places} server {{ listen 127.0.0.1:{port} ssl http2; root {folder}/root;
        ssl_certificate {identity("ec")}; ssl_certificate_key {identity("ec")}; ssl_protocols {protocols}; {settings}
        }} }}"""
    )
    with serving(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port):
        yield port


CURL = (
    ("HTTP/2", "", "--http2", 1),
    ("HTTP/1.1", "", "--http1.1", 1),
    ("1.2", "", "--tls-max 1.2", 1),
    ("mutual", "ssl_verify_client optional_no_ca;", "--cert CERT --key CERT", 1),
    ("resumption 1.2", "keepalive_timeout 0; ssl_session_cache shared:all:1m;", "--tls-max 1.2 --http1.1", 3),
    ("resumption 1.3", "keepalive_timeout 0;", "--http1.1", 3),
    ("retry", "ssl_ecdh_curve secp384r1;", "", 1),
)
"""Rows for curl and nginx: name, settings of the server, options of curl, how often it asks."""


def curl_recordings() -> Iterator[Recording]:
    """curl asks nginx."""
    for name, settings, options, n_times in CURL:
        keys = new_file("keys")
        with _nginx(settings) as port:
            relay = Relay(port)
            command = ["curl", "--silent", "--fail", "--insecure", "--connect-to", f"{NAME}:443:127.0.0.1:{relay.port}"]
            urls = [f"https://{NAME}/"] * n_times
            environment = {**os.environ, "SSLKEYLOGFILE": str(keys)}
            done = subprocess.run(
                [*command, *_words(options), *urls], capture_output=True, timeout=PATIENCE, check=True, env=environment
            )
            assert done.stdout.count(b"It works") == 300 * n_times
            yield Recording(f"curl and nginx, {name}", relay.finish(), text_of(keys))


def chromium_recordings() -> Iterator[Recording]:
    """Chromium asks nginx."""
    for name, protocols in (("1.3", "TLSv1.3"), ("1.2", "TLSv1.2")):
        keys = new_file("keys")
        with _nginx(protocols=protocols) as port:
            relay = Relay(port)
            command = [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--dump-dom",
                f"--ssl-key-log-file={keys}", f"--user-data-dir={new_file('profile')}",
                f"--host-resolver-rules=MAP {NAME} 127.0.0.1", f"https://{NAME}:{relay.port}/",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, timeout=180, check=False)
            assert b"It works" in done.stdout, done.stderr[-1000:]
            yield Recording(f"Chromium and nginx, {name}", relay.finish(), text_of(keys))
