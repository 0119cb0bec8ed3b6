"""Command lines from tutorials run unchanged with `analyzer` in the place of `tshark`, and print the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LINES = [
    line
    for line in (Path(__file__).parent / "tutorial_lines.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def printed(line: str, repository: Path) -> str:
    """What a shell prints for a line, about the demonstration."""
    environment = {**os.environ, "PCAP": "captures/demo.pcapng", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", line], cwd=repository, env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_list_is_long_enough() -> None:
    assert len(LINES) >= 10
    assert all(line.startswith("tshark ") for line in LINES)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_prints_what_tshark_prints(repository: Path, number: int) -> None:
    line = LINES[number]
    theirs = printed(line, repository)
    ours = printed(line.replace("tshark ", f"{sys.executable} -m analyzer ", 1), repository)
    assert theirs
    assert ours == theirs
