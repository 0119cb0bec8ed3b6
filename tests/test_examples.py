"""The Python blocks of EXAMPLES.md and README.md run, and print what the pages say. So do those on the report."""

import ast
import codeop
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("EXAMPLES.md", "README.md", "README.zh.md")}
PAGE = PAGES["EXAMPLES.md"]

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
BLOCKS = {
    f"{name}-{len(page[: found.start()].splitlines()) + 1}": (found[1], found[2])
    for name, page in PAGES.items()
    for found in BLOCK.finditer(page)
}

PEERS = {"pyshark", "scapy", "dpkt"}
NAMES = ["www.shop.example", "www.shop.example", "news.example", "www.bank.example", "www.bank.example", "old.example"]
NAMES += ["legacy.example", "api.weather.example"]


def imported(code: str) -> set[str]:
    """The packages that a block imports."""
    names = {alias.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def printed_by(code: str, folder: Path, require_peers: Callable[..., None]) -> list[str]:
    """The lines that a block prints, in a process of its own, in a folder that shows the checkout's files."""
    missing = [name for name in imported(code) & PEERS if find_spec(name) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"not installed: {', '.join(missing)}")
    if "pyshark" in imported(code):
        require_peers("tshark")
    for name in ("captures", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    paths = os.pathsep.join(str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {"captures", "README.md"}, "a block leaves files"
    return done.stdout.splitlines()


@pytest.mark.parametrize(("code", "text"), BLOCKS.values(), ids=list(BLOCKS))
def test_every_block_runs(code: str, text: str | None, tmp_path: Path, require_peers: Callable[..., None]):
    lines = printed_by(code, tmp_path, require_peers)
    assert lines
    if text is not None:
        assert lines == text.splitlines()


@pytest.mark.parametrize("code", [code for code, _ in BLOCKS.values()], ids=list(BLOCKS))
def test_every_block_can_be_pasted_into_the_prompt(code: str):
    """The prompt ends a loop only at an empty line."""
    statement: list[str] = []
    for line in [*code.splitlines(), ""]:
        statement.append(line)
        if codeop.compile_command("\n".join(statement)) is not None:
            statement.clear()
    assert statement == []


def commands_on(page: str) -> list[str]:
    """The commands of a page: in `spans` and in indented lines."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`(analyzer [^`]+)`|^    (.*analyzer .*)$", text, re.MULTILINE)
    return list(dict.fromkeys(span or line for span, line in found))


def test_both_readmes_have_the_same_commands():
    english, chinese = commands_on(PAGES["README.md"]), commands_on(PAGES["README.zh.md"])
    assert [command for command in english if command not in chinese] == []
    assert [command for command in chinese if command not in english] == [
        "analyzer show captures/demo.pcapng 0 --explain --lang zh"
    ]


@pytest.mark.parametrize(
    "command",
    [
        one
        for one in commands_on(PAGES["README.zh.md"])
        if one.startswith("analyzer ") and not re.search(r"[A-Z]{3}|live|report|verify|seal|validate|\||\(|\*", one)
    ],
)
def test_the_commands_of_the_chinese_page_run_in_chinese(command: str, tmp_path: Path):
    (tmp_path / "captures").symlink_to(ROOT / "captures")
    paths = os.pathsep.join(str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": paths, "LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "1"}
    words = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    if words in (["export"], ["packet"]):  # a bare name: its error is in Chinese
        assert done.returncode == 2
        assert re.search("[\u4e00-\u9fff]", done.stderr)
    else:
        assert done.returncode == (3 if words[0] == "compare" else 0), done.stderr  # they are different


def test_the_pages_have_blocks():
    assert len(BLOCKS) == sum(page.count("```python") for page in PAGES.values())
    assert len(BLOCKS) >= 14


@pytest.mark.parametrize("library", ["analyzer", *sorted(PEERS)])
def test_each_library_finds_the_same_names(library: str, tmp_path: Path, require_peers: Callable[..., None]):
    job = PAGE[PAGE.index("## Coming from") :]
    (code,) = [found[1] for found in BLOCK.finditer(job) if library in imported(found[1])]
    wanted = NAMES[:-1] if library == "dpkt" else NAMES
    assert sorted(printed_by(code, tmp_path, require_peers)) == sorted(wanted)


def test_the_commands_of_the_forensic_report_run(tmp_path: Path, require_peers: Callable[..., None]):
    """One after another, as they stand; only `seal` is not among them, because it goes online."""
    require_peers("openssl")
    page = PAGES["README.md"]
    section = page[page.index("\n### The forensic report\n") : page.index("\n### From Python\n")]
    blocks = [token.content for token in MarkdownIt().parse(section) if token.type == "code_block"]
    assert [block.split()[0] for block in blocks] == ["analyzer", "cat", "openssl"]
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "analyzer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m analyzer "$@"\n')
    program.chmod(0o755)
    (tmp_path / "captures").symlink_to(ROOT / "captures")
    paths = os.pathsep.join(str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)
    script = "\n".join(["set -e", *blocks])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("; 1 thing is not proved by anything here.") == 3
    written = {path.name for path in tmp_path.iterdir()}
    assert {"report.html", "report.pdf", "report.md", "report.json", "report.jsonld", "stix.json", "issued.pdf"} <= written
    assert {path.name for path in (tmp_path / "certified").iterdir()} >= {"manifest.p7s", "report.pdf", "actions.jsonl"}
