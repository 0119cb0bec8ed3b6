"""The keys of a session of TLS 1.3: which secrets are used for which role and epoch; without session and record layer."""

import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sessions_by_hand import CLIENT, SERVER, TLS13, client_hello, server_hello

from analyzer.secrets.key_schedule13 import finished, label_prefix, next_traffic_secret, traffic_keys
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import APPLICATION, EARLY, PROTECTED, CandidateDecryptors, ReadState
from analyzer.tls.decryption.schedule13 import Schedule13
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.suites import suite

RANDOM, DATA = b"C" * 32, 23
LABELS = {
    "CLIENT_EARLY_TRAFFIC_SECRET": (CLIENT, EARLY),
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": (CLIENT, PROTECTED),
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": (SERVER, PROTECTED),
    "CLIENT_TRAFFIC_SECRET_0": (CLIENT, APPLICATION),
    "SERVER_TRAFFIC_SECRET_0": (SERVER, APPLICATION),
}
SECRETS = {label: bytes([number + 1]) * 32 for number, label in enumerate(LABELS)}
TRAFFIC = [label for label in LABELS if "EARLY" not in label]
RAW = server_hello(TLS13, suite=b"\x13\1")


def lines(*labels: str, random: bytes = RANDOM) -> str:
    return "".join(f"{label} {random.hex()} {SECRETS[label].hex()}\n" for label in labels)


def begun(log: str | None, *, preceding: bool = True) -> Schedule13:
    """A schedule whose session has chosen AES-128-GCM; preceding: whether the ClientHello was seen."""
    keylog = None
    if log is not None:
        keylog = KeyLog()
        keylog.feed(log.encode())
    transcript = Transcript()
    if preceding:
        transcript.add_message(CLIENT, client_hello(TLS13), True)
    transcript.add_message(SERVER, RAW, True)
    material = KeyMaterial(keylog=keylog)
    keys = SessionKeys(material, transcript)
    keys.client_random = transcript.client_random
    keys.version, keys.tls13, keys.suite, keys.cipher_suite = 0x0304, True, suite(0x1301), 0x1301
    return Schedule13(keys, (ReadState(material), ReadState(material)))


def sealed(secret: bytes, number: int = 0) -> bytes:
    """The body of a record, encrypted with a traffic secret."""
    key, iv = traffic_keys("SHA256", secret, 16, label_prefix(0))
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = b"said" + bytes([DATA])
    return AESGCM(key).encrypt(nonce, inner, struct.pack(">BHH", DATA, 0x0303, len(inner) + 16))


def opening(made: Schedule13) -> dict[tuple[int, int], str]:
    """Which secret is in use for which role and epoch."""
    found = {}
    for role in (CLIENT, SERVER):
        for epoch in (EARLY, PROTECTED, APPLICATION):
            decryptor = made.of_epoch(role, epoch)
            for label, secret in SECRETS.items():
                if decryptor is not None and decryptor.open_at(0, DATA, 0x0303, sealed(secret)) is not None:
                    found[role, epoch] = label
    return found


# Which secrets are used.


def test_every_secret_has_its_role_and_epoch():
    made = begun(lines(*LABELS))
    made.keys.suites = [0x1301]
    made.offer()
    assert opening(made) == {(CLIENT, EARLY): "CLIENT_EARLY_TRAFFIC_SECRET"}
    assert made.agree(RAW)
    assert opening(made) == {place: label for label, place in LABELS.items()}
    assert made.keys.reason is None
    assert made.keys.material.matched == 1
    assert [state.epoch for state in made.states] == [EARLY, PROTECTED]


def test_without_early_data_both_begin_with_the_handshake():
    made = begun(lines(*TRAFFIC))
    made.offer()
    assert made.agree(RAW)
    assert opening(made) == {LABELS[label]: label for label in TRAFFIC}
    assert [state.epoch for state in made.states] == [PROTECTED, PROTECTED]


@pytest.mark.parametrize("lacking", TRAFFIC)
def test_of_a_secret_that_is_missing_the_others_are_used_and_it_is_named(lacking: str):
    there = [label for label in TRAFFIC if label != lacking]
    made = begun(lines(*there))
    assert made.agree(RAW)
    assert opening(made) == {LABELS[label]: label for label in there}
    assert made.keys.reason == "missing_label"
    assert made.keys.detail == f"the key log has {', '.join(there)} of this session, and not {lacking}"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (None, "no_secret"),
        ("", "no_secret"),
        (lines(*TRAFFIC, random=bytes(32)), "no_secret"),
        (lines("CLIENT_EARLY_TRAFFIC_SECRET"), "missing_label"),
    ],
)
def test_if_there_is_none_the_reason_is_noted(log: str | None, reason: str):
    made = begun(log)
    assert not made.agree(RAW)
    assert opening(made) == {}
    assert made.keys.reason == reason
    assert made.trial is None


def test_without_a_suite_nothing_opens():
    made = begun(lines(*TRAFFIC))
    made.keys.suite = None
    assert not made.agree(RAW)


def test_where_no_hello_names_the_session_secrets_are_searched_and_found_by_a_record():
    made = begun(lines(*TRAFFIC), preceding=False)
    assert made.agree(RAW)
    assert made.trial is not None
    assert opening(made) == {}
    made.look(SERVER, DATA, 0x0303, sealed(SECRETS["SERVER_HANDSHAKE_TRAFFIC_SECRET"]))
    assert made.trial is None
    assert opening(made) == {LABELS[label]: label for label in TRAFFIC}
    assert made.keys.client_random == RANDOM
    assert made.keys.trial.startswith("the ClientHello is not in the capture")


def test_where_the_answer_is_missing_the_suite_is_found_too():
    made = begun(lines(*TRAFFIC))
    keys = made.keys
    keys.version, keys.tls13, keys.suite, keys.cipher_suite, keys.suites = 0, False, None, 0, [0x1303, 0xC02F, 0x1301]
    made.search()
    made.look(SERVER, DATA, 0x0303, sealed(SECRETS["SERVER_HANDSHAKE_TRAFFIC_SECRET"], 3))
    assert (keys.version, keys.tls13, keys.cipher_suite) == (0x0304, True, 0x1301)
    assert made.states[SERVER].epoch == PROTECTED
    state = made.states[SERVER]
    assert state.open(DATA, 0x0303, sealed(SECRETS["SERVER_HANDSHAKE_TRAFFIC_SECRET"], 3)) == (DATA, b"said")


def test_a_search_that_finds_nothing_changes_nothing():
    made = begun(lines(*TRAFFIC), preceding=False)
    made.agree(RAW)
    made.look(SERVER, DATA, 0x0303, bytes(50))
    assert made.trial is not None
    assert opening(made) == {}


# Early data.


def test_early_data_is_tried_with_every_suite_of_tls_1_3_that_is_offered():
    made = begun(lines("CLIENT_EARLY_TRAFFIC_SECRET"))
    made.keys.suites = [0xC02F, 0x1303, 0x1301, 0x1301]
    made.offer()
    decryptor = made.of_epoch(CLIENT, EARLY)
    assert isinstance(decryptor, CandidateDecryptors)
    assert decryptor.n_candidates == 2
    assert made.of_epoch(SERVER, EARLY) is None
    made.offer()
    assert made.of_epoch(CLIENT, EARLY) is decryptor


# Several secrets of a label.


def test_of_several_the_record_shows_which_is_right():
    label = "SERVER_TRAFFIC_SECRET_0"
    wrong = [b"w" * 32, b"x" * 32]
    log = "".join(f"{label} {RANDOM.hex()} {one.hex()}\n" for one in (wrong[0], SECRETS[label], wrong[1]))
    made = begun(lines(*(one for one in TRAFFIC if one != label)) + log)
    assert made.agree(RAW)
    assert list(made.keys.contradicting_labels) == [label]
    decryptor = made.of_epoch(SERVER, APPLICATION)
    assert isinstance(decryptor, CandidateDecryptors)
    assert decryptor.n_candidates == 3
    assert made.keys.verified == {}
    assert decryptor.open(DATA, 0x0303, sealed(SECRETS[label])) == (DATA, b"said")
    assert made.keys.verified == {label: SECRETS[label]}
    assert not isinstance(made.of_epoch(CLIENT, APPLICATION), CandidateDecryptors)


def test_the_number_that_is_tried_is_limited():
    label = "SERVER_TRAFFIC_SECRET_0"
    made = begun("".join(f"{label} {RANDOM.hex()} {bytes([n] * 32).hex()}\n" for n in range(3 * MAX_CANDIDATES)))
    assert made.agree(RAW)
    decryptor = made.of_epoch(SERVER, APPLICATION)
    assert isinstance(decryptor, CandidateDecryptors)
    assert decryptor.n_candidates == MAX_CANDIDATES


# Updates and Finished.


def test_a_key_update_renews_the_keys_of_one_role():
    made = begun(lines(*TRAFFIC))
    made.agree(RAW)
    made.update(SERVER)
    following = next_traffic_secret("SHA256", SECRETS["SERVER_TRAFFIC_SECRET_0"], label_prefix(0))
    server = made.of_epoch(SERVER, APPLICATION)
    assert server is not None
    assert server.open_at(0, DATA, 0x0303, sealed(following)) == (DATA, b"said")
    assert opening(made) == {LABELS[label]: label for label in TRAFFIC if label != "SERVER_TRAFFIC_SECRET_0"}


def test_an_update_of_keys_that_are_not_known_changes_nothing():
    made = begun(lines("CLIENT_TRAFFIC_SECRET_0"))
    made.update(SERVER)
    made.agree(RAW)
    made.update(SERVER)
    assert opening(made) == {(CLIENT, APPLICATION): "CLIENT_TRAFFIC_SECRET_0"}


def test_what_a_finished_must_be():
    made = begun(lines(*TRAFFIC))
    digest = hashlib.sha256(b"messages").digest()
    assert made.verify_data(SERVER, PROTECTED, digest) is None
    made.agree(RAW)
    for role, label in ((CLIENT, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"), (SERVER, "SERVER_HANDSHAKE_TRAFFIC_SECRET")):
        assert made.verify_data(role, PROTECTED, digest) == finished("SHA256", SECRETS[label], digest, label_prefix(0))
    assert made.verify_data(SERVER, EARLY, digest) is None


def test_a_finished_without_a_pre_shared_key_changes_nothing():
    made = begun(lines(*TRAFFIC))
    made.agree(RAW)
    made.finish()
    assert opening(made) == {LABELS[label]: label for label in TRAFFIC}
