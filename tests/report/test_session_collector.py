"""The sessions in a report are those of `sessions`, and all of them are counted, however few are shown."""

import json
from pathlib import Path

import orjson

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.engine.run import Listener, run
from analyzer.report import session_collector
from analyzer.report.session_collector import SessionCollector
from analyzer.report.time_quality import ServerClocks
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.tls.events import SessionEnded

from .conftest import Facts


class Records(Listener):
    def __init__(self, chains: Chains) -> None:
        self.records: list[dict] = []
        self._chains = chains

    def take(self, events) -> None:
        self.records += [
            session_record(event.ended, False, self._chains) for event in events if isinstance(event, SessionEnded)
        ]


def collect(path: Path) -> SessionCollector:
    collected = SessionCollector(Chains(), ServerClocks())
    run(CaptureReader([str(path)]), Engine(detailed=True, places=False), [collected])
    return collected


def test_shown_records_are_the_session_records(repository: Path):
    path = repository / "captures" / "demo.pcapng"
    chains = Chains()
    records = Records(chains)
    run(CaptureReader([str(path)]), Engine(detailed=True, places=False), [records])
    shown = [{key: value for key, value in record.items() if key != "steps"} for record in collect(path).shown]
    assert orjson.dumps(shown) == orjson.dumps(records.records)


def test_all_are_counted_and_few_are_shown(repository: Path, monkeypatch):
    monkeypatch.setattr(session_collector, "SHOWN_FIRST", 2)
    monkeypatch.setattr(session_collector, "SHOWN_SEVERE", 1)
    collected = collect(repository / "captures" / "demo.pcapng")
    assert collected.n_sessions == 8
    assert sum(collected.counts["decryption"].values()) == 8
    shown = sorted(record["id"] for record in collected.shown)
    assert shown[:2] == [0, 1]
    assert len(shown) == 3
    severe = next(record for record in collected.shown if record["id"] == shown[2])
    assert any(finding["severity"] in ("high", "medium") for finding in severe["findings"])
    assert collected.csv().count(b"\r\n") == 9


def test_the_values_that_are_counted_are_limited(repository: Path, monkeypatch):
    path = repository / "captures" / "demo.pcapng"
    all_counts = collect(path).counts["versions"]
    assert len(all_counts) > 1
    monkeypatch.setattr(session_collector, "MOST_VALUES", 1)
    ((version, count),) = collect(path).counts["versions"].items()
    assert all_counts[version] == count > 1


def test_few_open_sessions_are_followed(repository: Path, monkeypatch):
    monkeypatch.setattr(session_collector, "SHOWN_FIRST", 0)
    monkeypatch.setattr(session_collector, "SHOWN_SEVERE", 100)
    monkeypatch.setattr(session_collector, "MOST_FOLLOWED", 0)
    collected = collect(repository / "captures" / "demo.pcapng")
    assert collected.shown
    assert all(record["steps"] == [] for record in collected.shown)


def test_a_session_that_failed_is_listed(failing_facts: Facts):
    (failed,) = failing_facts["failed"]
    assert failed["alerts"][0]["description"] == "unknown_ca"
    assert failing_facts["sessions"]["failed"] == 1
    assert json.dumps(failed)
