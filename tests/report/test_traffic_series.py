"""Steps of time: whatever the order and the distances of the packets, each is counted once and in the step of its time."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.traffic_series import FIRST_STEP, MOST_STEPS, TrafficSeries
from analyzer.tls.events import SessionBegan

TIMES = st.lists(st.integers(min_value=0, max_value=10**19), min_size=1, max_size=300)


def frame(at: int, length: int = 100) -> Any:
    return SimpleNamespace(at=at, wire_length=length)


def series_of(times: list[int]) -> TrafficSeries:
    series = TrafficSeries()
    for number, at in enumerate(times):
        series.packet(None, frame(at, number + 1), ())  # type: ignore[arg-type]
    return series


@settings(deadline=None)
@given(TIMES)
def test_every_packet_is_in_the_step_of_its_time(times: list[int]):
    series = series_of(times)
    expected = [0] * len(series.packets)
    for at in times:
        expected[(at - series.start) // series.step] += 1
    assert series.packets == expected
    assert sum(series.n_bytes) == sum(range(1, len(times) + 1))
    assert len(series.packets) <= MOST_STEPS
    assert len(series.packets) == len(series.n_bytes) == len(series.sessions)


@given(st.integers(min_value=0, max_value=10**18), st.integers(min_value=0, max_value=10**15))
def test_a_step_is_no_longer_than_needed(start: int, duration: int):
    series = series_of([start, start + duration])
    assert series.step == FIRST_STEP or duration >= series.step * MOST_STEPS // 2 - series.step


def test_frames_without_a_time_are_not_counted():
    series = series_of([-1, -1])
    assert series.record() == {"start": None, "step_seconds": 0.001, "packets": [], "bytes": [], "sessions": []}


def test_sessions_are_counted_when_they_begin():
    series = series_of([5 * FIRST_STEP])
    began = SessionBegan.__new__(SessionBegan)
    began.at = 7 * FIRST_STEP
    series.take([began])
    assert series.record()["sessions"] == [0, 0, 1]
