"""Key logs that grow while a capture comes through a pipe."""

import json
import os
import struct
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.tail import Tail, replaced
from analyzer.secrets.keylog import KeyLog

RANDOMS = [bytes([number]) * 32 for number in range(4)]


def row(number: int) -> bytes:
    return f"CLIENT_RANDOM {RANDOMS[number].hex()} {'ab' * 48}\n".encode()


def known(keylog: KeyLog) -> list[int]:
    return [number for number, one in enumerate(RANDOMS) if keylog.knows(one)]


def test_only_what_is_new_is_read(tmp_path: Path):
    path = tmp_path / "keys"
    path.write_bytes(row(0) + row(1)[:50])
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    tail.read_new()
    assert known(keylog) == [0]
    with path.open("ab") as file:
        file.write(row(1)[50:])
    tail.read_new()
    tail.read_new()
    assert known(keylog) == [0, 1]
    with path.open("ab") as file:
        file.write(row(2)[:-1])
    tail.read_new()
    assert known(keylog) == [0, 1]
    tail.close()
    assert known(keylog) == [0, 1, 2]
    assert keylog.counts().lines == 3
    assert keylog.problems == []


def test_an_emptied_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "keys"
    path.write_bytes(row(0) + row(1))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    tail.read_new()
    path.write_bytes(row(2))
    tail.close()
    assert known(keylog) == [0, 1, 2]
    assert [line.line for line in keylog.lines_of(RANDOMS[2])] == [1]
    assert "was emptied while it was read" in capfd.readouterr().err


def test_a_file_put_in_its_place(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "keys"
    path.write_bytes(row(0))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    tail.read_new()
    with path.open("ab") as file:  # what was last added to the old file counts too
        file.write(row(1))
    (tmp_path / "new").write_bytes(row(2))
    os.replace(tmp_path / "new", path)
    tail.read_new()
    with path.open("ab") as file:
        file.write(row(3))
    tail.close()
    assert known(keylog) == [0, 1, 2, 3]
    assert "was replaced by another file" in capfd.readouterr().err


def test_a_replaced_file_is_read_for_some_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """A browser has it open, and goes on writing there. Its last line was not complete when the other file came."""
    path = tmp_path / "keys"
    keylog, n_open = KeyLog(), len(os.listdir("/proc/self/fd"))
    with path.open("wb", buffering=0) as file:
        file.write(row(0)[:100])
        tail = Tail(keylog, str(path))
        tail.read_new()
        path.rename(tmp_path / "keys.1")
        path.write_bytes(row(1)[:100])
        tail.read_new()
        file.write(row(0)[100:] + row(2))
        tail.read_new()
        assert known(keylog) == [0, 2]
        assert [(line.source, line.line) for line in keylog.lines_of(RANDOMS[2])] == [(replaced(str(path)), 2)]
        with path.open("ab") as other:
            other.write(row(1)[100:])
        tail.read_new()
        assert known(keylog) == [0, 1, 2]
        monkeypatch.setattr("analyzer.cli.tail.REPLACED_FOR", 0)
        path.rename(tmp_path / "keys.2")
        path.touch()
        tail.read_new()
        tail.read_new()
        file.write(row(3))
        tail.close()
    assert known(keylog) == [0, 1, 2]
    assert len(os.listdir("/proc/self/fd")) == n_open


def test_a_removed_file_does_not_end_the_reading(tmp_path: Path):
    path = tmp_path / "keys"
    path.write_bytes(row(0))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    path.unlink()
    tail.read_new()
    tail.close()
    assert known(keylog) == [0]


@pytest.fixture
def split(captures: Path) -> tuple[bytes, bytes]:
    """A capture, and the key log that is written after the capture has begun."""
    folder = captures / "tls13-rsa"
    return (folder / "tls13-rsa.pcapng").read_bytes(), (folder / "tls13-rsa.keys").read_bytes()


def test_a_log_that_grows_behind_a_pipe(split: tuple[bytes, bytes], tmp_path: Path, repository: Path):
    capture, secrets = split
    log = tmp_path / "keys"
    log.touch()
    command = [sys.executable, "-m", "analyzer", "sessions", "-", "--format", "json", "-k", str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=repository) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(capture[:200])  # the blocks before the first packet
        process.stdin.flush()
        time.sleep(1)
        log.write_bytes(secrets)
        process.stdin.write(capture[200:])
        process.stdin.close()
        (record,) = [json.loads(line) for line in process.stdout]
    assert process.returncode == 0
    assert record["decryption"]["status"] == "decrypted"


def test_a_large_log_is_read_whole_before_the_first_packet(
    split: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("analyzer.cli.tail.MOST_AT_ONCE", 100)
    log = tmp_path / "keys"
    log.write_bytes(row(0) * 20 + split[1])
    run = CaptureRun(["-"], Output(os.devnull, [], "never"))
    options = Namespace(keylog=[str(log)], rsa_key=[], psk_file=[], password_file=[])
    keylog = read_keys(options, run)["keylog"]
    assert keylog is not None
    assert keylog.n_fed == 20 + split[1].count(b"\n")
    assert len(run.tail) == 1


def test_a_log_through_a_pipe_is_read_once(captures: Path, repository: Path):
    folder = captures / "tls13-rsa"
    script = '"$1" -m analyzer sessions "$2" --format csv -k <(cat "$3")'
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, str(folder / "tls13-rsa.pcapng"), str(folder / "tls13-rsa.keys")],
        capture_output=True,
        text=True,
        cwd=repository,
        check=True,
    )
    assert ",decrypted," in done.stdout


def test_secrets_at_the_end_of_a_file_on_standard_input(split: tuple[bytes, bytes], tmp_path: Path, repository: Path):
    capture, secrets = split
    padded = secrets + bytes(-len(secrets) % 4)
    length = 20 + len(padded)
    block = struct.pack("<IIII", 10, length, 0x544C534B, len(secrets)) + padded + struct.pack("<I", length)
    path = tmp_path / "capture"
    path.write_bytes(capture + block)
    command = [sys.executable, "-m", "analyzer", "sessions", "-", "--format", "json"]
    with path.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, cwd=repository, check=True)
    (record,) = map(json.loads, done.stdout.splitlines())
    assert record["decryption"]["status"] == "decrypted"


# While an interface is read.


def test_a_file_that_is_not_there_yet(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "keys"
    keylog = KeyLog()
    with pytest.raises(FileNotFoundError):
        Tail(keylog, str(path))
    tail = Tail(keylog, str(path), may_be_missing=True)
    assert "not there yet" in capfd.readouterr().err
    assert not tail.read_new()
    path.write_bytes(row(0))
    tail.read_new()
    tail.close()
    assert known(keylog) == [0]
    assert capfd.readouterr().err == ""


def test_a_file_that_never_comes(tmp_path: Path):
    keylog = KeyLog()
    tail = Tail(keylog, str(tmp_path / "keys"), may_be_missing=True)
    tail.close()
    assert keylog.counts().lines == 0


def test_one_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.cli.tail.MOST_AT_ONCE", 300)
    path = tmp_path / "keys"
    path.write_bytes(row(0) + row(1) + row(2) + row(3))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    seen = []
    while tail.read_new():
        seen.append(known(keylog))
    assert len(seen) == 2
    assert seen[0] == [0]
    assert known(keylog) == [0, 1, 2, 3]
    tail.close()


def test_a_file_that_was_emptied_and_is_longer_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "keys"
    path.write_bytes(row(0))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    tail.read_new()
    path.write_bytes((row(1) + row(2) + row(3)).replace(b"ab", b"cd"))
    tail.close()
    assert known(keylog) == [0, 1, 2, 3]
    assert "was emptied while it was read" in capfd.readouterr().err


def test_a_pipe_in_the_place_of_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Nobody waits for it to be written to, and it is said only once."""
    path = tmp_path / "keys"
    path.write_bytes(row(0))
    keylog = KeyLog()
    tail = Tail(keylog, str(path))
    tail.read_new()
    path.unlink()
    os.mkfifo(path)
    for _ in range(3):
        tail.read_new()
    assert capfd.readouterr().err.count("not a regular file") == 1
    path.unlink()
    path.write_bytes(row(1))
    tail.close()
    assert known(keylog) == [0, 1]
