"""Streams of a QUIC connection: which are kept, and what waits behind holes."""

import pytest
from quic_talks import Streams
from sessions_by_hand import KEY, START

from analyzer.flows.flow import UDP, Flow
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.quic.stream_data import MAX_STREAMS, RESET, STREAM, StreamData
from analyzer.tls.session_log import SessionLog

CLIENT, SERVER = 0, 1


@pytest.fixture
def streams() -> StreamData:
    log = SessionLog(1, None)
    return StreamData(Decryption(KeyMaterial(application=Streams), Transcript(), log, Flow(UDP, KEY, 1, START, False)), log)


def reader_of(streams: StreamData) -> Streams:
    found = streams.decryption.application
    assert isinstance(found, Streams)
    return found


def test_a_stream_that_stays_open_outlasts_any_number_of_others(streams: StreamData) -> None:
    streams.take(STREAM, CLIENT, 2, 0, b"begin ", False, 1, 0)
    for number in range(MAX_STREAMS + 10):
        streams.take(STREAM, CLIENT, 4 * number, 0, b"x", True, 2, 0)
    streams.take(STREAM, CLIENT, 2, 6, b"end", True, 3, 0)
    assert reader_of(streams).streams[2].data[CLIENT] == b"begin end"
    assert len(streams.directions) == 0


def test_data_of_a_stream_that_is_over_comes_once(streams: StreamData) -> None:
    for _ in range(3):
        streams.take(STREAM, SERVER, 8, 0, b"once", True, 1, 0)
    assert reader_of(streams).streams[8].data[SERVER] == b"once"
    streams.take(RESET, CLIENT, 8, 7, b"", False, 2, 0)
    streams.take(STREAM, CLIENT, 8, 0, b"late", False, 3, 0)
    assert reader_of(streams).streams[8].data[CLIENT] == b""


def test_what_waits_in_streams_that_are_reset_waits_no_longer(streams: StreamData) -> None:
    piece = bytes(1 << 19)
    for number in range(20):  # together more than may wait
        streams.take(STREAM, SERVER, 4 * number, 10, piece, False, 1, 0)
        streams.take(RESET, SERVER, 4 * number, 7, b"", False, 2, 0)
    assert streams.waiting == 0
    streams.take(STREAM, SERVER, 400, 1, b"bc", False, 3, 0)
    streams.take(STREAM, SERVER, 400, 0, b"a", False, 4, 0)
    assert reader_of(streams).streams[400].data[SERVER] == b"abc"
    assert reader_of(streams).streams[400].gaps == []


def test_bytes_behind_the_end_of_a_stream_are_not_counted_twice(streams: StreamData) -> None:
    streams.take(STREAM, SERVER, 4, 20, b"behind", False, 1, 0)
    streams.take(STREAM, SERVER, 4, 5, b"last", True, 2, 0)
    streams.take(STREAM, SERVER, 4, 0, b"first", False, 3, 0)
    assert (streams.waiting, streams.directions) == (0, {})
    streams.take(STREAM, SERVER, 8, 30, b"behind", False, 1, 0)
    streams.take(STREAM, SERVER, 8, 5, b"last", True, 2, 0)
    streams.finish(4, 0)
    assert (streams.waiting, streams.directions) == (0, {})


def test_of_too_many_open_streams_the_oldest_quarter_is_given_up(streams: StreamData) -> None:
    for number in range(MAX_STREAMS):
        streams.take(STREAM, CLIENT, 4 * number, 1, b"x", False, 1, 0)
    assert (len(streams.directions), streams.waiting) == (MAX_STREAMS, MAX_STREAMS)
    streams.take(STREAM, CLIENT, 4 * MAX_STREAMS, 1, b"x", False, 2, 0)
    assert len(streams.directions) == streams.waiting == MAX_STREAMS - MAX_STREAMS // 4 + 1
    assert reader_of(streams).streams[0].gaps == [1]
    assert 4 * (MAX_STREAMS // 4) not in reader_of(streams).streams
