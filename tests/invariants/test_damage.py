"""A damaged capture says nothing that the whole one does not: each fact is the same or unknown, and nobody is blamed for it.

One frame is missing, or cut to some length; the capture begins late or ends early; all frames are cut, as by a snapshot length;
a side is not in it. `python tests/damage.py` tries all of these on all demonstration captures; here is a sample.
"""

import pytest
from damage import damages, differences, frames_of, records_of, true_records
from sessions_by_hand import keylog_of

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
