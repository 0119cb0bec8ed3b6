"""Bars, lines of columns, and plots with their axes."""

from pathlib import Path

import pytest

from analyzer.cli.output import Output
from analyzer.cli.terminal_plots import Blocks, fitted_values, print_plot, round_up


@pytest.fixture
def output(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Output:
    """A file as wide as a narrow window, in an encoding."""
    monkeypatch.setenv("COLUMNS", "60")
    made = Output(str(tmp_path / "plot.txt"), (), "never")
    made.encoding = getattr(request, "param", "utf-8")
    return made


def shown(output: Output) -> list[str]:
    output.close()
    assert output.path is not None
    return Path(output.path).read_text(output.encoding).splitlines()


def test_a_bar_is_as_long_as_its_part(output: Output):
    blocks = Blocks(output)
    assert [blocks.bar(part, 4) for part in (0, 0.001, 0.5, 0.53125, 1, 3)] == ["", "▏", "██", "██▏", "████", "████"]


@pytest.mark.parametrize("output", ["ascii"], indirect=True)
def test_without_blocks_there_are_plain_signs(output: Output):
    blocks = Blocks(output)
    assert [blocks.bar(part, 4) for part in (0, 0.001, 0.5, 1)] == ["", "#", "##", "####"]
    assert blocks.sparkline([0, 1, 5, 8], 10) == " .:#"
    print_plot(output, [1, 9, 4], [(0, "begin")], "10", "green")
    found = shown(output)
    assert all(line.isascii() for line in found)
    assert found[-1].strip() == "begin"


def test_a_value_above_nothing_never_looks_like_nothing(output: Output):
    assert Blocks(output).sparkline([0, 1, 100_000], 10) == " ▁▇"


def test_more_values_than_columns_show_the_highest_of_a_few(output: Output):
    assert fitted_values([1, 5, 2, 2, 9, 0, 3], 4) == [5, 2, 9, 3]
    assert Blocks(output).sparkline(list(range(100)), 10).endswith("▇")


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (1, 1), (3, 4), (11, 20), (31, 40), (99, 100), (101, 200), (7_000_001, 8_000_000)]
)
def test_scales_end_at_round_numbers(value: int, end: int):
    assert round_up(value) == end


def test_a_plot_fits_the_window(output: Output):
    marks = [(place / 10, f"mark {place}") for place in range(10)]
    print_plot(output, [n % 7 for n in range(500)], marks, "8", "green")
    found = shown(output)
    assert len(found) == 8
    assert max(map(len, found)) <= 60
    assert found[0].startswith("       8 ┤")
    assert found[-2].startswith("       0 └─")
    assert "mark" in found[-1]
