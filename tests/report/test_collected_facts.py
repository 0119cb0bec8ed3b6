"""The facts as a whole: what `-o report.json` holds."""

from pathlib import Path

import jsonschema
import pytest
from strict_schema import strict

from analyzer.store.report_schema import REPORT

from .conftest import Facts, FactsOf

CAPTURES = ("demo.pcapng", "alert-unknown-ca/alert-unknown-ca.pcapng", "tcp-trouble/tcp-trouble.pcapng")


@pytest.mark.parametrize("name", CAPTURES)
def test_they_are_as_declared(facts_of: FactsOf, name: str):
    facts = facts_of(name)
    jsonschema.validate(facts, strict(REPORT))
    assert list(facts) == list(REPORT["properties"])


def test_they_have_the_hash_of_what_was_read(demo_facts: Facts, repository: Path):
    import hashlib

    digest = hashlib.sha256((repository / "captures" / "demo.pcapng").read_bytes()).hexdigest()
    assert [one["sha256"] for one in demo_facts["evidence"]["inputs"]] == [digest]


def test_counts_agree(demo_facts: Facts):
    sessions = demo_facts["sessions"]
    assert sum(sessions["versions"].values()) <= sessions["count"] == len(sessions["brief"]) == len(sessions["shown"])
    assert sessions["established"] + sessions["failed"] <= sessions["count"]
    assert demo_facts["traffic"]["packets"] == sum(demo_facts["traffic"]["series"]["packets"]) == 213
