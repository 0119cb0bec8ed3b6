"""The timeline: one lane a server, marks by severity, and the same size for three sessions and a hundred thousand."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from analyzer.report.plots import timeline_svg
from analyzer.report.plots.svg_drawing import WIDTH, color, text_width
from analyzer.report.sentences import Sentences
from analyzer.report.svg_check import checked_svg

SVG = "{http://www.w3.org/2000/svg}"
SAY = Sentences("en")


def at(seconds: float) -> str:
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"2026-11-02T{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{part:03d}000000Z"


def session(number: int, first: float, last: float, server: str | None = "www.example", established: bool | None = True) -> Any:
    return {
        "id": number,
        "server": {"address": "2001:db8::1", "port": 443},
        "server_name": server,
        "start_time": at(first),
        "end_time": at(last),
        "established": established,
    }


def mark(seconds: float, severity: str | None, kind: str = "finding") -> dict[str, Any]:
    return {"time": at(seconds), "kind": kind, "session": 0, "frame": 1, "code": "fatal_alert", "severity": severity}


def facts(
    sessions: list[Any], timeline: list[Any] | None = None, count: int | None = None, last: float = 100
) -> dict[str, Any]:
    steps = {"start": at(0), "step_seconds": 10.0, "packets": [1] * 10, "bytes": [60] * 10, "sessions": [4] * 10}
    return {
        "evidence": {"inputs": [{"path": "a.pcap", "first_time": at(0), "last_time": at(last)}]},
        "sessions": {"count": len(sessions) if count is None else count, "brief": sessions, "shown": sessions[:100]},
        "timeline": timeline or [],
        "traffic": {"series": steps},
    }


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(checked_svg(svg)).iter(f"{SVG}text")]


def shapes(svg: str, name: str, paint: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg).iter(SVG + name) if color(paint) in (one.get("fill"), one.get("stroke"))]


def test_each_server_has_a_lane_in_the_order_of_its_first_session() -> None:
    svg = timeline_svg(
        facts([session(0, 50, 60, "late.example"), session(1, 1, 2), session(2, 70, 71), session(3, 5, 9, None)]), SAY
    )
    names = [text for text in texts(svg) if "example" in text or "2001" in text]
    assert names == ["www.example", "[2001:db8::1]:443", "late.example"]


def test_a_session_is_told_by_shape_and_colour() -> None:
    svg = timeline_svg(
        facts([session(0, 0, 10), session(1, 20, 30, established=False), session(2, 40, 50, established=None)]), SAY
    )
    heights = {kind: {one.get("height") for one in shapes(svg, "rect", kind)} for kind in ("good", "bad")}
    assert heights == {"good": {"8"}, "bad": {"3"}}
    assert len(shapes(svg, "line", "bad")) == 4  # two crosses: of the session and of the legend
    dashed = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("stroke-dasharray")]
    assert len(dashed) == 2


def test_bars_stand_where_their_times_are() -> None:
    svg = timeline_svg(facts([session(0, 0, 50), session(1, 75, 100)]), SAY)
    (first, second, _) = shapes(svg, "rect", "good")
    left, width = float(first.get("x", 0)), float(first.get("width", 0))
    assert float(second.get("x", 0)) == pytest.approx(left + 1.5 * width, abs=0.1)
    assert float(second.get("width", 0)) == pytest.approx(width / 2, abs=0.1)


def test_findings_have_a_row_and_a_shape_for_each_severity() -> None:
    marks = [mark(1, "high"), mark(50, "high"), mark(2, "medium"), mark(3, "low"), mark(4, "info"), mark(5, None, "alert")]
    svg = timeline_svg(facts([session(0, 0, 10)], marks), SAY)
    rows = [text for text in texts(svg) if re.search(r"\(\d\)", text)]
    assert rows == ["High (2)", "Medium (1)", "Low (1)", "Info (1)", "Alerts (1)"]
    drawn = {kind: shapes(svg, "polygon", kind)[0] for kind in ("high", "medium", "low", "info")}
    signs = {(len(one.get("points", "").split()), one.get("fill") == "none") for one in drawn.values()}
    assert signs == {(3, False), (4, False), (8, False), (8, True)}
    assert len(shapes(svg, "polygon", "high")) == 3  # two and the one beside the name of the row


def test_marks_that_would_touch_are_one_with_a_number() -> None:
    svg = timeline_svg(facts([session(0, 0, 10)], [mark(10 + n / 1000, "high") for n in range(500)]), SAY)
    assert len(shapes(svg, "polygon", "high")) == 2
    assert "500" in texts(svg)
    assert "fatal_alert" in svg


def test_a_hundred_thousand_sessions_make_a_picture_of_bounded_size() -> None:
    many = [session(n, n % 99, n % 99 + 0.5, f"host-{n % 300}.example", n % 7 != 0) for n in range(100_000)]
    svg = timeline_svg(facts(many, [mark(n % 100, "low") for n in range(1000)]), SAY)
    assert len(svg) < 200_000
    assert "289 other servers" in texts(svg)
    view = re.search(r'viewBox="0 0 720 ([0-9.]+)"', svg)
    assert view is not None
    assert float(view[1]) < 1.35 * WIDTH


def test_it_says_what_it_leaves_out() -> None:
    some = [session(n, n, n + 1) for n in range(10)]
    said = texts(timeline_svg(facts(some, [mark(1, "low")], count=40), SAY))
    assert "Beginnings of all sessions" in said
    assert "The lanes of servers show the first 10 of 40 sessions." in said
    assert any(text.startswith("The marks are those of 10 of 40 sessions") for text in said)
    whole = texts(timeline_svg(facts(some, [mark(1, "low")]), SAY))
    assert not any("of 10 sessions" in text for text in whole)


def test_without_times_it_says_so() -> None:
    nothing = facts([])
    nothing["evidence"]["inputs"] = [{"path": "a", "first_time": None, "last_time": None}]
    assert texts(timeline_svg(nothing, SAY)) == [SAY.say("plot.no_times")]


def test_one_instant_is_a_picture_too() -> None:
    assert "www.example" in texts(timeline_svg(facts([session(0, 0, 0)], last=0), SAY))


@pytest.mark.parametrize("last", [0.001, 1, 28, 5000, 80_000])
def test_no_text_leaves_the_picture_or_touches_another(last: float) -> None:
    many = [
        session(n, last * n / 50, last * (n + 1) / 50, "a-very-long-name-" * (n % 3) + f"{n}.example", n % 3 != 1)
        for n in range(50)
    ]
    svg = timeline_svg(facts(many, [mark(last * n / 200, "medium") for n in range(200)], count=1_000_000, last=last), SAY)
    boxes = []
    for one in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        width, x, y = text_width(one.text or ""), float(one.get("x", 0)), float(one.get("y", 0))
        left = x - {"start": 0, "middle": width / 2, "end": width}[one.get("text-anchor", "")]
        boxes.append((left, left + width, y, one.text))
    assert len(boxes) > 15
    assert [box for box in boxes if box[0] < 0 or box[1] > WIDTH] == []
    touching = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n] if abs(a[2] - b[2]) < 11 and a[0] < b[1] and b[0] < a[1]]
    assert touching == []


def test_the_same_facts_give_the_same_bytes_in_any_order_of_sessions() -> None:
    some = [session(n, n % 7, n % 7 + 1, f"host-{n % 5}.example") for n in range(40)]
    assert timeline_svg(facts(some), SAY) == timeline_svg(facts([dict(one) for one in some]), SAY)


@pytest.mark.parametrize(
    "name", ["</text><script>alert(1)</script>", "\x00\x1b[31m\u202e", "x" * 1_000_000, "\ud800", '" onload="']
)
def test_names_of_strangers_stay_text(name: str) -> None:
    hostile = facts([session(0, 0, 10, name)], [mark(1, "high")])
    hostile["evidence"]["inputs"][0]["path"] = name
    hostile["timeline"][0]["code"] = name[:100]
    svg = timeline_svg(hostile, SAY)
    tags = {one.tag for one in ElementTree.fromstring(checked_svg(svg)).iter()}
    assert tags <= {SVG + tag for tag in ("svg", "title", "desc", "text", "rect", "line", "polygon", "polyline")}
    assert not re.search("[\x00-\x1f\u202e]", svg)
