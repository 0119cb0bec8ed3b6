"""The fields of frames of HTTP/2: as tshark reads them, and of frames that are cut or damaged."""

import random

import pytest

from analyzer.filters.field_type import FieldType
from analyzer.filters.http2_frame_reader import Http2FrameReader
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


FRAMES = (
    frame(4, 0, 0, bytes.fromhex("000300000064" "000400010000"))
    + frame(3, 0, 5, (8).to_bytes(4))
    + frame(6, 1, 0, b"12345678")
    + frame(8, 0, 7, (1000).to_bytes(4))
    + frame(0, 1, 7, b"data")
    + frame(7, 0, 0, (7).to_bytes(4) + (11).to_bytes(4))
)  # fmt: skip


def values(found):
    return {name: [one.value for one in some] for name, some in found.items()}


@pytest.mark.peer("tshark")
def test_frames_have_the_values_that_tshark_reads(repository):
    path = repository / "captures/curl-nginx-http2/curl-nginx-http2.pcap"
    (keys,) = path.parent.glob("*.keys")
    names = (row["name"] for row in rows("http2_fields"))
    fields = [field for field in fields_of(*names) if field.type in (FieldType.UINT, FieldType.BOOLEAN)]
    ours, theirs = list(readings(path, fields, keys, engine=True)), list(tshark_readings(path, fields, keys))
    assert ours == theirs
    assert sum(len(some) for one in ours for some in one) > 80


def test_each_type_of_frame_has_its_fields():
    found = {}
    Http2FrameReader().feed(1, FRAMES, found)
    found = values(found)
    assert found["http2.type"] == [4, 3, 6, 8, 0, 7]
    assert found["http2.length"] == [12, 4, 8, 4, 4, 8]
    assert found["http2.streamid"] == [0, 5, 0, 7, 7, 0]
    assert found["http2.settings.id"] == [3, 4]
    assert found["http2.settings.max_concurrent_streams"] == [100]
    assert found["http2.rst_stream.error"] == [8]
    assert found["http2.pong"] == [b"12345678"]
    assert found["http2.window_update.window_size_increment"] == [1000]
    assert found["http2.flags.end_stream"] == [True]
    assert found["http2.goaway.error"] == [11]
    assert found["http2.goaway.last_stream_id"] == [7]


def test_each_frame_has_the_protocol_and_so_has_the_preface():
    found = {}
    Http2FrameReader().feed(0, PREFACE + FRAMES, found)
    assert len(found["http2"]) == len(found["http2.stream"]) == 7
    assert len(found["http2.type"]) == 6


def test_data_are_read_where_a_frame_is_complete():
    body = (5).to_bytes(3) + bytes((0, 1)) + (9).to_bytes(4) + b"12345"
    connection = Http2FrameReader()
    seen = []
    for data in (body, body[:11], body[11:12], body[12:] + body):
        connection.feed(1, data, {})
        seen.append((connection.n_readings, list(connection.complete)))
    assert seen == [(1, [9]), (0, []), (0, []), (2, [9, 9])]


def test_frames_that_come_in_pieces_are_those_of_the_whole():
    whole, pieces, connection = {}, {}, Http2FrameReader()
    Http2FrameReader().feed(0, PREFACE + FRAMES, whole)
    for octet in PREFACE + FRAMES:
        connection.feed(0, bytes((octet,)), pieces)
    others = ("http2", "http2.magic", "http2.stream")
    assert {name: some for name, some in values(pieces).items() if name not in others} == {
        name: some for name, some in values(whole).items() if name not in others
    }


def test_damage_and_gaps_never_raise():
    chance = random.Random(3)
    for _ in range(200):
        data, connection = bytearray(FRAMES), Http2FrameReader()
        for _ in range(4):
            data[chance.randrange(len(data))] = chance.randrange(256)
        connection.feed(1, bytes(data[: chance.randrange(len(data))]), {})
        connection.gap(1)
        connection.feed(1, FRAMES, {})
