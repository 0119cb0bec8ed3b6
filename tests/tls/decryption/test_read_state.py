"""Records after gaps: how far their numbers are searched, and how much all sessions of a run can cost together."""

import struct
from dataclasses import replace

import pytest
from conversations import CLIENT, SERVER, Tap, packetise
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from talks import converse

from analyzer.engine import Engine
from analyzer.secrets.aead import Tls13Decryptor
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule13 import label_prefix, next_traffic_secret, traffic_keys
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.record_protection import open_tls13
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import APPLICATION, EARLY, PROTECTED, CandidateDecryptors, ReadState, UnprotectedReader
from analyzer.tls.limits import FARTHEST_RECORD, MAX_ATTEMPTS, MAX_ATTEMPTS_IN_ALL, NEAREST_RECORD
from analyzer.tls.suites import suite

APPLICATION_DATA = 23
AES_128_GCM = suite(0x1301)
SECRET = bytes(range(32))


def sealed(number: int) -> bytes:
    """The body of the record with this number, encrypted with SECRET."""
    key, iv = traffic_keys("SHA256", SECRET, 16, label_prefix(0))
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = b"said" + bytes([APPLICATION_DATA])
    return AESGCM(key).encrypt(nonce, inner, struct.pack(">BHH", APPLICATION_DATA, 0x0303, len(inner) + 16))


def state_of(material: KeyMaterial, secret: bytes = SECRET) -> ReadState:
    """The read state of a role that sends application data, and whose next record comes after a gap."""
    state = ReadState(material)
    state.decryptors = [None, None, open_tls13(AES_128_GCM, secret)]
    state.epoch = APPLICATION
    state.after_gap = True
    return state


def opens(state: ReadState, number: int) -> bool:
    state.after_gap = True
    try:
        return state.open(APPLICATION_DATA, 0x0303, sealed(number)) == (APPLICATION_DATA, b"said")
    except DecryptionError:
        return False


def test_sessions_with_wrong_secrets_and_gaps_cost_no_more_than_the_limit_of_the_run() -> None:
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights, mss=(1400, 100))
    hello = len(talk.flights[1][1].partition(b"\x14\x03\x03\0\1\1")[0])  # up to the ChangeCipherSpec
    behind = [one for one in segments if one.side == SERVER and one.payload and one.sequence > 900_001 + hello]
    segments.remove(behind[1])
    keylog = KeyLog()
    for label, random, secret in (line.split() for line in talk.keylog.splitlines() if not line.startswith("#")):
        keylog.feed(f"{label} {random} {'5a' * (len(secret) // 2)}\n".encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.engine.material.attempts = 100 * FARTHEST_RECORD
    for number in range(12):
        tap.feed(*(replace(segment, ports=(50000 + number, 443)) for segment in segments))
    records = tap.records()
    assert len(records) == 12
    assert 0 <= tap.engine.material.attempts < 2 * FARTHEST_RECORD
    limited = [any(one["code"] == "limit" for one in record["findings"]) for record in records]
    assert not limited[0]
    assert limited[-1]
    assert {record["decryption"]["status"] for record in records} == {"none"}


def test_when_the_run_has_used_up_its_attempts_records_near_by_still_open() -> None:
    material = KeyMaterial()
    state = state_of(material)
    assert opens(state, 0)
    material.attempts = 0
    assert opens(state, NEAREST_RECORD)
    assert not state.limited
    assert not opens(state, 2 * NEAREST_RECORD + 10)
    assert state.limited


def test_when_the_run_has_used_up_its_attempts_keys_that_opened_nothing_get_one_each() -> None:
    material = KeyMaterial()
    material.attempts = 0
    state = state_of(material)
    assert not opens(state, 1)
    assert state.limited
    assert opens(state, 0)


@pytest.mark.parametrize(("lost", "cost"), [(NEAREST_RECORD, 0), (200, 200), (FARTHEST_RECORD, FARTHEST_RECORD)])
def test_with_right_secrets_only_long_gaps_count(lost: int, cost: int) -> None:
    material = KeyMaterial()
    assert opens(state_of(material), lost)
    assert MAX_ATTEMPTS_IN_ALL - material.attempts == cost


def test_each_side_of_a_session_has_its_own_share() -> None:
    material = KeyMaterial()
    wrong = [state_of(material, bytes(32)) for _ in (CLIENT, SERVER)]
    for state in wrong:
        assert not opens(state, 0)
    assert wrong[0].attempts == wrong[1].attempts
    assert material.attempts == MAX_ATTEMPTS_IN_ALL - 4 * FARTHEST_RECORD  # each also with the keys after a KeyUpdate


# Epochs.

SECRETS = {epoch: bytes([epoch + 1]) * 32 for epoch in (EARLY, PROTECTED, APPLICATION)}


def sealed_under(secret: bytes, number: int, content_type: int = APPLICATION_DATA, said: bytes = b"said") -> bytes:
    """The body of the record with this number, encrypted with a secret."""
    key, iv = traffic_keys("SHA256", secret, 16, label_prefix(0))
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = said + bytes([content_type])
    return AESGCM(key).encrypt(nonce, inner, struct.pack(">BHH", APPLICATION_DATA, 0x0303, len(inner) + 16))


def with_epochs(*epochs: int, material: KeyMaterial | None = None) -> ReadState:
    """The read state of a role of which the secrets of these epochs are known."""
    state = ReadState(material or KeyMaterial())
    state.decryptors = [open_tls13(AES_128_GCM, SECRETS[epoch]) if epoch in epochs else None for epoch in SECRETS]
    return state


def read(state: ReadState, body: bytes) -> tuple[int, bytes] | str:
    """The plaintext, or why the record cannot be decrypted."""
    try:
        return state.open(APPLICATION_DATA, 0x0303, body)
    except DecryptionError as error:
        return error.reason


DATA = (APPLICATION_DATA, b"said")


def test_a_role_begins_in_the_first_epoch_with_nothing_known() -> None:
    state = ReadState(KeyMaterial())
    assert (state.decryptors, state.epoch, state.n_failed, state.after_gap, state.attempts) == ([], 0, 0, False, MAX_ATTEMPTS)
    assert read(state, bytes(40)) == "no_secret"
    assert state.n_failed == 1


def test_records_of_a_later_epoch_open_and_take_the_role_there() -> None:
    state = with_epochs(EARLY, PROTECTED, APPLICATION)
    said = [
        (EARLY, [0, 1, 2]),
        (PROTECTED, [0, 1]),
        (APPLICATION, [0, 1, 2]),
    ]
    for epoch, numbers in said:
        for number in numbers:
            assert read(state, sealed_under(SECRETS[epoch], number)) == DATA
            assert state.epoch == epoch
    assert read(state, sealed_under(SECRETS[PROTECTED], 2)) == "wrong_secret"
    assert state.epoch == APPLICATION


def test_an_epoch_may_be_skipped() -> None:
    state = with_epochs(EARLY, PROTECTED, APPLICATION)
    assert read(state, sealed_under(SECRETS[APPLICATION], 0)) == DATA
    assert state.epoch == APPLICATION
    assert read(state, sealed_under(SECRETS[EARLY], 0)) == "wrong_secret"


def test_an_epoch_whose_secret_is_not_known_is_a_missing_label_and_the_next_one_opens() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = PROTECTED
    assert read(state, sealed_under(SECRETS[PROTECTED], 0)) == "missing_label"
    assert read(state, sealed_under(SECRETS[APPLICATION], 0)) == DATA
    assert (state.epoch, state.n_failed) == (APPLICATION, 0)


def test_up_to_tls_1_2_there_is_one_epoch() -> None:
    state = ReadState(KeyMaterial())
    state.decryptors = [None]
    assert read(state, bytes(40)) == "no_secret"


def test_what_is_inside_comes_with_its_type() -> None:
    state = with_epochs(PROTECTED)
    assert read(state, sealed_under(SECRETS[PROTECTED], 0, 22, b"message")) == (22, b"message")


# Gaps.


def test_records_that_failed_count_among_those_that_may_be_missing() -> None:
    state = with_epochs(APPLICATION)
    assert read(state, sealed_under(SECRETS[APPLICATION], 0)) == DATA
    for number in range(1, 4):
        assert read(state, bytes(40)) == "wrong_secret"
        assert state.n_failed == number
    assert read(state, sealed_under(SECRETS[APPLICATION], 4)) == DATA
    assert state.n_failed == 0


def test_without_a_gap_no_further_records_are_tried() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    assert read(state, sealed_under(SECRETS[APPLICATION], 1)) == "wrong_secret"
    assert state.attempts == MAX_ATTEMPTS


@pytest.mark.parametrize(("lost", "opens"), [(1, True), (FARTHEST_RECORD, True), (FARTHEST_RECORD + 1, False)])
def test_after_a_gap_a_limited_number_is_tried(lost: int, opens: bool) -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    assert read(state, sealed_under(SECRETS[APPLICATION], 0)) == DATA
    state.after_gap = True
    assert read(state, sealed_under(SECRETS[APPLICATION], 1 + lost)) == (DATA if opens else "missing_segment")
    assert state.after_gap is not opens
    following = sealed_under(SECRETS[APPLICATION], 2 + lost)
    state.after_gap = False
    assert (read(state, following) == DATA) is opens


def test_an_epoch_may_end_in_a_gap() -> None:
    state = with_epochs(PROTECTED, APPLICATION)
    state.epoch = PROTECTED
    assert read(state, sealed_under(SECRETS[PROTECTED], 0)) == DATA
    state.after_gap = True
    assert read(state, sealed_under(SECRETS[APPLICATION], 5)) == DATA
    assert (state.epoch, state.after_gap) == (APPLICATION, False)


# KeyUpdates.


def updated(times: int) -> bytes:
    """The secret of application data after so many KeyUpdates."""
    secret = SECRETS[APPLICATION]
    for _ in range(times):
        secret = next_traffic_secret("SHA256", secret, label_prefix(0))
    return secret


def test_a_key_update_in_a_gap_is_found() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    assert read(state, sealed_under(updated(0), 0)) == DATA
    state.after_gap = True
    assert read(state, sealed_under(updated(1), 7)) == DATA
    assert read(state, sealed_under(updated(1), 8)) == DATA
    assert read(state, sealed_under(updated(0), 9)) == "wrong_secret"


def test_a_key_update_is_not_looked_for_where_there_is_no_gap() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    assert read(state, sealed_under(updated(0), 0)) == DATA
    assert read(state, sealed_under(updated(1), 0)) == "wrong_secret"
    assert read(state, sealed_under(updated(0), 2)) == DATA


def test_two_key_updates_in_a_gap_are_too_many_and_the_keys_stay_as_they_were() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    assert read(state, sealed_under(updated(0), 0)) == DATA
    state.after_gap = True
    assert read(state, sealed_under(updated(2), 0)) == "missing_segment"
    assert read(state, sealed_under(updated(0), 3)) == DATA


# Candidates.


def candidates(*secrets: bytes) -> tuple[CandidateDecryptors, list[int]]:
    chosen: list[int] = []
    return CandidateDecryptors([open_tls13(AES_128_GCM, secret) for secret in secrets], chosen.append), chosen


def test_the_first_record_that_one_of_several_decrypts_shows_which_it_is() -> None:
    state = with_epochs()
    decryptor, chosen = candidates(bytes(32), SECRETS[APPLICATION], b"x" * 32)
    state.decryptors[APPLICATION] = decryptor
    state.epoch = APPLICATION
    assert decryptor.n_candidates == 3
    assert read(state, bytes(40)) == "wrong_secret"
    assert chosen == []
    assert decryptor.chosen_decryptor() is decryptor
    assert read(state, sealed_under(SECRETS[APPLICATION], 1)) == DATA
    assert chosen == [1]
    assert isinstance(state.decryptors[APPLICATION], Tls13Decryptor)
    assert [read(state, sealed_under(SECRETS[APPLICATION], number)) for number in (2, 3)] == [DATA, DATA]
    assert read(state, sealed_under(bytes(32), 4)) == "wrong_secret"


def test_several_are_tried_after_a_gap_too() -> None:
    state = with_epochs()
    decryptor, chosen = candidates(bytes(32), SECRETS[PROTECTED])
    state.decryptors[PROTECTED] = decryptor
    state.epoch = PROTECTED
    state.after_gap = True
    assert read(state, sealed_under(SECRETS[PROTECTED], 40)) == DATA
    assert chosen == [1]
    assert read(state, sealed_under(SECRETS[PROTECTED], 41)) == DATA


def test_none_at_all_opens_nothing() -> None:
    with pytest.raises(DecryptionError):
        CandidateDecryptors([]).open_after_gap(APPLICATION_DATA, 0x0303, bytes(40), 1)
    assert CandidateDecryptors([]).open_at(0, APPLICATION_DATA, 0x0303, bytes(40)) is None


# Records that are not encrypted.


def test_what_is_not_encrypted_is_read_without_its_mac() -> None:
    state = ReadState(KeyMaterial())
    state.decryptors = [UnprotectedReader(20)]
    assert read(state, b"plain" + bytes(20)) == (APPLICATION_DATA, b"plain")
    assert read(state, bytes(20)) == (APPLICATION_DATA, b"")
    assert read(state, bytes(19)) == "wrong_secret"


# The limit of attempts of a role.


def test_a_role_that_has_used_up_its_attempts_is_not_searched_any_more() -> None:
    state = with_epochs(APPLICATION)
    state.epoch = APPLICATION
    state.attempts = FARTHEST_RECORD - 1
    state.after_gap = True
    assert read(state, sealed_under(SECRETS[APPLICATION], 1)) == "missing_segment"
    assert state.attempts == FARTHEST_RECORD - 1
    assert read(state, sealed_under(SECRETS[APPLICATION], 0)) == DATA
