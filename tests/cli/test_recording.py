"""`--jobs`: how many processes share the work shows in nothing but the time it takes."""

import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize(
    "arguments", [("--format", "json", "--messages"), ("--format", "csv"), ()], ids=["json", "csv", "text"]
)
def test_sessions_are_the_same(run: Run, demo: Path, arguments: tuple[str, ...]) -> None:
    alone = run("sessions", demo, *arguments, "--jobs", 1)
    shared = run("sessions", demo, *arguments, "-j", 3)
    assert (alone.status, alone.err) == (shared.status, shared.err) == (0, b"")
    assert alone.out
    assert shared.out == alone.out


def test_the_summary_is_the_same(run: Run, demo: Path, captures: Path) -> None:
    more = captures / "tls13-psk-resumption" / "tls13-psk-resumption"
    arguments = ["summary", demo, f"{more}.pcapng", "-k", f"{more}.keys"]
    assert run(*arguments, "-j", 2).out == run(*arguments).out


def test_what_is_damaged_is_told_once(run: Run, demo: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(demo.read_bytes()[:-1000])
    alone, shared = (run("sessions", cut, "--format", "json", "-j", jobs) for jobs in (1, 2))
    assert shared.status == alone.status == 1
    assert shared.complaint == alone.complaint
    assert shared.out == alone.out


def test_a_pipe_is_read_by_one(run: Run, demo: Path) -> None:
    piped = run("sessions", "-", "--format", "json", "-j", 2, stdin=demo.read_bytes())
    assert [json.loads(line)["id"] for line in piped.out.splitlines()]
    assert piped.out == run("sessions", demo, "--format", "json").out


@pytest.mark.parametrize("jobs", ["0", "65", "-1", "x", "1.5", ""])
def test_other_numbers_are_refused(run: Run, demo: Path, jobs: str) -> None:
    refused = run("sessions", demo, "--jobs", jobs)
    assert refused.status == 2
    assert "--jobs" in refused.complaint


def test_a_trust_store_that_cannot_be_read_is_told_in_one_line(run: Run, demo: Path, tmp_path: Path) -> None:
    refused = run("sessions", demo, "-j", 2, "--trust", tmp_path / "none.pem")
    assert refused.status == 2
    assert "none.pem" in refused.complaint
