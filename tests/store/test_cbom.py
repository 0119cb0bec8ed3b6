"""The bill of materials of inventories: valid by CycloneDX's schema, the same each time, and true."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from analyzer.cli.main import main
from analyzer.store import cbom as limits

CAPTURES = Path(__file__).parents[2] / "captures"
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def written(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    assert main(["inventory", *map(str, arguments), "--format", "cbom"]) == status
    return capsys.readouterr().out


def by_reference(bom: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["bom-ref"]: one for one in (*bom["components"], *bom["services"])}


def crypto(bom: dict[str, Any], reference: str) -> dict[str, Any]:
    (properties,) = [
        value for key, value in by_reference(bom)[reference]["cryptoProperties"].items() if key.endswith("Properties")
    ]
    found: dict[str, Any] = properties
    return found


def needs(bom: dict[str, Any], reference: str) -> list[str]:
    (found,) = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == reference]
    listed: list[str] = found
    return listed


def property_of(one: dict[str, Any], name: str) -> list[str]:
    return [entry["value"] for entry in one["properties"] if entry["name"] == f"analyzer:{name}"]


def test_the_demonstration_captures_are_valid_and_the_same_each_time(capsys: pytest.CaptureFixture[str]):
    folders = sorted(path for path in CAPTURES.iterdir() if path.is_dir() and list(path.glob("*.pcap*")))
    text = written(capsys, *folders)
    assert VALIDATOR.validate_str(text) is None
    assert written(capsys, *folders) == text


@pytest.mark.corpus
def test_real_captures_are_valid(corpus: Path, capsys: pytest.CaptureFixture[str]):
    assert VALIDATOR.validate_str(written(capsys, corpus / "zeek" / "tls")) is None


def test_time_and_serial_number_come_from_the_capture(capsys: pytest.CaptureFixture[str]):
    bom = json.loads(written(capsys, CAPTURES / "demo.pcapng"))
    assert bom["specVersion"] == "1.6"
    assert bom["metadata"]["timestamp"] == "2026-11-02T09:00:28.011000+00:00"
    other = json.loads(written(capsys, CAPTURES / "demo.pcapng", "--host", "www.bank.example"))
    assert bom["serialNumber"] != other["serialNumber"]
    assert bom["metadata"]["component"]["hashes"][0]["alg"] == "SHA-256"


def test_a_server_depends_on_what_it_has(capsys: pytest.CaptureFixture[str]):
    bom = json.loads(written(capsys, CAPTURES / "tls13-x25519mlkem768", "-k", keys("tls13-x25519mlkem768")))
    (service,) = bom["services"]
    wanted = needs(bom, service["bom-ref"])
    assert {"crypto/protocol/TLS-1.3", "crypto/group/X25519MLKEM768"} <= set(wanted)
    assert [one for one in wanted if one.startswith("crypto/certificate/")]
    group = crypto(bom, "crypto/group/X25519MLKEM768")
    assert (group["primitive"], group["parameterSetIdentifier"], group["nistQuantumSecurityLevel"]) == ("combiner", "768", 3)
    protocol = crypto(bom, "crypto/protocol/TLS-1.3")
    assert (protocol["type"], protocol["version"]) == ("tls", "1.3")
    assert protocol["cipherSuites"][0]["identifiers"] == ["0x13,0x02"]
    assert "crypto/cipher/AES_256_GCM" in needs(bom, "crypto/protocol/TLS-1.3")


def test_a_certificate_has_its_dates_and_its_key(capsys: pytest.CaptureFixture[str]):
    bom = json.loads(written(capsys, CAPTURES / "demo.pcapng", "--host", "old.example"))
    (own,) = [one for one in bom["components"] if one["name"] == "CN=old.example"]
    found = own["cryptoProperties"]["certificateProperties"]
    assert found["notValidAfter"] == "2026-10-26T09:00:00+00:00"
    assert found["signatureAlgorithmRef"] == "crypto/signature/ecdsa-with-SHA256"
    assert crypto(bom, found["subjectPublicKeyRef"])["algorithmRef"] == "crypto/public-key/ec-secp256r1"
    assert own["evidence"]["occurrences"][0]["location"] == "203.0.113.77:443"
    assert property_of(own, "state") == ["expired"]


def test_a_certificate_that_cannot_be_seen_is_not_called_absent(capsys: pytest.CaptureFixture[str]):
    (path,) = (CAPTURES / "tls13-ed25519").glob("*.pcap*")
    (service,) = json.loads(written(capsys, path))["services"]
    assert property_of(service, "certificate") == ["not visible"]
    (service,) = json.loads(written(capsys, path, "-k", keys("tls13-ed25519")))["services"]
    assert property_of(service, "certificate") == ["visible"]


def test_certificates_that_are_cut_or_not_listed_are_not_called_absent(capsys: pytest.CaptureFixture[str]):
    assert main(["inventory", str(CAPTURES / "tls10-rsa"), "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    for counts, expected in (({"visible": 1, "cut": 0}, "visible"), ({"visible": 0, "cut": 1}, "cut")):
        record["servers"][0]["certificates"] |= counts | {"sent": []}
        (service,) = json.loads(limits.cbom(record))["services"]
        assert property_of(service, "certificate") == [expected]


def test_old_protocols_and_weak_servers(capsys: pytest.CaptureFixture[str]):
    bom = json.loads(written(capsys, CAPTURES / "tls10-rsa"))
    (service,) = bom["services"]
    assert property_of(service, "weak")[0] == "deprecated_version"
    assert crypto(bom, "crypto/key-exchange/RSA")["primitive"] == "pke"
    assert crypto(bom, "crypto/mac/HMAC-SHA-1")["primitive"] == "mac"


def test_its_lists_are_bounded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST_LISTED", 2)
    text = written(capsys, CAPTURES / "demo.pcapng")
    assert VALIDATOR.validate_str(text) is None
    bom = json.loads(text)
    assert len(bom["services"]) == 2
    assert property_of(bom["metadata"], "left_out_servers") == ["4"]
    assert property_of(bom["metadata"], "left_out_certificates") == ["4"]


def test_a_capture_without_times_has_no_time_stamp(capsys: pytest.CaptureFixture[str]):
    assert main(["inventory", str(CAPTURES / "demo.pcapng"), "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    record["captures"][0] |= {"first_time": None, "last_time": None, "sha256": None}
    for one in (*record["servers"], *record["certificates"]):
        one |= {"first_seen": None, "last_seen": None}
    text = limits.cbom(record).decode()
    assert VALIDATOR.validate_str(text) is None
    assert "timestamp" not in json.loads(text)["metadata"]


def test_names_that_a_stranger_chose_stay_text(capsys: pytest.CaptureFixture[str]):
    assert main(["inventory", str(CAPTURES / "demo.pcapng"), "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    hostile = 'urn:uuid:00000000-0000-0000-0000-000000000000"}\x1b\u202e<'
    record["servers"][0]["names"]["values"][0]["server_name"] = hostile
    record["certificates"][0] |= {"subject": hostile, "signature_algorithm": hostile, "public_key": {"type": hostile}}
    text = limits.cbom(record).decode()
    assert VALIDATOR.validate_str(text) is None
    bom = json.loads(text)
    assert bom["serialNumber"] != "urn:uuid:00000000-0000-0000-0000-000000000000"
    assert hostile in [one["name"] for one in (*bom["services"], *bom["components"])]


def test_every_reference_is_that_of_an_entry(capsys: pytest.CaptureFixture[str]):
    bom = json.loads(written(capsys, CAPTURES / "demo.pcapng", CAPTURES / "tls10-rsa"))
    known = {*by_reference(bom), bom["metadata"]["component"]["bom-ref"]}
    for one in bom["dependencies"]:
        assert {one["ref"], *one.get("dependsOn", ())} <= known


def test_without_the_library_one_line_says_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cyclonedx.output.json", None)
    assert main(["inventory", str(CAPTURES / "demo.pcapng"), "--format", "cbom"]) == 2
    assert "pip install 'capture-analyzer[inventory]'" in capsys.readouterr().err


def keys(name: str) -> Path:
    return CAPTURES / name / f"{name}.keys"
