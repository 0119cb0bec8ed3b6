"""`analyzer live --events`: every event of a run as JSON, in order, and all that the record of a session says is among them."""

import json
from pathlib import Path
from typing import Any

from .conftest import Run


def events_of(run: Run, capture: Path) -> list[dict[str, Any]]:
    done = run("live", "-", "--events", stdin=capture.read_bytes())
    assert done.status == 0
    return [json.loads(line) for line in done.out.splitlines()]


def test_each_session_begins_and_ends_once(run: Run, demo: Path):
    events = events_of(run, demo)
    for kind in ("session_began", "session_ended"):
        assert sorted(event["session"] for event in events if event["event"] == kind) == list(range(8))
    for number in range(8):
        own = [event["event"] for event in events if event["session"] == number]
        assert own[0] == "session_began"
        assert own[-1] == "session_ended"
    assert all(list(event)[:5] == ["event", "session", "time", "frame", "from"] for event in events)


def test_the_records_are_those_of_sessions(run: Run, demo: Path):
    ended = [event["record"] for event in events_of(run, demo) if event["event"] == "session_ended"]
    records = [
        record | {"capture": None} for record in map(json.loads, run("sessions", demo, "--format", "json").out.splitlines())
    ]
    assert sorted(map(json.dumps, ended)) == sorted(map(json.dumps, records))


def test_messages_alerts_and_findings_are_those_of_the_record(run: Run, demo: Path):
    events = events_of(run, demo)
    for record in [event["record"] for event in events if event["event"] == "session_ended"]:
        own = [event for event in events if event["session"] == record["id"]]
        messages = [event["type"] for event in own if event["event"] == "message"]
        assert messages == [message["type"] for message in record["handshake"]]
        alerts = [(event["level"], event["description"], event["frame"]) for event in own if event["event"] == "alert"]
        assert alerts == [(alert["level"], alert["description"], alert["frame"]) for alert in record["alerts"]]
        findings = {(event["code"], event["detail"]) for event in own if event["event"] == "finding"}
        assert findings == {(finding["code"], finding["detail"]) for finding in record["findings"]}


def test_data_is_told_by_its_length(run: Run, demo: Path):
    events = events_of(run, demo)
    for record in [event["record"] for event in events if event["event"] == "session_ended"]:
        for side in ("client", "server"):
            lengths = [event["length"] for event in events if event["event"] == "data" and event["session"] == record["id"]
                       and event["from"] == side]  # fmt: skip
            assert sum(lengths) == record["decryption"]["bytes"][side]
    assert not any("data" in event for event in events)


def test_keys_change_before_what_they_protect(run: Run, demo: Path):
    events = [event for event in events_of(run, demo) if event["session"] == 0]
    epochs = [(event["from"], event["epoch"]) for event in events if event["event"] == "keys_changed"]
    assert epochs[:2] == [("client", "handshake"), ("server", "handshake")]
    assert ("server", "application") in epochs
