"""How long sessions that have ended wait for their secrets where somebody watches: a moment, unless the log may be late."""

import pytest
from sessions_by_hand import APPLICATION_DATA, CLIENT, START, STEP, client_hello
from waiting_by_hand import RANDOM, Waiting

from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.limits import MAX_GONE, PATIENCE, PROMPT_WAIT
from analyzer.tls.pending import PendingSessions
from analyzer.tls.session import Session

SECOND = 1_000_000_000
LONGEST_WAIT = 5 * SECOND


def patient() -> PendingSessions:
    return PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True, longest_wait=LONGEST_WAIT))


class Numbered(Waiting):
    """A session whose client random is its number, 32 times."""

    def __init__(self, store: PendingSessions, number: int, at: int) -> None:
        """at: the time of its only records."""
        super().__init__(store, number)
        self.frame = (at - START) // STEP - 2
        self.handshake(CLIENT, client_hello().replace(RANDOM, bytes([number]) * 32))
        self.say(CLIENT, APPLICATION_DATA, b"")
        assert self.at == at

    def collect_own(self) -> None:
        """Read the secrets of this session, and let time not go on."""
        self.collect(f"CLIENT_RANDOM {self.pending.random.hex()} {bytes(48).hex()}\n".encode())


def ended_at(store: PendingSessions, number: int, at: int) -> Session:
    """A session that ends at that time without secrets."""
    hand = Numbered(store, number, at)
    assert hand.end() == []
    return hand.session


def waits(store: PendingSessions, number: int, at: int) -> int:
    """How long a session waits that ends at that time and whose secrets never come, in steps of a tenth of a second."""
    session = ended_at(store, number, at)
    for wait in range(0, LONGEST_WAIT + SECOND, SECOND // 10):
        if store.tick(at + wait) == [session]:
            return wait
    raise AssertionError("it waits for ever")


def test_at_the_start_it_is_not_known_whether_the_log_is_late():
    store = patient()
    store.tick(START)
    assert waits(store, 1, START + 10 * SECOND) == LONGEST_WAIT + SECOND // 10
    assert waits(store, 2, START + PATIENCE + 10 * SECOND) == PROMPT_WAIT + SECOND // 10


def test_when_secrets_have_come_in_time_others_wait_a_moment():
    store = patient()
    store.tick(START)
    opened = Numbered(store, 1, START + SECOND)
    before = ended_at(store, 2, START + SECOND)
    assert store.tick(START + 2 * SECOND) == []
    opened.collect_own()
    assert store.tick(START + 2 * SECOND + 1) == [before]
    assert opened.pending.passes_through
    assert waits(store, 3, START + 3 * SECOND) == PROMPT_WAIT + SECOND // 10


@pytest.mark.parametrize("in_time", [False, True])
def test_secrets_that_come_after_the_end_make_the_others_wait_again(in_time: bool):
    store = patient()
    store.tick(START)
    late = Numbered(store, 1, START + SECOND)
    assert late.end() == []
    if in_time:  # a session of another program has shown before that logs are in time, and this one was given up
        opened = Numbered(store, 2, START + SECOND)
        opened.collect_own()
        assert store.tick(START + 2 * SECOND) == [late.session]
    late.collect_own()
    assert store.tick(START + 3 * SECOND) == ([] if in_time else [late.session])
    assert store.n_late == in_time
    if not in_time:
        opened = Numbered(store, 2, START + 3 * SECOND)
        opened.collect_own()
    assert waits(store, 3, START + 4 * SECOND) == LONGEST_WAIT + SECOND // 10
    assert waits(store, 4, START + 10 * SECOND + PATIENCE) == PROMPT_WAIT + SECOND // 10


def test_patience_can_end_while_a_session_waits():
    store = patient()
    store.tick(START)
    session = ended_at(store, 1, START + PATIENCE - SECOND)
    assert store.tick(START + PATIENCE - 1) == []
    assert store.tick(START + PATIENCE + 1) == [session]


def test_sessions_that_were_given_up_are_remembered_up_to_a_limit():
    store = patient()
    for number in range(MAX_GONE + 10):
        hand = Waiting(store, number)
        hand.handshake(CLIENT, client_hello().replace(RANDOM, number.to_bytes(32, "big")))
        hand.say(CLIENT, APPLICATION_DATA, b"")
        assert hand.end() == []
        store.tick(hand.at + LONGEST_WAIT + 1)
    assert len(store.gone) == MAX_GONE
    assert (9).to_bytes(32, "big") not in store.gone
    assert (MAX_GONE + 9).to_bytes(32, "big") in store.gone
