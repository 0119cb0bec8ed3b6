"""Lists of logs: the one of this package, and those that browsers publish."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from authorities import key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.x509.ct_logs import LIST_SIZE, Log, read_logs, shipped_logs
from analyzer.x509.signature import load_key

PUBLIC = key("log").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
TEXT = b64encode(PUBLIC).decode()
ENTRY = {
    "description": "Log 2026",
    "log_id": b64encode(sha256(PUBLIC).digest()).decode(),
    "key": TEXT,
    "url": "https://log.test/",
    "mmd": 86400,
    "state": {"retired": {"timestamp": "2025-01-02T03:04:05Z"}},
    "temporal_interval": {"start_inclusive": "2026-01-01T00:00:00Z", "end_exclusive": "2027-01-01T00:00:00Z"},
}


def test_every_key_of_the_shipped_list_can_be_used():
    logs = shipped_logs().by_id
    assert len(logs) > 150
    assert all(load_key(log.key) is not None and log.name and log.operator for log in logs.values())
    assert len({log.name for log in logs.values()}) == len(logs)


def test_the_shipped_list_has_logs_of_all_years():
    # The identifiers are those in Google's lists.
    known = {
        "a4b90990b418581487bb13a2cc67700a3c359804f91bdfb8e377cd0ec80ddc10": "Google 'Pilot' log",
        "3b5377753e2db9804e8b305b06fe403b67d84fc3f4c7bd000d2d726fe1fad417": "Let's Encrypt 'Oak2024H1'",
        "d76d7d10d1a7f577c2c7e95fd700bff982c9335a65e1d0b3017317c0c8c56977": "Google 'Argon2026h2'",
    }
    logs = shipped_logs().by_id
    for identifier, name in known.items():
        assert logs[bytes.fromhex(identifier)].name == name


@pytest.mark.parametrize("kind", ["logs", "tiled_logs"])
def test_lists_of_version_3(kind):
    data = json.dumps({"version": "93.3", "operators": [{"name": "Operator", "email": [], kind: [ENTRY]}]}).encode()
    assert read_logs(data).by_id == {
        sha256(PUBLIC).digest(): Log(
            "Log 2026", "Operator", PUBLIC, "retired", "2025-01-02", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
        )
    }


def test_lists_of_version_1():
    entry = {"description": "Old", "key": TEXT, "url": "log.test", "operated_by": [1, 7]}
    data = json.dumps({"logs": [entry], "operators": [{"name": "Other", "id": 0}, {"name": "Operator", "id": 1}]}).encode()
    assert read_logs(data).by_id == {sha256(PUBLIC).digest(): Log("Old", "Operator", PUBLIC)}


def test_lists_of_our_own_form():
    data = f"# comment\nname,operator,state,since,expiry_from,expiry_before,key\nA,B,usable,2020-01-01,,,{TEXT}\n".encode()
    assert read_logs(data).by_id == {sha256(PUBLIC).digest(): Log("A", "B", PUBLIC, "usable", "2020-01-01")}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no log in the list"),
        (b"{", "unexpected end"),
        (b'{"operators": 1}', "a list of logs has operators"),
        (b'{"operators": []}', "no log in the list"),
        (b'{"operators": [{"logs": [1]}]}', "log 1 of the list has no key"),
        (b'{"operators": [{"logs": [{"key": "?"}]}]}', "log 1 of the list has a key that is not base64"),
        (b"a,b\n1,2\n", "lacks a column"),
        (b"\xff\xfe", "codec"),
        (b"[" * 100_000, "no log in the list"),
        (b'{"operators":' + b"[" * 100_000, "Recursion limit|depth"),
        (b" " * (LIST_SIZE + 1), "are no list of logs"),
    ],
)
def test_an_invalid_list_is_reported(data, why):
    with pytest.raises(ValueError, match=why):
        read_logs(data)
