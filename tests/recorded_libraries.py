"""Recordings of libraries: Python's ssl in memory, Go's crypto/tls, and Java's JSSE with OpenSSL at the other end."""

import contextlib
import json
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conversations import CLIENT, SERVER, Flight
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate
from keyed import talk_between
from recorded_programs import openssl_client, openssl_server
from recordings import CannotRecordError, Recording, Relay, free_port, identity, new_file, serving, text_of

HERE = Path(__file__).parent
SCRIPT = ((CLIENT, b"a question"), (SERVER, b"an answer " * 3000), (CLIENT, b"thanks"))

Change = Callable[[ssl.SSLContext, ssl.SSLContext], None]


def python_recordings() -> Iterator[Recording]:
    """The OpenSSL of Python at both ends."""
    for version in ("1.2", "1.3"):
        for name, times, change in PYTHON:
            yield _python(f"Python {version}, {name}", version, times, change)
    yield _python("Python, post_handshake_auth offered", "1.3", 1, _with_later_certificate)


def _python(name: str, version: str, times: int, change: Change | None) -> Recording:
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    server.load_cert_chain(identity("ec"))
    client.minimum_version = client.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
    if change is not None:
        change(client, server)
    talks, session = [], None
    for _ in range(times):
        talk, session = talk_between(client, server, SCRIPT, session)
        talks.append(talk)
    return Recording(name, tuple(talk.flights for talk in talks), "".join(talk.keylog for talk in talks))


def _with_alpn(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    client.set_alpn_protocols(["one", "two"])
    server.set_alpn_protocols(["two"])


def _with_client_certificate(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    client.load_cert_chain(identity("ec"))
    server.load_verify_locations(identity("ec"))
    server.verify_mode = ssl.CERT_REQUIRED


def _without_tickets(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    client.options |= ssl.OP_NO_TICKET
    server.options |= ssl.OP_NO_TICKET


def _with_group(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    server.set_ecdh_curve("secp384r1")


def _with_later_certificate(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    _with_client_certificate(client, server)
    client.post_handshake_auth = server.post_handshake_auth = True


PYTHON: tuple[tuple[str, int, Change | None], ...] = (
    ("ALPN", 1, _with_alpn),
    ("mutual", 1, _with_client_certificate),
    ("resumption", 3, None),
    ("resumption without tickets", 3, _without_tickets),
    ("retry or group secp384r1", 1, _with_group),
)
"""Rows for Python: name, number of connections, what is changed in both contexts."""


def go_recordings() -> Iterator[Recording]:
    """Go at both ends. A Go that is new enough uses X25519MLKEM768."""
    command = ["go", "run", str(HERE / "recordings.go"), *(str(identity(kind)) for kind in ("ec", "rsa", "ed25519"))]
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    done = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=120)
    for line in done.stdout.splitlines():
        made = json.loads(line)
        yield Recording(f"Go, {made['name']}", tuple(map(_flights, made["connections"])), made["key_log"])


def ech_recordings() -> Iterator[Recording]:
    """Go at both ends, with Encrypted Client Hello (RFC 9849). Raises CannotRecordError."""
    said = subprocess.run(["go", "version"], capture_output=True, check=True, text=True).stdout
    if tuple(map(int, re.findall(r"go(\d+)\.(\d+)", said)[0])) < (1, 24):
        raise CannotRecordError(f"Encrypted Client Hello needs Go 1.24, and this is {said.strip()}")
    ec = str(identity("ec"))
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    source = str(HERE.parent / "captures" / "encrypted_hello.go")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for kind in ("accept", "retry", "reject"):
        command = ["go", "run", source, kind, ec, ec, ec, now]
        made = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment, timeout=120).stdout)
        sides = [{**flight, "side": ("client", "server").index(flight["side"])} for flight in made["flights"]]
        yield Recording(f"Go, Encrypted Client Hello, {kind}", (_flights(sides),), made["key_log"])


def _flights(said: list[dict[str, Any]]) -> tuple[Flight, ...]:
    return tuple((flight["side"], bytes.fromhex(flight["data"])) for flight in said)


def java_recordings() -> Iterator[Recording]:
    """Java as client of OpenSSL, and as its server; each connection but the first one resumes."""
    for version in ("TLSv1.3", "TLSv1.2"):
        keys = new_file("keys")
        command, port = openssl_server("")
        with serving([*command, "-keylogfile", str(keys)], port):
            relay = Relay(port)
            asking = ["java", str(HERE / "Recordings.java"), "client", str(relay.port), "3", version]
            subprocess.run(asking, check=True, capture_output=True, timeout=60)
            yield Recording(f"Java to OpenSSL, {version}", relay.finish(), text_of(keys))
    for version, option in (("1.3", "-tls1_3"), ("1.2", "-tls1_2")):
        port, keys, session = free_port(), new_file("keys"), new_file("session")
        answering = [
            "java",
            "-Djava.net.preferIPv4Stack=true",
            str(HERE / "Recordings.java"),
            "server",
            str(port),
            "2",
            str(_store()),
        ]
        with serving(answering, port):
            relay = Relay(port)
            for options in (f"{option} -sess_out {session}", f"{option} -sess_in {session}"):
                openssl_client(relay.port, keys, options)
            yield Recording(f"OpenSSL to Java, resumption {version}", relay.finish(), text_of(keys))


def _store() -> Path:
    """A key store of Java with the same key and certificate as `identity("ec")`."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    file = identity("ec").with_suffix(".p12")
    with contextlib.suppress(FileExistsError), file.open("xb") as store:
        pem = identity("ec").read_bytes()
        key: Any = serialization.load_pem_private_key(pem, None)
        encryption = serialization.BestAvailableEncryption(b"secret")
        made = pkcs12.serialize_key_and_certificates(b"own", key, load_pem_x509_certificate(pem), None, encryption)
        store.write(made)
    return file
