"""Many sessions that fail in the way of an oracle attack are a finding, and failures of another kind or number are not."""

from typing import Any

import pytest

from analyzer.analysis.failure_patterns import LEAST_FAILURES, FailurePatterns

RSA_CBC, ECDHE_CBC, ECDHE_GCM, RSA_GCM = 0x002F, 0xC013, 0xC02F, 0x009C


def record(number: int, suite: int | None, alert: str | None = None, **changes: Any) -> dict[str, Any]:
    alerts = [] if alert is None else [{"description": alert, "from": "server", "frame": 10 * number + 5}]
    exchange = [{"type": "client_key_exchange", "frame": 10 * number + 4}]
    plain = {
        "id": number,
        "client": {"address": "10.0.0.1", "port": 1000 + number},
        "server": {"address": "10.0.0.2", "port": 443},
        "cipher_suite_id": suite,
        "established": False,
        "resumed": False,
        "handshake": exchange,
        "alerts": alerts,
        "gaps": [],
    }
    return plain | changes


def findings(*records: dict[str, Any]) -> list[tuple[str, int]]:
    patterns = FailurePatterns()
    for one in records:
        patterns.take(one)
    return [(finding.code, finding.count) for finding in patterns.findings()]


@pytest.mark.parametrize("alert", ["bad_record_mac", "decrypt_error", "handshake_failure", None])
def test_robot(alert: str | None):
    assert findings(*(record(n, RSA_GCM, alert) for n in range(12))) == [("failed_key_exchanges", 12)]


def test_a_padding_oracle():
    patterns = FailurePatterns()
    for number in range(30):
        patterns.take(record(number, ECDHE_CBC, "bad_record_mac", established=True))
    (finding,) = patterns.findings()
    assert (finding.code, finding.severity, finding.count) == ("failed_records", "medium", 30)
    assert finding.occurrences[0].session == 0
    assert finding.occurrences[0].frames == (5,)
    assert "10.0.0.1" in finding.detail


@pytest.mark.parametrize(
    "changes",
    [
        {"suite": ECDHE_GCM, "alert": "bad_record_mac"},
        {"suite": RSA_GCM, "alert": "unknown_ca"},
        {"suite": RSA_GCM, "alert": None, "established": True},
        {"suite": RSA_GCM, "alert": None, "handshake": []},
        {"suite": RSA_GCM, "alert": None, "gaps": [{}]},
        {"suite": ECDHE_CBC, "alert": "close_notify", "established": True},
        {"suite": 0x1301, "alert": "decrypt_error"},
        {"suite": None, "alert": "handshake_failure"},
    ],
)
def test_other_failures_are_no_pattern(changes: dict[str, Any]):
    assert findings(*(record(number, **changes) for number in range(50))) == []


def test_the_number_and_the_part_decide():
    failed = [record(number, RSA_CBC, "decrypt_error") for number in range(LEAST_FAILURES)]
    good = [record(100 + number, RSA_CBC, established=True) for number in range(LEAST_FAILURES + 1)]
    assert findings(*failed[1:]) == []
    assert findings(*failed, *good[1:]) == [("failed_key_exchanges", LEAST_FAILURES)]
    assert findings(*failed, *good) == []


def test_pairs_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.analysis.failure_patterns.MAX_PAIRS", 2)
    patterns = FailurePatterns()
    for number in range(4):
        patterns.take(record(number, RSA_CBC, client={"address": f"10.0.1.{number}", "port": 1}))
    assert patterns.uncounted == 2
