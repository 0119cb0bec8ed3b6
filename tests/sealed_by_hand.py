"""Sessions of TLS 1.3 that are encrypted by hand, with a key log: any content in any record."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sessions_by_hand import APPLICATION_DATA, CLIENT, HANDSHAKE, SERVER, TLS13, Hand, client_hello, message, server_hello

from analyzer.secrets import key_schedule13
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial

LABELS = (
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"),
    ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"),
)
SECRETS = ((b"a" * 32, b"b" * 32), (b"c" * 32, b"d" * 32))
EXTENSIONS, FINISHED = message(8, b"\0\0"), message(20, b"f" * 32)
CERTIFICATE, VERIFY = message(11, b"\0\0\0\x09\0\0\4cert\0\0"), message(15, b"\4\3\0\3sig")


class SealedHand(Hand):
    """Gives encrypted records to a session of TLS 1.3. numbers: by role, of its next record; epochs: of its keys."""

    def __init__(self, *offer: bytes, answer: tuple[bytes, ...] = (), extensions: bytes = EXTENSIONS) -> None:
        """offer, answer: extensions of the hellos. extensions: the EncryptedExtensions. The ClientHello is in frame 2."""
        keylog = KeyLog()
        for labels, secrets in zip(LABELS, SECRETS, strict=True):
            for label, secret in zip(labels, secrets, strict=True):
                keylog.feed(f"{label} {(b'C' * 32).hex()} {secret.hex()}\n".encode())
        super().__init__(KeyMaterial(keylog=keylog))
        self.numbers, self.epochs = [0, 0], [0, 0]
        self.handshake(CLIENT, client_hello(TLS13, *offer, suites=b"\x13\1"))
        self.handshake(SERVER, server_hello(TLS13, *answer, suite=b"\x13\1"))
        self.seal(SERVER, HANDSHAKE, extensions + CERTIFICATE + VERIFY + FINISHED)

    def finish_handshake(self) -> "SealedHand":
        """Give the client's Finished, in frame 5."""
        self.seal(CLIENT, HANDSHAKE, FINISHED)
        return self

    def seal(self, role: int, content_type: int, content: bytes, version: int = 0x0303, padding: int = 0) -> None:
        """Give an encrypted record; its number in the role's stream follows. A Finished ends the epoch of its role."""
        key, iv = key_schedule13.traffic_keys("SHA256", SECRETS[role][self.epochs[role]], 16, key_schedule13.label_prefix(0))
        inner = content + bytes([content_type]) + bytes(padding)
        nonce = (int.from_bytes(iv, "big") ^ self.numbers[role]).to_bytes(12, "big")
        header = b"\x17" + version.to_bytes(2, "big") + (len(inner) + 16).to_bytes(2, "big")
        self.numbers[role] += 1
        self.say(role, APPLICATION_DATA, AESGCM(key).encrypt(nonce, inner, header), version=version)
        if content.endswith(FINISHED):
            self.numbers[role], self.epochs[role] = 0, 1
