"""Order, digits and lengths of the frames of one interface."""

import pytest

from analyzer.analysis import interface_series as module
from analyzer.analysis.interface_series import MOST_STEPS, InterfaceSeries
from analyzer.capture.frame import Frame

SECOND = 1_000_000_000


def read(times: list[int], n_bytes: list[int] | None = None, wire: list[int] | None = None) -> InterfaceSeries:
    series, frame = InterfaceSeries(), Frame()
    for place, at in enumerate(times):
        frame.number = place + 1
        frame.at = at
        frame.end = n_bytes[place] if n_bytes else 60
        frame.wire_length = wire[place] if wire else frame.end
        series.count(frame)
    return series


def test_order_and_steps() -> None:
    series = read([5, 7, 6, -1, 7 + SECOND, 7, 7 + 3 * SECOND])
    assert (series.n_backward, series.largest_backward, series.backward_frames) == (2, SECOND, [3, 6])
    assert series.steps == [(5, SECOND + 1), (6, -SECOND), (7, 3 * SECOND)]
    assert series.jumps == [(6, -SECOND)]
    assert [series.step_within(0, 7, 2 * SECOND), series.step_within(5, 6, 2 * SECOND)] == [7, 0]
    assert [series.step_within(0, 7, -SECOND), series.step_within(6, 7, -SECOND)] == [6, 0]
    assert series.step_within(0, 7, 7 * SECOND) == 0


def test_steps_are_bounded() -> None:
    series = read([place * 2 * SECOND for place in range(2000)])
    assert len(series.steps) == MOST_STEPS
    assert series.steps[-1] == (2000, 2 * SECOND)
    assert len(read([place % 2 * 2 * SECOND for place in range(2000)]).jumps) == MOST_STEPS


def test_digits() -> None:
    series = read([1, 2000, 3_000_000, 4_000_000_000, 5001, -1])
    assert (series.n_nano, series.n_micro, series.n_milli) == (2, 1, 2)
    assert (series.nano_frames, series.micro_frames, series.milli_frames) == ([1, 5], [2], [3, 4])


@pytest.mark.parametrize("other", [54, 70])
def test_lengths(other: int) -> None:
    series = read([1, 2, 3, 4], [60, 68, other, 68], [60, 1500, 900, 70])
    assert (series.cut_length, series.n_cut, series.n_other_cuts, series.cut_frames) == (68, 2, 1, [3])
    assert series.longest == max(68, other)
    assert read([1], [60], [50]).short_frames == [1]
    assert read([1], [60], [60]).cut_length == -1


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
