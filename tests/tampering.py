"""Changes handshakes after they were made: rewrites messages of a side's first flight, and in TLS 1.3 encrypts them again."""

from collections.abc import Callable, Iterator

from conversations import SERVER, Flight
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from analyzer.secrets.key_schedule13 import traffic_keys

HANDSHAKE, CHANGE_CIPHER_SPEC, APPLICATION_DATA = 22, 20, 23
SERVER_HELLO = 2

Change = Callable[[int, bytes], bytes]
"""Takes a message's type and body, and returns the body to send."""


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of some bytes: content type and body."""
    while data:
        length = int.from_bytes(data[3:5], "big")
        yield data[0], data[5 : 5 + length]
        data = data[5 + length :]


def record(content_type: int, body: bytes) -> bytes:
    """A record."""
    return bytes([content_type]) + b"\x03\x03" + len(body).to_bytes(2, "big") + body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The handshake messages of some bytes: type and body."""
    while data:
        length = int.from_bytes(data[1:4], "big")
        yield data[0], data[4 : 4 + length]
        data = data[4 + length :]


def changed(data: bytes, change: Change) -> bytes:
    """Handshake messages after the change."""
    bodies = [(number, change(number, body)) for number, body in messages(data)]
    return b"".join(bytes([number]) + len(body).to_bytes(3, "big") + body for number, body in bodies)


def tamper12(flights: tuple[Flight, ...], change: Change) -> list[Flight]:
    """Return a conversation up to TLS 1.2 in which plaintext messages of both sides were changed."""
    tampered: list[Flight] = []
    hidden = [False, False]
    for side, data in flights:
        out = b""
        for content_type, body in records(data):
            plain = content_type == HANDSHAKE and not hidden[side]
            out += record(content_type, changed(body, change) if plain else body)
            hidden[side] = hidden[side] or content_type == CHANGE_CIPHER_SPEC
        tampered.append((side, out))
    return tampered


def tamper13(flights: tuple[Flight, ...], keylog: str, change: Change) -> list[Flight]:
    """Return a conversation of TLS 1.3 in which messages of the server's first flight were changed; AES-GCM suite with
    SHA-384."""
    (secret,) = (line.split()[2] for line in keylog.splitlines() if line.startswith("SERVER_HANDSHAKE_TRAFFIC_SECRET"))
    key, iv = traffic_keys("SHA384", bytes.fromhex(secret), 32)
    first = next(number for number, (side, _) in enumerate(flights) if side == SERVER)
    out, sequence, done = b"", 0, False
    for content_type, body in records(flights[first][1]):
        if content_type == APPLICATION_DATA and not done:
            nonce = (int.from_bytes(iv, "big") ^ sequence).to_bytes(12, "big")
            head = b"\x17\x03\x03" + len(body).to_bytes(2, "big")
            inner = AESGCM(key).decrypt(nonce, body, head)
            done = any(number == 20 for number, _ in messages(inner[:-1]))
            inner = changed(inner[:-1], change) + inner[-1:]
            head = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
            body = AESGCM(key).encrypt(nonce, inner, head)
            sequence += 1
        out += record(content_type, body)
    tampered = list(flights)
    tampered[first] = SERVER, out
    return tampered
