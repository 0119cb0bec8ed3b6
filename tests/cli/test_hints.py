"""What a user has probably overlooked is said on standard error, in one line, and changes nothing else."""

from argparse import Namespace
from pathlib import Path

import pytest

from analyzer.cli import hints
from analyzer.cli.hints import check_patterns, hint_at_build, hint_at_folders, hint_at_key_log
from analyzer.cli.output import CommandError
from analyzer.codec import build

from .conftest import Run


def hint(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_the_key_log_of_the_environment_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "my keys"
    hint_at_key_log(Namespace(keylog=[]), {"SSLKEYLOGFILE": str(path)})  # no such file
    assert hint(capsys) == ""
    path.touch()
    hint_at_key_log(Namespace(keylog=[]), {"SSLKEYLOGFILE": str(path)})
    assert hint(capsys) == f"analyzer: SSLKEYLOGFILE is set, but not read: to decrypt with it, add -k '{path}'\n"
    for options in (Namespace(keylog=["other"]), Namespace()):
        hint_at_key_log(options, {"SSLKEYLOGFILE": str(path)})
    hint_at_key_log(Namespace(keylog=[]), {})
    assert hint(capsys) == ""


def test_it_is_named_and_not_read(run: Run, captures: Path, monkeypatch: pytest.MonkeyPatch):
    folder = captures / "tls13-ed25519"
    monkeypatch.setenv("SSLKEYLOGFILE", str(folder / "tls13-ed25519.keys"))
    ran = run("sessions", "--json", folder / "tls13-ed25519.pcapng")
    assert ran.complaint.endswith(f"add -k {folder / 'tls13-ed25519.keys'}")
    assert b'"status":"none"' in ran.out


def test_folders_in_a_folder_are_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    hint_at_folders([str(tmp_path), "-", "/no/such/file"])
    assert hint(capsys) == ""
    (tmp_path / "one").mkdir()
    hint_at_folders([str(tmp_path)])
    assert hint(capsys) == f"analyzer: {tmp_path}: 1 folder in it: captures in there are not read\n"


def test_a_pattern_in_quotation_marks_is_explained(tmp_path: Path, run: Run):
    pattern = str(tmp_path / "*.pcap")
    with pytest.raises(CommandError, match="none whose name this pattern matches"):
        check_patterns([pattern])
    for name in ("a.pcap", "b.pcap", "c[1].pcap"):
        (tmp_path / name).touch()
    ran = run("sessions", pattern)
    assert ran.status == 2
    assert ran.complaint == f"analyzer: {pattern}: no such file; without quotation marks, the shell finds 3 files"
    check_patterns([str(tmp_path / "c[1].pcap"), "-", "/no/such/file"])


@pytest.mark.parametrize(
    ("state", "size", "said"), [("not compiled", 20, True), ("compiled", 20, False), ("not compiled", 9, False)]
)
def test_large_captures_without_compilation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: str, size: int, said: bool
):
    monkeypatch.setattr(hints, "LARGE", 10)
    monkeypatch.setattr(build, "build_state", lambda: state)
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(size))
    hint_at_build([str(path), "-"])
    text = f"analyzer: {size} bytes to read, and this installation is not compiled: "
    assert hint(capsys).startswith(text) is said
