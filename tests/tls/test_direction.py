"""Records behind gaps: how far their numbers are searched for, and what all sessions of a run may cost together."""

import struct
from dataclasses import replace

import pytest
from conversations import CLIENT, SERVER, Tap, packetise
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from talks import converse

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.protection import open_tls13
from analyzer.secrets.refused import Refused
from analyzer.secrets.schedule13 import label_prefix, traffic_keys
from analyzer.tls.direction import Direction
from analyzer.tls.limits import FARTHEST_RECORD, MAX_ATTEMPTS_IN_ALL, NEAREST_RECORD
from analyzer.tls.secrets import Secrets
from analyzer.tls.suites import suite

APPLICATION_DATA = 23
AES_128_GCM = suite(0x1301)
SECRET = bytes(range(32))


def sealed(number: int) -> bytes:
    """The body of the record that has this number under SECRET."""
    key, iv = traffic_keys("SHA256", SECRET, 16, label_prefix(0))
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = b"said" + bytes([APPLICATION_DATA])
    return AESGCM(key).encrypt(nonce, inner, struct.pack(">BHH", APPLICATION_DATA, 0x0303, len(inner) + 16))


def direction_of(secrets: Secrets, secret: bytes = SECRET) -> Direction:
    """A side that sends application data, and whose next record comes behind a gap."""
    direction = Direction(secrets)
    direction.phases = [None, None, open_tls13(AES_128_GCM, secret)]
    direction.phase = 2
    direction.holed = True
    return direction


def opens(direction: Direction, number: int) -> bool:
    direction.holed = True
    try:
        return direction.open(APPLICATION_DATA, 0x0303, sealed(number)) == (APPLICATION_DATA, b"said")
    except Refused:
        return False


def test_sessions_with_wrong_secrets_and_gaps_cost_no_more_than_the_limit_of_the_run() -> None:
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights, mss=(1400, 100))
    segments.remove([one for one in segments if one.side == SERVER and one.payload][3])
    keylog = KeyLog()
    for label, random, secret in (line.split() for line in talk.keylog.splitlines() if not line.startswith("#")):
        keylog.feed(f"{label} {random} {'5a' * (len(secret) // 2)}\n".encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.engine.secrets.attempts = 100 * FARTHEST_RECORD
    for number in range(12):
        tap.feed(*(replace(segment, ports=(50000 + number, 443)) for segment in segments))
    records = tap.records()
    assert len(records) == 12
    assert 0 <= tap.engine.secrets.attempts < 2 * FARTHEST_RECORD
    limited = [any(one["code"] == "limit" for one in record["findings"]) for record in records]
    assert not limited[0]
    assert limited[-1]
    assert {record["decryption"]["status"] for record in records} == {"none"}


def test_when_the_run_has_used_up_its_attempts_records_near_by_still_open() -> None:
    secrets = Engine().secrets
    direction = direction_of(secrets)
    assert opens(direction, 0)
    secrets.attempts = 0
    assert opens(direction, NEAREST_RECORD)
    assert not direction.limited
    assert not opens(direction, 2 * NEAREST_RECORD + 10)
    assert direction.limited


def test_when_the_run_has_used_up_its_attempts_keys_that_opened_nothing_get_one_each() -> None:
    secrets = Engine().secrets
    secrets.attempts = 0
    direction = direction_of(secrets)
    assert not opens(direction, 1)
    assert direction.limited
    assert opens(direction, 0)


@pytest.mark.parametrize(("lost", "cost"), [(NEAREST_RECORD, 0), (200, 200), (FARTHEST_RECORD, FARTHEST_RECORD)])
def test_with_right_secrets_only_long_gaps_count(lost: int, cost: int) -> None:
    secrets = Engine().secrets
    assert opens(direction_of(secrets), lost)
    assert MAX_ATTEMPTS_IN_ALL - secrets.attempts == cost


def test_each_side_of_a_session_has_its_own_share() -> None:
    secrets = Engine().secrets
    wrong = [direction_of(secrets, bytes(32)) for _ in (CLIENT, SERVER)]
    for direction in wrong:
        assert not opens(direction, 0)
    assert wrong[0].attempts == wrong[1].attempts
    assert secrets.attempts == MAX_ATTEMPTS_IN_ALL - 4 * FARTHEST_RECORD  # each with the keys behind a KeyUpdate too
