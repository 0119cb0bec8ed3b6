"""`analyzer validate`, as it is started: its status, its files, and that two runs in different folders give the same bytes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import validate as command
from analyzer.cli.main import main
from analyzer.validation.material import FOLDER, Material

FORMS = ("html", "pdf", "md", "json")


def start(*words: str, folder: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(Path(one).resolve()) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one)
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"} | ({} if path is None else {"PATH": path})
    arguments = [sys.executable, "-m", "analyzer", "validate", *words]
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.peer("tshark")
def test_two_runs_give_the_same_bytes(tmp_path: Path):
    found = []
    for name in ("one", "a longer name"):
        folder = tmp_path / name
        folder.mkdir()
        done = start(*(word for form in FORMS for word in ("-o", f"pack.{form}")), folder=folder)
        assert (done.returncode, done.stderr) == (0, "")
        found.append((done.stdout, {form: (folder / f"pack.{form}").read_bytes() for form in FORMS}))
    assert found[0] == found[1]
    assert "R16  passed" in found[0][0]
    assert (tmp_path / "one" / "pack.json").stat().st_mode & 0o777 == 0o600


def test_without_tshark_the_status_says_that_something_was_not_run(tmp_path: Path):
    done = start(folder=tmp_path, path=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    assert "R16  not run" in done.stdout
    assert "no tshark was found on this machine" in done.stdout
    assert "R15  passed" in done.stdout


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """A function that puts facts in the place of a run, for tests of what is made of them."""

    def put(facts: dict[str, Any]) -> None:
        monkeypatch.setattr(command, "validate", lambda *arguments: facts)

    return put


def test_a_failed_requirement_is_status_3(
    quick: Callable[[dict[str, Any]], None], capfd: pytest.CaptureFixture[str], tmp_path: Path
):
    from analyzer.validation.tshark_trials import SecondProgram
    from analyzer.validation.validation_run import all_trials, facts_of
    from analyzer.validation.validation_trial import run_trial

    material = Material()
    material.capture("vlan").expected["frames"] += 1
    second = SecondProgram(None, 1)
    outcomes = [run_trial(one) for one in all_trials(material, str(tmp_path), second) if one.kind == "frames"]
    quick(facts_of(outcomes, {}, second, material))
    assert main(["validate", "--lang", "zh"]) == 3
    text = capfd.readouterr().out
    assert "R01  未通过" in text
    assert "vlan.pcap：frames：预期" in text
    assert main(["validate", "--format", "json"]) == 3
    assert json.loads(capfd.readouterr().out)["result"] == "failed"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-o", "pack.txt"], "pack.txt: no form of a pack has this ending: .html, .pdf, .md or .json"),
        (["-o", "-"], "-: no form of a pack has this ending"),
        (["-o", "nowhere/pack.html"], "there is no folder nowhere"),
        (["-o", "pack.md", "-o", "pack.md"], "pack.md: the same file twice"),
        (["-o", "there.md"], "there.md: it exists already; --force writes over it"),
        (["--tshark", "nowhere/tshark"], "nowhere/tshark: no program that can be run (--tshark)"),
        (["--lang", "zh", "-o", "pack.pdf", "--font-path", "nowhere"], "中文 PDF 需要含有汉字的字体"),
        (["capture.pcap"], "unrecognized arguments: capture.pcap"),
    ],
)
def test_a_bad_command_line_is_refused_before_anything_is_run(
    words: list[str],
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    quick: Callable[[Any], None],
):
    quick(None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.md").write_text("kept")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert main(["validate", *words]) == 2
    told = capfd.readouterr().err
    assert error in told
    assert told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.md"]


def test_an_installation_without_material_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    assert Path(FOLDER).is_dir()
    monkeypatch.setattr(command, "Material", lambda: Material(str(tmp_path)))
    assert main(["validate"]) == 2
    assert "has no material to validate with" in capfd.readouterr().err


def test_the_schema_is_printed(capfd: pytest.CaptureFixture[str]):
    assert main(["validate", "--schema"]) == 0
    assert json.loads(capfd.readouterr().out)["title"] == "validation"
