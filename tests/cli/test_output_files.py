"""One run writes several files: each has what a run of its own would have written."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from analyzer.cli.main import main
from analyzer.cli.output import CommandError
from analyzer.cli.output_files import open_outputs
from analyzer.cli.sharing import can_share

from .conftest import Run

COMMANDS = {
    "summary": ("json", "txt"),
    "sessions": ("json", "csv", "txt"),
    "http": ("json", "csv", "txt"),
    "certificates": ("json", "csv", "txt"),
    "packets": ("json", "csv", "txt"),
    "keys": ("json", "txt"),
    "show": ("json", "txt"),
}


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("command", COMMANDS)
def test_each_file_is_as_if_it_were_alone(
    command: str, jobs: str, demo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    if jobs != "1" and (not can_share() or command in ("packets", "show")):
        pytest.skip("one process reads")
    words = [command, str(demo), *(["0"] if command == "show" else []), *([] if jobs == "1" else ["-j", jobs])]
    endings = COMMANDS[command]
    together = [tmp_path / f"together.{ending}" for ending in endings]
    assert main([*words, *(word for path in together for word in ("-o", str(path)))]) == 0
    for path, ending in zip(together, endings, strict=True):
        assert main([*words, "--format", "text" if ending == "txt" else ending]) == 0
        assert capfd.readouterr().out.encode() == path.read_bytes() != b""


def forms(*paths: str, form: str | None = None, forms: tuple[str, ...] = ("text", "json", "csv")) -> list[str]:
    """The formats of these outputs of a command."""
    options = Namespace(command="sessions", output=list(paths) or None, format=form, forms=forms, color="never")
    return [output.form for output in open_outputs(options, [])]


def test_the_ending_gives_the_format():
    assert forms("a.json", "b.CSV", "c.txt", "d") == ["json", "csv", "text", "text"]
    assert forms("a.json") == ["json"]
    assert forms() == ["text"]


def test_format_is_for_what_no_ending_tells():
    assert forms("a.json", "b", "-", form="csv") == ["json", "csv", "csv"]
    assert forms("a.txt", form="json") == ["json"]
    assert forms(form="json") == ["json"]


@pytest.mark.parametrize("paths", [("a.json", "./a.json"), ("-", "-")])
def test_no_output_is_named_twice(paths: tuple[str, ...]):
    with pytest.raises(CommandError, match="named twice"):
        forms(*paths)


def test_a_format_that_the_command_lacks_is_refused(run: Run, demo: Path, tmp_path: Path):
    ran = run("summary", demo, "-o", tmp_path / "a.json", "-o", tmp_path / "b.csv")
    assert ran.status == 2
    assert ran.complaint.endswith("b.csv: summary has no csv, only text, json")
    assert list(tmp_path.iterdir()) == []


def test_a_command_without_formats_writes_one_file(run: Run, demo: Path, tmp_path: Path):
    ran = run("packet", demo, 5, "-o", tmp_path / "a.txt", "-o", tmp_path / "b.txt")
    assert (ran.status, ran.complaint) == (2, "analyzer: packet has one output: give -o once")


def test_standard_output_may_be_one_of_them(run: Run, demo: Path, tmp_path: Path):
    ran = run("http", demo, "-o", tmp_path / "a.json", "-o", "-")
    assert ran.text.startswith("frame ")
    assert len(list(map(json.loads, (tmp_path / "a.json").read_text().splitlines()))) == 10


def test_no_output_is_an_input(run: Run, demo: Path, tmp_path: Path):
    mine = tmp_path / "mine.json"
    mine.write_bytes(demo.read_bytes())
    ran = run("sessions", mine, "-o", tmp_path / "a.txt", "-o", mine)
    assert (ran.status, ran.complaint) == (2, f"analyzer: {mine}: the output would overwrite this input")
    assert mine.read_bytes() == demo.read_bytes()
