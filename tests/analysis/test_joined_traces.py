"""Connections of two places are joined by what no device changes, and by nothing less."""

from dataclasses import replace
from pathlib import Path

from frames_by_hand import START, datagram, write
from two_taps import CLIENT, NEAR, SERVER, Chunk, Ends, Tap, facts_of, packets, read, through

from analyzer.analysis.connection_trace import ConnectionTrace
from analyzer.analysis.joined_traces import PAYLOAD, SEQUENCE, TUPLE, JoinedTrace, join_traces

TALK: list[Chunk] = [(0, CLIENT, b"a question of some length" * 9), (1, SERVER, b"its answer, which is longer" * 200)]
TRANSLATED: Ends = (("198.51.100.1", 61000), NEAR[1])


def traces(tap: Tap, folder: Path) -> list[ConnectionTrace]:
    found = read(tap, folder).traces
    assert found is not None
    return found.traces


def joined(folder: Path, a: Tap, b: Tap) -> list[JoinedTrace]:
    return list(join_traces(traces(a, folder), traces(b, folder)))


def test_translated_addresses_are_joined_by_both_initial_numbers(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0, ends=TRANSLATED)
    through(packets(TALK), a, b)
    (one,) = joined(tmp_path, a, b)
    assert (one.by, one.same_numbers, one.shifts) == (SEQUENCE, True, (0, 0))


def test_rewritten_numbers_are_joined_by_the_first_bytes(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0, ends=TRANSLATED, numbers=(1_000_000, 5_000_000))
    through(packets(TALK), a, b)
    (one,) = joined(tmp_path, a, b)
    assert (one.by, one.same_numbers, one.shifts) == (PAYLOAD, False, (0, 0))


def test_a_capture_that_begins_later_is_joined_by_addresses_and_bytes(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0)
    sent = packets(TALK)
    through(sent, a, Tap(5, 0))
    through(sent[-6:], Tap(2, 0), b)
    (one,) = joined(tmp_path, a, b)
    assert (one.by, one.same_numbers) == (TUPLE, True)
    assert one.shifts[SERVER] == -2800


def test_other_connections_between_the_same_ends_are_not_joined(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0)
    through(packets(TALK), a, Tap(5, 0))
    through(packets([(0, CLIENT, b"something else" * 9)], isns=(0x22222222, 0x33333333)), Tap(2, 0), b)
    assert joined(tmp_path, a, b) == []


def test_numbers_and_bytes_that_come_twice_join_nothing(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0, ends=TRANSLATED)
    sent = packets(TALK)
    through(sent, a, b)
    through(sent, Tap(2, 0), replace(b, ends=(("198.51.100.1", 61001), NEAR[1]), frames=b.frames))
    assert joined(tmp_path, a, b) == []


def test_small_initial_numbers_prove_nothing(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0, ends=TRANSLATED)
    through(packets([(0, CLIENT, b"short")], isns=(0, 1)), a, b)
    assert joined(tmp_path, a, b) == []


def test_a_syn_without_an_answer_is_joined_by_its_number_and_the_server(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0, ends=TRANSLATED)
    through(packets([])[:1], a, b)
    (one,) = joined(tmp_path, a, b)
    assert (one.by, one.same_numbers) == (SEQUENCE, True)
    elsewhere = Tap(5, 0, ends=(TRANSLATED[0], ("203.0.113.8", 443)))
    through(packets([])[:1], Tap(2, 0), elsewhere)
    assert joined(tmp_path, a, elsewhere) == []


def test_packets_without_payload_are_joined_by_addresses_and_numbers(tmp_path: Path):
    a, b = Tap(2, 0), Tap(5, 0)
    through(packets([])[-3:], a, b)
    (one,) = joined(tmp_path, a, b)
    assert (one.by, one.shifts) == (TUPLE, (0, 0))


def test_datagrams_are_joined_by_their_bytes(tmp_path: Path):
    question, answer = b"\x12\x34 a question of DNS", b"\x12\x34 and its answer"
    frames = [(START + number, datagram(one, number)) for number, one in enumerate((question, answer, b"short"))]
    a = facts_of(write(tmp_path / "a.pcapng", frames)).traces
    moved = [(at, one[:26] + b"\x0a\x09\x08\x07" + one[30:]) for at, one in frames]
    b = facts_of(write(tmp_path / "b.pcapng", moved)).traces
    assert a is not None
    assert b is not None
    (one,) = join_traces(a.traces, b.traces)
    assert (one.by, one.same_numbers) == (PAYLOAD, None)
