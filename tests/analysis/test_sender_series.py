"""Identifications and times to live of one sender: steady, with a packet that stands out, with numbers left out, and random."""

from collections.abc import Iterable

from analyzer.analysis import sender_series as module
from analyzer.analysis.sender_series import MOST_FRAMES, STEADY, SenderSeries


def read(identifications: Iterable[int], hops: Iterable[int] = (), n_bytes: int = 100, forward: bool = True) -> SenderSeries:
    series, ttl = SenderSeries(), iter(hops)
    for frame, identification in enumerate(identifications, 1):
        series.take(identification, next(ttl, 64), n_bytes, forward, frame)
    return series


def told(series: SenderSeries) -> list[list[int]]:
    return [frames or [] for frames in (series.skip_frames, series.odd_frames, series.restart_frames, series.backward_frames)]


def test_a_series_goes_through_zero() -> None:
    series = read([*range(0xFFF0, 0x10000), *range(1, 40)])
    assert series.is_steady()
    assert told(series) == [[], [], [], []]
    assert read([0] * 100).n_steps == 0


def test_one_number_between_others_stands_out() -> None:
    assert told(read([*range(100, 140), 9000, *range(140, 150)])) == [[], [41], [], []]
    assert told(read([*range(100, 110), 9000, *range(110, 150)])) == [[], [], [], []], "too few came before"


def test_frames_of_many_packets_may_change_places() -> None:
    joined = read([*range(1, 1000, 45), 1100, 1010, 1055, *range(1145, 1500, 45)], n_bytes=60_000, forward=False)
    assert told(joined) == [[], [], [], []]
    assert joined.is_steady()


def test_two_in_a_row_that_fit_nothing_are_random() -> None:
    series = read([*range(100, 140), 9000, 30000, *range(140, 150)])
    assert series.odd_frames is None
    assert series.n_random > 0


def test_a_series_may_go_on_elsewhere() -> None:
    assert told(read([*range(9000, 9040), *range(900, 940)])) == [[], [], [41], []]
    assert told(read([*range(900, 940), *range(5000, 5040)])) == [[], [], [], []], "it may have counted packets to others"


def test_left_out_numbers_are_counted_and_late_ones_are_not() -> None:
    assert read([*range(1, 60), *range(63, 90)]).skipped == 3
    assert read([*range(1, 60), 61, 62, 60, *range(63, 90)], forward=False).skipped == 0
    assert read([1, 2, 3, 20, 37, 54], n_bytes=20_000).skipped == 0, "each frame is many packets"


def test_random_numbers_are_no_series() -> None:
    assert not read([(at * 40503 + 11) & 0xFFFF for at in range(400)]).is_steady()


def test_one_time_to_live_between_others_stands_out() -> None:
    before, after = [64] * (STEADY + 2), [64] * 5
    assert read([0] * 40, [*before, 57, *after]).odd_hops == [STEADY + 3]
    assert read([0] * 40, [64, 64, 57, *after]).odd_hops is None, "too few came before"
    moved = read([0] * len([*before, *after]), [*before, *[57] * len(after)])
    assert (moved.odd_hops, moved.hops, moved.changes) == (None, 57, 0)
    assert read([0] * 60, [*before, *[57, 64] * 10]).changes == 10


def test_examples_are_bounded() -> None:
    skipping = read([at * 2 + 1 for at in range(1000)])
    assert len(skipping.skip_frames or ()) == MOST_FRAMES
    assert skipping.skipped == 999


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
