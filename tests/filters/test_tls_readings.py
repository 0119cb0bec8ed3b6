"""How often TLS is read in a frame, and the numbers of its sessions."""

import pytest
from frames_by_hand import START, SYN, Segment, write
from sessions_by_hand import client_hello, extension

from analyzer.filters import tls_readings
from analyzer.filters.tls_readings import TlsReadings
from tests.filters.field_readings import fields_of, readings


def found_in(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    rows = readings(path, fields_of("tls", "tls.stream", "tls.record"), next(path.parent.glob("*.keys"), None), engine=True)
    return {number: (len(row[0]), len(row[2]), row[1]) for number, row in enumerate(rows, 1) if row[0]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tls11-ecdhe-rsa", {6: (1, 2, [0]), 7: (2, 2, [0, 0])}),
        ("tls13-x25519mlkem768", {4: (1, 0, [0]), 5: (1, 1, [0])}),
    ],
)
def test_a_frame_has_one_reading_more_behind_a_record_that_was_put_together(repository, name, expected):
    found = found_in(repository, name)
    assert {number: found[number] for number in expected} == expected


def test_sessions_are_counted_without_those_of_quic(corpus):
    path = corpus / "ja4" / "tls-sni.pcapng"
    numbers = [row[0] for row in readings(path, fields_of("tls.stream"), engine=True)]
    assert [one for one in numbers if one][:4] == [[0], [1], [2], [3]]


def test_another_connection_with_the_same_ports_begins_anew(tmp_path):
    """Its hello comes in two segments, which begin before the place where a record of the first connection would be."""
    path = tmp_path / "ports.pcapng"
    message = client_hello(extension(21, bytes(300)))
    hello = b"\x16\3\1" + len(message).to_bytes(2) + message
    sent = hello + b"\x17\3\3\0\xc8" + bytes(200)
    frames = []
    for first in (5000, 900_000):
        frames.append(Segment(first - 1, 0, flags=SYN).frame())
        frames.extend(Segment(first + start, 1, sent[start : start + 100]).frame() for start in range(0, len(sent), 100))
    write(path, [(START + number * 1000, frame) for number, frame in enumerate(frames)])
    found = list(readings(path, fields_of("tls.stream", "tls.app_data"), engine=True))
    half = len(found) // 2
    assert [found[place][0] for place in (1, half + 1)] == [[0], [1]]
    assert [found[place][1] for place in (half - 1, -1)] == [[bytes(200)]] * 2


def test_directions_beyond_the_limit_are_forgotten(monkeypatch):
    monkeypatch.setattr(tls_readings, "MAX_DIRECTIONS", 2)
    known = TlsReadings()
    for number in range(5):
        known._remember(bytes((number,)), tls_readings._Place(0, number))
    assert list(known._places) == [b"\3", b"\4"]
