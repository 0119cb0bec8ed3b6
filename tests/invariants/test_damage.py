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


def test_a_wrong_fact_is_found():
    truth = true_records("tls12-rsa-key-exchange", False)
    changed = [truth[0] | {"version": "TLS 1.1", "ja3": None, "established": None}]
    assert differences(truth, changed) == ["version: 'TLS 1.1', and it is 'TLS 1.2'"]
    assert differences(truth, truth) == []
