"""The keys of a session up to TLS 1.2, from its handshake and the secrets of the run; without session and record layer."""

import hashlib
import struct
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sessions_by_hand import CLIENT, SERVER, client_hello, extension, message, server_hello

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.secrets import key_schedule
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import CandidateDecryptors, UnprotectedReader
from analyzer.tls.decryption.schedule12 import Schedule12
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.messages.hello import ServerHello
from analyzer.tls.suites import suite

ECDHE, RSA, RSA_NULL, PSK = 0xC02F, 0x009C, 0x0002, 0x00A8
C_RANDOM, S_RANDOM = b"C" * 32, b"S" * 32
MASTER, PREMASTER = bytes(range(48)), bytes(range(100, 148))
EXTENDED, ENCRYPT_THEN_MAC, TRUNCATED = extension(23, b""), extension(22, b""), extension(4, b"")


def line(label: str, secret: bytes, random: bytes = C_RANDOM) -> str:
    return f"{label} {random.hex()} {secret.hex()}\n"


def begun(
    *extensions: bytes, log: str | None = "", number: int = ECDHE, session_id: bytes = b"", opened: bool = False, **given: Any
) -> tuple[Schedule12, bool]:
    """A schedule that has processed both hellos, and whether anything can be decrypted."""
    keylog = None
    if log is not None:
        keylog = KeyLog()
        keylog.feed(log.encode())
    transcript = Transcript()
    hello = client_hello()
    listed = b"".join(extensions)
    body = b"\3\3" + S_RANDOM + bytes([len(session_id)]) + session_id + number.to_bytes(2, "big") + b"\0"
    raw = message(2, body + len(listed).to_bytes(2, "big") + listed)
    transcript.add_message(CLIENT, hello, True)
    transcript.add_message(SERVER, raw, True)
    keys = SessionKeys(KeyMaterial(keylog=keylog, **given), transcript)
    keys.client_random, keys.version, keys.suite = C_RANDOM, 0x0303, suite(number)
    made = Schedule12(keys)
    decoded, problems = read(ServerHello, raw, 4, len(raw), 0, Malformed)
    assert problems == []
    return made, bool(made.agree(decoded, opened))


def sealed(role: int, master: bytes, said: bytes) -> bytes:
    """The body of the first record of a role with that master secret, encrypted with AES-128-GCM."""
    block = key_schedule.key_block(0x0303, "SHA256", master, C_RANDOM, S_RANDOM, 40)
    key, salt = block[16 * role : 16 * role + 16], block[32 + 4 * role : 36 + 4 * role]
    explicit = bytes(8)
    return explicit + AESGCM(key).encrypt(salt + explicit, said, struct.pack(">QBHH", 0, 23, 0x0303, len(said)))


def opens(made: Schedule12, master: bytes) -> bool:
    """Whether the decryptors of both roles decrypt records with that master secret."""
    for role in (CLIENT, SERVER):
        decryptor = made.decryptor(role)
        assert decryptor is not None
        if decryptor.open_at(0, 23, 0x0303, sealed(role, master, b"said")) != (23, b"said"):
            return False
    return True


# What the hellos agree on.


@pytest.mark.parametrize(
    ("extensions", "agreed"),
    [
        ((), (False, False, False)),
        ((EXTENDED,), (True, False, False)),
        ((ENCRYPT_THEN_MAC,), (False, True, False)),
        ((TRUNCATED,), (False, False, True)),
        ((EXTENDED, ENCRYPT_THEN_MAC, TRUNCATED), (True, True, True)),
    ],
)
def test_what_a_server_hello_agrees_to(extensions: tuple[bytes, ...], agreed: tuple[bool, bool, bool]):
    made, _ = begun(*extensions, session_id=b"id of it")
    assert (made.extended, made.encrypt_then_mac, made.truncated_hmac) == agreed
    assert made.session_id == b"id of it"


def test_a_new_handshake_agrees_anew():
    made, _ = begun(EXTENDED, ENCRYPT_THEN_MAC, TRUNCATED, log=line("CLIENT_RANDOM", MASTER), session_id=b"id")
    assert made.decryptor(CLIENT) is not None
    made.exchanged = True
    made.begin()
    assert (made.session_id, made.premasters, made.master, made.earlier, made.pair) == (b"", [], None, None, None)
    agreed = (made.extended, made.encrypt_then_mac, made.truncated_hmac, made.deflate, made.exchanged)
    assert agreed == (False,) * 5


# Whether anything can be decrypted.


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"log": None}, "no_secret"),
        ({"log": ""}, "no_secret"),
        ({"log": line("CLIENT_RANDOM", MASTER, bytes(32))}, "no_secret"),
        ({"log": line("CLIENT_RANDOM", MASTER)}, None),
        ({"log": line("PMS_CLIENT_RANDOM", PREMASTER)}, None),
        ({"log": None, "psks": {b"": b"k"}}, None),
        ({"log": None, "number": RSA}, None),
        ({"log": None, "number": RSA_NULL}, None),
        ({"log": None, "opened": True}, None),
        ({"log": f"RSA Session-ID:{b'id'.hex()} Master-Key:{MASTER.hex()}\n", "session_id": b"id"}, None),
    ],
)
def test_if_nothing_can_be_decrypted_the_reason_is_noted(given: dict[str, Any], reason: str | None):
    made, hope = begun(**given)
    assert hope is (reason is None)
    assert made.keys.reason == reason


def test_a_log_that_has_other_lines_of_the_session_names_them():
    made, hope = begun(log=line("CLIENT_TRAFFIC_SECRET_0", bytes(32)))
    made.note_missing()
    assert hope
    assert made.keys.reason == "missing_label"
    assert made.keys.detail == "the key log has CLIENT_TRAFFIC_SECRET_0 of this session, and not CLIENT_RANDOM"


# Master secrets.


def test_a_master_secret_that_is_logged():
    made, _ = begun(log=line("CLIENT_RANDOM", MASTER))
    assert made.masters(made.keys.suite) == [MASTER]
    assert opens(made, MASTER)
    assert made.master == MASTER
    assert made.keys.material.matched == 1
    assert made.keys.contradicting_labels == {}
    assert not opens(made, bytes(48))


def test_a_master_secret_that_is_logged_under_the_session_id():
    made, _ = begun(log=f"RSA Session-ID:{b'id'.hex()} Master-Key:{MASTER.hex()}\n", session_id=b"id")
    assert opens(made, MASTER)


def test_the_master_secret_of_a_premaster_secret():
    made, _ = begun(log=line("PMS_CLIENT_RANDOM", PREMASTER))
    expected = key_schedule.master_secret(0x0303, "SHA256", PREMASTER, C_RANDOM, S_RANDOM)
    assert made.masters(made.keys.suite) == [expected]
    assert opens(made, expected)


def test_the_extended_master_secret_covers_the_messages_through_the_key_exchange():
    made, _ = begun(EXTENDED, log=line("PMS_CLIENT_RANDOM", PREMASTER))
    with pytest.raises(DecryptionError) as error:
        made.masters(made.keys.suite)
    assert error.value.reason == "missing_segment"
    transcript, preceding = made.keys.transcript, [client_hello(), server_hello(EXTENDED), message(14), message(16, b"\4abcd")]
    transcript.add_message(SERVER, preceding[2], True)
    transcript.add_message(CLIENT, preceding[3], True)
    transcript.add_message(CLIENT, message(15, b"not this one"), True)
    expected = key_schedule.extended_master_secret(0x0303, "SHA256", PREMASTER, b"".join(preceding))
    assert made.masters(made.keys.suite) == [expected]
    assert opens(made, expected)


def test_a_logged_master_secret_needs_no_messages():
    made, _ = begun(EXTENDED, log=line("CLIENT_RANDOM", MASTER) + line("PMS_CLIENT_RANDOM", PREMASTER))
    assert made.masters(made.keys.suite) == [MASTER]


def test_a_resumed_session_has_the_master_secret_of_the_first_unless_keys_are_exchanged():
    made, _ = begun(log="")
    made.earlier = MASTER
    assert made.masters(made.keys.suite) == [MASTER]
    made.exchanged = True
    assert made.masters(made.keys.suite) == []
    assert made.decryptor(CLIENT) is None


def test_the_log_comes_before_the_master_secret_of_the_first_session():
    made, _ = begun(log=line("CLIENT_RANDOM", bytes(48)))
    made.earlier = MASTER
    assert made.masters(made.keys.suite) == [bytes(48)]


def test_without_any_there_is_no_decryptor_and_nothing_is_noted():
    made, _ = begun(log="", opened=True)
    assert made.decryptor(SERVER) is None
    assert (made.master, made.pair, made.keys.material.matched) == (None, None, 0)


# Several.


def test_of_several_the_records_show_which_is_right():
    made, _ = begun(log="".join(line("CLIENT_RANDOM", one) for one in (bytes(48), MASTER, b"x" * 48)))
    decryptor = made.decryptor(CLIENT)
    assert isinstance(decryptor, CandidateDecryptors)
    assert decryptor.n_candidates == 3
    assert list(made.keys.contradicting_labels) == ["CLIENT_RANDOM"]
    assert made.master == b"x" * 48  # the last one is tried first
    assert decryptor.open(23, 0x0303, sealed(CLIENT, MASTER, b"said")) == (23, b"said")
    assert made.master == MASTER
    assert opens(made, MASTER)


def test_the_number_of_several_is_limited_and_equal_ones_are_one():
    made, _ = begun(log="".join(line("CLIENT_RANDOM", bytes([n]) * 48) for n in range(3 * MAX_CANDIDATES)))
    assert len(made.masters(made.keys.suite)) == MAX_CANDIDATES
    same = key_schedule.master_secret(0x0303, "SHA256", PREMASTER, C_RANDOM, S_RANDOM)
    made, _ = begun(log=line("CLIENT_RANDOM", same) + line("PMS_CLIENT_RANDOM", PREMASTER))
    assert made.masters(made.keys.suite) == [same]


# Suites of their own kinds.


@pytest.mark.parametrize(("number", "length"), [(0x0001, 16), (0x0002, 20), (0x003B, 32), (0x0000, 0)])
def test_a_suite_that_does_not_encrypt_is_read_without_a_secret(number: int, length: int):
    made, hope = begun(log=None, number=number)
    decryptor = made.decryptor(SERVER)
    assert hope
    assert isinstance(decryptor, UnprotectedReader)
    assert made.unverified
    assert decryptor.open_at(0, 23, 0x0303, b"said" + bytes(length)) == (23, b"said")


def test_without_a_suite_there_are_no_keys():
    made, _ = begun(log=line("CLIENT_RANDOM", MASTER))
    made.keys.suite = None
    assert made.decryptor(CLIENT) is None
    assert made.verify_data(CLIENT, bytes(32)) is None


@pytest.mark.parametrize(
    ("number", "psks", "body", "reason"),
    [
        (RSA, {}, b"\0\4abcd", None),
        (PSK, {b"other": b"key"}, b"\0\2me", "no_secret"),
        (PSK, {b"me": b"key"}, b"\xff\xffme", "malformed"),
    ],
)
def test_a_key_exchange_that_no_key_given_opens(number: int, psks: dict[bytes, bytes], body: bytes, reason: str | None):
    made, _ = begun(log=None, number=number, psks=psks)
    made.exchange(message(16, body))
    assert made.premasters == []
    assert (None if made.refused is None else made.refused.reason) == reason
    assert made.decryptor(SERVER) is None
    made.note_missing()
    assert made.keys.reason == (reason or "no_secret")


def test_the_key_exchange_of_a_pre_shared_key():
    made, hope = begun(log=None, number=PSK, psks={b"me": b"key"})
    assert hope
    made.exchange(message(16, b"\0\2me"))
    assert made.premasters == [key_schedule.psk_premaster(b"key")]
    assert opens(made, key_schedule.master_secret(0x0303, "SHA256", key_schedule.psk_premaster(b"key"), C_RANDOM, S_RANDOM))


def test_a_key_exchange_of_diffie_hellman_gives_nothing():
    made, _ = begun(log=line("CLIENT_RANDOM", MASTER))
    made.exchange(message(16, b"\4abcd"))
    assert (made.premasters, made.keys.reason) == ([], None)


# Finished.


def test_what_a_finished_must_be():
    made, _ = begun(log=line("CLIENT_RANDOM", MASTER))
    digest = hashlib.sha256(b"messages").digest()
    assert made.verify_data(CLIENT, digest) is None
    made.decryptor(CLIENT)
    for role in (CLIENT, SERVER):
        expected = key_schedule.finished(0x0303, "SHA256", MASTER, role == CLIENT, b"messages")
        assert made.verify_data(role, digest) == expected
    made.keys.version = 0x0301
    assert made.verify_data(CLIENT, b"messages") == key_schedule.finished(0x0301, "SHA256", MASTER, True, b"messages")
