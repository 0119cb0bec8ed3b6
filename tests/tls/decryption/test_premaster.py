"""Pre-shared keys and RSA keys, with OpenSSL's programs as both endpoints and a relay between them that records."""

import select
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, Tap, packetise

from analyzer.engine import Engine
from analyzer.secrets.private_keys import PrivateKey, read_private_keys
from analyzer.store.session_record import session_record

pytestmark = pytest.mark.peer("openssl")

IDENTITY, KEY = "Client_identity", "00112233445566778899aabbccddeeff"
PSKS = {IDENTITY.encode(): bytes.fromhex(KEY)}


@pytest.fixture(scope="module")
def rsa_pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rsa") / "rsa.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=psk.example", "-days", "1", "-keyout"]
    subprocess.run([*command, str(path), "-out", str(path) + ".crt"], check=True, capture_output=True)
    return path


@cache
def talk(ciphers: str, version: str, pem: Path | None) -> tuple[Flight, ...]:
    """What a client and a server of OpenSSL send each other for one request."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = ["-psk", KEY, "-psk_identity", IDENTITY, "-cipher", f"{ciphers}:@SECLEVEL=0", version]
    own = ["-cert", f"{pem}.crt", "-key", str(pem)] if pem is not None else ["-nocert"]
    server = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "1", "-www", *own, *shared]
    with socket.create_server(("127.0.0.1", 0)) as relay:
        client = ["openssl", "s_client", "-connect", f"127.0.0.1:{relay.getsockname()[1]}", "-ign_eof", *shared]
        with (
            subprocess.Popen(server, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as serving,
            subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking,
        ):
            try:
                assert serving.stdout is not None
                assert asking.stdin is not None
                while b"ACCEPT" not in serving.stdout.readline():
                    assert serving.poll() is None
                relay.settimeout(20)
                near = relay.accept()[0]
                with near, socket.create_connection(("127.0.0.1", port)) as far:
                    asking.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
                    asking.stdin.close()
                    return tuple(listen(near, far))
            finally:
                serving.kill()
                asking.kill()


def listen(near: socket.socket, far: socket.socket) -> list[Flight]:
    flights: list[Flight] = []
    while readable := select.select([near, far], [], [], 20)[0]:
        for side, source, target in ((CLIENT, near, far), (SERVER, far, near)):
            if source in readable:
                data = source.recv(1 << 16)
                if not data:
                    return flights
                flights.append((side, data))
                target.sendall(data)
    raise TimeoutError("the peers have stopped talking")


def read(flights: tuple[Flight, ...], psks: dict[bytes, bytes], keys: list[PrivateKey] | None = None) -> dict[str, Any]:
    tap = Tap()
    tap.engine = Engine(private_keys=keys or [], psks=psks)
    tap.feed(*packetise(flights))
    (session,) = tap.close()
    return session_record(session, False)


@pytest.mark.parametrize(
    "ciphers", ["PSK-AES128-GCM-SHA256", "PSK-AES256-CBC-SHA384", "PSK-CHACHA20-POLY1305", "PSK-AES128-CCM8"]
)
def test_a_plain_psk_opens_the_session(ciphers: str):
    record = read(talk(ciphers, "-tls1_2", None), PSKS)
    assert record["cipher_suite"].startswith("TLS_PSK_WITH_")
    assert record["decryption"]["status"] == "decrypted"
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["http"][0]["response"]["status"] == 200


def test_an_older_version():
    record = read(talk("PSK-AES128-CBC-SHA", "-tls1_1", None), PSKS)
    assert (record["version"], record["decryption"]["status"]) == ("TLS 1.1", "decrypted")


def test_rsa_psk_needs_both_keys(rsa_pem: Path):
    flights = talk("RSA-PSK-AES128-GCM-SHA256", "-tls1_2", rsa_pem)
    keys = read_private_keys(rsa_pem.read_bytes())
    assert read(flights, PSKS, keys)["decryption"]["status"] == "decrypted"
    assert read(flights, PSKS)["decryption"]["reason"] == "no_secret"
    assert read(flights, {}, keys)["decryption"]["reason"] == "no_secret"


@pytest.mark.parametrize("ciphers", ["DHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"])
def test_a_psk_alone_does_not_open_what_diffie_hellman_made(ciphers: str):
    record = read(talk(ciphers, "-tls1_2", None), PSKS)
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "ephemeral_key_exchange")


def test_another_identity_and_another_key():
    flights = talk("PSK-AES128-GCM-SHA256", "-tls1_2", None)
    assert read(flights, {b"other": bytes(16)})["decryption"]["reason"] == "no_secret"
    assert read(flights, {IDENTITY.encode(): bytes(16)})["decryption"]["reason"] == "wrong_secret"


def test_an_identity_longer_than_its_message_is_malformed():
    flights = list(talk("PSK-AES128-GCM-SHA256", "-tls1_2", None))
    number = next(number for number, (_, data) in enumerate(flights) if data[:1] == b"\x16" and data[5] == 16)
    side, data = flights[number]
    flights[number] = side, data[:9] + b"\xff\xff" + data[11:]
    assert read(tuple(flights), PSKS)["decryption"]["reason"] == "malformed"
