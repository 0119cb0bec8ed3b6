from analyzer.analysis.capture_finding import CaptureFinding, Occurrence
from analyzer.analysis.traffic import Traffic
from analyzer.report.finding_collector import MOST_FRAMES, MOST_OCCURRENCES, FindingCollector


def test_the_worst_come_first_and_equal_codes_together():
    collector = FindingCollector()
    collector.add("gap", "low", "one", [7], 3)
    collector.add("conflicting_segments", "high", "two", [9], 3)
    collector.add("gap", "low", "three", [2], 1)
    first, second = collector.records()
    assert (first["code"], first["severity"], first["count"], first["n_sessions"]) == ("conflicting_segments", "high", 1, 1)
    assert (second["code"], second["count"], second["n_sessions"]) == ("gap", 2, 2)
    assert [one["session"] for one in second["occurrences"]] == [1, 3]
    assert first["title"] == "TCP segments with different bytes at the same position"
    assert first["meaning"]
    assert first["reference"]
    assert first["refuted_by"]


def test_occurrences_are_bounded_and_all_are_counted():
    collector = FindingCollector()
    for session in range(2 * MOST_OCCURRENCES):
        collector.add("gap", "low", "", (), session)
        collector.add("gap", "low", "", (), session)
    (found,) = collector.records()
    assert (found["count"], found["n_sessions"], len(found["occurrences"])) == (
        4 * MOST_OCCURRENCES,
        2 * MOST_OCCURRENCES,
        MOST_OCCURRENCES,
    )


def test_a_finding_of_the_captures_has_no_session():
    collector = FindingCollector()
    collector.add("cut_frames", "low", "all")
    (found,) = collector.records()
    assert (found["n_sessions"], found["occurrences"]) == (0, [{"session": None, "frames": [], "detail": "all"}])


def test_a_finding_of_the_capture_is_one_occurrence():
    places = tuple(Occurrence(number, (10 * number,)) for number in range(30))
    collector = FindingCollector()
    collector.take_capture(
        [
            CaptureFinding("repeated_connections", "info", "often", 30, places),
            CaptureFinding("rare_fingerprint", "info", "once", 1, places[7:8]),
        ]
    )
    rare, regular = collector.records()
    assert (rare["count"], rare["n_sessions"]) == (1, 1)
    assert rare["occurrences"] == [{"session": 7, "frames": [70], "detail": "once"}]
    assert (regular["count"], regular["n_sessions"]) == (1, 30)
    assert regular["occurrences"] == [{"session": None, "frames": list(range(0, 10 * MOST_FRAMES, 10)), "detail": "often"}]


def test_packets_of_a_session_that_were_captured_twice_count_once():
    traffic = Traffic()
    traffic.copies = 3
    collector = FindingCollector()
    collector.take_traffic(traffic)
    assert [(one["code"], one["count"], one["n_sessions"]) for one in collector.records()] == [("captured_twice", 1, 0)]
    collector = FindingCollector()
    collector.add("captured_twice", "info", "3 packets", [1], 0)
    collector.take_traffic(traffic)
    assert [(one["code"], one["count"], one["n_sessions"]) for one in collector.records()] == [("captured_twice", 1, 1)]
