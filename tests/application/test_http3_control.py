import pytest
from http3_peers import frame

from analyzer.application.http3_control import ControlStream
from analyzer.application.http3_frames import (
    CANCEL_PUSH,
    DATA,
    GOAWAY,
    HEADERS,
    MAX_PUSH_ID,
    PRIORITY_UPDATE_PUSH,
    PRIORITY_UPDATE_REQUEST,
    SETTINGS,
)  # fmt: skip
from analyzer.codec.varint import write_varint

CLIENT, SERVER = 0, 1
START = frame(SETTINGS, b"\x01\x50\x00\x06\x05\x21\x07")


class Control:
    """Reads a control stream, and keeps its settings and the codes that it reports."""

    def __init__(self, side: int, data: bytes, gap_at: int | None = None) -> None:
        self.codes: list[str] = []
        self.settings: list[dict[int, int] | None] = []
        stream = ControlStream(side, lambda code, detail, frame: self.codes.append(code), self._take)
        for n, byte in enumerate(data):
            if n == gap_at:
                stream.gap(1)
            else:
                stream.feed(bytes([byte]), False, n, n)

    def _take(self, side: int, settings: dict[int, int] | None, frame: int) -> None:
        self.settings.append(settings)


def test_settings_are_read_once() -> None:
    legal = frame(0x21, b"grease") + frame(CANCEL_PUSH, b"\0") + frame(GOAWAY, b"\x08") + frame(GOAWAY, b"\x04")
    control = Control(SERVER, START + legal)
    assert control.settings == [{1: 4096, 6: 5, 0x21: 7}]
    assert control.codes == []
    assert Control(CLIENT, frame(SETTINGS, b"")).settings == [{}]


def test_missing_bytes_leave_the_settings_unknown() -> None:
    for gap_at in range(len(START)):
        assert Control(CLIENT, START + frame(MAX_PUSH_ID, b"\7"), gap_at).settings == [None]
    control = Control(CLIENT, START + frame(MAX_PUSH_ID, b"\7") + frame(MAX_PUSH_ID, b"\1"), len(START))
    assert (control.settings[0], control.codes) == ({1: 4096, 6: 5, 0x21: 7}, [])


@pytest.mark.parametrize("update", [PRIORITY_UPDATE_REQUEST, PRIORITY_UPDATE_PUSH])
def test_priorities_are_of_clients(update: int) -> None:
    priority = frame(update, b"\0u=1, i")
    assert Control(CLIENT, START + priority).codes == []
    assert Control(SERVER, START + priority).codes == ["unexpected_frame"]
    assert Control(CLIENT, START + frame(update, b"\0\xff")).codes == ["bad_frame_size"]


@pytest.mark.parametrize(
    ("side", "data", "codes"),
    [
        (CLIENT, frame(GOAWAY, b"\0") + START, ["missing_settings", "unexpected_frame"]),
        (CLIENT, frame(DATA, b"x"), ["missing_settings", "unexpected_frame"]),
        (CLIENT, START + START, ["unexpected_frame"]),
        (CLIENT, START + frame(HEADERS, b"\0\0"), ["unexpected_frame"]),
        (CLIENT, START + frame(0x08, b"\0\0"), ["unexpected_frame"]),
        (SERVER, START + frame(MAX_PUSH_ID, b"\1"), ["unexpected_frame"]),
        (CLIENT, START + frame(MAX_PUSH_ID, b"\5") + frame(MAX_PUSH_ID, b"\4"), ["bad_frame_value"]),
        (CLIENT, START + frame(PRIORITY_UPDATE_REQUEST, b"\3u=1"), ["bad_frame_value"]),
        (CLIENT, START + frame(MAX_PUSH_ID, b"\5\5"), ["bad_frame_size"]),
        (SERVER, START + frame(GOAWAY, b""), ["bad_frame_size"]),
        (SERVER, START + frame(GOAWAY, b"\4") + frame(GOAWAY, b"\x08"), ["bad_goaway"]),
        (SERVER, START + frame(GOAWAY, b"\5"), ["bad_goaway"]),
        (CLIENT, frame(SETTINGS, b"\1"), ["bad_frame_size"]),
        (CLIENT, frame(SETTINGS, b"\1\0\1\0"), ["bad_settings"]),
        (CLIENT, frame(SETTINGS, b"\2\0"), ["bad_settings"]),
        (CLIENT, frame(SETTINGS, b"\x33\2"), ["bad_settings"]),
    ],
)
def test_what_breaks_the_protocol_is_reported(side: int, data: bytes, codes: list[str]) -> None:
    assert Control(side, data).codes == codes


def test_many_settings_are_not_kept() -> None:
    payload = b"".join(write_varint(100 + n) + b"\0" for n in range(3000))
    control = Control(CLIENT, frame(SETTINGS, payload))
    assert control.settings[0] is not None
    assert len(control.settings[0]) == 1024
