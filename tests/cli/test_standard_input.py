"""A capture that comes through standard input needs no word on the command line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.cli import standard_input
from analyzer.cli.standard_input import input_comes

from .conftest import Run


def test_a_pipe_is_read_without_a_word(run: Run, demo: Path):
    data = demo.read_bytes()
    assert run(stdin=data).out == run("summary", "-", stdin=data).out
    assert run("sessions", "--json", stdin=data).out == run("sessions", "-", "--json", stdin=data).out
    assert run("show", 0, stdin=data).out == run("show", "-", 0, stdin=data).out
    assert run("follow", "--stream", 1, stdin=data).out == run("follow", "-", "--stream", 1, stdin=data).out
    assert run("--no-pager", stdin=data).out == run("summary", "-", stdin=data).out


def test_a_file_is_read_without_a_word(demo: Path, repository: Path):
    with demo.open("rb") as file:
        done = subprocess.run([sys.executable, "-m", "analyzer"], stdin=file, capture_output=True, cwd=repository, timeout=60)
    assert done.stdout.startswith(b"standard input\n")


def test_without_input_it_is_as_ever(run: Run, demo: Path):
    assert run().text.startswith("usage: analyzer")
    assert "CAPTURE" in run("sessions").complaint
    assert "ID" in run("show", demo, stdin=b"x").complaint


@pytest.mark.parametrize("connection", ["pipe", "socket"])
def test_what_is_seen_of_a_pipe(connection: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    if connection == "pipe":
        here, there = os.pipe()
    else:
        pair = socket.socketpair()
        here, there = (one.detach() for one in pair)
    saved = os.dup(0)
    os.dup2(here, 0)
    try:
        monkeypatch.setattr(standard_input, "_PATIENCE", 1)
        os.write(there, b"x")
        assert input_comes()
        assert capsys.readouterr().err == ""
        assert os.read(0, 9) == b"x"
        os.close(there)
        assert not input_comes()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(here)


def test_a_device_is_no_capture(monkeypatch: pytest.MonkeyPatch):
    saved = os.dup(0)
    device = os.open(os.devnull, os.O_RDONLY)
    os.dup2(device, 0)
    try:
        assert not input_comes()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(device)


def test_who_waits_is_told_for_what(repository: Path):
    command = [sys.executable, "-m", "analyzer"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=repository
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert b"a capture is expected on standard input" in process.stderr.readline()
        process.stdin.close()
        assert process.wait(60) == 0
