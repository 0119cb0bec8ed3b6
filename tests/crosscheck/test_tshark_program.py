"""Which tshark is asked."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from stuck_tshark import has_ended, running, wait_for

from analyzer.crosscheck import tshark_program
from analyzer.crosscheck.tshark_program import TsharkError, find_tshark


@pytest.mark.peer("tshark")
def test_the_first_tshark_in_path_tells_its_version():
    program = find_tshark()
    assert program.version >= (4, 0, 0)
    assert Path(program.path).is_absolute()
    assert program.version_text.count(".") == 2


def test_without_tshark_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TsharkError, match=r"not installed.*--tshark PATH"):
        find_tshark()


def test_a_program_that_was_named_is_never_replaced(tmp_path: Path):
    """pyshark would take another program named tshark beside it, or in PATH."""
    with pytest.raises(TsharkError, match="no program that can be run"):
        find_tshark(str(tmp_path / "tshark-4.6"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("TShark (Wireshark) 3.6.2 (Git)", "is tshark 3.6.2"),
        ("Dumpcap 4.0.1", "does not say"),
        ("", "does not say"),
    ],
)
def test_another_program_is_refused(tmp_path: Path, said: str, why: str):
    program = tmp_path / "tshark"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(TsharkError, match=why):
        find_tshark(str(program))


def test_a_file_that_is_no_program_is_refused(tmp_path: Path):
    program = tmp_path / "tshark"
    program.write_bytes(b"\x7fELF is not what this is")
    program.chmod(0o755)
    with pytest.raises(TsharkError, match="Exec format error"):
        find_tshark(str(program))


def test_a_program_that_does_not_answer_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program, child = tmp_path / "tshark", tmp_path / "child"
    program.write_text(f'#!/bin/sh\nsleep 1000 &\necho $! > "{child}"\nwait\n')
    program.chmod(0o755)
    for patience in (1, 5, 25):  # on a busy machine it may take longer to start
        monkeypatch.setattr(tshark_program, "_PATIENCE", patience)
        with pytest.raises(TsharkError, match=f"does not tell its version within {patience} s"):
            find_tshark(str(program))
        if child.exists() and child.read_text():
            break
    assert wait_for(lambda: has_ended(int(child.read_text())))


def test_an_answer_without_end_is_not_read_to_its_end(tmp_path: Path):
    program = tmp_path / "tshark"
    program.write_text("#!/bin/sh\nexec cat /dev/zero\n")
    program.chmod(0o755)
    with pytest.raises(TsharkError, match="does not say that it is TShark"):
        find_tshark(str(program))
    assert wait_for(lambda: running(program) == [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux does it")
def test_a_program_that_hangs_ends_with_us(tmp_path: Path):
    """kill -9 while `tshark --version` has not answered yet."""
    program = tmp_path / "tshark"
    program.write_text(f'#!/bin/sh\necho $$ > "{tmp_path}/started"\nkill -STOP $$\n')
    program.chmod(0o755)
    code = f"from analyzer.crosscheck.tshark_program import find_tshark; find_tshark({str(program)!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as asking:
        came = wait_for((tmp_path / "started").exists)
        before = len(running(program))
        asking.kill()
    assert came
    assert before == 1
    assert wait_for(lambda: running(program) == [])
