"""The offset of two clocks is between its bounds, whatever the delays are."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from frames_by_hand import START
from two_taps import CLIENT, HOUR, MS, NEAR, SERVER, Chunk, Sent, Tap, packets, places, through

from analyzer.analysis.clock_offset import ClockOffset

TALK: list[Chunk] = [(at * 5000 * MS, at % 2, bytes([at]) * 400) for at in range(40)]


def clock(folder: Path, a: Tap, b: Tap) -> ClockOffset:
    found = places(folder, a, b).clock
    assert found is not None
    return found


def true_offset(a: Tap, b: Tap, at: int = START) -> int:
    return b.ahead - a.ahead + round((at - START) * (b.drift - a.drift) / 1e6)


@pytest.mark.parametrize("ahead", [0, 3 * HOUR + 123_456_789, -26 * HOUR])
@pytest.mark.parametrize("delays", [(4 * MS, 15 * MS), (0, 20 * MS), (9 * MS, 11 * MS)])
def test_the_offset_is_as_far_away_as_is_said(tmp_path: Path, ahead: int, delays: tuple[int, int]):
    a, b = Tap(2, delays[0]), Tap(7, delays[1], ahead=ahead)
    through(packets(TALK), a, b)
    found = clock(tmp_path, a, b)
    assert found.uncertainty is not None
    assert abs(found.offset - ahead) <= found.uncertainty <= delays[1] - delays[0]
    assert found.round_trip == 2 * (delays[1] - delays[0])
    assert found.n_samples > 40


def test_queues_on_the_way_move_no_bound(tmp_path: Path):
    chance = random.Random(7)
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=HOUR)
    for packet in packets(TALK):
        late = replace(packet, at=packet.at + chance.randrange(0, 40) * MS)
        a.see(packet if packet.side == CLIENT else late)
        b.see(late if packet.side == CLIENT else packet)
    found = clock(tmp_path, a, b)
    assert found.uncertainty is not None
    assert abs(found.offset - HOUR) <= found.uncertainty < 30 * MS
    assert found.spread > MS


def test_clocks_of_different_rates_have_a_drift(tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=-HOUR, drift=25.0)
    through(packets(TALK), a, b)
    found = clock(tmp_path, a, b)
    assert found.drift is not None
    assert found.drift_error is not None
    assert abs(found.drift - 25.0) < 0.1
    assert found.drift_error < 0.1
    end = START + 200_000 * MS
    assert abs(found.at_b(end) - end - true_offset(a, b, end)) <= 12 * MS
    assert abs(found.at_a(found.at_b(end)) - end) < 1000


def test_one_direction_leaves_the_delay_in_the_offset(tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS)
    through([one for one in packets(TALK) if one.side == CLIENT], a, b)
    found = clock(tmp_path, a, b)
    assert (found.offset, found.uncertainty, found.round_trip) == (11 * MS, None, None)


def test_the_times_show_the_order_where_no_router_is_between(tmp_path: Path):
    a, b = Tap(0, 0, between=0), Tap(0, 2 * MS, between=0, ahead=HOUR)
    through(packets(TALK), a, b)
    assert (clock(tmp_path, a, b).offset, clock(tmp_path, a, b).round_trip) == (HOUR, 4 * MS)


def test_times_that_scatter_show_no_order(tmp_path: Path):
    chance = random.Random(5)
    a, b = Tap(0, 0, between=0), Tap(0, 2000, between=0)
    for packet in packets(TALK):
        a.see(replace(packet, at=packet.at + chance.randrange(50_000)))
        b.see(replace(packet, at=packet.at + chance.randrange(50_000)))
    found = places(tmp_path, a, b)
    assert found.connections[0].passages is not None
    assert [one.first for one in found.connections[0].passages] == [None, None]
    assert found.clock is not None
    assert found.clock.uncertainty is not None
    assert abs(found.clock.offset) <= found.clock.uncertainty


def test_a_segment_that_came_twice_is_no_sample(tmp_path: Path):
    sent = packets([(0, CLIENT, b"q" * 100), (1, SERVER, b"a" * 100)])
    data = [one for one in sent if one.payload]
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS)
    copies: list[Sent] = [replace(one, at=one.at + 500 * MS) for one in data]
    through([*sent, *copies], a, b, lost=data)
    found = clock(tmp_path, a, b)
    assert (found.n_samples, found.offset, found.spread) == (2, 0, 0)


def test_without_a_common_packet_nothing_is_known(tmp_path: Path):
    a, b = Tap(2, 0), Tap(7, 0, ends=(("192.0.2.1", 5), NEAR[1]))
    through(packets(TALK[:2]), a, Tap(7, 0))
    through(packets([(0, CLIENT, b"something else")], isns=(0x77777777, 0x66666666)), Tap(2, 0), b)
    assert places(tmp_path, a, b).clock is None
