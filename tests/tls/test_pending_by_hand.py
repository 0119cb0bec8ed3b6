"""The queue of a pending session, fed by hand: order, passing on, searches of the key log, and the counted memory."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    SERVER,
    START,
    Hand,
    client_hello,
    message,
    server_hello,
)
from waiting_by_hand import RANDOM, Waiting

from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.limits import (
    MAX_PENDING,
    MAX_PENDING_ENDED,
    MAX_PENDING_TIME,
    MAX_PENDING_TOTAL,
    PENDING_COST,
)
from analyzer.tls.pending import PendingSessions
from analyzer.tls.record.record import CONFLICT, GAP, LOST, Record
from analyzer.tls.session import Session

OTHERS = f"CLIENT_RANDOM {bytes(32).hex()} {bytes(48).hex()}\n".encode()


def play(hand: Hand) -> None:
    """A session with a gap, a loss, a conflict, alerts and bytes that are not a record, in the order of the wire."""
    hand.handshake(CLIENT, client_hello())
    hand.conflict(CLIENT, 7, b"a", b"b")
    hand.handshake(SERVER, server_hello())
    hand.gap(SERVER, 9, lost=False)
    hand.say(SERVER, HANDSHAKE, message(11, bytes(30))[:20], missing=14)
    hand.handshake(SERVER, message(14))
    hand.gap(SERVER, 100)
    hand.handshake(CLIENT, message(16, b"\4abcd"))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
        hand.say(role, APPLICATION_DATA, bytes(100))
    hand.stray(CLIENT, "no record begins here")
    hand.say(SERVER, ALERT, bytes(30))


def described(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Every field of every event, except those without an order."""
    found = []
    for event in events:
        names = sorted({name for kind in type(event).__mro__ for name in getattr(kind, "__slots__", ())} | set(vars_of(event)))
        values = [getattr(event, name) for name in names if name not in ("flow", "ended", "problems", "body")]
        found.append((type(event).__name__, [list(one) if isinstance(one, list) else one for one in values]))
    return found


def vars_of(event: Event) -> list[str]:
    """The fields of an event, in both builds."""
    return [name for name in dir(event) if not name.startswith("_") and not callable(getattr(event, name))]


# Order.


def test_a_pending_session_emits_the_same_events_as_another():
    at_once = Hand(KeyMaterial(keylog=KeyLog()))
    play(at_once)
    at_once.end()
    late = Waiting()
    play(late)
    assert late.events == []
    late.pending.resume()
    assert late.pending.passes_through
    late.end()
    assert described(late.events) == described(at_once.events)
    assert session_record(late.session, True) == session_record(at_once.session, True)
    assert len(late.events) > 25


def test_secrets_before_the_end_or_after_it_lead_to_the_same_record():
    records = []
    for when in ("before", "between", "after"):
        hand = Waiting()
        if when == "before":
            hand.collect()
        play(hand)
        if when == "between":
            hand.collect()
            hand.say(SERVER, ALERT, bytes(30))
        else:
            hand.say(SERVER, ALERT, bytes(30))
        ended = hand.end()
        if when == "after":
            assert ended == []
            hand.collect()
            assert hand.store.tick(hand.at) == [hand.session]
        records.append(session_record(hand.session, True))
    assert records[0] == records[1] == records[2]
    assert records[0]["decryption"]["reason"] is not None


def test_gaps_and_conflicts_keep_their_places_in_the_queue():
    hand = Waiting()
    play(hand)
    assert hand.queued() == [
        HANDSHAKE,
        CONFLICT,
        HANDSHAKE,
        GAP,
        HANDSHAKE,
        HANDSHAKE,
        GAP,
        LOST,
        HANDSHAKE,
        *[CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA] * 2,
        -3,
        LOST,
        ALERT,
    ]
    kept = hand.pending.queue[0]
    assert (kept.body, kept.frame, kept.at) == (client_hello(), 2, START + 2_000_000)


def test_what_is_kept_is_a_copy():
    hand = Waiting()
    record = Record(CLIENT)
    record.content_type, record.body, record.length = HANDSHAKE, client_hello(), len(client_hello())
    hand.sink.take(record)
    record.body = b""
    assert hand.pending.queue[0].body == client_hello()


# Which sessions are pending, and for what.


def test_all_bodies_are_wanted_while_a_session_waits():
    hand = Waiting()
    assert hand.sink.wants(CLIENT, APPLICATION_DATA)
    hand.pending.evict()
    assert not hand.sink.wants(CLIENT, APPLICATION_DATA)


@pytest.mark.parametrize("size", [1, 10, 37, 38, 1000])
def test_the_random_is_found_however_records_split_the_hello(size: int):
    hand = Waiting()
    hello = client_hello()
    for place in range(0, len(hello), size):
        hand.say(CLIENT, HANDSHAKE, hello[place : place + size])
    assert hand.pending.random == RANDOM
    assert hand.store.named == {RANDOM: {0: None}}


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda hand: hand.handshake(CLIENT, message(16, bytes(40))), id="another message first"),
        pytest.param(lambda hand: hand.say(CLIENT, HANDSHAKE, b"\1\0\2", version=2), id="SSL 2.0"),
    ],
)
def test_where_no_client_hello_can_come_no_session_is_pending(begin: Callable[[Waiting], object]):
    hand = Waiting()
    begin(hand)
    assert hand.pending.passes_through
    assert hand.events
    assert hand.store.waiting == {}


def test_in_the_middle_of_a_flow_nothing_waits_after_the_clients_handshake():
    hand = Waiting(mid_stream=True)
    hand.handshake(CLIENT, client_hello())
    assert hand.pending.passes_through


def test_the_key_log_is_searched_when_it_has_grown_and_not_before():
    class Counting(KeyLog):
        asked = 0

        def has_all_secrets(self, client_random: bytes) -> bool:
            self.asked += 1
            return super().has_all_secrets(client_random)

    keylog = Counting()
    hand = Waiting(PendingSessions(KeyMaterial(keylog=keylog, may_grow=lambda: True)))
    hand.handshake(CLIENT, client_hello())
    for _ in range(20):
        hand.handshake(SERVER, server_hello())
    first = keylog.asked
    assert first <= 2
    hand.collect(OTHERS)
    for _ in range(20):
        hand.handshake(SERVER, server_hello())
    assert first < keylog.asked <= first + 2
    hand.collect()
    hand.handshake(SERVER, server_hello())
    assert hand.pending.passes_through


def test_a_handshake_that_was_given_up_needs_no_secrets():
    hand = Waiting()
    hand.handshake(CLIENT, client_hello())
    hand.say(SERVER, ALERT, b"\2\x28")
    assert [type(event).__name__ for event in hand.end()] == ["RecordRead", "HandshakeMessage", "RecordRead", "Alert"]
    assert hand.store.parked == {}


def test_secrets_that_come_after_eviction_are_a_finding():
    hand = Waiting()
    play(hand)
    hand.pending.evict()
    hand.collect()
    assert "late_secrets" in [event.code for event in hand.end() if hasattr(event, "code")]


# Limits.


def test_memory_is_counted_and_given_back():
    hand = Waiting()
    hand.handshake(CLIENT, client_hello())
    hand.conflict(CLIENT, 7, b"abc", b"defg")
    assert hand.pending.size == hand.store.size == len(client_hello()) + PENDING_COST + 7 + PENDING_COST
    hand.pending.resume()
    assert (hand.pending.size, hand.store.size, hand.pending.queue) == (0, 0, [])
    assert hand.pending.kept == hand.session.kept > 0
    hand.handshake(SERVER, server_hello())
    assert hand.pending.kept == hand.session.kept


def test_a_session_that_reaches_the_limit_continues_without_secrets():
    hand = Waiting()
    hand.handshake(CLIENT, client_hello())
    body = bytes(16384)
    while not hand.pending.passes_through:
        before = hand.pending.size
        hand.say(SERVER, APPLICATION_DATA, body)
    assert before <= MAX_PENDING < before + len(body) + PENDING_COST
    assert hand.pending.evicted


def test_of_all_sessions_those_that_wait_longest_go_first():
    store = PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
    hands = [Waiting(store, number) for number in range(4)]
    for hand in hands:
        play(hand)
    hands[1].end()
    assert list(store.parked) == [1]
    each = hands[0].pending.size
    assert store.size == 4 * each
    store.size = MAX_PENDING_TOTAL // 2 + 2 * each  # as if others kept the rest
    store.evict()
    assert [hand.pending.passes_through for hand in hands] == [True, True, False, False]
    assert [hand.pending.evicted for hand in hands] == [True, False, False, False]
    assert store.parked == {}
    assert store.tick(START) == [hands[1].session]
    assert store.tick(START) == []


def test_those_that_have_ended_go_by_time_and_by_number():
    store = PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
    hands = [Waiting(store, number) for number in range(3)]
    for number, hand in enumerate(hands):
        hand.frame = 1000 * number
        play(hand)
        assert hand.end() == []
    ends = [hand.at for hand in hands]
    assert store.tick(ends[0] + MAX_PENDING_TIME) == []
    assert store.tick(ends[0] + MAX_PENDING_TIME + 1) == [hands[0].session]
    assert store.tick(ends[2] + MAX_PENDING_TIME + 1) == [hands[1].session, hands[2].session]
    assert (store.size, store.waiting, store.named) == (0, {}, {})


def test_the_number_of_ended_sessions_is_limited():
    store = PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
    for number in range(MAX_PENDING_ENDED + 3):
        hand = Waiting(store, number)
        hand.handshake(CLIENT, client_hello())
        hand.say(CLIENT, APPLICATION_DATA, b"")
        assert hand.end() == []
    assert [session.id for session in store.tick(START)] == [0, 1, 2]
    assert len(store.parked) == MAX_PENDING_ENDED


def test_at_the_end_all_are_given_in_the_order_of_their_ids():
    store = PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
    hands = [Waiting(store, number) for number in (2, 0, 1)]
    for hand in hands:
        play(hand)
        assert hand.end() == []
    assert [session.id for session in store.close()] == [0, 1, 2]
    assert store.close() == []


def test_secrets_of_several_sessions_resume_them_in_the_order_of_their_ids():
    """One session can be the TLS resumption of another, whose tickets and master secret must be known by then."""
    store = PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
    told: list[Event] = []
    hands = [Waiting(store, number) for number in (5, 3, 4)]
    for hand in hands:
        hand.session = Session(hand.session.id, hand.session.flow, store.material, Resumptions(), told)
        hand.pending.session = hand.session
        hand.handshake(CLIENT, client_hello())
    hands[0].collect()
    store.match()
    assert list(dict.fromkeys(event.session for event in told)) == [3, 4, 5]


# While an interface is read.

SECOND = 1_000_000_000
LONGEST_WAIT = 5 * SECOND


def patient() -> PendingSessions:
    return PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True, longest_wait=LONGEST_WAIT))


def test_an_open_session_waits_for_a_bounded_time():
    store = patient()
    hands = [Waiting(store, number) for number in range(3)]
    for number, hand in enumerate(hands):
        hand.frame = 1000 * number
        play(hand)
    begins = [hand.pending.since for hand in hands]
    assert begins == sorted(begins)
    store.tick(begins[0] + LONGEST_WAIT)
    assert [hand.pending.passes_through for hand in hands] == [False, False, False]
    store.tick(begins[0] + LONGEST_WAIT + 1)
    assert [hand.pending.passes_through for hand in hands] == [True, False, False]
    assert hands[0].pending.evicted
    store.tick(begins[2] + LONGEST_WAIT + 1)
    assert [hand.pending.passes_through for hand in hands] == [True, True, True]
    assert (store.size, store.waiting) == (0, {})


def test_without_longest_wait_an_open_session_waits_for_ever():
    hand = Waiting()
    play(hand)
    hand.store.tick(hand.at + (1 << 59))
    assert not hand.pending.passes_through


def test_open_sessions_behind_ended_ones_are_let_go():
    store = patient()
    hands = [Waiting(store, number) for number in range(4)]
    for number, hand in enumerate(hands):
        hand.frame = 1000 * number
        play(hand)
    for hand in hands[:2]:
        hand.frame = hands[3].frame
        assert hand.end() == []
    store.tick(hands[2].pending.since + LONGEST_WAIT + 1)
    assert [hand.pending.passes_through for hand in hands] == [False, False, True, False]
    assert list(store.parked) == [0, 1]


def test_after_the_clock_was_set_sessions_wait_as_long_as_before():
    for hours in (1, -1):
        store = patient()
        ended, opened = Waiting(store, 0), Waiting(store, 1)
        play(ended)
        play(opened)
        assert ended.end() == []
        last, jump = ended.at, hours * 3600 * 1_000_000_000
        store.tick(last)
        store.set_clock(jump)
        assert store.tick(last + jump + LONGEST_WAIT - 1) == []
        assert opened.pending.since + LONGEST_WAIT < last + jump + LONGEST_WAIT
        assert store.tick(last + jump + LONGEST_WAIT + 1) == [ended.session]
        assert opened.pending.passes_through


def test_a_clock_that_goes_back_unnoticed_keeps_nothing_for_ever():
    store = patient()
    ended, opened = Waiting(store, 0), Waiting(store, 1)
    play(ended)
    play(opened)
    assert ended.end() == []
    store.tick(ended.at)
    assert store.tick(ended.at - 3600 * 1_000_000_000) == [ended.session]
    assert opened.pending.passes_through
