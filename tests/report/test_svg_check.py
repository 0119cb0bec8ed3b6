import pytest

from analyzer.report.plots import timeline_svg, traffic_svg, versions_svg
from analyzer.report.sentences import Sentences
from analyzer.report.svg_check import UnsafePictureError, checked_svg

from .conftest import Facts

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        "<foreignObject/>",
        "<image href='http://a/'/>",
        "<style>*{}</style>",
        "<g onload='1'/>",
        "<g OnClick='1'/>",
        "<use href='http://a/#b'/>",
        "<use xlink:href='data:image/svg+xml,a'/>",
        "<g style='fill:red'/>",
        "<rect fill='url(http://a/)'/>",
        "<rect fill='URL( \"http://a/\")'/>",
        "<a href='#b'/>",
        "<animate/>",
        "<g>",
        "&evil;",
        "<!-- a -->",
        "<?xml-stylesheet href='a'?>",
    ],
)
def test_what_a_picture_must_not_have(inside: str) -> None:
    with pytest.raises(UnsafePictureError):
        checked_svg(f"{HEAD}{inside}</svg>")


def test_a_picture_that_draws() -> None:
    svg = f'{HEAD}<title>&lt;script&gt;</title><g fill="url(#a)"><use href="#b"/><text x="1">a</text></g></svg>'
    assert checked_svg(svg) == svg


def test_the_pictures_of_a_report_pass(demo_facts: Facts) -> None:
    for draw in (timeline_svg, traffic_svg, versions_svg):
        svg = draw(demo_facts, Sentences("en"))
        assert checked_svg(svg) == svg
