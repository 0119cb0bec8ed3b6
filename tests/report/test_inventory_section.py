"""The section of a report about the inventory."""

import json
from collections.abc import Iterator
from typing import Any

from analyzer.report.document import Grid, Paragraph, Section
from analyzer.report.inventory_section import inventory_section
from analyzer.report.sentences import Sentences

from .conftest import Facts, FactsOf


def text_of(piece: Any) -> str:
    return piece if isinstance(piece, str) else piece.text


def line_of(line: Any) -> str:
    return "".join(map(text_of, line))


def grids(section: Section) -> Iterator[tuple[str, list[list[str]]]]:
    for block in section.blocks:
        if isinstance(block, Grid):
            yield block.caption, [[line_of(cell) for cell in row] for row in block.rows]


def test_servers_clients_and_fingerprints(demo_facts: Facts):
    tables = dict(grids(inventory_section(demo_facts, Sentences("en"))))
    first = tables["Servers"][0]
    assert first[:3] == ["198.51.100.20:443", "www.shop.example", "TLS 1.3"]
    assert len(tables["Servers"]) == 6
    assert [row[0] for row in tables["Clients"]] == ["192.0.2.10", "2001:db8:10::10"]
    assert tables["Clients"][1][3] == "SecP256r1MLKEM768, X25519MLKEM768, curveSM2MLKEM768"
    assert tables["JA4 fingerprints, the rarest first"][0][3] == "too few sessions to tell"


def test_certificates_that_cannot_be_seen_are_not_called_absent(facts_of: FactsOf):
    facts = facts_of("tls13-ed25519/tls13-ed25519.pcapng")
    tables = dict(grids(inventory_section(facts, Sentences("en"))))
    assert tables["Servers"][0][5] == "not visible"


def test_certificates_that_are_not_listed_are_not_called_absent(facts_of: FactsOf):
    facts = json.loads(json.dumps(facts_of("tls10-rsa/tls10-rsa.pcap")))
    facts["inventory"]["servers"][0]["certificates"]["sent"] = []
    assert dict(grids(inventory_section(facts, Sentences("en"))))["Servers"][0][5] == "sent, not listed"


def test_what_is_weak_stands_apart_from_offers(facts_of: FactsOf):
    tables = dict(grids(inventory_section(facts_of("tls10-rsa/tls10-rsa.pcap"), Sentences("en"))))
    agreed = tables["What is weak or outdated, and was agreed on"]
    assert agreed[0][:4] == ["Version that must not be used", "198.51.100.20:443", "www.example", "1"]
    offered = tables["What clients offer that is weak or outdated, whether it was agreed on or not"]
    assert offered[0] == ["Version that must not be used", "192.0.2.10", "1"]


def test_chinese(demo_facts: Facts):
    section = inventory_section(demo_facts, Sentences("zh"))
    assert section.title == ["清单"]
    (first, *_) = [block for block in section.blocks if isinstance(block, Paragraph)]
    assert line_of(first.line).startswith("8 个会话")


def test_codes_that_do_not_exist_are_shown_as_they_are(demo_facts: Facts):
    facts = json.loads(json.dumps(demo_facts))
    facts["inventory"]["servers"][0]["weak"] = ["<script>"]
    facts["inventory"]["weak"]["certificates"] = [{"code": "x", "sha256": "0" * 64, "servers": ["192.0.2.1:443"]}]
    tables = dict(grids(inventory_section(facts, Sentences("en"))))
    assert tables["Servers"][0][6] == "<script>"
    assert tables["Certificates with a weak signature or key"][0][0] == "x"


def test_a_capture_without_sessions(demo_facts: Facts):
    facts = json.loads(json.dumps(demo_facts))
    facts["inventory"]["sessions"]["count"] = 0
    assert len(inventory_section(facts, Sentences("en")).blocks) == 1
