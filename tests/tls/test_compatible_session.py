"""A session that begins with a hello in the form of SSL 2.0 and goes on in TLS 1.2: opened, and its Finished verified."""

import struct
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sessions_by_hand import APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Hand, message, server_hello

from analyzer.secrets.key_schedule import finished_of, key_block
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.record.content_types import SSL2
from analyzer.tls.record.record import Record

MASTER = bytes(range(48))
RSA_GCM = b"\x00\x9c"


class Sealer:
    """Encrypts the records of a role with AES-128-GCM."""

    def __init__(self, role: int, client_random: bytes) -> None:
        block = key_block(0x0303, "SHA256", MASTER, client_random, b"S" * 32, 40)
        self.key, self.salt = block[16 * role : 16 * role + 16], block[32 + 4 * role : 36 + 4 * role]
        self.sequence = 0

    def seal(self, kind: int, said: bytes) -> bytes:
        explicit = self.sequence.to_bytes(8, "big")
        head = struct.pack(">QBHH", self.sequence, kind, 0x0303, len(said))
        self.sequence += 1
        return explicit + AESGCM(self.key).encrypt(self.salt + explicit, said, head)


def compatible(challenge: bytes, version: int = 0x0303) -> bytes:
    return struct.pack(">BHHHH", 1, version, 3, 0, len(challenge)) + b"\0" + RSA_GCM + challenge


def spoken(challenge: bytes, keys: str | None, hello: bytes | None = None) -> Hand:
    keylog = None
    if keys is not None:
        keylog = KeyLog()
        keylog.feed(keys.encode())
    hand = Hand(KeyMaterial(keylog=keylog))
    hello = hello or compatible(challenge)
    record = Record(CLIENT)
    record.content_type, record.version, record.header, record.body, record.length = HANDSHAKE, SSL2, 2, hello, len(hello)
    hand.give(record)
    server = (server_hello(suite=RSA_GCM), message(11, b"\0\0\0"), message(14))
    hand.handshake(SERVER, *server)
    exchange = message(16, b"\0\4abcd")
    hand.handshake(CLIENT, exchange)
    random = bytes(32 - len(challenge)) + challenge
    sealers = [Sealer(role, random) for role in (CLIENT, SERVER)]
    said = hello + b"".join(server) + exchange
    for role in (CLIENT, SERVER):
        finished = message(20, finished_of(0x0303, "SHA256", MASTER, role == CLIENT, sha256(said).digest()))
        said += finished
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, sealers[role].seal(HANDSHAKE, finished))
    for role, data in ((CLIENT, b"question"), (SERVER, b"answer")):
        hand.say(role, APPLICATION_DATA, sealers[role].seal(APPLICATION_DATA, data))
    hand.end()
    return hand


@pytest.mark.parametrize("length", [16, 31, 32])
def test_it_is_opened_and_its_finished_verified(length: int):
    challenge = bytes(range(100, 100 + length))
    hand = spoken(challenge, f"CLIENT_RANDOM {(bytes(32 - length) + challenge).hex()} {MASTER.hex()}\n")
    record = session_record(hand.session, False)
    assert record["version"] == "TLS 1.2"
    assert (record["decryption"]["status"], record["decryption"]["records"]) == ("decrypted", 4)
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["established"]


def test_without_its_secret_the_reason_is_right():
    challenge = bytes(range(100, 132))
    found = session_record(spoken(challenge, None).session, False)["decryption"]
    assert (found["status"], found["reason"]) == ("none", "no_secret")
    found = session_record(spoken(challenge, f"CLIENT_RANDOM {bytes(32).hex()} {MASTER.hex()}\n").session, False)["decryption"]
    assert (found["status"], found["reason"]) == ("none", "no_secret")
    assert challenge.hex()[:16] in found["detail"]


def test_a_hello_that_is_damaged_opens_nothing():
    challenge = bytes(range(100, 132))
    keys = f"CLIENT_RANDOM {challenge.hex()} {MASTER.hex()}\n"
    found = session_record(spoken(challenge, keys, compatible(challenge) + b"x").session, False)["decryption"]
    assert found["status"] == "none"
