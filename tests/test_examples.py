"""The Python blocks of EXAMPLES.md run, and print what the page says."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "EXAMPLES.md").read_text("utf-8")

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
BLOCKS = [(found[1], found[2], PAGE[: found.start()].count("\n") + 1) for found in BLOCK.finditer(PAGE)]

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
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("code", "text", "line"), BLOCKS, ids=[f"line-{line}" for _, _, line in BLOCKS])
def test_every_block_runs(code: str, text: str | None, line: int, tmp_path: Path, require_peers: Callable[..., None]):
    lines = printed_by(code, tmp_path, require_peers)
    assert lines
    if text is not None:
        assert lines == text.splitlines()


def test_the_page_has_blocks():
    assert len(BLOCKS) == PAGE.count("```python")
    assert len(BLOCKS) >= 12


@pytest.mark.parametrize("library", ["analyzer", *sorted(PEERS)])
def test_each_library_finds_the_same_names(library: str, tmp_path: Path, require_peers: Callable[..., None]):
    job = PAGE[PAGE.index("## Coming from") :]
    (code,) = [found[1] for found in BLOCK.finditer(job) if library in imported(found[1])]
    wanted = NAMES[:-1] if library == "dpkt" else NAMES
    assert sorted(printed_by(code, tmp_path, require_peers)) == sorted(wanted)
