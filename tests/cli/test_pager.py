"""Long text on a terminal goes through a pager."""

import shutil
from pathlib import Path

import pytest

from analyzer.cli.pager import pager_command

from .terminals import analyzer, on_terminal

SHOWS_WORDS = "sed s/^/paged:/"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ANALYZER_PAGER": "sort -r", "PAGER": "cat", "TERM": "xterm"}, ["sort", "-r"]),
        ({"PAGER": "sort '-t x'", "TERM": "xterm"}, ["sort", "-t x"]),
        ({"ANALYZER_PAGER": "", "PAGER": "sort", "TERM": "xterm"}, []),
        ({"PAGER": "cat", "TERM": "xterm"}, []),
        ({"PAGER": "/no/such/pager", "TERM": "xterm"}, []),
        ({"PAGER": "sort '", "TERM": "xterm"}, []),
        ({"PAGER": "sort", "TERM": "dumb"}, []),
        ({"PAGER": "sort"}, []),
    ],
)
def test_the_variables_choose(variables: dict[str, str], words: list[str]):
    assert pager_command(variables) == words


def test_the_default_is_less(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/less" if name == "less" else None)
    assert pager_command({"TERM": "xterm"}) == ["less", "-FRX"]


@pytest.mark.parametrize(
    "words", [["packets"], ["fields", "--findings"], ["sessions", "--schema"], ["help", "live"], ["--help"]]
)
def test_results_on_a_terminal_are_paged(repository: Path, demo: Path, words: list[str]):
    captures = [demo] if words == ["packets"] else []
    status, text = on_terminal(analyzer(*words, *captures), repository, ANALYZER_PAGER=SHOWS_WORDS)
    assert status == 0
    assert all(line.startswith("paged:") for line in text.splitlines())


def test_what_is_not_paged(repository: Path, demo: Path, tmp_path: Path):
    for words in (
        ["--no-pager", "sessions", demo],
        ["sessions", demo, "--no-pager"],
        ["validate", "--help", "--no-pager"],
        ["export", demo, "-o", tmp_path / "files"],
        ["sessions", demo, "-k", "/no/such/file"],
    ):
        assert "paged:" not in on_terminal(analyzer(*words), repository, ANALYZER_PAGER=SHOWS_WORDS)[1]
    piped = ["sh", "-c", f"{' '.join(analyzer('packets'))} < {demo}"]
    assert "paged:" not in on_terminal(piped, repository, ANALYZER_PAGER=SHOWS_WORDS)[1]


def test_warnings_come_when_the_pager_is_left(repository: Path, demo: Path, tmp_path: Path):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(demo.read_bytes()[:20000])
    status, text = on_terminal(analyzer("packets", path), repository, ANALYZER_PAGER=SHOWS_WORDS)
    *rows, last = text.splitlines()
    assert status == 1
    assert all(row.startswith("paged:") for row in rows)
    assert "cut short" in last


def test_who_leaves_the_pager_early_has_seen_enough(repository: Path, demo: Path):
    status, text = on_terminal(analyzer("packet", demo, 22), repository, ANALYZER_PAGER="head -n 1")
    assert (status, text.count("\n")) == (0, 1)


@pytest.mark.peer("less")
def test_a_person_reads_with_less(repository: Path, demo: Path):
    status, text = on_terminal(analyzer("packets", demo), repository, keys=b"q")
    assert status == 0
    assert "192.0.2.53" in text
    assert "213 " not in text


@pytest.mark.parametrize("columns", [80, 100])
def test_a_pipe_into_a_program_has_the_width_of_the_terminal(repository: Path, demo: Path, columns: int):
    status, text = on_terminal(["sh", "-c", f"{' '.join(analyzer(demo))} | cat"], repository, columns)
    assert status == 0
    assert columns - 10 < max(map(len, text.splitlines())) <= columns
