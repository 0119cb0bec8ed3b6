import json
import re
from pathlib import Path

import pytest

from analyzer.cli.arguments import COMMANDS
from analyzer.cli.spoken_language import ENGLISH_ONLY, choose_language
from analyzer.cli.table import width
from analyzer.text.language import spoken, use

from .conftest import Run

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["summary", "a.pcap"], "en"),
        (["--lang", "zh", "summary"], "zh"),
        (["summary", "--lang=zh"], "zh"),
        (["summary", "--lang=xx"], "en"),
        (["summary", "--lang"], "en"),
        (["live", "--", "curl", "--lang", "zh"], "en"),
    ],
)
def test_the_option_is_known_before_the_command_line_is_parsed(words: list[str], chosen: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    try:
        choose_language(words)
        assert spoken() == chosen
    finally:
        use("en")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_is_chinese(run: Run, command: str):
    text = run(*filter(None, [command]), "--help", "--lang", "zh").text
    assert "用法" in text
    prose = [line for line in text.splitlines() if len(re.findall(r" [a-z]{2,}\b", line)) > 4 and not HAN.search(line)]
    assert [line for line in prose if "analyzer " not in line and "[--" not in line] == []


SCREENS = [
    ["summary"], ["sessions"], ["show", "0", "--explain"], ["show", "5"], ["certificates", "--long"], ["keys"], ["follow", "0"],
    ["packet", "22"], ["packet", "30"], ["fields", "--findings"],
]  # fmt: skip
NARROW_MARK = re.compile("[\u4e00-\u9fff][,;:()]|[,;:(] ?[\u4e00-\u9fff]|[\u4e00-\u9fff] \\(|\\) [\u4e00-\u9fff]")
ENGLISH_WORDS = re.compile(r"\b(?!warning|fatal|key share)[A-Za-z0-9]+ (?!close_|certificate_expired)[a-z]{3,}\b(?![/:])")


@pytest.mark.parametrize("screen", SCREENS, ids=" ".join)
def test_marks_beside_han_characters_are_wide(run: Run, demo: Path, screen: list[str]):
    words = [screen[0], *([] if screen[0] == "fields" else [demo]), *screen[1:]]
    lines = run(*words, "--lang", "zh").text.splitlines()
    assert [line for line in lines if NARROW_MARK.search(line)] == []


@pytest.mark.parametrize("screen", [one for one in SCREENS if one[0] not in ("follow", "fields")], ids=" ".join)
def test_no_english_words_are_left(run: Run, demo: Path, screen: list[str]):
    """But for the names of alerts and commands, what stands in the bytes, and the comment of the capture."""
    lines = run(screen[0], demo, *screen[1:], "--lang", "zh").text.splitlines()
    shown = [line for line in lines if not re.match(r"[0-9a-f]{4}  ", line) and "A demonstration capture" not in line]
    assert [line for line in shown if ENGLISH_WORDS.search(re.sub("`analyzer [a-z]+( ID)?`", "", line))] == []


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", [["summary"], ["show", "0", "--explain"], ["show", "3"], ["sessions"]])
def test_chinese_fits_the_window(run: Run, demo: Path, command: list[str], columns: int):
    lines = run(command[0], demo, *command[1:], "--lang", "zh", columns=columns).text.splitlines()
    assert any(HAN.search(line) for line in lines)
    assert max(map(width, lines)) <= columns


def test_the_six_steps_are_numbered_in_both_languages(run: Run, demo: Path):
    for language in ("en", "zh"):
        text = run("show", demo, 3, "--explain", "--lang", language).text
        assert re.findall(r"^  ([1-6])  \S", text, re.MULTILINE) == list("123456")
        assert "fe2f36f2196d385e962803e9e50bf294f69bab78ba53cead46a8eb550c4ac4fb" in text


@pytest.mark.parametrize("command", [["summary"], ["show", "0"], ["sessions"], ["certificates"], ["keys"]])
def test_json_stays_english(run: Run, demo: Path, command: list[str]):
    words = [command[0], demo, *command[1:], "--format", "json"]
    english, chinese = run(*words), run(*words, "--lang", "zh")
    assert chinese.text == english.text
    assert json.loads(chinese.text.splitlines()[0])


def test_csv_stays_english(run: Run, demo: Path):
    assert run("sessions", demo, "--format", "csv", "--lang", "zh").text == run("sessions", demo, "--format", "csv").text


def test_errors_are_chinese_also_beside_json(run: Run, demo: Path):
    for words in (["show", demo, 99], ["show", demo, 99, "--format", "json"]):
        done = run(*words, "--lang", "zh")
        assert done.status == 2
        assert HAN.search(done.err.decode())


@pytest.mark.parametrize("command", sorted(ENGLISH_ONLY))
def test_a_command_that_is_not_translated_is_named(command: str):
    assert f"`{command}`" in (Path(__file__).resolve().parents[2] / "README.zh.md").read_text("utf-8")
