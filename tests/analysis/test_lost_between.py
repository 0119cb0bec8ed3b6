"""What was lost between two places is told apart from what a capture lost, and from what nobody can know."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from frames_by_hand import START, datagram, write
from two_taps import CLIENT, HOUR, MS, SERVER, Chunk, Sent, Tap, copy_of, facts_of, in_order, packets, places, through

from analyzer.analysis.lost_between import Cover, Missing, Passage
from analyzer.analysis.two_places import TwoPlaces, compare_places

QUESTION, ANSWER = b"q" * 300, bytes(range(256)) * 40
TALK: list[Chunk] = [(0, CLIENT, QUESTION), (1, SERVER, ANSWER), (2, CLIENT, b"w" * 4200), (3, SERVER, b"z" * 2800)]


def taps() -> tuple[Tap, Tap]:
    return Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=5 * HOUR)


def data(sent: list[Sent], side: int) -> list[Sent]:
    return [one for one in sent if one.payload and one.side == side]


def only(found: TwoPlaces) -> tuple[Passage, Passage]:
    """Both directions of the only connection."""
    (one,) = found.connections
    assert one.passages is not None
    return one.passages


def amounts(passage: Passage) -> dict[str, tuple[int, int]]:
    """Segments and bytes by what became of them, without zeros."""
    parts = {"lost": passage.lost, "missed_a": passage.missed[0], "missed_b": passage.missed[1],
             "unknown_a": passage.unknown[0], "unknown_b": passage.unknown[1]}  # fmt: skip
    return {name: (one.segments, one.n_bytes) for name, one in parts.items() if one != Missing()}


def test_nothing_is_lost_where_everything_comes(tmp_path: Path):
    a, b = taps()
    through(packets(TALK), a, b)
    client, server = only(places(tmp_path, a, b))
    assert (client.first, server.first) == ("a", "b")
    assert (client.segments, client.n_bytes) == ((4, 4), (4500, 4500))
    assert (amounts(client), amounts(server)) == ({}, {})


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_segment_that_had_to_be_sent_again_was_lost_between(tmp_path: Path, side: int):
    a, b = taps()
    sent = packets(TALK)
    gone = data(sent, side)[1]
    through(in_order(*sent, copy_of(gone)), a, b, lost=[gone])
    found = only(places(tmp_path, a, b))
    assert amounts(found[side]) == {"lost": (1, 1400)}
    assert amounts(found[1 - side]) == {}
    first = 0 if side == CLIENT else 1
    assert found[side].resent == ((1, 0) if first == 0 else (0, 1))
    assert found[side].lost.frames


def test_bytes_that_were_never_acknowledged_were_lost(tmp_path: Path):
    a, b = taps()
    sent = packets([*TALK, (4, CLIENT, b"never there"), (5, SERVER, b"meanwhile")])
    gone = data(sent, CLIENT)[-1]
    number = gone.sequence
    kept = [one for one in sent if one.side == CLIENT or one.acknowledgement <= number]
    through(kept, a, b, lost=[gone])
    client, _ = only(places(tmp_path, a, b))
    assert amounts(client) == {"lost": (1, 11)}


def test_acknowledged_bytes_were_missed_by_the_capture(tmp_path: Path):
    a, b = taps()
    sent = packets(TALK)
    client, server = data(sent, CLIENT)[2], data(sent, SERVER)[3]
    through(sent, a, b, missed_b=[client], missed_a=[server])
    found = only(places(tmp_path, a, b))
    assert amounts(found[CLIENT]) == {"missed_b": (1, 1400)}
    assert amounts(found[SERVER]) == {"missed_a": (1, 1400)}


def test_what_only_the_second_place_has_was_missed_by_the_first(tmp_path: Path):
    a, b = taps()
    sent = packets(TALK)
    through(sent, a, b, missed_a=[data(sent, CLIENT)[2]], missed_b=[data(sent, SERVER)[3]])
    found = only(places(tmp_path, a, b))
    assert amounts(found[CLIENT]) == {"missed_a": (1, 1400)}
    assert amounts(found[SERVER]) == {"missed_b": (1, 1400)}


def test_the_second_copy_alone_tells_nothing(tmp_path: Path):
    a, b = taps()
    sent = packets(TALK)
    again = copy_of(data(sent, CLIENT)[1], after=60 * MS)
    through(in_order(*sent, again), a, b, lost=[again])
    client, _ = only(places(tmp_path, a, b))
    assert amounts(client) == {"unknown_a": (1, 1400)}


def test_a_packet_that_was_captured_twice_was_not_lost(tmp_path: Path):
    a, b = taps()
    sent = packets(TALK)
    through(sent, a, b)
    for one in data(sent, CLIENT):
        a.see(replace(one, at=one.at + 20_000))
    client, _ = only(places(tmp_path, a, b))
    assert (client.segments, client.resent, amounts(client)) == ((4, 4), (0, 0), {})


def test_segments_that_were_joined_are_not_missing(tmp_path: Path):
    a, b = taps()
    through(packets(TALK, mss=4200), a, Tap(7, 0))
    through(packets(TALK, mss=1400), Tap(2, 0), b)
    client, server = only(places(tmp_path, a, b))
    assert (server.segments, server.n_bytes) == ((4, 10), (13040, 13040))
    assert (amounts(client), amounts(server)) == ({}, {})


@pytest.mark.parametrize("alone", [True, False])
def test_a_loss_beside_joined_segments(tmp_path: Path, alone: bool):
    """The network card of the second place joins segments; the one that was sent again comes by itself, or joined too."""
    a, b = taps()
    sent = packets([(0, CLIENT, b"w" * 5600), (1, SERVER, b"done")])
    first, second, third, fourth = data(sent, CLIENT)
    again = copy_of(second, 100 * MS)
    through(in_order(*sent, again), a, Tap(7, 0))
    rest = [one for one in sent if one not in (first, second, third, fourth)]
    joined = replace(third, payload=third.payload + fourth.payload)
    whole = [again, joined] if alone else [replace(again, payload=second.payload + joined.payload)]
    through(in_order(*rest, first, *whole), Tap(2, 0), b)
    client, _ = only(places(tmp_path, a, b))
    assert amounts(client) == {"lost": (1, 1400)}


def test_a_large_segment_of_which_a_part_was_lost(tmp_path: Path):
    """The network card of the first place cuts segments."""
    a, b = taps()
    sent = packets([(0, CLIENT, b"w" * 5600), (1, SERVER, b"done")])
    first, second, third, fourth = data(sent, CLIENT)
    again = copy_of(second, 100 * MS)
    rest = [one for one in sent if one not in (first, second, third, fourth)]
    whole = replace(first, payload=b"w" * 5600)
    through(in_order(*rest, whole, again), a, Tap(7, 0))
    through(in_order(*rest, first, third, fourth, again), Tap(2, 0), b)
    client, _ = only(places(tmp_path, a, b))
    assert amounts(client) == {"lost": (1, 1400)}


def test_what_a_capture_could_not_see_is_not_missing(tmp_path: Path):
    a, b = taps()
    sent = packets(TALK)
    through(sent, a, Tap(7, 0))
    through(sent[8:-6], Tap(2, 0), b)
    client, server = only(places(tmp_path, a, b))
    assert (amounts(client), amounts(server)) == ({}, {})
    assert server.segments[0] > server.segments[1]


def test_without_an_order_nothing_is_called_lost(tmp_path: Path):
    a, b = Tap(0, 0, between=0), Tap(0, 0, between=0)
    sent = packets(TALK)
    gone = data(sent, CLIENT)[1]
    through(in_order(*sent, copy_of(gone)), a, b, lost=[gone])
    client, _ = only(places(tmp_path, a, b))
    assert client.first is None
    assert amounts(client) == {"unknown_a": (1, 1400)}


def test_losses_at_random_are_all_found(tmp_path: Path):
    chance = random.Random(3)
    talk = [(at * 100, at % 2, bytes([at % 256]) * chance.randrange(1, 5000)) for at in range(120)]
    for _ in range(5):
        a, b = taps()
        sent = packets(talk)
        gone = [one for one in sent if one.payload and chance.random() < 0.1]
        rest = [one for one in sent if one.payload and not any(one is other for other in gone)]
        missed_a, missed_b = ([one for one in rest if chance.random() < 0.05] for _ in range(2))
        missed_b = [one for one in missed_b if not any(one is other for other in missed_a)]
        through(in_order(*sent, *map(copy_of, gone)), a, b, lost=gone, missed_a=missed_a, missed_b=missed_b)
        for side, found in enumerate(only(places(tmp_path, a, b))):
            expected = {"lost": gone, "missed_a": missed_a, "missed_b": missed_b}
            mine = {name: [len(one.payload) for one in listed if one.side == side] for name, listed in expected.items()}
            assert amounts(found) == {name: (len(sizes), sum(sizes)) for name, sizes in mine.items() if sizes}


def test_ranges():
    cover = Cover([(5, 10), (0, 3), (10, 12), (2, 4)])
    assert cover.n_bytes == 11
    assert [cover.absent(*one) for one in ((0, 12), (4, 5), (6, 20), (-5, 2), (5, 12), (13, 15))] == [1, 1, 8, 5, 0, 2]
    assert Cover([]).absent(3, 5) == 2


def test_a_datagram_that_does_not_come_is_told_without_a_reason(tmp_path: Path):
    frames = [(START + number * 10 * MS, datagram(bytes([number]) * 40, number)) for number in range(9)]
    a = write(tmp_path / "a.pcapng", frames)
    b = write(tmp_path / "b.pcapng", [*frames[:4], *frames[5:]])
    found = compare_places(facts_of(a).place(), facts_of(b).place())
    passage = only(found)[0] if only(found)[0].segments[0] else only(found)[1]
    assert (passage.segments, passage.n_bytes, passage.resent) == ((9, 8), (360, 320), None)
    assert amounts(passage) == {"unknown_a": (1, 40)}
