"""Handshake messages out of fragments: any order, repeated, overlapping, cut differently, and beyond the limits."""

import itertools
import random
import tracemalloc

import pytest

from analyzer.tls.dtls.handshake_flights import MAX_AHEAD, MAX_WAITING, FlightReader

BODY = bytes(range(256)) * 4


def header(kind: int, sequence: int, length: int, offset: int, n_bytes: int) -> bytes:
    """The header of a fragment."""
    return bytes((kind,)) + b"".join(
        n.to_bytes(size, "big") for n, size in ((length, 3), (sequence, 2), (offset, 3), (n_bytes, 3))
    )


def feed(reader: FlightReader, sequence: int, offset: int, data: bytes, length: int = len(BODY), kind: int = 1) -> bool:
    return reader.take(header(kind, sequence, length, offset, len(data)), data, False, 7, 70)


def drain(reader: FlightReader) -> list[tuple[int, bytes]]:
    found = []
    while (message := reader.advance()) is not None:
        assert message.raw[:4] == bytes((message.type,)) + message.length.to_bytes(3, "big")
        found.append((message.type, message.raw[4:]))
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_fragments_in_any_order(order: tuple[int, ...]):
    reader = FlightReader()
    for place in order:
        assert feed(reader, 0, place * 256, BODY[place * 256 : place * 256 + 256])
    assert drain(reader) == [(1, BODY)]
    assert not feed(reader, 0, 0, BODY)
    assert reader.repeated == 1
    assert (reader.held, reader.since) == (0, -1)


def test_overlaps_and_other_cuts():
    chance = random.Random(1)
    for _ in range(50):
        reader = FlightReader()
        while not (found := drain(reader)):
            at = chance.randrange(len(BODY))
            feed(reader, 0, at, BODY[at : at + chance.randrange(1, 200)])
        assert found == [(1, BODY)]


def test_messages_wait_for_those_before_them():
    reader = FlightReader()
    feed(reader, 0, 0, b"", 0)
    feed(reader, 2, 0, b"c", 1, 14)
    feed(reader, 1, 0, b"b", 1, 11)
    assert drain(reader) == [(1, b""), (11, b"b"), (14, b"c")]


def test_what_came_first_counts():
    reader = FlightReader()
    feed(reader, 0, 0, BODY[:500])
    assert not feed(reader, 0, 0, b"x" * 700, 700)  # another length: another message
    feed(reader, 0, 0, b"x" * 600)
    feed(reader, 0, 600, BODY[600:])
    assert drain(reader) == [(1, BODY[:500] + b"x" * 100 + BODY[600:])]


def test_false_headers():
    reader = FlightReader()
    assert not feed(reader, 0, 20, b"too far", 26)
    assert not feed(reader, 0, 0, b"", 1 << 23)
    assert not reader.waiting


def test_giving_up():
    reader = FlightReader()
    feed(reader, 0, 0, b"h", 1)
    assert drain(reader) == [(1, b"h")]
    feed(reader, 2, 0, BODY[:10])
    feed(reader, 4, 0, b"z", 1)
    assert reader.give_up() is None  # of message 1 nothing came
    cut = reader.give_up()
    assert cut is not None
    assert bytes(cut.head) == BODY[:10]
    assert reader.give_up() is None
    assert drain(reader) == [(1, b"z")]


def test_limits():
    reader = FlightReader()
    assert feed(reader, 0, 5, b"x", 100)
    assert not feed(reader, MAX_AHEAD + 1, 0, b"x", 100)
    for _ in range(5000):
        feed(reader, 1, 1, b"x" * 1000, 1 << 20)
    assert reader.held <= MAX_WAITING + 2000
    for at in range(2, 100_000, 2):
        feed(FlightReader() if at % 1000 == 0 else reader, 2, at, b"x", 1 << 20)
    assert reader.held <= MAX_WAITING + 2000


def test_a_role_that_has_said_nothing_takes_little_memory():
    """A flood of hellos makes four of them each."""
    tracemalloc.start()
    made = [FlightReader() for _ in range(1000)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(made) < 350


def test_numbers_in_plaintext_are_known_however_many():
    flight = FlightReader()
    for sequence in range(100):
        assert feed(flight, sequence, 0, b"a", 1)
        assert flight.advance() is not None
    assert {number for number in range(120) if number in flight.plain} == set(range(100))
    flight.begin(1)
    assert 0 not in flight.plain
