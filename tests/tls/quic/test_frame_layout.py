"""Where the fields of frames are: of each type, of frames that are cut short, and of all packets of a connection."""

import random
from itertools import pairwise

import pytest
from quic_talks import CLIENT, SERVER, Talk, read_talk

from analyzer.codec.registry import registry
from analyzer.tls.quic.frame_layout import packet_frames
from analyzer.tls.quic.frames import FrameTaker, read_frames
from analyzer.tls.quic.quic_events import PacketSeen

FRAMES = {
    "0000": ("PADDING", {}),
    "01": ("PING", {}),
    "02 0a 05 01 02 01 03": (
        "ACK",
        {"largest_acknowledged": 10, "ack_delay": 5, "ack_range_count": 1, "first_ack_range": 2, "gap": 1},
    ),
    "03 0a 05 00 02 01 02 03": ("ACK_ECN", {"ect0_count": 1, "ect1_count": 2, "ecn_ce_count": 3}),
    "04 04 4100 05": ("RS", {"stream_id": 4, "application_protocol_error_code": 256, "final_size": 5}),
    "05 04 4100": ("SS", {"stream_id": 4, "application_protocol_error_code": 256}),
    "06 05 03 616263": ("CRYPTO", {"offset": 5, "length": 3, "crypto_data": b"abc"}),
    "07 02 6162": ("NT", {"token_length": 2, "token": b"ab"}),
    "08 04 6162": ("STREAM(4)", {"stream_id": 4, "stream_data": b"ab"}),
    "0f 04 05 02 6162": ("STREAM(4)", {"offset": 5, "length": 2, "stream_data": b"ab"}),
    "10 05": ("MD", {"maximum_data": 5}),
    "11 04 05": ("MSD", {"stream_id": 4, "maximum_stream_data": 5}),
    "13 05": ("MS", {"maximum_streams": 5}),
    "14 05": ("DB", {"maximum_data": 5}),
    "15 04 05": ("SDB", {"stream_id": 4, "maximum_stream_data": 5}),
    "16 05": ("SB", {"maximum_streams": 5}),
    "18 02 01 02 6162" + "00" * 16: ("NCI", {"sequence_number": 2, "connection_id": b"ab", "stateless_reset_token": bytes(16)}),
    "19 02": ("RC", {"sequence_number": 2}),
    "1a 0102030405060708": ("PC", {"data": bytes(range(1, 9))}),
    "1b 0102030405060708": ("PR", {"data": bytes(range(1, 9))}),
    "1c 0a 06 02 6162": ("CC", {"error_code": 10, "frame_type": 6, "reason_phrase": b"ab"}),
    "1d 0a 02 6162": ("CC", {"error_code": 10, "reason_phrase": b"ab"}),
    "1e": ("DONE", {}),
    "24 04 05 06 03": ("RESET_STREAM_AT", {"final_size": 6, "reliable_size": 3}),
    "30 6162": ("DG", {"datagram_data": b"ab"}),
    "31 02 6162": ("DG", {"length": 2, "datagram_data": b"ab"}),
    "40af 01 02 03 04": ("AF", {"sequence_number": 1, "ack_eliciting_threshold": 2, "reordering_threshold": 4}),
}  # fmt: skip


@pytest.mark.parametrize("octets", FRAMES)
def test_a_frame_has_its_fields_where_they_are(octets: str) -> None:
    data = bytes.fromhex(octets)
    (frame,) = packet_frames(data)
    word, values = FRAMES[octets]
    assert frame.word == word
    assert frame.whole
    assert (frame.start, frame.end) == (0, len(data))
    for name, value in values.items():
        assert frame.value(name) == value
    for field in frame.fields:
        if isinstance(field.value, bytes):
            assert data[field.start : field.end] == field.value
    places = [(field.start, field.end) for field in frame.fields]
    assert all(before[1] == after[0] for before, after in pairwise(places))


@pytest.mark.parametrize("octets", [one for one in FRAMES if not one.startswith(("00", "08", "30"))])
def test_a_frame_that_is_cut_is_the_last_and_not_whole(octets: str) -> None:
    data = bytes.fromhex(octets)
    for end in range(1, len(data)):
        frames = list(packet_frames(b"\1" + data[:end]))
        assert [one.word for one in frames[:1]] == ["PING"]
        assert all(not one.whole and one.end == 1 + end for one in frames[1:])


def test_a_frame_of_an_unknown_type_ends_the_packet() -> None:
    frames = list(packet_frames(bytes.fromhex("01 4321 0101")))
    assert [(one.name, one.whole, one.end) for one in frames] == [("PING", True, 1), ("0x321", False, 5)]


def test_every_registered_type_is_known() -> None:
    types = registry("quic_frame_types")
    for number in filter(types.known, range(0x1000)):
        octets = (0x4000 | number).to_bytes(2) + bytes(64)
        assert next(iter(packet_frames(octets))).whole, number


def test_bytes_at_random_never_run_over_the_end() -> None:
    rng = random.Random(7)
    for _ in range(2000):
        data = bytes(rng.choice((rng.randrange(256), rng.randrange(32))) for _ in range(rng.randrange(1, 40)))
        pos = 0
        for frame in packet_frames(data):
            assert frame.start == pos < frame.end <= len(data)
            pos = frame.end


class Streams(FrameTaker):
    """Keeps what STREAM frames carry."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, bytes]] = []

    def take_stream(self, stream: int, offset: int, data: bytes, end: bool) -> None:
        self.found.append((stream, offset, data))


def test_layout_and_meaning_are_the_same_in_a_connection() -> None:
    talk = Talk().connect()
    talk.say(CLIENT, 0, b"question" * 900).say(SERVER, 0, b"answer" * 900).close()
    tap = read_talk(talk.sent, talk.keys, detailed=True)
    tap.close()
    seen = [event for event in tap.events if isinstance(event, PacketSeen)]
    assert len(seen) > 10
    for event in seen:
        taker = Streams()
        assert read_frames(event.plaintext, taker) == ""
        frames = list(packet_frames(event.plaintext))
        assert all(one.whole for one in frames)
        streams = [one for one in frames if one.name.startswith("STREAM")]
        assert [(one.value("stream_id"), one.value("offset") or 0, one.value("stream_data")) for one in streams] == taker.found
