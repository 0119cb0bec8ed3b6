from analyzer.report.timeline_facts import MOST_ENTRIES, timeline

from .conftest import Facts


def test_it_is_in_the_order_of_time_and_begins_with_the_capture(demo_facts: Facts):
    entries = demo_facts["timeline"]
    times = [entry["time"] for entry in entries]
    assert times == sorted(times)
    kinds = [entry["kind"] for entry in entries]
    assert kinds[0] == "capture_began"
    assert kinds[-1] == "capture_ended"
    assert kinds.count("session_began") == kinds.count("session_ended") == 8


def test_alerts_and_findings_are_in_it(failing_facts: Facts):
    (alert,) = [entry for entry in failing_facts["timeline"] if entry["kind"] == "alert"]
    assert (alert["severity"], alert["code"]) == ("medium", "Alert: fatal unknown_ca")
    assert any(entry["kind"] == "finding" and entry["code"] == "fatal_alert" for entry in failing_facts["timeline"])


def test_it_is_bounded():
    brief = [
        {"id": number, "start_time": f"{number:09}", "end_time": f"{number:09}", "first_frame": 1, "last_frame": 2}
        for number in range(5000)
    ]
    assert len(timeline([], brief, [], lambda frame: None)) == MOST_ENTRIES
