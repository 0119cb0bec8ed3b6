"""Sessions whose frames are in another order than they were sent: by record the same as in order."""

import random
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Segment, Tap, contexts, packetise
from hypothesis import given, settings
from hypothesis import strategies as st
from keyed import talk_between
from talks import client_of, converse

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.limits import MAX_UNORDERED, PENDING_COST
from analyzer.tls.record.record import Record, RecordSink, gap
from analyzer.tls.record_order import RecordOrders

VERSIONS = ["TLSv1_2", "TLSv1_3"]
REQUEST = (CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def record_of(segments: list[Segment], keys: str | None, in_order: bool = True) -> dict[str, Any]:
    tap = Tap()
    keylog = None
    if keys is not None:
        keylog = KeyLog()
        keylog.feed(keys.encode())
    tap.engine = Engine(keylog=keylog, in_order=in_order)
    tap.feed(*segments)
    (record,) = tap.records()
    return record


def by_side(segments: list[Segment], *sides: int) -> list[Segment]:
    """The segments of the first side, and then those of the other."""
    return [segment for side in sides for segment in segments if segment.side == side]


def facts(record: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on the order of the frames."""
    found = {
        key: record[key] for key in ("version", "cipher_suite", "established", "resumed", "resumption", "alpn", "ja3", "ja4")
    }
    found["decryption"] = record["decryption"]
    found["authenticity"] = record["authenticity"]
    found["exchanges"] = sorted((one["request"]["path"], one["response"]["status"]) for one in record["http"])
    found["messages"] = sorted((one["type"], one["from"], one["length"], one["encrypted"]) for one in record["handshake"])
    found["findings"] = sorted(one["code"] for one in record["findings"])
    return found


def swapped(segments: list[Segment]) -> list[Segment]:
    """The segment with the ServerHello, before that with the ClientHello."""
    first = next(index for index, segment in enumerate(segments) if segment.payload and segment.side == CLIENT)
    answer = next(index for index, segment in enumerate(segments) if segment.payload and segment.side == SERVER)
    return [*segments[:first], segments[answer], *segments[first:answer], *segments[answer + 1 :]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("keyed", [True, False])
def test_one_direction_first_is_the_same_as_in_order(version: str, keyed: bool):
    talk = converse(version)
    keys = talk.keylog if keyed else None
    segments = packetise(talk.flights)
    right = facts(record_of(segments, keys))
    assert right["decryption"]["status"] == ("decrypted" if keyed else "none")
    for other in (by_side(segments, SERVER, CLIENT), by_side(segments, CLIENT, SERVER), swapped(segments)):
        assert facts(record_of(other, keys)) == right
        if keyed and version == "TLSv1_2":  # in the order of the capture it cannot be opened
            assert record_of(other, keys, in_order=False)["decryption"]["status"] != "decrypted"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumption(version: str):
    client, server = client_of(version), contexts.__wrapped__()[1]
    _, session = talk_between(client, server, REQUEST)
    talk, _ = talk_between(client, server, REQUEST, session)
    segments = packetise(talk.flights)
    right = facts(record_of(segments, talk.keylog))
    assert right["resumed"]
    assert right["decryption"]["status"] == "decrypted"
    for other in (by_side(segments, SERVER, CLIENT), by_side(segments, CLIENT, SERVER), swapped(segments)):
        assert facts(record_of(other, talk.keylog)) == right


@given(st.randoms(use_true_random=False), st.sampled_from(VERSIONS))
@settings(max_examples=30, deadline=None)
def test_any_order_of_the_two_directions(chance: random.Random, version: str):
    talk = converse(version)
    segments = packetise(talk.flights)
    queues = [[one for one in segments if one.side == side] for side in (CLIENT, SERVER)]
    mixed: list[Segment] = []
    while queues[0] or queues[1]:
        side = chance.choice([number for number in (0, 1) if queues[number]])
        n_next = chance.randrange(1, 12)
        mixed += queues[side][:n_next]
        del queues[side][:n_next]
    found = facts(record_of(mixed, talk.keylog))
    right = facts(record_of(segments, talk.keylog))
    assert (found["decryption"], found["authenticity"]) == (right["decryption"], right["authenticity"])
    assert found["exchanges"] == right["exchanges"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_direction_alone_ends_as_without_waiting(version: str, side: int):
    talk = converse(version)
    segments = by_side(packetise(talk.flights), side)
    assert record_of(segments, talk.keylog) == record_of(segments, talk.keylog, in_order=False)


class Sink(RecordSink):
    """Keeps what it is given, as role and frame."""

    def __init__(self) -> None:
        self.kept = 0
        self.taken: list[tuple[int, int]] = []
        self.ended = False

    def take(self, record: Record) -> None:
        self.taken.append((record.role, record.frame))

    def finish(self, frame: int, at: int) -> bool:
        self.ended = True
        return True


def record(role: int, frame: int, body: bytes, content_type: int = 22, missing: int = 0) -> Record:
    made = Record(role)
    made.content_type, made.version, made.frame, made.body = content_type, 0x0303, frame, body
    made.length, made.missing = len(body) + missing, missing
    return made


HELLO = b"\1\0\0\x29\3\3" + b"C" * 32 + b"\0\0\2\x13\1\1\0"


def test_a_gap_ends_the_waiting():
    sink, orders = Sink(), RecordOrders()
    ordered = orders.begin(sink, False)
    ordered.take(record(SERVER, 1, b"\2\0\0\1x"))
    assert (sink.taken, orders.size, ordered.kept) == ([], 5 + PENDING_COST, 5 + PENDING_COST)
    ordered.take(gap(CLIENT, 0, 100, 2))
    assert sink.taken == [(SERVER, 1), (CLIENT, 2)]
    assert (orders.size, ordered.kept, ordered.passes) == (0, 0, True)


def test_a_cut_hello_ends_the_waiting():
    sink = Sink()
    ordered = RecordOrders().begin(sink, False)
    ordered.take(record(SERVER, 1, b"\2\0\0\1x"))
    ordered.take(record(CLIENT, 2, HELLO[:20], missing=25))
    assert sink.taken == [(SERVER, 1), (CLIENT, 2)]


def test_too_many_bytes_end_the_waiting():
    sink, orders = Sink(), RecordOrders()
    ordered = orders.begin(sink, False)
    n_records = MAX_UNORDERED // (16_384 + PENDING_COST) + 1
    for number in range(n_records):
        assert sink.taken == []
        ordered.take(record(SERVER, number, bytes(16_384), 23))
    assert len(sink.taken) == n_records
    assert orders.size == 0


def test_the_end_of_the_flow_ends_the_waiting():
    sink, orders = Sink(), RecordOrders()
    ordered = orders.begin(sink, False)
    ordered.take(record(SERVER, 1, b"\2\0\0\1x"))
    assert ordered.finish(2, 0)
    assert (sink.taken, sink.ended, orders.size) == ([(SERVER, 1)], True, 0)


def test_a_hello_in_pieces_and_early_data_do_not_wait():
    early = HELLO[:4].replace(b"\x29", b"\x2f") + HELLO[4:] + b"\0\4\0\x2a\0\0"
    sink = Sink()
    ordered = RecordOrders().begin(sink, False)
    for number, (body, kind) in enumerate(((early[:9], 22), (early[9:], 22), (b"early", 23), (b"data", 23))):
        ordered.take(record(CLIENT, number, body, kind))
    assert [frame for _, frame in sink.taken] == [0, 1, 2, 3]
    ordered.take(record(SERVER, 4, b"\2\0\0\0"))
    assert ordered.passes


def test_without_early_data_the_client_waits():
    sink = Sink()
    ordered = RecordOrders().begin(sink, False)
    ordered.take(record(CLIENT, 1, HELLO))
    ordered.take(record(CLIENT, 2, b"\1", 20))
    assert sink.taken == [(CLIENT, 1)]
    ordered.take(record(SERVER, 3, b"", 21))
    assert sink.taken == [(CLIENT, 1), (CLIENT, 2), (SERVER, 3)] or sink.taken == [(CLIENT, 1), (SERVER, 3), (CLIENT, 2)]


def test_the_middle_of_a_connection_does_not_wait():
    sink = Sink()
    ordered = RecordOrders().begin(sink, True)
    ordered.take(record(SERVER, 1, b"data", 23))
    assert sink.taken == [(SERVER, 1)]
