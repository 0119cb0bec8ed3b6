"""The fields of frames of HTTP/3: as tshark reads them, and of streams that are cut or damaged."""

import random

import pytest
from filters.filter_oracle import NEWER

from analyzer.application import http3_frames as frames
from analyzer.codec.varint import write_varint
from analyzer.filters.field_type import FieldType
from analyzer.filters.http3_fields import _Connection
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings


def frame(kind, payload):
    return write_varint(kind) + write_varint(len(payload)) + payload


CONTROL = b"\0" + frame(frames.SETTINGS, b"\1\x50\0\x33\1") + frame(frames.PRIORITY_UPDATE_REQUEST, b"\4u=1")
REQUEST = frame(frames.HEADERS, b"\0\0\xd1") + frame(0x21, b"grease") + frame(frames.DATA, b"body") + frame(frames.DATA, b"")


def read(*pieces):
    """The values of the fields of all pieces: stream, data, or the length of a gap."""
    found, connection = {}, _Connection()
    for stream, data in pieces:
        if isinstance(data, bytes):
            connection.feed_stream(stream, 0, data, False, found)
        else:
            connection.gap_stream(stream, 0, data)
    return {name: [one.value for one in some] for name, some in found.items()}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("name", ["chromium-aioquic-http3", "quic-http3", "quic-migration"])
def test_frames_have_the_values_that_tshark_reads(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    (keys,) = path.parent.glob("*.keys")
    names = [
        row["name"] for listed in ("http3_fields", "http_fields") for row in rows(listed) if row["name"].startswith("http3.")
    ]
    order = {"http3.header.header.name", "http3.headers.header.value"}  # pseudo-header fields come in an order of their own
    fields = [field for field in fields_of(*names) if field.type is not FieldType.NONE and field.name not in order]
    assert list(readings(path, fields, keys, engine=True)) == list(tshark_readings(path, fields, keys, NEWER))


def test_each_frame_has_its_fields():
    found = read((2, CONTROL), (0, REQUEST))
    assert found["http3.stream_uni_type"] == [0]
    assert found["http3.frame_type"] == [4, 0xF0700, 1, 0x21, 0, 0]
    assert found["http3.frame_length"] == [5, 4, 3, 6, 4, 0]
    assert found["http3.frame_streamid"] == [2, 2, 0, 0, 0, 0]
    assert found["http3.settings.id"] == [1, 0x33]
    assert found["http3.settings.qpack.max_table_capacity"] == [4096]
    assert found["http3.settings.h3_datagram"] == [1]
    assert found["http3.priority_update_element_id"] == [4]
    assert found["http3.priority_update_field_value"] == ["u=1"]
    assert found["http3.data"] == [b"body"]


def test_frames_that_come_in_pieces_are_those_of_the_whole():
    whole = read((2, CONTROL), (0, REQUEST))
    pieces = read(*[(2, bytes([one])) for one in CONTROL], *[(0, bytes([one])) for one in REQUEST])
    often = ("http3", "http3.stream", "http3.stream.uni")
    assert {name: some for name, some in pieces.items() if name not in often} == {
        name: some for name, some in whole.items() if name not in often
    }


def test_the_protocol_counts_for_each_stream_but_in_the_middle_of_a_frame():
    assert len(read((2, CONTROL), (0, REQUEST))["http3"]) == 2
    data = frame(frames.DATA, b"body")
    assert "http3" not in read((0, data[:3]))
    assert len(read((0, data[:3]), (0, data[3:4]), (0, data[4:]))["http3"]) == 1
    assert len(read((0, data[:3]), (0, data[3:] + data))["http3"]) == 2
    assert len(read((6, b"\2abc"), (6, b"def"))["http3"]) == 2


def test_pushes_and_datagrams_have_their_numbers():
    found = read((15, b"\1\7" + frame(frames.DATA, b"x")), (0, frame(frames.PUSH_PROMISE, b"\7\0\0")))
    assert found["http3.push_id"] == [7, 7]
    datagram = {}
    _Connection().feed(0, b"\x02\x00data", datagram)
    assert datagram["http3.datagram.request_stream_id"][0].value == 8
    assert datagram["http3.datagram.payload"][0].value == b"\0data"


def test_after_a_gap_a_stream_has_no_fields():
    assert read((0, REQUEST[:3]), (0, None), (0, REQUEST)) == {}
    assert read((2, None), (2, CONTROL)) == {"http3": [b""], "http3.stream.uni": [None]}
    assert read((0, REQUEST[:-4]), (0, 2), (0, REQUEST[-2:]))["http3.frame_length"] == [3, 6, 4, 0]


def test_damage_never_raises():
    choice = random.Random(9114)
    for _ in range(300):
        data = bytes(byte ^ (choice.random() < 0.1) << choice.randrange(8) for byte in CONTROL + REQUEST)
        read((choice.randrange(8), data), (choice.randrange(8), data[choice.randrange(len(data)) :]))
