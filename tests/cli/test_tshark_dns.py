"""`-z dns,tree`: a table of counts with averages, as tshark 4.6 prints it."""

import struct
from pathlib import Path

import pytest
from frames_by_hand import CLIENT, SERVER, ip, write

from analyzer.cli import tshark_dns

from .compare_taps import ours
from .test_tshark_taps import CAPTURES, lines


def rows(path: Path, tap: str = "dns,tree") -> dict[str, list[str]]:
    """The rows by name, each with its columns; a column without a value is empty."""
    found = lines(path, tap)
    at = found[3].index("Count")
    return {line[:at].strip(): [line[at + 14 * n : at + 14 * (n + 1)].strip() for n in range(8)] for line in found[5:-2]}


def test_messages_by_what_is_in_them():
    found = rows(CAPTURES / "demo.pcapng")
    assert found["Total Packets"] == ["12", "", "", "", "0.0006", "100%", "0.0200", "1.000"]
    assert found["AAAA"][0] == "1"
    assert found["No error"][0] == "12"
    assert found["Standard query"][5] == "100.00%"
    assert found["Payload size"][:4] == ["12", "41.67", "29", "65"]


def test_numbers_have_their_average_and_bounds():
    found = rows(CAPTURES / "demo.pcapng")
    assert found["request-response time (msec)"][:4] == ["6", "9.88", "5.051216", "16.384066"]
    assert found["Qname Len"][:4] == ["6", "14.67", "11", "19"]
    assert found["no. of answers"][:4] == ["12", "1.00", "1", "1"]
    assert found["no. of retransmissions"][0] == "0"


def test_an_answer_that_comes_again(corpus: Path):
    found = rows(corpus / "ja4" / "latest.pcapng")
    assert (found["no. of retransmissions"][0], found["no. of unsolicited responses"][0]) == ("1", "0")


def test_a_filter_and_nothing_that_passes():
    assert rows(CAPTURES / "demo.pcapng", "dns,tree,ipv6")["Total Packets"] == ["0", "", "", "", "", "100%", "-", "-"]


def test_answers_beyond_those_that_are_remembered_are_told_of_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tshark_dns, "MOST_ANSWERED", 2)
    _, err = ours(CAPTURES / "demo.pcapng", ["dns,tree"])
    (line,) = err.splitlines()
    assert "2 answers are remembered, and no more" in line


def test_what_an_error_of_icmp_quotes_does_not_count(corpus: Path):
    path = corpus / "ja4" / "gre-sample.pcap"  # two queries, each with a Port unreachable behind it
    assert rows(path)["Total Packets"][0] == "2"
    out, _ = ours(path, ["follow,udp,yaml,1"])
    assert out.decode().count("- packet:") == 2


def test_numbers_without_a_name_say_what_they_are(tmp_path: Path):
    question = b"\1a\0" + struct.pack(">HH", 24929, 77)
    message = struct.pack(">HHHHHH", 1, 0x800E | 9 << 11, 1, 0, 0, 0) + question
    body = struct.pack(">HHHH", 53, 5000, 8 + len(message), 0) + message
    write(tmp_path / "a.pcapng", [(10**18, ip(SERVER, CLIENT, 17, body, 6, 1, 64))])
    found = rows(tmp_path / "a.pcapng")
    names = "packet type (24929)", "class (77)", "rcode (14)", "opcode (9)"
    assert [found[f"Unknown {name}"][0] for name in names] == ["1"] * 4
