"""Anomalies of protected records: data without an end, records over a limit, a MAC that cannot be checked."""

from typing import Any

import pytest
from conversations import SERVER, Segment, Tap, packetise
from talks import converse

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog


def findings(segments: list[Segment], keylog: str) -> dict[str, str]:
    """The details of a session's findings by code."""
    tap = Tap()
    secrets = KeyLog()
    secrets.feed(keylog.encode())
    tap.engine = Engine(keylog=secrets)
    tap.feed(*segments)
    (record,) = tap.records()
    return {finding["code"]: finding["detail"] for finding in record["findings"]}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_data_that_ends_without_close_notify_is_named(version: str):
    talk = converse(version)
    assert "no_close_notify" not in findings(packetise(talk.flights), talk.keylog)
    last: Any = talk.flights[:-1]
    assert last[-1][0] != talk.flights[-1][0]
    assert "the server never said close_notify" in findings(packetise(last), talk.keylog)["no_close_notify"]
    assert "no_close_notify" not in findings(packetise(last, fin=False), talk.keylog)


def test_a_gap_is_no_missing_end():
    talk = converse("TLSv1_3")
    segments = [segment for segment in packetise(talk.flights) if segment.payload != talk.flights[-1][1]]
    del segments[max(n for n, segment in enumerate(segments) if segment.side == SERVER and segment.payload)]
    assert "no_close_notify" not in findings(segments, talk.keylog)
