"""A finding of a capture keeps only its first places."""

from analyzer.analysis.capture_finding import MAX_OCCURRENCES, Occurrence
from analyzer.analysis.capture_findings import CaptureFindings


def test_places_are_the_first_and_not_too_many():
    findings = CaptureFindings()
    for frame in range(1, 3 * MAX_OCCURRENCES):
        findings.take_other(bytes(8) + b"\xc3\x50\x01\xbb", frame, b"GET / HTTP/1.1")
    (finding,) = findings.findings()
    assert finding.count == 3 * MAX_OCCURRENCES - 1
    assert finding.occurrences == tuple(Occurrence(None, (frame,)) for frame in range(1, MAX_OCCURRENCES + 1))
