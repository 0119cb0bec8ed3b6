"""A damaged capture says nothing that the whole one does not: each fact is the same or unknown, and nobody is blamed for it.

One frame is missing, or cut to some length; the capture begins late or ends early; all frames are cut, as by a snapshot length;
a side is not in it. `python tests/damage.py` tries all of these on all demonstration captures; here is a sample.
"""

import random
from dataclasses import replace

import pytest
from damage import damages, differences, direction, frames_of, records_of, true_records
from sessions_by_hand import keylog_of

TCP_FLAGS = 14 + 20 + 13
"""Where the flags of TCP are in a frame of Ethernet with IPv4."""

SAMPLE = {
    "alert-certificate-required": 3, "ech-accepted": 5, "tls10-rsa": 5, "tls12-client-certificate": 4,
    "tls12-renegotiation": 9, "tls12-rsa-key-exchange": 4, "tls12-ticket-resumption": 11, "tls13-client-certificate": 5,
    "tls13-early-data": 13, "tls13-hello-retry-request": 5, "smtp-starttls": 19,
}  # fmt: skip
"""Captures, and of how many frames one is damaged."""


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("name", SAMPLE)
def test_what_a_damaged_capture_says_is_so(name: str, keyed: bool):
    truth = true_records(name, keyed)
    wrong = {}
    for what, frames in damages(frames_of(name), SAMPLE[name]):
        found = differences(truth, records_of(frames, keylog_of(name) if keyed else None))
        if found:
            wrong[what] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "number", "length"),
    [
        ("ech-accepted", 6, 150),
        ("ech-hello-retry-request", 4, 0),
        ("ech-hello-retry-request", 6, 0),
        ("ech-hello-retry-request", 12, 180),
        ("tls12-renegotiation", 8, 60),
        ("tls13-hello-retry-request", 4, 0),
        ("tls13-post-handshake-authentication", 4, 0),
        ("tls13-post-handshake-authentication", 6, 0),
        ("tls13-post-handshake-authentication", 6, 150),
        ("alert-certificate-required", 6, 0),
        ("alert-certificate-required", 13, 0),
    ],
)
@pytest.mark.parametrize("keyed", [False, True])
def test_one_frame_that_matters(name: str, number: int, length: int, keyed: bool):
    """A frame that is cut to a length, or missing: what depends on it is not known."""
    frames = [one.cut(length) if one.number == number else one for one in frames_of(name) if length or one.number != number]
    assert differences(true_records(name, keyed), records_of(frames, keylog_of(name) if keyed else None)) == []


@pytest.mark.parametrize("length", [180, 600])
def test_a_request_whose_finished_is_cut(length: int):
    name = "tls13-post-handshake-authentication"
    frames = [frame.cut(length) for frame in frames_of(name)]
    assert differences(true_records(name, True), records_of(frames, keylog_of(name))) == []


@pytest.mark.parametrize("last", [14, 15])
def test_a_capture_that_ends_between_a_later_request_and_its_answer_shows_no_absence(last: int):
    name = "tls13-post-handshake-authentication"
    [record] = records_of([frame for frame in frames_of(name) if frame.number <= last], keylog_of(name))
    assert ("certificate_request", "server") in [(one["type"], one["from"]) for one in record["handshake"]]
    assert record["certificates"]["client"] is None
    assert record["client_chain"]["verdict"] == "unknown"
    assert record["authenticity"]["client_signature"] == "unverifiable"


def test_a_wrong_fact_is_found():
    truth = true_records("tls12-rsa-key-exchange", False)
    changed = [truth[0] | {"version": "TLS 1.1", "ja3": None, "established": None}]
    assert differences(truth, changed) == ["version: 'TLS 1.1', and it is 'TLS 1.2'"]
    assert differences(truth, truth) == []


IN_ITS_TURN = ("alert ", "message ", "outcome.durations", "finding clocks_differ", "finding retransmissions")
"""Differences that only tell in which order the packets came."""


@pytest.mark.parametrize("name", ["tls12-client-certificate", "tls12-rsa-key-exchange", "tls13-psk-resumption", "tls10-rsa"])
def test_one_direction_and_then_the_other_in_any_order(name: str):
    """Without a SYN, nothing shows where the streams begin."""
    truth, wrong = true_records(name, False), {}
    kept = [frame for frame in frames_of(name) if not frame.data[TCP_FLAGS] & 2]
    for seed in range(16):
        chance = random.Random(seed)
        ways = [[frame for frame in kept if (direction(frame) == direction(kept[0])) == first] for first in (True, False)]
        for place, way in enumerate(chance.sample(ways, 2)):
            if seed >> place & 1:
                chance.shuffle(way)
        times = sorted(frame.at for frame in kept)
        frames = [replace(frame, at=at) for frame, at in zip(ways[0] + ways[1], times, strict=True)]
        wrong[seed] = [one for one in differences(truth, records_of(frames)) if not one.startswith(IN_ITS_TURN)]
    assert {seed: found for seed, found in wrong.items() if found} == {}


def test_a_second_hello_before_the_first_one_is_not_all_of_a_handshake():
    kept = [frame for frame in frames_of("tls13-hello-retry-request") if not frame.data[TCP_FLAGS] & 2]
    client = [frame for frame in kept if direction(frame) == direction(kept[0])]
    server = [frame for frame in kept if frame not in client]
    hellos = [frame for frame in client if frame.wire_length > 200][:2]
    order = [hellos[1], hellos[0], *(frame for frame in client if frame not in hellos), *server]
    times = sorted(frame.at for frame in kept)
    [record] = records_of([replace(frame, at=at) for frame, at in zip(order, times, strict=True)])
    assert record["established"] in (True, None)
    assert record["outcome"]["result"] in ("established", "unknown")
    assert "absent" not in record["authenticity"]["finished"].values()
