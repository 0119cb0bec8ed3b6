"""Repeated nonces: by themselves, and in sessions."""

import random

import pytest
from sessions_by_hand import APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Hand, client_hello, server_hello

from analyzer.tls.record.explicit_nonces import MAX_NONCES, ExplicitNonces, has_explicit_nonce
from analyzer.tls.suites import suite


def body(nonce: int) -> bytes:
    return nonce.to_bytes(8, "big") + b"ciphertext"


@pytest.mark.parametrize("start", [0, 1, 1 << 63, (1 << 64) - 200])
def test_a_counter_needs_no_memory(start: int):
    nonces = ExplicitNonces()
    assert not any(nonces.repeats(CLIENT, body(start + number)) for number in range(200))
    assert not any(nonces.repeats(SERVER, body(start + number)) for number in range(200))
    assert nonces.others == [set(), set()]
    assert nonces.repeats(CLIENT, body(start + 17))
    assert not nonces.repeats(CLIENT, body(start + 17))
    assert nonces.repeats(SERVER, body(start))


def test_random_nonces_are_remembered_up_to_a_limit():
    source = random.Random(1)
    numbers = [source.getrandbits(64) for _ in range(3 * MAX_NONCES)]
    nonces = ExplicitNonces()
    assert not any(nonces.repeats(CLIENT, body(number)) for number in numbers)
    assert len(nonces.others[CLIENT]) == MAX_NONCES
    assert nonces.repeats(CLIENT, body(numbers[MAX_NONCES // 2]))


def test_new_keys_begin_anew():
    nonces = ExplicitNonces()
    assert not nonces.repeats(CLIENT, body(0))
    nonces.begin(CLIENT)
    assert not nonces.repeats(CLIENT, body(0))
    assert nonces.repeats(CLIENT, body(0))


@pytest.mark.parametrize(("number", "has"), [(0xC02F, True), (0xC0AE, True), (0xCCA8, False), (0x1301, False), (0xC013, False)])
def test_suites(number: int, has: bool):
    assert has_explicit_nonce(suite(number)) is has
    assert not has_explicit_nonce(None)


def session_of(suite_number: bytes, *steps: tuple[int, int, bytes] | int) -> list[tuple[str, str, list[int]]]:
    """The findings of a session. steps: role, content type and body; a number stands for missing bytes of the server."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(suite=suite_number))
    for step in ((SERVER, CHANGE_CIPHER_SPEC, b"\1"), (SERVER, HANDSHAKE, body(7)), *steps):
        if isinstance(step, int):
            hand.gap(SERVER, step)
        else:
            hand.say(*step)
    hand.end()
    return [
        (finding.code, finding.severity, finding.frames)
        for finding in hand.session.log.findings
        if finding.code == "nonce_reuse"
    ]


def test_a_session_that_repeats_a_nonce():
    again = (SERVER, APPLICATION_DATA, body(7))
    assert session_of(b"\xc0\x2f", again, again) == [("nonce_reuse", "medium", [6])]


def test_sessions_that_repeat_none():
    assert session_of(b"\xc0\x2f", (SERVER, APPLICATION_DATA, body(8)), (SERVER, APPLICATION_DATA, body(9))) == []
    assert session_of(b"\xcc\xa8", (SERVER, APPLICATION_DATA, body(7))) == []
    assert session_of(b"\xc0\x2f", (SERVER, CHANGE_CIPHER_SPEC, body(8)), (SERVER, HANDSHAKE, body(7))) == []


def test_after_missing_records_the_keys_may_be_others():
    assert session_of(b"\xc0\x2f", 50, (SERVER, APPLICATION_DATA, body(7))) == []
