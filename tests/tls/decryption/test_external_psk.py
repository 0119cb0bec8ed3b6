"""External pre-shared keys found by their binders, and the secrets that follow; RFC 8448 for the parts common to all PSKs."""

import contextlib
import select
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conversations import Flight, Tap, handshake_types, packetise, read_sessions

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets import key_schedule13
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.suite_interface import hash_function
from analyzer.store.session_record import session_record
from analyzer.tls.decryption import external_psk

TESTS = Path(__file__).resolve().parents[2]
VECTORS = TESTS.parent / "analyzer" / "validation" / "material" / "vectors"
KEY = b"k" * 16
IDENTITY = b"demonstration"


def hello(identities: list[bytes], keys: list[bytes], hash_name: str = "SHA256", before: bytes = b"") -> bytes:
    """A ClientHello whose binders are correct for the keys."""
    listed = b"".join(len(one).to_bytes(2, "big") + one + b"\0\0\0\0" for one in identities)
    size = hash_function(hash_name)(b"").digest_size
    n_binders = len(keys) * (1 + size)
    extension = len(listed).to_bytes(2, "big") + listed
    n_extension = len(extension) + 2 + n_binders
    extensions = b"\0\x2b\0\3\2\3\4" + b"\0\x29" + n_extension.to_bytes(2, "big") + extension
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0"
    body += (len(extensions) + 2 + n_binders).to_bytes(2, "big") + extensions
    message = b"\1" + (len(body) + 2 + n_binders).to_bytes(3, "big") + body
    start = hash_function(hash_name)
    binders = b""
    for key in keys:
        early = key_schedule13.early_secret(hash_name, key)
        base = key_schedule13.derive_secret(hash_name, early, b"ext binder", start(b"").digest())
        binders += bytes([size]) + key_schedule13.finished(hash_name, base, start(before + message).digest())
    return message + n_binders.to_bytes(2, "big") + binders


@pytest.mark.parametrize("hash_name", ["SHA256", "SHA384"])
def test_a_binder_shows_the_right_key(hash_name: str) -> None:
    message = hello([b"other", IDENTITY], [b"?", KEY], hash_name)
    (bound,) = external_psk.verify_psks(message, {IDENTITY: KEY})
    assert (bound.index, bound.hash_name) == (1, hash_name)
    assert len(bound.early_traffic_secret(message)) == hash_function(hash_name)(b"").digest_size
    assert external_psk.verify_psks(message, {IDENTITY: KEY + b"!"}) == []
    assert external_psk.verify_psks(message, {b"nobody": KEY}) == []
    assert len(external_psk.verify_psks(message, {IDENTITY: KEY, b"other": b"?"})) == 2


def test_after_a_retry_the_binder_covers_what_came_before() -> None:
    first, retry = hello([IDENTITY], [KEY]), b"\2\0\0\3abc"
    before = b"\xfe\0\0\x20" + hash_function("SHA256")(first).digest() + retry
    second = hello([IDENTITY], [KEY], before=before)
    assert external_psk.verify_psks(second, {IDENTITY: KEY}) == []
    assert len(external_psk.verify_psks(second, {IDENTITY: KEY}, (first, retry))) == 1


def test_a_hello_without_keys_has_none() -> None:
    vectors = (VECTORS / "rfc8448.txt").read_text("ascii").split("\n\n")
    assert external_psk.verify_psks(bytes.fromhex("".join(vectors[1].split()[2:])), {IDENTITY: KEY}) == []


def test_every_truncated_hello_is_malformed_or_has_no_keys() -> None:
    message = hello([IDENTITY], [KEY])
    for n_bytes in range(len(message)):
        with contextlib.suppress(DecryptionError):
            assert external_psk.verify_psks(message[:n_bytes], {IDENTITY: KEY}) == []


def test_what_a_server_selects() -> None:
    front = b"\2\0\0\0" + b"\3\3" + bytes(32) + b"\0" + b"\x13\1" + b"\0"
    share = b"\0\x33\0\5\0\x1d\0\1x"
    selected = b"\0\x29\0\2\0\1"
    assert external_psk.selects(front + b"\0\6" + selected) == (1, False)
    assert external_psk.selects(front + b"\0\x0f" + share + selected) == (1, True)
    assert external_psk.selects(front + b"\0\x09" + share) == (None, True)


def test_the_early_secret_of_the_rfc() -> None:
    vectors = {}
    for file in ("rfc8448.txt", "rfc8448_secrets.txt"):
        for block in (VECTORS / file).read_text("ascii").split("\n\n")[1:]:
            section, name, *lines = block.split()
            vectors[section, name] = bytes.fromhex("".join(lines))
    early = key_schedule13.early_secret("SHA256", vectors["4", "pre_shared_key"])
    bound = external_psk.VerifiedPsk(0, "SHA256", early)
    assert bound.early_traffic_secret(vectors["4", "resumption_client_hello"]) == vectors["4", "client_early_traffic_secret"]


def relayed(server: list[str], client: list[str], said: bytes) -> list[Flight]:
    """What OpenSSL's client and server send to each other, through a relay that records it."""
    flights: list[Flight] = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listener = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(port), "-quiet", *server], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        with socket.create_server(("127.0.0.1", 0)) as front:
            where = f"127.0.0.1:{front.getsockname()[1]}"
            command = ["openssl", "s_client", "-connect", where, "-quiet", *client]
            speaker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            left = front.accept()[0]
        right = connected(port)
        sockets = {left: (right, 0), right: (left, 1)}

        def carry() -> None:
            while True:
                for ready in select.select(list(sockets), [], [], 5)[0]:
                    other, side = sockets[ready]
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    flights.append((side, data))
                    other.sendall(data)

        relay = threading.Thread(target=carry)
        relay.start()
        assert speaker.stdin is not None
        deadline = time.monotonic() + 5
        while sum(side == 0 for side, _ in flights) < 2 and time.monotonic() < deadline:  # until the client's Finished
            time.sleep(0.02)
        speaker.stdin.write(said)
        speaker.stdin.close()
        while sum(side == 0 for side, _ in flights) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        speaker.terminate()
        speaker.wait()
        relay.join(5)
        left.close()
        right.close()
    finally:
        listener.kill()
        listener.communicate()
    return flights


def connected(port: int) -> socket.socket:
    """A connection to a server that may still be starting."""
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port))
        time.sleep(0.05)
    raise ConnectionRefusedError(port)


@pytest.mark.peer("openssl")
def test_a_key_alone_opens_a_session_without_key_exchange() -> None:
    both = ["-psk", KEY.hex(), "-psk_identity", IDENTITY.decode(), "-tls1_3", "-allow_no_dhe_kex"]
    flights = relayed([*both, "-nocert", "-groups", "P-256"], [*both, "-groups", "X25519"], b"hello\n")
    tap = Tap()
    tap.engine = Engine(psks={IDENTITY: KEY, b"another": b"?" * 16})
    tap.feed(*packetise(flights))
    (record,) = tap.records()
    assert (record["decryption"]["status"], record["decryption"]["bytes"]["client"]) == ("decrypted", 6)
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert [kind for kind, _ in handshake_types(record)][:5] == [
        "client_hello",
        "server_hello",
        "encrypted_extensions",
        "finished",
        "finished",
    ]
    wrong = Tap()
    wrong.engine = Engine(psks={IDENTITY: b"?" * 16})
    wrong.feed(*packetise(flights))
    assert wrong.records()[0]["decryption"]["reason"] == "no_secret"


def demonstration(psks: dict[bytes, bytes]) -> dict[str, Any]:
    path = TESTS.parent / "captures" / "tls13-external-psk" / "tls13-external-psk.pcapng"
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(psks=psks))
    decryption: dict[str, Any] = session_record(session, False)["decryption"]
    return decryption


def test_with_a_key_exchange_the_key_is_not_enough_and_that_is_reported() -> None:
    known = demonstration({IDENTITY: bytes.fromhex("00112233445566778899aabbccddeeff")})
    assert (known["status"], known["reason"]) == ("none", "ephemeral_key_exchange")
    assert "psk_dhe_ke" in known["detail"]
    assert demonstration({IDENTITY: KEY})["reason"] == "no_secret"
