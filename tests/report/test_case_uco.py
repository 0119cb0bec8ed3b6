"""CASE/UCO: the graph is one that `case_validate` accepts, says what the facts say, and is the same each time."""

import copy
import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from case_utils.ontology import CURRENT_CASE_VERSION
from hostile_report import NAMES, hostile_facts

from analyzer.report.case_uco import write_case
from analyzer.report.redaction import KINDS, redact

from .conftest import Facts

Nodes = dict[str, dict[str, Any]]


def nodes(facts: Facts) -> Nodes:
    """The nodes of the graph, by identifier."""
    graph = json.loads(write_case(facts))["@graph"]
    found = {node["@id"]: node for node in graph}
    assert len(found) == len(graph)
    return found


def of_type(found: Nodes, kind: str) -> list[dict[str, Any]]:
    """The nodes of a class."""
    return [node for node in found.values() if kind in types(node)]


def types(node: dict[str, Any]) -> list[str]:
    """The classes of a node."""
    return [node["@type"]] if isinstance(node["@type"], str) else node["@type"]


def facets(found: Nodes, node: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The facets of a class that a node has."""
    return [found[one["@id"]] for one in node["uco-core:hasFacet"] if kind in types(found[one["@id"]])]


def validate(folder: Path, **graphs: bytes) -> str:
    """What the validator says of graphs; it must accept all of them together."""
    for name, graph in graphs.items():
        (folder / f"{name}.jsonld").write_bytes(graph)
    program = Path(sysconfig.get_path("scripts")) / "case_validate"
    files = [str(folder / f"{name}.jsonld") for name in graphs]
    result = subprocess.run(
        [program, "--built-version", f"case-{CURRENT_CASE_VERSION}", *files], capture_output=True, text=True, env=os.environ
    )  # fmt: skip
    return f"{result.returncode}\n{result.stdout}\n{result.stderr}"


@pytest.fixture(scope="module")
def full_facts(demo_facts: Facts) -> Facts:
    """Facts with everything that options can add."""
    facts = copy.deepcopy(demo_facts)
    facts["issued_at"] = "2026-11-29T00:00:00Z"
    facts["case"] = {
        "case": "2026-17", "exhibit": "E-1", "examiner": "A. Examiner", "authority": "Order 4711", "purpose": "A demonstration",
        "custody": [{"time": "2026-11-03T10:00:00Z", "text": "handed over"}, {"time": None, "text": "copied"}],
        "source": None,
    }  # fmt: skip
    facts["evidence"]["inputs"][0] |= {"sha512": "ab" * 64, "blake2b": "cd" * 64, "sha256_after": "00" * 32, "unchanged": True}
    facts["evidence"]["key_logs"] = [{"path": "demo.keys", "size": 10, "sha256": "12" * 32}]
    facts["integrity"] = [{"code": "time_backward", "args": {"seconds": 1.5, "count": 2}, "frames": [3, 4]}]
    return facts


def test_validator_accepts(full_facts: Facts, failing_facts: Facts, demo_facts: Facts, tmp_path: Path) -> None:
    every = full_facts, hostile_facts(demo_facts), redact(failing_facts, KINDS)
    said = validate(tmp_path, **{f"graph{number}": write_case(facts) for number, facts in enumerate(every)})
    assert said.startswith("0\n"), said
    assert "Conforms: True" in said


def test_validator_finds_a_wrong_graph(failing_facts: Facts, tmp_path: Path) -> None:
    graph = write_case(failing_facts).replace(
        b'"uco-observable:destinationPort": 443', b'"uco-observable:destinationPort": "443"'
    )
    said = validate(tmp_path, wrong=graph)
    assert "Conforms: False" in said


def test_same_facts_give_same_bytes(full_facts: Facts) -> None:
    assert write_case(full_facts) == write_case(copy.deepcopy(full_facts))


def test_sessions_are_connections(demo_facts: Facts) -> None:
    found = nodes(demo_facts)
    connections = of_type(found, "uco-observable:NetworkConnection")
    assert len(connections) == len(demo_facts["sessions"]["shown"])
    for session, connection in zip(demo_facts["sessions"]["shown"], connections, strict=True):
        facet = facets(found, connection, "uco-observable:NetworkConnectionFacet")[0]
        source = found[facet["uco-observable:src"][0]["@id"]]
        assert found[source["uco-core:hasFacet"][0]["@id"]]["uco-observable:addressValue"] == session["client"]["address"]
        assert facet["uco-observable:sourcePort"] == session["client"]["port"]
        assert facet["uco-observable:startTime"] == {"@type": "xsd:dateTime", "@value": session["start_time"]}
        tls = facets(found, connection, "tls:TLSSessionFacet")[0]
        assert tls.get("tls:cipher_suite") == session["cipher_suite"]
        assert tls["tls:ja4"] == session["ja4"]
        assert types(tls) == ["tls:TLSSessionFacet", "uco-core:Facet"]


def test_files_have_their_hashes(full_facts: Facts) -> None:
    found = nodes(full_facts)
    capture, key_log = of_type(found, "uco-observable:File")
    content = facets(found, capture, "uco-observable:ContentDataFacet")[0]
    hashes = {found[one["@id"]]["uco-types:hashMethod"]: found[one["@id"]] for one in content["uco-observable:hash"]}
    sha256 = full_facts["evidence"]["inputs"][0]["sha256"].upper()
    assert hashes["SHA256"]["uco-types:hashValue"] == {"@type": "xsd:hexBinary", "@value": sha256}
    assert hashes["SHA512"]["uco-types:hashValue"]["@value"] == "AB" * 64
    assert f"BLAKE2b: {'cd' * 64}" in capture["uco-core:description"]
    assert capture["uco-observable:hasChanged"] is False
    assert key_log["uco-core:name"] == "Key log"


def test_examination_has_examiner_tool_and_no_time_of_its_own(full_facts: Facts, demo_facts: Facts) -> None:
    found = nodes(full_facts)
    actions = of_type(found, "case-investigation:InvestigativeAction")
    examination = next(one for one in actions if one["uco-core:name"] == "Examination of packet captures")
    assert found[examination["uco-action:performer"]["@id"]]["uco-core:name"] == "A. Examiner"
    tool = found[examination["uco-action:instrument"][0]["@id"]]
    assert tool["uco-tool:version"] == full_facts["tool"]["version"]
    assert "uco-action:startTime" not in examination
    custody = [one for one in actions if one["uco-core:name"] == "Custody"]
    assert [one.get("uco-action:startTime") is not None for one in custody] == [True, False]
    investigation = of_type(found, "case-investigation:Investigation")[0]
    assert investigation["case-investigation:focus"] == "A demonstration"
    assert of_type(nodes(demo_facts), "uco-identity:Person") == []
    assert of_type(nodes(demo_facts), "case-investigation:Investigation") == []


def test_findings_point_at_their_sessions(demo_facts: Facts) -> None:
    found = nodes(demo_facts)
    results = of_type(found, "uco-analysis:AnalyticResult")
    assert len(results) == len(demo_facts["findings"]) + len(demo_facts["integrity"])
    alert = next(one for one in results if "code:fatal_alert" in one["uco-core:tag"])
    sessions = {
        facets(found, found[one["@id"]], "tls:TLSSessionFacet")[0]["tls:session"] for one in alert["uco-core:object"]
    }  # fmt: skip
    finding = next(one for one in demo_facts["findings"] if one["code"] == "fatal_alert")
    assert sessions == {one["session"] for one in finding["occurrences"]}
    assert all(any(one["detail"] in said for said in alert["uco-core:statement"]) for one in finding["occurrences"])


def test_requests_are_inside_their_connections(demo_facts: Facts) -> None:
    found = nodes(demo_facts)
    requests = of_type(found, "uco-observable:HTTPConnection")
    exchanges = [one for session in demo_facts["sessions"]["shown"] for one in session["http"]]
    assert len(requests) == len(exchanges) > 0
    inside = {
        one["uco-core:source"]["@id"]: found[one["uco-core:target"]["@id"]]["@type"]
        for one in of_type(found, "uco-observable:ObservableRelationship")
        if one["uco-core:kindOfRelationship"] == "Contained_Within"
    }
    assert all(inside[request["@id"]] == "uco-observable:NetworkConnection" for request in requests)


def test_credentials_are_masked(demo_facts: Facts) -> None:
    facts = copy.deepcopy(demo_facts)
    headers = facts["sessions"]["shown"][0]["http"][0]["request"]["headers"]
    headers += [["Authorization", "Basic dXNlcjpoZW1saWNo"], ["Cookie", "sid=0123456789abcdef"]]
    written = write_case(facts)
    assert b"dXNlcjpoZW1saWNo" not in written
    assert b'0123456789abcdef"' not in written
    assert b"sid=[redacted]" in written


def test_names_that_no_host_can_have_are_texts(demo_facts: Facts) -> None:
    found = nodes(hostile_facts(demo_facts))
    domains = {one["uco-observable:value"] for one in of_type(found, "uco-observable:DomainNameFacet")}
    assert domains == {"xn--bcher-kva.example"}
    asked = {one.get("tls:server_name") for one in of_type(found, "tls:TLSSessionFacet")}
    assert NAMES[0] in asked
    assert "a\\u0000b\\u001b[31m.example" in asked
    assert all(len(one or "") <= 4096 for one in asked)


def test_our_facet_is_declared(demo_facts: Facts) -> None:
    found = nodes(demo_facts)
    used = {key for node in found.values() for key in node if key.startswith("tls:")}
    declared = {one["@id"] for one in of_type(found, "owl:DatatypeProperty")}
    assert used == declared
    assert found["tls:TLSSessionFacet"]["rdfs:subClassOf"] == {"@id": "uco-core:Facet"}
