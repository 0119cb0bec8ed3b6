"""Chains with OpenSSL's server as the peer, which staples OCSP responses in TLS 1.2 and, encrypted, in TLS 1.3."""

import contextlib
import select
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, Tap, packetise
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from hierarchy import HOST, Hierarchy, hierarchy

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.x509.pem import write_block
from analyzer.x509.trust import Trust

pytestmark = pytest.mark.peer("openssl")

NOW = datetime.now(UTC).replace(microsecond=0)
PATIENCE = 60.0
"""Seconds within which everything happens, on a busy machine."""

TIMES = {"not_before": NOW - timedelta(days=30), "not_after": NOW + timedelta(days=300)}


@pytest.fixture(scope="module")
def made() -> Hierarchy:
    return hierarchy(TIMES, TIMES, TIMES)


@pytest.fixture(scope="module")
def folder(made: Hierarchy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    (folder / "root.pem").write_bytes(write_block(made.root.der))
    (folder / "chain.pem").write_bytes(write_block(made.intermediate.der))
    (folder / "leaf.pem").write_bytes(write_block(made.leaf.der))
    (folder / "key.pem").write_bytes(made.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for status in (ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED):
        revoked = NOW - timedelta(days=2) if status is ocsp.OCSPCertStatus.REVOKED else None
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                made.leaf.certificate, made.intermediate.certificate, hashes.SHA1(), status, NOW - timedelta(days=1),
                NOW + timedelta(days=6), revoked, x509.ReasonFlags.superseded if revoked else None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, made.intermediate.certificate)
            .sign(made.intermediate.key, hashes.SHA256())
        )  # fmt: skip
        (folder / f"{status.name}.ocsp").write_bytes(response.public_bytes(Encoding.DER))
    return folder


@contextlib.contextmanager
def server(folder: Path, status: str) -> Iterator[int]:
    """Run `openssl s_server` on its own port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(folder / "leaf.pem"), "-key",
        str(folder / "key.pem"), "-cert_chain", str(folder / "chain.pem"), "-status_file", str(folder / f"{status}.ocsp"),
        "-quiet",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), PATIENCE):
                break
            assert time.monotonic() < until
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait(PATIENCE)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("status", "verdict", "codes"), [("GOOD", "valid", []), ("REVOKED", "invalid", ["revoked"])])
def test_the_stapled_response_of_the_server_counts(
    folder: Path, tmp_path: Path, version: ssl.TLSVersion, status: str, verdict: str, codes: list[str]
) -> None:
    keys = tmp_path / "keys"
    with server(folder, status) as port:
        flights = openssl_client(port, keys, version)
    record = judged(flights, keys, Trust([str(folder / "root.pem")]))
    assert record["version"] == ("TLS 1.2" if version is ssl.TLSVersion.TLSv1_2 else "TLS 1.3")
    assert (record["chain"]["verdict"], [one["code"] for one in record["chain"]["problems"]]) == (verdict, codes)
    leaf = record["chain"]["revocation"][0]
    assert (leaf["status"], leaf["source"]) == (status.lower(), "ocsp")


def judged(flights: list[Flight], keys: Path, trust: Trust) -> dict[str, Any]:
    keylog = KeyLog()
    keylog.feed(keys.read_bytes(), "keys")
    keylog.close()
    tap = Tap()
    tap.engine = Engine(fields=False, keylog=keylog)
    tap.at = int(NOW.timestamp()) * 1_000_000_000
    tap.feed(*packetise(flights))
    (session,) = tap.close()
    return session_record(session, False, Chains(trust))


def openssl_client(port: int, keys: Path, version: ssl.TLSVersion) -> list[Flight]:
    """Return both sides' bytes of a handshake of `openssl s_client -status`, through a proxy that records them.

    With `Q` the client quits after the handshake.
    """
    flights: list[Flight] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        name = {ssl.TLSVersion.TLSv1_2: "-tls1_2", ssl.TLSVersion.TLSv1_3: "-tls1_3"}[version]
        command = [
            "openssl", "s_client", "-connect", f"127.0.0.1:{proxy.getsockname()[1]}", "-servername", HOST, "-status", name,
            "-keylogfile", str(keys),
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            process.stdin.write(b"Q\n")
            process.stdin.flush()
            proxy.settimeout(PATIENCE)
            client = proxy.accept()[0]
            with client, socket.create_connection(("127.0.0.1", port), PATIENCE) as upstream:
                sides = {client: (CLIENT, upstream), upstream: (SERVER, client)}
                data = b"something"
                while data:
                    ready = select.select(list(sides), [], [], PATIENCE)[0]
                    assert ready, "neither side says anything"
                    for end in ready:
                        side, other = sides[end]
                        data = end.recv(1 << 16)
                        if not data:
                            break
                        flights.append((side, data))
                        other.sendall(data)
            process.kill()
    return flights
