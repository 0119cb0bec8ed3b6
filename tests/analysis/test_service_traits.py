"""Unusual ports and self-signed services."""

import pytest
from conversations import Tap, packetise, talk

from analyzer.analysis.service_traits import self_signed, unusual_port


@pytest.mark.parametrize("port", [443, 993, 25, 5432, 3389, 8443, 3128])
def test_usual_ports(port: int):
    assert unusual_port(port) == []


def test_unusual_ports():
    assert unusual_port(4444) == [("unusual_port", "info", "the server speaks TLS on port 4444")]
    assert unusual_port(53) == [("unusual_port", "info", "the server speaks TLS on port 53, which is for DNS")]


def findings(port: int) -> dict[str, tuple[str, list[int]]]:
    tap = Tap()
    tap.feed(*packetise(talk("TLSv1_2"), ports=(50000, port)))
    (record,) = tap.records()
    return {finding["code"]: (finding["severity"], finding["frames"]) for finding in record["findings"]}


def test_the_findings_of_a_session():
    found = findings(4444)
    assert found["unusual_port"][0] == found["self_signed_service"][0] == "info"
    assert found["unusual_port"][1] == found["self_signed_service"][1]
    assert "unusual_port" not in findings(443)


def test_bytes_that_are_no_certificate_have_not_signed_themselves():
    assert self_signed(b"") is None
    assert self_signed(b"\x30\x03\x02\x01\x01") is None
