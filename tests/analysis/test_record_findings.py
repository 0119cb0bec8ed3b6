"""Anomalies of protected records: data without an end, records over a limit, a MAC that cannot be checked."""

from dataclasses import replace
from typing import Any

import pytest
from conversations import SERVER, Segment, Tap, packetise
from talks import converse

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog


def findings(segments: list[Segment], keylog: str, apart: int = 1_000_000) -> dict[str, str]:
    """The details of a session's findings by code. apart: nanoseconds from one frame to the next."""
    tap = Tap()
    secrets = KeyLog()
    secrets.feed(keylog.encode())
    tap.engine = Engine(keylog=secrets)
    tap.feed(*segments, apart=apart)
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


def of_delivery(segments: list[Segment], apart: int = 1_000_000) -> dict[str, str]:
    found = findings(segments, "", apart)
    return {code: found[code] for code in ("one_side_only", "lost_on_path", "retransmissions") if code in found}


def test_a_calm_capture_says_nothing_of_its_delivery():
    assert of_delivery(packetise(converse("TLSv1_2").flights, acks=True)) == {}


def test_one_side_alone_is_named():
    segments = [one for one in packetise(converse("TLSv1_2").flights) if one.side == SERVER]
    assert of_delivery(segments) == {
        "one_side_only": "no packet of the client is in the capture: only the server's side of the session can be read"
    }


def test_segments_that_come_again_are_counted_by_side():
    segments = packetise(converse("TLSv1_2").flights, acks=True)
    first = [next(n for n, one in enumerate(segments) if one.side == side and one.payload) for side in (1 - SERVER, SERVER)]
    again = [*segments[: first[1] + 1], segments[first[0]], *[segments[first[1]]] * 5, *segments[first[1] + 1 :]]
    assert of_delivery(again) == {"retransmissions": "segments that came again: 1 of the client, 5 of the server"}


def test_what_nobody_acknowledged_was_lost_on_the_path_and_what_somebody_did_by_the_capture():
    segments = packetise(converse("TLSv1_2").flights, acks=True)
    lost = [n for n, one in enumerate(segments) if one.side == SERVER and one.payload][1]
    before, heard = segments[lost].sequence, segments[lost].acknowledgement
    rest = [replace(one, acknowledgement=heard) for one in segments[lost + 1 :] if one.side == SERVER and not one.flags & 1]
    stuck = [replace(one, acknowledgement=before) for one in segments[lost + 1 :] if one.side != SERVER and not one.payload][:3]
    seen = [*segments[:lost], *rest[:3], *stuck]
    assert of_delivery(seen) == {}  # the capture ends before an acknowledgement could come
    assert of_delivery(seen, apart=500_000_000) == {
        "lost_on_path": f"{len(segments[lost].payload):,} missing bytes of the server were not acknowledged by the client: "
        "they were lost on the path"
    }
    assert of_delivery([*segments[:lost], *segments[lost + 1 :]]) == {}
