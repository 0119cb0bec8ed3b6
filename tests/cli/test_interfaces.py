"""`analyzer interfaces`: every interface with its facts, and what is missing to capture there."""

import csv
import io
import json
import os
import subprocess
import sys

import jsonschema
import pytest
from live_network import Network

from analyzer.store.output_schemas import INTERFACE

from .conftest import Run


def test_every_interface_is_a_record_of_the_schema(run: Run, network: Network):
    network.ip("address", "add", "192.0.2.1/24", "dev", network.near)
    network.ip("link", "set", network.far, "down")
    ran = run("interfaces", "--format", "json")
    records = {record["name"]: record for record in map(json.loads, ran.out.splitlines())}
    for record in records.values():
        jsonschema.validate(record, INTERFACE)
        assert record.keys() == INTERFACE["properties"].keys()
        assert (record["can_capture"], record["missing"], record["command"]) == (True, None, None)
    assert (ran.status, ran.err) == (0, b"")
    assert {"lo", network.near, network.far} <= records.keys()
    near = records[network.near]
    assert (near["addresses"], near["state"], near["link_type"]) == (["192.0.2.1"], "no carrier", records["lo"]["link_type"])
    assert records[network.far]["state"] == "down"


def test_csv_has_what_json_has(run: Run, network: Network):
    records = list(map(json.loads, run("interfaces", "--format", "json").out.splitlines()))
    rows = list(csv.DictReader(io.StringIO(run("interfaces", "--format", "csv").text)))
    assert [row["name"] for row in rows] == [record["name"] for record in records]
    assert [row["addresses"].split() for row in rows] == [record["addresses"] for record in records]
    assert rows[0].keys() == INTERFACE["properties"].keys()


def test_text_shows_names_states_and_addresses(run: Run, network: Network):
    network.ip("address", "add", "192.0.2.1/24", "dev", network.near)
    lines = run("interfaces").text.splitlines()
    (near,) = [line for line in lines if line.startswith(network.near)]
    assert "up" in near.split()
    assert "192.0.2.1" in near.split()
    assert "can be captured here" in lines[-1]


@pytest.mark.parametrize("form", ["text", "json"])
def test_without_the_right_it_says_which_and_what_gives_it(form: str, network: Network):
    code = (
        "from analyzer.capture.live.privileges import drop; drop()\n"
        f"from analyzer.cli.main import main; main(['interfaces', '--format', '{form}'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert ran.stderr == ""
    if form == "text":
        assert "Nothing can be captured: the right CAP_NET_RAW is missing: sudo " in " ".join(ran.stdout.split())
    else:
        records = list(map(json.loads, ran.stdout.splitlines()))
        assert {(record["can_capture"], record["missing"]) for record in records} == {(False, "CAP_NET_RAW")}
        assert [record["command"].split()[-2:] for record in records] == [["live", record["name"]] for record in records]
