"""The pack in its forms: complete, the same again, and inert."""

import json
import os
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from analyzer.report.sentences import Sentences, catalogue
from analyzer.validation.pack_document import build_pack
from analyzer.validation.pack_forms import write_pack
from analyzer.validation.pack_text import counts_text, told_requirements
from analyzer.validation.sentence_folder import DIRECTORY

from .conftest import Run


@pytest.mark.parametrize("form", ["html", "pdf", "md", "json"])
def test_the_same_facts_give_the_same_bytes(validation: Run, form: str):
    assert write_pack(validation.facts, form, "en") == write_pack(json.loads(json.dumps(validation.facts)), form, "en")


def test_json_is_the_facts(validation: Run):
    assert json.loads(write_pack(validation.facts, "json", "zh")) == validation.facts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_has_every_requirement_and_every_blank(validation: Run, language: str):
    words = catalogue(language, DIRECTORY)
    page = write_pack(validation.facts, "html", language).decode()
    for one in validation.facts["requirements"]:
        assert f'id="{one["requirement"].lower()}"' in page
    blanks = [text for key, text in words.items() if key.startswith("blank.")]
    assert len(blanks) == 15
    assert all(text in page for text in blanks)
    assert page.count(words["laboratory.blank"]) == 15
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def failed(facts: dict[str, Any], expected: str = "4") -> dict[str, Any]:
    """Facts in which the first value of the first trial differs."""
    wrong = deepcopy(facts)
    trial, requirement = wrong["trials"][0], wrong["requirements"][0]
    trial["values"][0] |= {"expected": expected, "observed": "5", "equal": False}
    trial["result"] = requirement["result"] = wrong["result"] = "failed"
    requirement["equal"] -= 1
    return wrong


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_failed_is_said_first_and_shown(validation: Run, language: str):
    words = Sentences(language, DIRECTORY)
    page = write_pack(failed(validation.facts), "md", language).decode()
    assert words.say("pack.failed", n=1) in page.partition("\n## ")[2].replace("\\", "")
    assert words.say("results.differences", requirement="R01") in page
    assert "`5`" in page or "| 5 |" in page
    assert words.say("pack.passed", n=16) not in page


def test_what_was_not_run_is_no_success(validation: Run):
    facts = deepcopy(validation.facts)
    last = facts["requirements"][-1]
    compared = sum(one["trials"] - one["not_run"] for one in facts["requirements"][:-1])
    last |= {"result": "not_run", "passed": 0, "not_run": last["trials"], "values": 0, "equal": 0}
    facts["result"], facts["crosscheck"] = "partly", None
    page = write_pack(facts, "md", "en").decode()
    assert "1 requirement could not be tried" in page
    assert f"{compared:,} trials compared" in page
    assert "requirements are met" not in page


def test_markup_in_a_value_stays_text(validation: Run):
    page = write_pack(failed(validation.facts, "<img src=x onerror=alert(1)>"), "html", "en").decode()
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_long_value_is_shortened_with_its_length(validation: Run):
    page = write_pack(failed(validation.facts, "7" * 5000), "md", "en").decode()
    assert "(5,000 characters)" in page


def test_the_text_names_the_first_differences(validation: Run):
    words = Sentences("en", DIRECTORY)
    told = told_requirements(failed(validation.facts, "\x1b[31m"), words)[0]
    assert (told.word, told.counts.split("/")[0]) == ("failed", str(validation.facts["requirements"][0]["equal"] - 1))
    assert told.troubles == ["R01.1 aioquic-caddy-http3.pcap: frames: expected \\x1b[31m, observed 5"]
    assert "1 differ" in counts_text(failed(validation.facts), words)


def test_every_link_of_the_document_leads_somewhere(validation: Run):
    page = write_pack(validation.facts, "html", "en").decode()
    import re

    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
    assert build_pack(validation.facts, "zh").language == "zh"


def test_the_pdf_is_a_valid_file(validation: Run, tmp_path: Path, require_peers: Any):
    require_peers("qpdf", "pdftotext")
    path = tmp_path / "pack.pdf"
    path.write_bytes(write_pack(validation.facts, "pdf", "en"))
    subprocess.run(["qpdf", "--check", os.fspath(path)], check=True, capture_output=True)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout
    assert "Statement of validation completion" in text
    assert validation.facts["installation"]["sha256"] in text
