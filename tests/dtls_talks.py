"""Speaks DTLS 1.3 with a pre-shared key (psk_ke) out of the key schedule of RFC 9147, for what no program at hand can do.

Early data, NewConnectionId and records from another port. The key schedule here shares nothing with the analyzer's.
"""

import hashlib
import hmac
import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flights import extension, sized
from frames_by_hand import START, ip, write

CLIENT, SERVER = 0, 1
HANDSHAKE, DATA, ACK = 22, 23, 26
IDENTITY, KEY = b"sensor", bytes(range(16))
HOSTS = ("192.0.2.10", "198.51.100.20")
PORTS = (49202, 4433)
VERSIONS, ONLY_PSK, EARLY = extension(43, b"\2\xfe\xfc"), extension(45, b"\1\0"), extension(42, b"")
RANDOMS = (b"C" * 32, b"S" * 32)
HANDSHAKE_LABELS = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
LABELS = ("CLIENT_EARLY_TRAFFIC_SECRET", *HANDSHAKE_LABELS, "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256, which is also HKDF-Extract."""
    return hmac.digest(key, data, "sha256")


def expand(secret: bytes, label: bytes, context: bytes = b"", length: int = 32) -> bytes:
    """HKDF-Expand-Label with the prefix of DTLS (RFC 9147 section 5.9), up to one hash."""
    return mac(secret, length.to_bytes(2, "big") + sized(b"dtls13" + label, 1) + sized(context, 1) + b"\1")[:length]


class DtlsTalk:
    """One session. packets: time and frame of each datagram; at: time of the next. ids: to reach each role.

    secrets: by label of the key log.
    """

    def __init__(
        self,
        ids: tuple[bytes, bytes] = (b"", b""),
        *offer: bytes,
        answer: tuple[bytes, ...] = (),
        ports: tuple[int, int] = PORTS,
    ) -> None:
        """Say the ClientHello. ids: connection IDs, not offered if both are empty. offer, answer: more extensions of hellos."""
        self.packets: list[tuple[int, bytes]] = []
        self.secrets: dict[str, bytes] = {}
        self.said = b""
        self.ids, self.ports, self.at = list(ids), ports, START
        self.numbers: dict[tuple[int, int], int] = {}
        self.sequences = [0, 0]
        self.early = mac(bytes(32), KEY)
        shown = [extension(54, sized(one, 1)) if any(ids) else b"" for one in ids]
        hello = self._hello(VERSIONS + ONLY_PSK + shown[CLIENT] + b"".join(offer))
        self.say(CLIENT, self.message(CLIENT, 1, hello))
        self._derive(LABELS[0], self.early, b"c e traffic")
        self._answer = b"\xfe\xfd" + RANDOMS[SERVER] + b"\0\x13\1\0"
        self._answer += sized(extension(43, b"\xfe\xfc") + extension(41, b"\0\0") + shown[SERVER] + b"".join(answer), 2)

    def _hello(self, extensions: bytes) -> bytes:
        head = b"\xfe\xfd" + RANDOMS[CLIENT] + b"\0\0" + sized(b"\x13\1", 2) + b"\1\0"
        keys = sized(sized(IDENTITY, 2) + bytes(4), 2)
        known = extensions + b"\0\x29" + (len(keys) + 35).to_bytes(2, "big") + keys
        covered = head + (len(known) + 35).to_bytes(2, "big") + known
        base = expand(self.early, b"ext binder", hashlib.sha256().digest())
        digest = hashlib.sha256(b"\1" + (len(covered) + 35).to_bytes(3, "big") + covered).digest()
        return covered + sized(sized(mac(expand(base, b"finished"), digest), 1), 2)

    def shake_hands(self, extensions: bytes = b"") -> "DtlsTalk":
        """Go on to both Finished. extensions: of the EncryptedExtensions."""
        self.say(SERVER, self.message(SERVER, 2, self._answer))
        nothing = hashlib.sha256().digest()
        secret = mac(expand(self.early, b"derived", nothing), bytes(32))
        self._derive(LABELS[1], secret, b"c hs traffic")
        self._derive(LABELS[2], secret, b"s hs traffic")
        self.tell(SERVER, 8, sized(extensions, 2), 2)
        self.tell(SERVER, 20, self._finished(SERVER), 2)
        secret = mac(expand(secret, b"derived", nothing), bytes(32))
        self._derive(LABELS[3], secret, b"c ap traffic")
        self._derive(LABELS[4], secret, b"s ap traffic")
        self.tell(CLIENT, 20, self._finished(CLIENT), 2)
        return self

    def _derive(self, label: str, secret: bytes, name: bytes) -> None:
        self.secrets[label] = expand(secret, name, hashlib.sha256(self.said).digest())

    def _finished(self, role: int) -> bytes:
        return mac(expand(self.secrets[LABELS[1 + role]], b"finished"), hashlib.sha256(self.said).digest())

    def message(self, role: int, kind: int, body: bytes) -> bytes:
        """A handshake message with the header of DTLS; it joins the transcript with the header of TLS."""
        head, size = bytes((kind,)) + len(body).to_bytes(3, "big"), len(body).to_bytes(3, "big")
        self.said += head + body
        self.sequences[role] += 1
        return head + (self.sequences[role] - 1).to_bytes(2, "big") + bytes(3) + size + body

    def tell(self, role: int, kind: int, body: bytes, epoch: int = 3) -> None:
        """Send a protected handshake message."""
        self.seal(role, HANDSHAKE, self.message(role, kind, body), epoch)

    def say(self, role: int, content: bytes, kind: int = HANDSHAKE) -> None:
        """Send a record in plaintext."""
        number = self._number(role, 0)
        self.send(role, bytes((kind,)) + b"\xfe\xfd\0\0" + number.to_bytes(6, "big") + sized(content, 2))

    def seal(self, role: int, kind: int, content: bytes, epoch: int = 3) -> None:
        """Send a protected record."""
        self.send(role, self.record(role, kind, content, epoch))

    def record(self, role: int, kind: int, content: bytes, epoch: int = 3) -> bytes:
        """A record with a unified header, a number of two bytes and a length (RFC 9147 section 4)."""
        secret = self.secrets[LABELS[{1: 0, 2: 1 + role}.get(epoch, 3 + role)]]
        number, known = self._number(role, epoch), self.ids[1 - role] if epoch > 1 else b""
        key, iv = expand(secret, b"key", length=16), int.from_bytes(expand(secret, b"iv", length=12), "big")
        head = bytes((0x2C | epoch & 3 | (0x10 if known else 0),)) + known
        shown, length = number.to_bytes(2, "big"), (len(content) + 17).to_bytes(2, "big")
        inner = content + bytes((kind,))
        sealed = AESGCM(key).encrypt((iv ^ number).to_bytes(12, "big"), inner, head + shown + length)
        hidden = Cipher(algorithms.AES(expand(secret, b"sn", length=16)), modes.ECB()).encryptor().update(sealed[:16])
        return head + bytes(one ^ other for one, other in zip(shown, hidden, strict=False)) + length + sealed

    def _number(self, role: int, epoch: int) -> int:
        self.numbers[role, epoch] = self.numbers.get((role, epoch), -1) + 1
        return self.numbers[role, epoch]

    def send(self, role: int, payload: bytes) -> None:
        """Send a datagram, a millisecond after the one before."""
        ports, hosts = (self.ports, HOSTS) if role == CLIENT else (self.ports[::-1], HOSTS[::-1])
        body = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
        frame = ip(hosts[0], hosts[1], 17, body, 6, len(self.packets) + 1, 64)
        self.packets.append((self.at, frame))
        self.at += 1_000_000

    def write(self, path: Path) -> Path:
        """Write the capture."""
        return write(path, self.packets)

    def key_log(self, *labels: str) -> bytes:
        """The lines of a key log, without labels all."""
        named = labels or tuple(self.secrets)
        return "".join(f"{one} {RANDOMS[0].hex()} {self.secrets[one].hex()}\n" for one in named).encode()
