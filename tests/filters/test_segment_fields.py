"""Segments that were put together: which, how many, and their bytes, for records of TLS and messages of HTTP."""

import pytest

from analyzer.filters import segment_fields
from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_lexer import unknown_field
from tests.filters.field_readings import fields_of, readings
from tests.filters.filter_oracle import NEWER
from tests.filters.test_plain_streams import capture

CLIENT, SERVER = 0, 1
NAMES = ("tcp.segment", "tcp.segment.count", "tcp.reassembled.length", "tcp.reassembled.data")
ASK = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


def found_in(path, keys=None):
    rows = readings(path, fields_of(*NAMES), keys, engine=True)
    return {number: values for number, values in enumerate(rows, 1) if any(values)}


def test_records_and_messages_name_their_segments(repository):
    found = found_in(repository / "captures" / "demo.pcapng")
    assert sorted(found) == [60, 106, 119, 188, 191]
    assert found[60][:3] == [[51, 52, 53, 54, 55, 56, 57, 60, 59, 58], [10], [14412]]
    assert found[119][:3] == [[118, 119], [2], [305]]
    assert found[119][3][0][:5] == bytes.fromhex("160303012c")


def test_a_message_ends_where_its_header_says(tmp_path):
    more = HEAD + b"01234"
    path = capture(
        tmp_path / "c.pcap", (CLIENT, ASK * 2), (SERVER, HEAD + b"01"), (SERVER, b"23456789" + more), (SERVER, b"56789")
    )
    assert found_in(path) == {
        5: [[4, 5], [2], [len(HEAD) + 10], [HEAD + b"0123456789"]],
        6: [[5, 6], [2], [len(HEAD) + 10], [more + b"56789"]],
    }


def test_a_message_can_begin_behind_an_interim_response(tmp_path):
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    path = capture(tmp_path / "c.pcap", (CLIENT, ASK), (SERVER, interim + HEAD), (SERVER, b"0123456789"))
    assert found_in(path) == {5: [[4, 5], [2], [len(HEAD) + 10], [HEAD + b"0123456789"]]}


def test_a_message_in_one_segment_has_none(tmp_path):
    assert found_in(capture(tmp_path / "c.pcap", (CLIENT, ASK), (SERVER, HEAD + b"0123456789"))) == {}


def test_a_request_in_single_bytes_is_put_together(tmp_path):
    path = capture(tmp_path / "c.pcap", *((CLIENT, bytes((octet,))) for octet in ASK))
    (found,) = found_in(path).values()
    assert found[1:] == [[len(ASK)], [len(ASK)], [ASK]]


def test_what_is_held_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_fields, "MAX_HELD", 1500)
    path = capture(tmp_path / "c.pcap", (CLIENT, ASK), (SERVER, HEAD + b"0"), (SERVER, b"1234"), (SERVER, b"56789"))
    assert found_in(path) == {}


def test_the_frame_ahead_is_refused_with_the_way_to_find_it():
    error = unknown_field("tcp.reassembled_in", 0, field_table())
    assert isinstance(error, FilterError)
    assert "tcp.segment == 8" in error.message


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("name", ["tls13-rsa", "tls12-dhe-rsa", "curl-nginx-http1", "tls13-early-data"])
def test_the_newer_wireshark_puts_the_same_together(repository, name):
    from tests.filters.compare_fields import differences

    (path,) = (repository / "captures" / name).glob("*.pcap*")
    assert differences(path, list(NAMES), NEWER, next(path.parent.glob("*.keys"), None)) == {}
