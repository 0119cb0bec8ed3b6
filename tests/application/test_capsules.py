"""Capsules in the stream of an extended CONNECT: counted by type, in whatever pieces they come, and where bytes are missing."""

import pytest

from analyzer.application.capsules import OTHER, TYPES_MAX, CapsuleReader
from analyzer.application.exchange import CLIENT, SERVER, Exchange

STREAM = bytes.fromhex("00 03 616263 6843 04 00000000 00 00 4021 01 ff")
COUNTS = {"DATAGRAM": [2, 0], "WT_CLOSE_SESSION": [1, 0], "0x21": [1, 0]}


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_capsules_are_counted_in_any_pieces(size: int) -> None:
    exchange = Exchange()
    reader = CapsuleReader(exchange, CLIENT)
    for start in range(0, len(STREAM), size):
        reader.feed(STREAM[start : start + size])
    assert exchange.capsules == COUNTS


def test_missing_bytes_within_a_value_hide_no_other_capsule() -> None:
    exchange = Exchange()
    reader = CapsuleReader(exchange, SERVER)
    reader.feed(STREAM[:3])
    reader.gap(2)
    reader.feed(STREAM[5:9])
    assert exchange.capsules == {"DATAGRAM": [0, 1], "WT_CLOSE_SESSION": [0, 1]}
    reader.gap(9)
    reader.feed(STREAM)
    assert exchange.capsules == {"DATAGRAM": [0, 1], "WT_CLOSE_SESSION": [0, 1]}


def test_many_types_are_counted_together() -> None:
    exchange = Exchange()
    reader = CapsuleReader(exchange, CLIENT)
    reader.feed(b"".join((0x4100 + number).to_bytes(2) + b"\0" for number in range(2 * TYPES_MAX)))
    assert exchange.capsules is not None
    assert len(exchange.capsules) == TYPES_MAX + 1
    assert exchange.capsules[OTHER] == [TYPES_MAX, 0]
