"""Compares the lists of codes with the places in the code that use them, and with the records of real captures."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sessions_by_hand import CAPTURES

from analyzer.cli.main import main
from analyzer.codec.codes import SEVERITIES, Code, codes
from analyzer.codec.registry import registry
from analyzer.x509.verdict import WEIGHTS

PACKAGE = Path(__file__).resolve().parents[2] / "analyzer"

LISTS = ("findings", "outcome_causes", "decryption_failures", "chain_problems", "alert_meanings")


def calls() -> Iterator[tuple[str, list[str]]]:
    """Yield each place where a finding is created: its code, and the severities after it.

    The argument after a code is a severity. In `application`, all findings have the same severity, and it is the detail.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.parent.name == "application"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            parts = node.args
            if name == "append" and parts and isinstance(parts[0], ast.Tuple):
                parts = parts[0].elts
            texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            severities = [text for text in texts[1:] if text in SEVERITIES and texts[0] not in SEVERITIES]
            if severities or (inside and len(parts) > 1 and texts and name in ("Finding", "_note", "append", "note")):
                yield texts[0], severities


def constants() -> set[str]:
    """Return every string constant in the package."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_finding_in_the_code_is_in_the_list_with_its_severity():
    made = list(calls())
    listed = codes("findings")
    assert len({code for code, _ in made}) > 60
    assert {code for code, _ in made} - set(listed) == set()
    for code, severities in made:
        assert set(severities or ["low"]) <= set(listed[code].severities), code


def test_every_code_in_the_lists_is_used_somewhere():
    given = constants()
    assert [code for code in codes("findings") if code not in given] == []
    assert [code for code in codes("decryption_failures") if code not in given] == []
    assert set(codes("chain_problems")) == set(WEIGHTS)
    assert [code for code in codes("outcome_causes") if code not in given] == []
    assert list(codes("alert_meanings")) == [
        registry("alert_descriptions").name(number) for number in registry("alert_descriptions")
    ]


@pytest.mark.parametrize("name", LISTS)
def test_every_code_has_its_texts(name: str):
    listed = codes(name)
    for code, one in listed.items():
        assert code == one.code == code.strip().lower()
        assert one.title
        assert one.meaning or one.advice
        assert (name == "findings") == bool(one.severities)
        assert set(one.severities) <= set(SEVERITIES)
        assert list(one.severities) == sorted(one.severities, key=SEVERITIES.index)
    assert len(listed) == len({one.title for one in listed.values()})


@pytest.mark.parametrize("name", LISTS)
def test_every_text_is_translated_and_nothing_else_differs(name: str):
    english, chinese = codes(name), codes(name, "zh")
    assert list(chinese) == list(english)
    for code, one in chinese.items():
        other = english[code]
        assert (one.code, one.severities, one.reference) == (code, other.severities, other.reference)
        for text, before in zip(_texts(one), _texts(other), strict=True):
            assert bool(text) == bool(before), code
            assert text == before == "RC4" or not text or any("\u4e00" <= letter <= "\u9fff" for letter in text), code
    assert len(chinese) == len({one.title for one in chinese.values()})


def _texts(one: Code) -> tuple[str, ...]:
    return one.title, one.meaning, one.advice, one.refuted_by


def test_a_language_without_texts_is_an_error():
    with pytest.raises(FileNotFoundError):
        codes("findings", "xx")


def test_the_records_of_real_captures_have_no_code_that_is_not_listed(tmp_path: Path):
    findings, failures = codes("findings"), codes("decryption_failures")
    seen = set()
    for capture in sorted(CAPTURES.rglob("*.pcap*")):
        keys = capture.with_suffix(".keys")
        out = tmp_path / "out"
        main(["sessions", str(capture), "--format", "json", "-o", str(out), *(["-k", str(keys)] if keys.is_file() else [])])
        for line in out.read_text().splitlines():
            record = json.loads(line)
            for finding in record["findings"]:
                assert finding["severity"] in findings[finding["code"]].severities
                seen.add(finding["code"])
            reason = record["decryption"]["reason"]
            assert reason is None or reason in failures
            assert {problem["code"] for problem in record["chain"]["problems"]} <= set(codes("chain_problems"))
    assert seen >= {"conflicting_segments", "no_close_notify"}
