"""Attached tables: every row, and nothing in them that a spreadsheet computes or a terminal obeys."""

import csv
import hashlib
import io

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.engine.run import run
from analyzer.report import attachments
from analyzer.report.attachments import attach, tables
from analyzer.report.session_collector import SessionCollector
from analyzer.report.time_quality import ServerClocks
from analyzer.store.chain_verdicts import Chains

HOSTILE = '=HYPERLINK("http://x")\x1b[31m\u202e'


def facts(n_hosts: int) -> dict:
    host = {"client_sessions": 1, "server_sessions": 0, "bytes_sent": 1, "bytes_received": 2, "packets": 3}
    return {
        "certificates": [],
        "findings": [],
        "hosts": [{"address": f"192.0.2.{n}", "names": [HOSTILE, "b"], **host} for n in range(n_hosts)],
    }


def test_a_table_that_is_shown_whole_is_not_attached():
    assert tables(SessionCollector(Chains(), ServerClocks()), facts(attachments.FEW)) == {}


def test_a_longer_table_is_attached_with_all_its_rows():
    found = tables(SessionCollector(Chains(), ServerClocks()), facts(attachments.FEW + 1))
    assert list(found) == ["hosts.csv"]
    head, *rows = csv.reader(io.StringIO(found["hosts.csv"].decode(), newline=""))
    assert head[:2] == ["address", "names"]
    assert len(rows) == attachments.FEW + 1
    assert rows[0][1].startswith("'=")
    assert b"\x1b" not in found["hosts.csv"]
    assert "\u202e" not in found["hosts.csv"].decode()


@pytest.mark.parametrize(("n", "names"), [(25, []), (26, ["findings.csv"])])
def test_findings_that_one_table_does_not_show_are_attached(n: int, names: list[str]):
    kind = {"code": "fatal_alert", "severity": "low", "title": "t", "count": n}
    kind["occurrences"] = [{"session": number, "frames": [1, 2], "detail": "d"} for number in range(n)]
    found = tables(SessionCollector(Chains(), ServerClocks()), facts(1) | {"findings": [kind]})
    assert list(found) == names
    assert all(table.count(b"\r\n") == n + 1 for table in found.values())


def test_an_attachment_is_described_by_its_hash():
    (attachment,), (record,) = attach({"hosts.csv": b"a\r\n1\r\n2\r\n"})
    assert attachment.content == b"a\r\n1\r\n2\r\n"
    assert record["rows"] == 2
    assert record["sha256"] == hashlib.sha256(attachment.content).hexdigest()
    assert record["size"] == len(attachment.content)


def test_requests_are_collected(repository):
    collected = SessionCollector(Chains(), ServerClocks())
    run(CaptureReader([str(repository / "captures" / "demo.pcapng")]), Engine(detailed=True, places=False), [collected])
    assert collected.requests.count == len(collected.requests.rows) > 0
    assert all(len(row) == len(attachments.REQUESTS) for row in collected.requests.rows)
