"""STIX 2.1: the bundle is one that `stix2` and the validator of OASIS accept, and says what the facts say."""

import builtins
import copy
import json
from datetime import datetime
from typing import Any

import jsonschema
import pytest
import stix2
import stix2validator
from hostile_report import NAMES, hostile_facts

from analyzer.report.redaction import KINDS, redact
from analyzer.report.stix_bundle import EXTENSION, EXTENSION_SCHEMA, write_stix

from .conftest import Facts


def bundle(facts: Facts) -> list[dict[str, Any]]:
    """The objects of the bundle, after both validators have accepted it."""
    written = write_stix(facts)
    stix2.parse(written.decode("utf-8"), allow_custom=False)
    result = stix2validator.validate_string(written.decode("utf-8"), stix2validator.ValidationOptions(version="2.1"))
    assert result.is_valid, [str(error) for error in result.errors]
    objects: list[dict[str, Any]] = json.loads(written)["objects"]
    names = [one["id"] for one in objects]
    assert len(names) == len(set(names))
    assert references(objects) <= set(names)
    return objects


def references(value: Any) -> set[str]:
    """All identifiers that a value refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, one in value.items():
        if key.endswith("_ref"):
            found.add(one)
        elif key.endswith("_refs"):
            found.update(one)
        else:
            found |= references(one)
    return found


def of_type(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The objects of a type."""
    return [one for one in objects if one["type"] == kind]


def test_sessions_are_network_traffic(demo_facts: Facts) -> None:
    objects = bundle(demo_facts)
    by_id = {one["id"]: one for one in objects}
    traffic = {
        one["extensions"][EXTENSION]["session"]: one
        for one in of_type(objects, "network-traffic")
        if "http-request-ext" not in one["extensions"]
    }
    assert set(traffic) == {session["id"] for session in demo_facts["sessions"]["shown"]}
    for session in demo_facts["sessions"]["shown"]:
        one = traffic[session["id"]]
        assert by_id[one["src_ref"]]["value"] == session["client"]["address"]
        assert one["dst_port"] == session["server"]["port"]
        assert one["protocols"][1:] == ["tcp", "tls"]
        assert datetime.fromisoformat(one["start"]) == datetime.fromisoformat(session["start_time"][:23] + "Z")
        more = one["extensions"][EXTENSION]
        assert more["start_time"] == session["start_time"]
        assert more["ja4"] == session["ja4"]
        assert more.get("version") == session["version"]
        sent = [by_id[name]["hashes"]["SHA-256"] for name in more.get("certificate_refs", [])]
        assert sent == [one["sha256"] for one in session["certificates"]["server"]]


def test_requests_have_the_extension_of_http(demo_facts: Facts) -> None:
    objects = bundle(demo_facts)
    asked = [
        one["extensions"]["http-request-ext"] for one in of_type(objects, "network-traffic") if len(one["extensions"]) == 2
    ]
    exchanges = [one["request"] for session in demo_facts["sessions"]["shown"] for one in session["http"]]
    assert [one["request_value"] for one in asked] == [one["path"] for one in exchanges]
    assert {one["request_method"] for one in asked} == {"get", "post"}


def test_own_extension_is_as_its_schema_says(demo_facts: Facts) -> None:
    objects = bundle(demo_facts)
    definition = of_type(objects, "extension-definition")[0]
    assert definition["id"] == EXTENSION
    assert json.loads(definition["schema"]) == EXTENSION_SCHEMA
    closed = EXTENSION_SCHEMA | {"additionalProperties": False}
    for one in of_type(objects, "network-traffic"):
        jsonschema.validate(one["extensions"][EXTENSION], closed)


def test_files_are_there_by_hash(demo_facts: Facts) -> None:
    facts = copy.deepcopy(demo_facts)
    facts["evidence"]["inputs"][0]["sha512"] = "ab" * 64
    facts["evidence"]["key_logs"] = [{"path": "dir/demo.keys", "size": 10, "sha256": "12" * 32}]
    named = {one["name"]: one for one in of_type(bundle(facts), "file") if "name" in one}
    assert named["demo.pcapng"]["hashes"] == {"SHA-256": facts["evidence"]["inputs"][0]["sha256"], "SHA-512": "ab" * 64}
    assert named["demo.keys"]["hashes"] == {"SHA-256": "12" * 32}


def test_findings_are_notes_on_what_was_observed(demo_facts: Facts) -> None:
    objects = bundle(demo_facts)
    by_id = {one["id"]: one for one in objects}
    note = next(one for one in of_type(objects, "note") if "fatal-alert" in one["labels"])
    finding = next(one for one in demo_facts["findings"] if one["code"] == "fatal_alert")
    for one in finding["occurrences"]:
        assert one["detail"] in note["content"]
    sessions = {
        by_id[name]["extensions"][EXTENSION]["session"]
        for about in note["object_refs"]
        for name in by_id[about]["object_refs"]
        if name.startswith("network-traffic--")
    }
    assert sessions == {one["session"] for one in finding["occurrences"]}


def test_observations_on_the_captures_are_one_note(demo_facts: Facts) -> None:
    facts = demo_facts | {"integrity": [{"code": "time_backward", "args": {"count": 2}, "frames": [3, 4]}]}
    note = next(one for one in of_type(bundle(facts), "note") if one["abstract"] == "Observations on the captures")
    assert note["content"] == "- time_backward: count: 2; frames 3, 4"


def test_examiner_says_it_where_one_is_given(demo_facts: Facts) -> None:
    facts = demo_facts | {"case": {"case": "2026-17", "examiner": "A. Examiner"}, "issued_at": "2026-11-29T00:00:00Z"}
    objects = bundle(facts)
    report = of_type(objects, "report")[0]
    author = next(one for one in objects if one["id"] == report["created_by_ref"])
    assert (author["name"], author["identity_class"]) == ("A. Examiner", "individual")
    assert report["name"] == "2026-17"
    assert {one["created"] for one in objects if "created" in one} == {"2026-11-29T00:00:00.000Z"}
    assert set(report["object_refs"]) == {one["id"] for one in objects} - {report["id"], EXTENSION}
    assert of_type(bundle(demo_facts), "identity")[0]["identity_class"] == "system"


def test_without_a_given_time_objects_have_that_of_the_last_frame(demo_facts: Facts) -> None:
    last = demo_facts["evidence"]["inputs"][0]["last_time"][:23] + "Z"
    assert {one["created"] for one in bundle(demo_facts) if "created" in one} == {last}


def test_same_facts_give_same_bytes(demo_facts: Facts, failing_facts: Facts) -> None:
    assert write_stix(demo_facts) == write_stix(copy.deepcopy(demo_facts))
    assert bundle(failing_facts)


def test_hostile_facts_give_a_valid_bundle(demo_facts: Facts) -> None:
    objects = bundle(hostile_facts(demo_facts))
    assert {one["value"] for one in of_type(objects, "domain-name")} == {"xn--bcher-kva.example"}
    asked = [one["extensions"][EXTENSION].get("server_name") for one in of_type(objects, "network-traffic")]
    assert NAMES[0] in asked


def test_redacted_facts_give_a_valid_bundle(demo_facts: Facts) -> None:
    objects = bundle(redact(demo_facts, KINDS))
    assert not of_type(objects, "ipv4-addr")
    assert "host-1" in {one["value"] for one in of_type(objects, "domain-name")}
    assert "Redacted: bodies, cookies, credentials, addresses, names." in of_type(objects, "report")[0]["description"]


def test_capture_without_times(demo_facts: Facts) -> None:
    facts = copy.deepcopy(demo_facts)
    for entry in (*facts["evidence"]["inputs"], *facts["sessions"]["shown"]):
        entry |= {key: None for key in ("first_time", "last_time", "start_time", "end_time") if key in entry}
    objects = bundle(facts)
    assert "the times of these objects are the epoch" in of_type(objects, "report")[0]["description"]


def test_credentials_are_masked(demo_facts: Facts) -> None:
    facts = copy.deepcopy(demo_facts)
    headers = facts["sessions"]["shown"][0]["http"][0]["request"]["headers"]
    headers += [["Authorization", "Bearer abcdefghijkl"], ["Cookie", "sid=0123456789abcdef"]]
    written = write_stix(facts)
    assert b"abcdefghijkl" not in written
    assert b"Bearer [redacted]" in written
    assert b"0123456789abcdef" not in written


def test_missing_package_is_one_clear_line(demo_facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("stix2"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'capture-analyzer\[stix\]'"):
        write_stix(demo_facts)
