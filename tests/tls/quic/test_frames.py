"""Frames of QUIC packets: all types, every truncation, and payloads that contradict themselves."""

from typing import Any

import pytest

from analyzer.tls.quic.frames import FrameTaker, read_frames


class Everything(FrameTaker):
    """Notes all calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def take_ack(self, ranges, ecn):
        self.calls.append(("ack", ranges, ecn))

    def take_crypto(self, offset, data):
        self.calls.append(("crypto", offset, data))

    def take_stream(self, stream, offset, data, end):
        self.calls.append(("stream", stream, offset, data, bool(end)))

    def take_reset(self, stream, code):
        self.calls.append(("reset", stream, code))

    def take_stop(self, stream, code):
        self.calls.append(("stop", stream, code))

    def take_connection_id(self, number, connection_id, token):
        self.calls.append(("id", number, connection_id, token))

    def take_path(self, answers):
        self.calls.append(("path", bool(answers)))

    def take_close(self, code, application, reason):
        self.calls.append(("close", code, bool(application), reason))

    def take_done(self):
        self.calls.append(("done",))

    def take_datagram(self, data):
        self.calls.append(("datagram", data))

    def take_token(self, token):
        self.calls.append(("token", token))


FRAMES = {
    "padding": ("000000", []),
    "ping": ("01", []),
    "ack": ("02 09 00 01 02 01 03", [("ack", [(7, 9), (1, 4)], None)]),
    "ack with ecn": ("03 4064 05 00 00 01 02 4003", [("ack", [(100, 100)], (1, 2, 3))]),
    "reset": ("04 04 07 10", [("reset", 4, 7)]),
    "stop": ("05 04 09", [("stop", 4, 9)]),
    "crypto": ("06 4400 03 616263", [("crypto", 1024, b"abc")]),
    "token": ("07 02 6162", [("token", b"ab")]),
    "stream": ("0a 00 03 616263", [("stream", 0, 0, b"abc", False)]),
    "stream with all": ("0f 04 0a 03 616263", [("stream", 4, 10, b"abc", True)]),
    "flow control": ("10 01 11 01 02 12 01 13 01 14 01 15 01 02 16 01 17 01", []),
    "id": ("18 01 00 04 61626364" + "55" * 16, [("id", 1, b"abcd", b"\x55" * 16)]),
    "retire": ("19 01", []),
    "path": ("1a" + "00" * 8 + "1b" + "00" * 8, [("path", False), ("path", True)]),
    "close": ("1c 0a 06 02 6f6b", [("close", 10, False, b"ok")]),
    "close of the application": ("1d 4100 02 6f6b", [("close", 256, True, b"ok")]),
    "done": ("1e", [("done",)]),
    "immediate ack": ("1f", []),
    "reset at": ("24 04 07 10 08", [("reset", 4, 7)]),
    "datagram": ("31 02 6162", [("datagram", b"ab")]),
    "ack frequency": ("40af 01 02 03 04", []),
}


def read(text: str) -> tuple[str, list[tuple[Any, ...]]]:
    taker = Everything()
    return read_frames(bytes.fromhex(text), taker), taker.calls


@pytest.mark.parametrize("name", FRAMES)
def test_each_frame_between_others(name: str) -> None:
    text, calls = FRAMES[name]
    assert read(text) == ("", calls)
    assert read("01" + text + "0000" + text + "1e") == ("", [*calls, *calls, ("done",)])


@pytest.mark.parametrize("name", FRAMES)
def test_every_truncation_is_a_problem_or_ends_between_frames(name: str) -> None:
    data = bytes.fromhex(FRAMES[name][0])
    for n_bytes in range(1, len(data)):
        taker = Everything()
        problem = read_frames(data[:n_bytes], taker)
        assert taker.calls == FRAMES[name][1][: len(taker.calls)]
        if name not in ("padding", "flow control", "path"):
            assert "does not end inside its packet" in problem


def test_a_stream_without_a_length_goes_to_the_end() -> None:
    assert read("08 04 616263") == ("", [("stream", 4, 0, b"abc", False)])
    assert read("30 616263") == ("", [("datagram", b"abc")])


def test_unknown_types_and_impossible_ranges() -> None:
    assert read("40ff 00")[0] == "the frame at 0 has the unknown type 0xff"
    assert read("02 05 00 00 06")[0] == "the frame of type 0x02 at 0 does not end inside its packet"
    assert read("02 05 00 01 02 02 00")[0] != ""


def test_an_ack_with_very_many_ranges_is_bounded() -> None:
    data = b"\x02\x80\x01\x00\x00\x00\x43\xe8\x00" + b"\x00\x00" * 1000
    taker = Everything()
    assert read_frames(data, taker) == ""
    assert len(taker.calls[0][1]) == 257
