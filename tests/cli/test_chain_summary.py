"""The sum of the verdicts on certificate chains, which has limits."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import chain_summary
from analyzer.cli.chain_summary import ChainSummary
from analyzer.cli.output import Output


def record_of(number: int, name: str) -> dict[str, Any]:
    """What a session with an invalid chain has in its record about it."""
    return {
        "id": number,
        "chain": {"verdict": "invalid", "problems": [{"code": "expired"}], "notes": [], "name": name},
        "client_chain": {"verdict": "absent"},
        "certificates": {"server": [{"subject": f"CN={name}"}], "client": []},
    }


def printed(summary: ChainSummary, folder: Path) -> str:
    output = Output(str(folder / "out"), (), "never")
    summary.print(output, [{"store": "roots", "date": "2026-01-01"}], 20)
    output.close()
    return (folder / "out").read_text()


@pytest.mark.parametrize(
    ("limit", "kept"), [("MAX_NUMBERS", ["0-1", "2"]), ("MAX_CHAINS", ["0-1, 3-9", "2"])], ids=["sessions", "chains"]
)
def test_what_is_beyond_a_limit_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, kept: list[str]):
    monkeypatch.setattr(chain_summary, limit, {"MAX_NUMBERS": 3, "MAX_CHAINS": 2}[limit])
    summary = ChainSummary()
    for number in range(10):
        summary.take(record_of(number, "other.example" if number == 2 else "a.example"))
    summary.take(record_of(10, "third.example"))
    text = printed(summary, tmp_path)
    assert "11 invalid" in text
    assert [line.split("server")[1].strip() for line in text.splitlines() if "CN=" in line] == kept
    assert ("and bad chains in 8 further sessions" if limit == "MAX_NUMBERS" else "and bad chains in 1 further session") in text
