"""`analyzer fields`: the lists of codes as text, JSON and CSV."""

import csv
import io
import json

import pytest

from analyzer.codec.codes import codes

from .conftest import Run


@pytest.mark.parametrize(
    ("option", "lists"),
    [("--findings", ["findings"]), ("--causes", ["outcome_causes", "decryption_failures", "chain_problems"])],
)
def test_json_and_csv_have_every_code_of_the_lists(run: Run, option: str, lists: list[str]):
    expected = [(name, code) for name in lists for code in codes(name)]
    rows = [json.loads(line) for line in run("fields", option, "--format", "json").out.splitlines()]
    assert [(row["list"], row["code"]) for row in rows] == expected
    assert all(value is None or value for row in rows for value in row.values())  # a value that a list does not have is null
    table = list(csv.DictReader(io.StringIO(run("fields", option, "--format", "csv").text)))
    assert [(row["list"], row["code"]) for row in table] == expected
    assert [row["title"] for row in table] == [row["title"] for row in rows]


def test_text_has_what_json_has(run: Run):
    text = " ".join(run("fields", "--findings").text.split())
    for code, one in codes("findings").items():
        assert code in text
        for part in (one.title, one.meaning, one.reference, one.refuted_by, ", ".join(one.severities)):
            assert " ".join(part.split()) in text


def test_a_word_chooses_by_list_code_title_or_meaning(run: Run):
    for option, word, expected in [
        ("--causes", "chain_problems", list(codes("chain_problems"))),  # the list
        ("--findings", "DOWNGRADE", ["downgrade"]),  # the code
        ("--findings", "version downgraded", ["downgrade"]),  # the title
        ("--causes", "was revoked at", ["revoked"]),  # the meaning
    ]:
        lines = run("fields", option, word, "--format", "json").out.splitlines()
        assert [json.loads(line)["code"] for line in lines] == expected


def test_a_word_without_a_match_is_an_error(run: Run):
    ran = run("fields", "--findings", "no-such-word")
    assert (ran.status, ran.text) == (2, "")
    assert ran.complaint == "analyzer: no-such-word: no list, code, title or meaning has this in it"


def test_references_are_told_in_the_language_of_the_text(run: Run):
    chinese = run("fields", "--causes", "no_secret", "--lang", "zh")
    assert "RFC 9850 第 2 节" in chinese.text
    assert "section" not in chinese.text
    assert "RFC9850 section 2" in run("fields", "--causes", "no_secret").text
    assert '"reference":"RFC9850 section 2"' in run("fields", "--causes", "no_secret", "--format", "json", "--lang", "zh").text


def test_without_a_list_the_fields_of_filters_are_listed(run: Run):
    rows = [json.loads(line) for line in run("fields", "ciphersuite", "--format", "json").out.splitlines()]
    suites = next(row for row in rows if row["code"] == "tls.handshake.ciphersuite")
    assert (suites["list"], suites["type"]) == ("fields", "FT_UINT16")
    assert "4865=TLS_AES_128_GCM_SHA256" in suites["values"]
    assert "tls.handshake.ciphersuite  UINT16  A cipher suite that the client offers" in run("fields", "ciphersuite").text
    ran = run("fields", "ciphersiute")
    assert (ran.status, "did you mean" in ran.complaint or "no field" in ran.complaint) == (2, True)
