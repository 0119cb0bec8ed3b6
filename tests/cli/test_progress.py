import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
from analyzer.cli.progress import Bar

with Bar({total}) as bar:
    bar.move(3_000_000)
print("result")
"""


@pytest.mark.parametrize(("total", "shown"), [("12_000_000", "3.0/12.0 MB"), ("None", "3.0/? MB")])
def test_a_terminal_shows_the_progress_and_the_results_stay_clean(total: str, shown: str, repository: Path) -> None:
    terminal, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", SHOW.format(total=total)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=end, env=environment, cwd=repository, check=True, timeout=60)
    os.close(end)
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert shown in seen
    assert seen.endswith("\x1b[2K")  # the bar's line is erased
    assert done.stdout == b"result\n"
