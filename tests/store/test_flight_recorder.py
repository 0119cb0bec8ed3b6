"""The flight recorder: what it holds, when it writes, and that it never holds or writes without limit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conversations import SECOND, Segment, Tap, packetise, talk
from limited import files_up_to
from wire import CLIENT, SERVER, Wire, hello

from analyzer.capture.blocks import Interface
from analyzer.capture.capture_reader import CaptureReader
from analyzer.store import flight_recorder
from analyzer.store.chain_verdicts import default_chains
from analyzer.store.flight_recorder import FlightRecorder
from analyzer.store.kept_packets import Origin
from analyzer.tls.events import Event, Finding

ORIGIN = Origin(lambda: [Interface(0, 0, 1, 0, "", name="eth0")], list, "the test")


class Recorded(Tap):
    """A tap whose frames and events go to a recorder."""

    def __init__(self, folder: Path, seconds: float = 60, codes: tuple[str, ...] = ("gap",)) -> None:
        super().__init__(detailed=True, watches_failures=True)
        self.recorder = FlightRecorder(str(folder), seconds, codes, ORIGIN, default_chains(), self.render)

    def render(self, record: dict[str, Any]) -> str:
        return f"rendered {record['id']}"

    def feed_bytes(self, data: bytes, cut: int = 0) -> None:
        super().feed_bytes(data, cut)
        events = self.engine.take()
        self.recorder.packet(self.engine.packet, self.frame, events)
        self.deliver(events)

    def deliver(self, events: list[Event]) -> None:
        self.recorder.take(events)
        self.recorder.end_turn()

    def end(self) -> None:
        self.engine.close()
        self.deliver(self.engine.take())


def with_gap(**ports: Any) -> list[Segment]:
    """A conversation of which a segment was lost."""
    segments = packetise(talk(), **ports)
    del segments[-6]
    return segments


def folders(path: Path) -> Iterator[Path]:
    return iter(sorted(path.iterdir()))


def test_a_finding_makes_an_incident(tmp_path: Path):
    tap = Recorded(tmp_path)
    tap.feed(*with_gap())
    tap.end()
    (folder,) = folders(tmp_path)
    assert [str(folder)] == tap.recorder.incidents
    reader = CaptureReader([str(folder / "packets.pcapng")])
    n_frames = 0
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            n_frames += 1
    assert n_frames == len(with_gap())
    assert [interface.name for interface in reader.files[0].interfaces] == ["eth0"]
    (line,) = (folder / "sessions.jsonl").read_bytes().splitlines()
    assert json.loads(line)["id"] == 0
    summary = (folder / "summary.txt").read_text()
    assert "session 0: gap: " in summary
    assert "rendered 0" in summary


def test_a_cause_of_a_failure_makes_an_incident(tmp_path: Path):
    tap = Recorded(tmp_path, codes=("reset_by_peer", "no_answer"))
    for _, frame in Wire().open().say(CLIENT, hello()).rst(SERVER).frames:
        tap.feed_bytes(frame)
    tap.end()
    (folder,) = folders(tmp_path)
    assert folder.name.endswith("-session-0")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [(one["session"], one["code"]) for one in manifest["findings"]] == [(0, "reset_by_peer")]
    assert manifest["packets"] == 6
    summary = (folder / "summary.txt").read_text()
    assert "session 0: reset_by_peer: the server reset the connection after the ClientHello" in summary
    (record,) = map(json.loads, (folder / "sessions.jsonl").read_bytes().splitlines())
    assert record["outcome"]["cause"] == "reset_by_peer"


def test_the_cause_of_a_connection_without_tls_makes_an_incident_too(tmp_path: Path):
    tap = Recorded(tmp_path, codes=("connection_refused",))
    wire = Wire().syn()
    wire.seen[SERVER] = 1000
    for _, frame in wire.rst(SERVER).frames:
        tap.feed_bytes(frame)
    tap.end()
    (folder,) = folders(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [(one["session"], one["code"]) for one in manifest["findings"]] == [(None, "connection_refused")]
    assert "192.0.2.10 to port 443 of 198.51.100.20: the server answered" in (folder / "summary.txt").read_text()
    assert folder.name.endswith("-connection")


def test_other_causes_make_none(tmp_path: Path):
    tap = Recorded(tmp_path, codes=("no_answer",))
    for _, frame in Wire().open().say(CLIENT, hello()).rst(SERVER).frames:
        tap.feed_bytes(frame)
    tap.end()
    assert list(tmp_path.iterdir()) == []


def test_other_findings_make_none(tmp_path: Path):
    tap = Recorded(tmp_path, codes=("downgrade",))
    tap.feed(*with_gap())
    tap.end()
    assert list(tmp_path.iterdir()) == []


def test_only_the_last_seconds_are_held(tmp_path: Path):
    tap = Recorded(tmp_path, seconds=5)
    tap.feed(*packetise(talk(), ports=(50001, 443)), apart=SECOND)
    assert len(tap.recorder._frames) == 6


def test_what_is_held_has_a_limit_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flight_recorder, "MOST_BYTES", 5000)
    tap = Recorded(tmp_path)
    tap.feed(*packetise(talk()))
    held = sum(len(one.data) + flight_recorder.FRAME_COST for one in tap.recorder._frames)
    assert 3000 < held <= 5000
    assert held == tap.recorder._n_bytes


def test_records_are_held_as_long_as_packets_and_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tap = Recorded(tmp_path, seconds=60, codes=("downgrade",))

    def converse(number: int, wait: int) -> None:
        tap.feed(*packetise(talk(), ports=(50000 + number, 443)))
        tap.at += wait * SECOND
        tap.engine.tick(tap.at)
        tap.deliver(tap.engine.take())

    for number in range(5):
        converse(number, 25)
    assert [json.loads(one.line)["id"] for one in tap.recorder._ended] == [2, 3, 4]
    monkeypatch.setattr(flight_recorder, "MOST_RECORDS", tap.recorder._n_ended)
    for number in range(5, 10):
        converse(number, 5)
    assert 2 <= len(tap.recorder._ended) <= 3
    assert tap.recorder._n_ended == sum(len(one.line) for one in tap.recorder._ended)


def test_incidents_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flight_recorder, "MOST_INCIDENTS", 3)
    tap = Recorded(tmp_path)
    for number in range(5):
        tap.feed(*with_gap(ports=(50000 + number, 443)))
        tap.engine.tick(tap.at + 3700 * SECOND)
        tap.at += 3701 * SECOND
        tap.deliver(tap.engine.take())
    tap.end()
    assert len(list(tmp_path.iterdir())) == 3
    (note,) = tap.recorder.notes
    assert "no more incidents" in note


def test_a_session_can_have_two_incidents_in_a_second(tmp_path: Path):
    tap = Recorded(tmp_path, codes=("gap", "conflict"))
    for code in ("gap", "conflict"):
        finding = Finding(code, "low", "detail", [1])
        finding.session = 5
        tap.deliver([finding])
    assert tap.recorder.notes == []
    assert [(folder / "summary.txt").read_text().count("session 5: ") for folder in folders(tmp_path)] == [1, 1]


def test_incidents_that_cannot_be_written_count_and_are_noted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flight_recorder, "MOST_INCIDENTS", 3)
    tap = Recorded(tmp_path)
    tap.feed(*with_gap())
    with files_up_to(100):
        for number in range(20, 30):
            finding = Finding("gap", "low", "detail", [1])
            finding.session = number
            tap.deliver([finding])
    assert len(list(tmp_path.iterdir())) == 3
    assert [note.rpartition(": ")[2] for note in tap.recorder.notes] == [
        "File too large; this incident is not complete, nor others for this reason",
        "there are 3 of this run",
    ]
    assert tap.recorder.incidents == []


def test_without_room_there_is_a_note(tmp_path: Path):
    tap = Recorded(tmp_path)
    with files_up_to(1000):
        tap.feed(*with_gap())
        tap.end()
    (note,) = tap.recorder.notes
    assert "File too large" in note
    (folder,) = folders(tmp_path)
    assert not (folder / "manifest.json").exists()
