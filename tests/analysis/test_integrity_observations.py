"""What is observed of interfaces and clocks: mixtures, lengths, and rates."""

from pathlib import Path

import pytest
from frames_by_hand import CLIENT, START, Segment, Timed, observe, watch, write

from analyzer.analysis.integrity_observations import clock_jumps

SECOND = 1_000_000_000
DAY = START // (86_400 * SECOND) * 86_400 * SECOND


def at_times(times: list[int]) -> list[Timed]:
    """Segments of a host with random identifications."""
    return [(at, Segment(identification=place * 40503 & 0xFFFF).frame()) for place, at in enumerate(times)]


@pytest.mark.parametrize("unit", [1, 1000])
def test_two_kinds_of_digits_are_a_mixture(tmp_path: Path, unit: int) -> None:
    """Of nanoseconds among microseconds, and of microseconds among milliseconds."""
    coarse = [DAY + place * 1_000_000 * 1000 * unit for place in range(40)]
    fine = [at + 123 * unit for at in coarse[:20]]
    assert observe(write(tmp_path / "coarse", at_times(coarse))).keys() <= {"coarse_times"}
    observed = observe(write(tmp_path / "mixed", at_times(sorted(coarse + fine))))
    assert observed["mixed_time_digits"]["args"] == {
        "interface": 0,
        "fine": "10^-9 s" if unit == 1 else "10^-6 s",
        "n_fine": 20,
        "coarse": "10^-6 s" if unit == 1 else "10^-3 s",
        "n_coarse": 40,
    }
    assert observed["mixed_time_digits"]["frames"] == [2 * place for place in range(1, 17)]


def test_one_frame_with_finer_digits_is_enough_and_some_round_times_are_not(tmp_path: Path) -> None:
    coarse = [DAY + place * 1_000_000 + 17_000 for place in range(100)]
    assert "mixed_time_digits" not in observe(write(tmp_path / "coarse", at_times(coarse)))
    added = observe(write(tmp_path / "added", at_times(sorted([*coarse, DAY + 50_017_777]))))
    assert added["mixed_time_digits"]["frames"] == [52]
    hundreds = [DAY + place * 1_000_100 for place in range(1000)]
    assert "mixed_time_digits" not in observe(write(tmp_path / "hundreds", at_times(hundreds))), "a clock of 100 ns"


def test_frames_cut_at_several_lengths(tmp_path: Path) -> None:
    whole = Segment(payload=b"x" * 400, identification=0).frame()
    lengths = [100, 100, 60, 100]
    frames: list[Timed] = [(START + place * SECOND, whole[:n], len(whole)) for place, n in enumerate(lengths)]
    assert observe(write(tmp_path / "cut", frames))["mixed_cut_lengths"] == {
        "code": "mixed_cut_lengths",
        "args": {"interface": 0, "count": 3, "length": 100, "others": 1, "longest": 100},
        "frames": [3],
    }
    uncut: list[Timed] = [*frames[:2], (START + 9 * SECOND, whole)]
    assert observe(write(tmp_path / "uncut", uncut))["mixed_cut_lengths"]["args"] == {
        "interface": 0, "count": 2, "length": 100, "others": 0, "longest": len(whole),
    }  # fmt: skip
    assert observe(write(tmp_path / "same", [*frames[:2], (START + 9 * SECOND, whole[:70])])) == {}


def test_frames_that_were_shorter_on_the_wire(tmp_path: Path) -> None:
    frame = Segment(identification=0).frame()
    observed = observe(write(tmp_path / "short", [(START, frame), (START + 9, frame, len(frame) - 1)]))
    assert observed["wire_shorter"]["args"] == {"interface": 0, "count": 1}
    assert observed["wire_shorter"]["frames"] == [2]


@pytest.mark.parametrize(("percent", "slope"), [(100, False), (102, True)])
def test_a_clock_that_runs_faster_than_the_capture(tmp_path: Path, percent: int, slope: bool) -> None:
    sent = [Segment(sequence=1 + step, payload=b"x", identification=0, tsval=step * 2 * percent) for step in range(600)]
    frames: list[Timed] = [(START + step * SECOND // 5, one.frame()) for step, one in enumerate(sent)]
    path = write(tmp_path / "clock", frames)
    observed = observe(path)
    assert set(observed) == ({"clock_slope"} if slope else set())
    if slope:
        assert observed["clock_slope"]["args"] == {
            "address": CLIENT, "seconds": pytest.approx(2.4, abs=0.05), "over_seconds": pytest.approx(119.8),
        }  # fmt: skip
    assert clock_jumps(watch(path)[0].integrity) == []


def test_jumps_are_steps_backwards_and_those_with_witnesses(tmp_path: Path) -> None:
    seen, _ = watch(write(tmp_path / "back", at_times([START, START + 9 * SECOND, START + 4 * SECOND, START + 5 * SECOND])))
    assert clock_jumps(seen.integrity) == [(3, -5.0)]
    seen.integrity.witnesses = {7: {b"abcd": 9 * SECOND}, 9: {b"abcd": 3 * SECOND, b"efgh": 2 * SECOND}}
    assert clock_jumps(seen.integrity) == [(3, -5.0), (9, 2.0)]
