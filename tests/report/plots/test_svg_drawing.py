"""SVG drawing: well-formed whatever the text is, of a known size, and without CSS where it is printed."""

import re
from xml.etree import ElementTree

import pytest

from analyzer.report.plots.svg_drawing import WIDTH, Drawing, color, fitted, for_print, text_width
from analyzer.report.svg_check import checked_svg

HOSTILE = [
    '</text><script>alert("1")</script>',
    "<!-- & ]]> <![CDATA[ --> <?xml ?> &amp; &#0;",
    '" onload="alert(1)',
    'fill="var(--high, #c62828)" ="currentColor"',
    "nul \x00 escape \x1b bidi \u202e half \ud800 end \uffff",
    "javascript:alert(1)",
]


def drawn(text: str) -> str:
    drawing = Drawing()
    drawing.text(0, 12, text)
    drawing.rectangle(0, 20, 10.126, 5, color("good"), hint=text)
    drawing.mark("alert", 5, 30, text)
    drawing.line(0, 40, 10, 40)
    return drawing.finished(50, text, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_strangers_stays_text(text: str) -> None:
    svg = checked_svg(drawn(text))
    root = ElementTree.fromstring(svg)
    names = {element.tag.partition("}")[2] for element in root.iter()}
    assert names == {"svg", "title", "desc", "text", "rect", "polyline", "line"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name.endswith(("href", "style", "id", "class"))}
    assert root.find("{http://www.w3.org/2000/svg}text").text == fitted(text, 1e9)  # type: ignore[union-attr]
    assert not re.search("[^\n -~…]", svg)


@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_a_printed_picture_has_plain_colours_and_the_same_words(text: str) -> None:
    svg = drawn(text)
    printed = for_print(svg)
    before, after = ElementTree.fromstring(svg), ElementTree.fromstring(printed)
    assert [element.text for element in before.iter()] == [element.text for element in after.iter()]
    colors = [element.get(name) for element in after.iter() for name in ("fill", "stroke") if element.get(name)]
    assert len(colors) >= 4
    assert all(value == "none" or re.fullmatch("#[0-9a-f]{6}", str(value)) for value in colors)


def test_a_picture_is_named_described_and_scales() -> None:
    root = ElementTree.fromstring(drawn("name"))
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {WIDTH} 50"
    assert [element.tag.partition("}")[2] for element in root][:2] == ["title", "desc"]


def test_long_text_is_shortened_in_its_middle() -> None:
    assert fitted("www.example", 200) == "www.example"
    short = fitted("a-very-long-name-of-a-host.example.com", 120)
    assert text_width(short) <= 120
    assert re.fullmatch(r"a-very.*….*\.com", short)
    assert fitted("x" * 10_000_000, 100).count("x") < 20
    assert fitted("漢" * 50, 50) == "漢…漢" or text_width(fitted("漢" * 50, 50)) <= 50
    assert fitted("abc", 0) == "…"
