from typing import Any

from analyzer.report.limitations import limitations
from analyzer.report.sentences import Sentences

from .conftest import Facts, FactsOf


def codes(facts: Facts) -> dict[str, Any]:
    return {one["code"]: one["args"] for one in facts["limits"]}


def test_sessions_without_secrets_are_named(facts_of: FactsOf):
    assert codes(facts_of("tls13-rsa/tls13-rsa.pcapng"))["no_secrets"] == {"count": 1}
    keyed = codes(facts_of("tls13-rsa/tls13-rsa.pcapng", "-k", "tls13-rsa/tls13-rsa.keys"))
    assert "no_secrets" not in keyed
    assert "not_all_decrypted" not in keyed


def test_what_is_missing_is_named(facts_of: FactsOf):
    assert codes(facts_of("tcp-trouble/tcp-trouble.pcapng"))["gaps"]["count"] > 0
    assert "gaps" not in codes(facts_of("tls13-rsa/tls13-rsa.pcapng"))


def test_roots_that_are_younger_than_the_capture_are_named():
    inputs = [
        {"path": "a", "error": None, "truncated_frames": 2, "last_time": "2020-01-01T00:00:00.000000000Z",
         "interfaces": {"count": 1, "first": [{"dropped": 3}]}}
    ]  # fmt: skip
    sessions = {"count": 0, "decryption": {}, "shown": []}
    found = limitations(inputs, [{"store": "mozilla", "date": "2026-01-01"}], sessions, {"protocols": []}, 0, False)
    assert [one["code"] for one in found] == ["snapshot_length", "dropped_packets", "roots_younger", "no_network", "passive"]
    older = limitations(inputs, [{"store": "mozilla", "date": "2019-01-01"}], sessions, {"protocols": []}, 0, False)
    assert "roots_younger" not in [one["code"] for one in older]


def test_a_stop_and_captures_that_were_not_reached_are_named():
    sessions = {"count": 0, "decryption": {}, "shown": []}
    found = limitations([], [], sessions, {"protocols": []}, 0, False, 7, ["b.pcap"])
    assert found[:2] == [{"code": "stopped", "args": {"frame": 7}}, {"code": "unread_capture", "args": {"path": "b.pcap"}}]


def test_what_was_counted_and_not_kept_is_named():
    sessions = {"count": 0, "decryption": {}, "shown": []}
    left_out = {"hosts": 3, "certificates": 0, "findings": 2, "requests": 1}
    found = limitations([], [], sessions, {"protocols": []}, 0, False, None, (), left_out)
    assert [(one["code"], one["args"]) for one in found[:3]] == [
        ("left_out_hosts", {"count": 3}),
        ("left_out_findings", {"count": 2}),
        ("left_out_requests", {"count": 1}),
    ]
    sentences = Sentences()
    for kind in left_out:
        assert sentences.say(f"limit.left_out_{kind}", n=2)
