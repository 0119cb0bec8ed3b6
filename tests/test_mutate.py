"""All commands on a few mutated captures, the same in every run; and what the runner notices."""

from pathlib import Path
from random import Random

import pytest
from mutate import examine, keep, parsed, wrong_output
from mutations import changed, mutated, parts_of
from outputs import captures_in

ROOT = Path(__file__).resolve().parents[1]
CAPTURES = captures_in([str(ROOT / "captures")])


@pytest.mark.parametrize("number", range(3, 11))
def test_all_commands_stand_a_mutated_capture(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    options = parsed(["--seed", "tests"])
    wrong, runs = examine(number, options)
    assert wrong == []
    assert {one["line"][0] for one in runs} >= {
        "summary",
        "sessions",
        "show",
        "packets",
        "report",
        "export",
        "stats",
        "compare",
    }


def test_a_capture_is_its_parts() -> None:
    for path in CAPTURES:
        parts = parts_of(path.read_bytes())
        assert parts.head + b"".join(parts.blocks) == path.read_bytes()
        assert len(parts.blocks) > 3
    assert parts_of(b"no capture") == (b"no capture", [])


def test_a_number_stands_for_one_mutation(tmp_path: Path) -> None:
    options = parsed(["--keep", str(tmp_path)])
    once, again = keep(7, options).read_bytes(), keep(7, options).read_bytes()
    assert once == again
    data, other = CAPTURES[0].read_bytes(), CAPTURES[1].read_bytes()
    assert len({mutated(data, other, Random(seed)) for seed in range(60)}) > 55
    assert len({changed(data[:200], Random(seed)) for seed in range(60)}) > 50


@pytest.mark.parametrize(
    ("line", "status", "out", "err", "noticed"),
    [
        (["summary"], 0, b"calm\n", b"", ""),
        (["summary"], 70, b"", b"", "status 70"),
        (["summary"], 1, b"", b"Traceback (most recent call last):\n  x", "Traceback"),
        (["sessions", "--format", "json"], 0, b'{"a":1}\n{"a":2}\n', b"", ""),
        (["sessions", "--format", "json"], 0, b'{"a":1', b"", "JSON"),
        (["packets", "-T", "json"], 0, b"[]\n", b"", ""),
        (["sessions", "--format", "json"], 0, '{"a":"\u202e"}'.encode(), b"", ""),
        (["packets", "--format", "csv"], 0, b"a,\x1b[2J\r\n", b"", "raw"),
        (["summary"], 0, "\u202e".encode(), b"", "raw"),
        (["summary"], 0, b"", b"\x9b", "raw"),
    ],
)
def test_what_a_run_must_not_print(line: list[str], status: object, out: bytes, err: bytes, noticed: str) -> None:
    found = wrong_output(line, status, out, err)
    assert noticed in found
    assert bool(noticed) == bool(found)
