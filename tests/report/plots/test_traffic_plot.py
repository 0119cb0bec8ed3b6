"""The traffic over time: three rows of bars with round scales on one axis."""

from typing import Any
from xml.etree import ElementTree

import pytest

from analyzer.report.plots import traffic_svg
from analyzer.report.plots.svg_drawing import color
from analyzer.report.plots.traffic_plot import short_number
from analyzer.report.sentences import Sentences
from analyzer.report.svg_check import checked_svg

SVG = "{http://www.w3.org/2000/svg}"
SAY = Sentences("en")


def facts(n_bytes: list[int], step: float = 1.0, start: str | None = "2026-11-02T09:00:00.000000000Z") -> dict[str, Any]:
    packets = [-(-n // 1000) for n in n_bytes]
    series = {"start": start, "step_seconds": step, "packets": packets, "bytes": n_bytes, "sessions": [0] * len(n_bytes)}
    return {"traffic": {"series": series}}


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(checked_svg(svg)).iter(f"{SVG}text")]


def bars(svg: str) -> list[tuple[float, float]]:
    found = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("fill") == color("amount")]
    return [(float(one.get("x", 0)), float(one.get("height", 0))) for one in found]


def test_bars_are_as_high_as_their_numbers() -> None:
    shown = bars(traffic_svg(facts([0, 500, 1000, 250]), SAY))
    assert [height for _, height in shown] == [37.0, 74.0, 18.5]
    assert shown[1][0] - shown[0][0] == pytest.approx(shown[2][0] - shown[1][0], abs=0.05)


def test_the_smallest_number_can_be_seen() -> None:
    assert [height for _, height in bars(traffic_svg(facts([1, 1_000_000_000]), SAY))] == [1.0, 74.0]


def test_scales_end_at_round_numbers() -> None:
    said = texts(traffic_svg(facts([15_800, 3_000]), SAY))
    assert said[:4] == ["Bytes in each 1 s", "0", "10 k", "20 k"]
    assert "Packets in each 1 s" in said
    assert "TLS sessions that began in each 1 s" in said


@pytest.mark.parametrize(("step", "text"), [(0.001, "1 ms"), (0.128, "128 ms"), (2.048, "2.048 s"), (524.288, "8 min 44 s")])
def test_it_says_how_long_a_step_is(step: float, text: str) -> None:
    assert f"Bytes in each {text}" in texts(traffic_svg(facts([1], step), SAY))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1 k"),
        (1500, "1.5 k"),
        (60_000, "60 k"),
        (2_000_000, "2 M"),
        (10**12, "1 T"),
        (10**25, "10000000 E"),
    ],
)
def test_numbers_are_short(number: int, text: str) -> None:
    assert short_number(number) == text


def test_no_traffic_is_said() -> None:
    assert texts(traffic_svg(facts([], start=None), SAY)) == [SAY.say("plot.no_times")]


def test_no_bytes_are_a_picture_too() -> None:
    assert bars(traffic_svg(facts([0, 0]), SAY)) == []
