"""The tree of a validated chain, as a person sees it."""

import io
import os
import sys
from pathlib import Path

import pytest

from analyzer.cli.chain_tree import ChainTree, roots_distance
from analyzer.cli.output import Output
from analyzer.cli.table import width
from analyzer.store.chain_verdicts import ChainVerdict, Link
from analyzer.x509.verdict import Problem, Verdict

from .conftest import Run


def tree(run: Run, capture: Path, number: int, *more: object, columns: int = 110) -> list[str]:
    text = run("show", capture, number, "--terse", *more, columns=columns).text
    part = text[text.index("Certificates of the server") :]
    return part[: part.index("\n\n")].splitlines()


def test_a_valid_chain_has_its_root_at_the_top(run: Run, demo: Path, captures: Path):
    lines = tree(run, demo, 0, "--trust", captures / "demo" / "demo.ca.pem")
    text = " ".join(" ".join(lines).split())
    assert "✓ valid; judged for www.shop.example, at 2026-11-02 09:00:01 UTC, by the roots of" in text
    assert "(1 root, 20" in text
    assert "✓ CN=Example Trust Services Root,O=Example Trust Services (trusted root, until 2031-11-01)" in text
    assert text.index("Services Root") < text.index("└─ ✓ CN=Example Trust Services Issuing 1") < text.index("└─ ✓ CN=www.shop")
    assert "✗" not in text


def test_each_problem_is_printed_below_its_certificate(run: Run, demo: Path):
    text = " ".join(" ".join(tree(run, demo, 5)).split())
    assert "✗ invalid: expired, unknown issuer; judged for old.example" in text
    assert "by the roots of mozilla (" in text
    issuing, leaf = text.index("✗ CN=Example Trust Services Issuing 1"), text.index("└─ ✗ CN=old.example")
    assert issuing < text.index("✗ unknown issuer: the issuer of") < leaf < text.index('✗ expired: "CN=old.example"')


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_it_fits_the_window(run: Run, demo: Path, columns: int):
    assert max(map(width, tree(run, demo, 5, columns=columns))) <= columns


def test_the_client_s_chain_is_validated_too(run: Run, captures: Path):
    folder = captures / "tls12-client-certificate"
    text = run("show", folder / f"{folder.name}.pcapng", 0, "--terse", "--trust", folder / f"{folder.name}.ca.pem").text
    part = " ".join(text[text.index("Certificates of the client") :].split())
    assert part.startswith("Certificates of the client ✓ valid; judged without a name to judge it against")


@pytest.mark.corpus
def test_revocation_and_timestamps_have_their_lines(run: Run, corpus: Path):
    stapled = " ".join(" ".join(tree(run, corpus / "zeek" / "tls" / "ocsp-stapling-digicert.pcap", 0)).split())
    assert "✓ not revoked: good, says the OCSP response of 2014-06-30 08:54:00 UTC" in stapled
    logged = " ".join(" ".join(tree(run, corpus / "zeek" / "tls" / "certificate-with-sct.pcap", 0)).split())
    assert logged.count("✓ published: ") == 4
    assert "Google 'Pilot' log signed it at 2016-09-26 22:00:32 UTC" in logged


def printed(judged: ChainVerdict, chain: list[bytes], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    output = Output(None, [], "never")
    ChainTree(output, [{"store": "st\x1bore", "date": "2026-01-01", "roots": 2}]).print(judged, chain)
    output.flush()
    return buffer.getvalue().decode(encoding)


def test_terminals_without_the_marks_and_hostile_text(monkeypatch: pytest.MonkeyPatch):
    der = b"junk" + os.urandom(8)
    problem = Problem("malformed", None, "\x1b[2Jcleared \u202eno")
    record = {"verdict": "invalid", "notes": []}
    judged = ChainVerdict(Verdict(False, (der,), (problem,)), "\x07bell", 0, (Link(der, None),), (), record, (b"", b""))
    for encoding, bad in (("utf-8", "✗"), ("ascii", "[!!]")):
        text = printed(judged, [der], encoding, monkeypatch)
        assert text.startswith(f"  {bad} invalid: malformed; judged for \\x07bell, at 1970-01-01 00:00:00 UTC")
        assert f"{bad} malformed: \\x1b[2Jcleared \\u202eno" in text
        assert text.isascii() == (encoding == "ascii")
        assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize(
    ("date", "at", "words"),
    [
        ("2026-10-18", 1_700_000_000, "3 years younger"),
        ("2026-10-18", 1_780_000_000, ""),
        ("2014-01-01", 1_700_000_000, "9 years older"),
    ],
)
def test_roots_of_another_year_are_reported(date: str, at: int, words: str):
    sentence = roots_distance([{"store": "a", "date": date, "roots": 1}], at * 1_000_000_000)
    assert words in sentence
    assert bool(words) == bool(sentence)
