"""The manual has a page for every command, made of the same texts as its help."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from analyzer.cli.arguments import COMMANDS, parser, parsers_of_commands
from analyzer.cli.manual_pages import write_manual


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.stem: path for path in write_manual(tmp_path_factory.mktemp("man") / "man1")}


def test_every_command_has_a_page(pages: dict[str, Path]):
    assert set(pages) == {"analyzer", *(f"analyzer-{name}" for name in COMMANDS)}
    assert all(path.name == f"{name}.1" for name, path in pages.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_has_every_option_and_example(pages: dict[str, Path], name: str):
    text = pages[f"analyzer-{name}"].read_text("utf-8").replace("\\-", "-").replace("\\(aq", "'")
    command = parsers_of_commands(parser())[name]
    assert re.search(rf"^\.SH NAME\nanalyzer-{name} - \w", text, re.MULTILINE)
    assert [option for option in command._option_string_actions if option not in ("-h", "--help") and option not in text] == []
    for line in (command.epilog or "").splitlines():
        if line.startswith("  analyzer "):
            assert line.split("  ")[1] in text
    assert [heading for heading in ("SYNOPSIS", "EXAMPLES", "EXIT STATUS", "SEE ALSO") if f".SH {heading}\n" not in text] == []


def test_the_first_page_names_the_others(pages: dict[str, Path]):
    text = pages["analyzer"].read_text("utf-8").replace("\\-", "-")
    assert [name for name in COMMANDS if f".BR analyzer-{name} (1)" not in text] == []


@pytest.mark.peer("man")
@pytest.mark.parametrize("name", ["analyzer", "analyzer-show", "analyzer-live", "analyzer-http"])
def test_man_shows_a_page(pages: dict[str, Path], name: str):
    environment = {**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["man", "--warnings", "-l", str(pages[name])], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{name.upper()}(1)")
    if name == "analyzer-http":
        assert """jq -r 'select(.method == "POST") | .url'""" in done.stdout
