"""The times of frames: those that were seen, and no others."""

from typing import Any

import pytest

from analyzer.capture.frame import Frame
from analyzer.packet.packet import Packet
from analyzer.report import frame_times
from analyzer.report.frame_times import FrameTimes

from .conftest import Facts


def seen(*frames: tuple[int, int]) -> FrameTimes:
    """Return the times after frames of these numbers and times."""
    times, frame = FrameTimes(), Frame()
    for frame.number, frame.at in frames:
        times.packet(Packet(), frame, ())
    return times


def test_each_frame_has_its_time():
    times = seen((1, 1_000_000_000), (2, 3_000_000_000))
    assert [times.of(number) for number in (1, 2)] == ["1970-01-01T00:00:01.000000000Z", "1970-01-01T00:00:03.000000000Z"]


def test_what_was_not_seen_or_has_no_time_is_not_known():
    times = seen((2, 5), (3, -1))
    assert [times.of(number) for number in (None, 0, 1, 3, 4)] == [None] * 5
    assert times.of(2) is not None


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frame_times, "MOST_FRAMES", 2)
    times = seen((1, 1), (2, 2), (3, 3))
    assert [times.of(number) is None for number in (1, 2, 3)] == [False, False, True]


def test_a_finding_stands_at_the_time_of_its_frame(demo_facts: Facts):
    (entry,) = [entry for entry in demo_facts["timeline"] if entry["code"] == "clock_skew"]
    (session,) = [one for one in demo_facts["sessions"]["shown"] if one["id"] == entry["session"]]
    times: dict[Any, Any] = {step["frame"]: step["time"] for step in session["steps"]}
    assert entry["frame"] < session["last_frame"]
    assert session["start_time"] < entry["time"] < session["end_time"]
    assert all(time is not None for time in times.values())
