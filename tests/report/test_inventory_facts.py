"""The inventory in the facts of a report: the same as that of the command, in shorter lists."""

import json
from pathlib import Path

import pytest

from analyzer.cli.main import main
from analyzer.report import inventory_facts as limits
from analyzer.report.inventory_facts import inventory_facts
from analyzer.report.redaction import redact
from analyzer.store.inventory_tables import Inventory, SeenServer

from .conftest import Facts


def test_it_is_what_the_command_prints(demo_facts: Facts, repository: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["inventory", str(repository / "captures" / "demo.pcapng"), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    reported = demo_facts["inventory"]
    for key in ("servers", "clients", "ja4", "weak", "post_quantum", "protocols", "expiry", "sessions", "left_out"):
        assert reported[key] == printed[key], key
    assert reported["counts"]["servers"] == 6


def test_its_lists_are_bounded(monkeypatch: pytest.MonkeyPatch):
    assert inventory_facts(Inventory(), None)["expiry"]["at"] is None
    monkeypatch.setattr(limits, "MOST_LISTED", 2)
    made = Inventory()
    for n in range(5):
        made.servers["192.0.2.1", n] = SeenServer("192.0.2.1", n)
    found = inventory_facts(made, "2026-11-02T09:00:00.000000000Z")
    assert (len(found["servers"]), found["counts"]["servers"]) == (2, 5)


def test_names_and_addresses_in_it_are_redacted(demo_facts: Facts):
    redacted = json.dumps(redact(demo_facts, ("names", "addresses"))["inventory"])
    for secret in ("shop.example", "bank.example", "192.0.2.10", "2001:db8"):
        assert secret in json.dumps(demo_facts["inventory"])
        assert secret not in redacted


def test_a_name_that_stands_in_the_inventory_alone_is_redacted(demo_facts: Facts):
    facts = json.loads(json.dumps(demo_facts))
    facts["inventory"]["servers"][0]["names"]["values"] = [{"server_name": "only.secret.example", "sessions": 1}]
    assert "secret.example" not in json.dumps(redact(facts, ("names",))["inventory"])
