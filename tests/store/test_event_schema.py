"""The lines of `analyzer live --events` are as declared: of all demonstration captures, and of a damaged session."""

import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from reference import keys_of
from sessions_by_hand import ALERT, CLIENT, SERVER, Hand, client_hello, message, server_hello
from strict_schema import strict

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.live_events import EventLines
from analyzer.cli.main import main
from analyzer.cli.output import Output
from analyzer.engine import Engine
from analyzer.engine.run import run
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import default_chains
from analyzer.store.event_schema import EVENT
from analyzer.tls.events import DataMissing, SessionEnded

ROOT = Path(__file__).resolve().parents[2]
LINE = jsonschema.Draft202012Validator(strict(EVENT))
KINDS = {one["properties"]["event"]["enum"][0]: one for one in EVENT["oneOf"]}


def check(path: Path) -> Counter[str]:
    """Validate the lines in a file; how many there are of each kind."""
    found: Counter[str] = Counter()
    for line in map(json.loads, path.read_bytes().splitlines()):
        LINE.validate(line)
        assert list(line) == list(KINDS[line["event"]]["properties"])
        found[line["event"]] += 1
    return found


def test_all_events_of_the_demonstration_captures_are_valid(tmp_path: Path):
    found: Counter[str] = Counter()
    for capture in sorted((ROOT / "captures").rglob("*.pcap*")):
        keys = KeyLog()
        for log in capture.parent.glob(f"{capture.parent.name}*.keys"):
            keys.feed(log.read_bytes())
        lines = tmp_path / capture.name
        output = Output(str(lines), (), "never")
        engine = Engine(detailed=True, places=False, announces=True, keylog=keys)
        run(CaptureReader([str(capture)]), engine, [EventLines(output, default_chains())])
        output.close()
        found += check(lines)
    assert found["session_began"] == found["session_ended"] > 30
    common = set(KINDS) - {"gap", "conflict", "out_of_order", "data_missing"}
    assert {kind for kind in common if found[kind] < 3} == set()


def test_events_of_a_damaged_session_are_valid(tmp_path: Path):
    """Bytes that are missing, bytes that were sent twice, a message too early, data that is missing."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.conflict(CLIENT, 7, b"a", b"bc")
    hand.handshake(SERVER, message(14), server_hello())
    hand.gap(SERVER, 9)
    hand.say(SERVER, ALERT, b"\2\50")
    hand.end()
    missing = DataMissing(1, "wrong_secret", 3)
    missing.session = 0
    ended = SessionEnded(hand.session)
    ended.frame, ended.at = hand.frame, hand.at
    output = Output(str(tmp_path / "lines"), (), "never")
    lines = EventLines(output, default_chains())
    lines.take([missing, *hand.events, ended])
    output.close()
    found = check(tmp_path / "lines")
    assert {kind for kind in ("gap", "conflict", "out_of_order", "data_missing", "session_ended") if not found[kind]} == set()


def test_the_schema_is_valid_and_is_printed(capsys: pytest.CaptureFixture[str]):
    jsonschema.Draft202012Validator.check_schema(EVENT)
    assert main(["live", "--events", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == EVENT
    for one in EVENT["oneOf"]:
        assert all(meaning for _, _, meaning in keys_of(one, EVENT["$defs"], "", {}))
