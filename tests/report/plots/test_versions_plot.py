"""What sessions negotiated: bars by number, long names shortened, many names put together."""

from typing import Any
from xml.etree import ElementTree

from analyzer.report.plots import versions_svg
from analyzer.report.plots.svg_drawing import WIDTH, color, text_width
from analyzer.report.sentences import Sentences
from analyzer.report.svg_check import checked_svg

SVG = "{http://www.w3.org/2000/svg}"
SAY = Sentences("en")


def facts(versions: dict[str, int], suites: dict[str, int] | None = None) -> dict[str, Any]:
    return {"sessions": {"count": 9, "versions": versions, "cipher_suites": suites or {}, "groups": {}}}


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(checked_svg(svg)).iter(f"{SVG}text")]


def test_the_most_frequent_come_first() -> None:
    svg = versions_svg(facts({"TLS 1.2": 1, "TLS 1.3": 4, "TLS 1.0": 1}), SAY)
    assert texts(svg) == ["Protocol versions", "TLS 1.3", "4", "TLS 1.0", "1", "TLS 1.2", "1"]
    widths = [
        float(one.get("width", 0))
        for one in ElementTree.fromstring(svg).iter(f"{SVG}rect")
        if one.get("fill") == color("amount")
    ]
    assert widths[0] > 3.9 * widths[1]
    assert widths[1] == widths[2]


def test_many_names_are_put_together_and_all_sessions_counted() -> None:
    shown = texts(versions_svg(facts({}, {f"suite {n:02d}": 100 - n for n in range(40)}), SAY))
    assert shown[0] == "Cipher suites"
    assert len(shown) == 21
    assert shown[-2] == "31 others"
    assert sum(int(number.replace(",", "")) for number in shown[2::2]) == sum(100 - n for n in range(40))


def test_text_stays_in_the_picture() -> None:
    svg = versions_svg(facts({"x" * 500: 123_456_789, "TLS 1.3": 1}), SAY)
    ends = [float(one.get("x", 0)) + text_width(one.text or "") for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert max(ends) <= WIDTH


def test_nothing_negotiated_is_said() -> None:
    assert texts(versions_svg(facts({}), SAY)) == ["No session negotiated a version."]
