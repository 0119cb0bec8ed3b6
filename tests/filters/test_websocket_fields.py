"""The fields of frames of WebSocket: from the response 101 on, joined, in pieces, fragmented, and behind missing bytes."""

import random

from analyzer.filters.decrypted_streams import MAX_SESSIONS
from analyzer.filters.frame_view import FrameView
from analyzer.filters.websocket_fields import WebsocketFields
from analyzer.filters.websocket_reader import MAX_PAYLOAD
from analyzer.tls.events import Data, DataBegan, DataMissing

CLIENT, SERVER = 0, 1
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
KEY = bytes.fromhex("11223344")


def frame(opcode, payload, key=b"", first=0x80):
    size = len(payload)
    length = bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 1 << 16 else b"\x7f" + size.to_bytes(8)
    if key:
        payload = bytes(octet ^ key[place % 4] for place, octet in enumerate(payload))
        length = bytes((length[0] | 0x80,)) + length[1:]
    return bytes((first | opcode,)) + length + key + payload


class Session:
    """A source that is given the data of one session."""

    def __init__(self, answer=SWITCH, alpn=None, session=1):
        self.source = WebsocketFields()
        self.session = session
        self.take(DataBegan(alpn, 0, None))
        self.feed(CLIENT, b"GET /chat HTTP/1.1\r\n\r\n")
        self.feed(SERVER, answer)

    def take(self, event):
        view = FrameView(None, None)
        event.session = self.session
        view.events = [event]
        self.source.take(view)
        return {name: [one.value for one in some] for name, some in self.source.find(view).items()}

    def feed(self, role, data):
        return self.take(Data(data, role, 1, 0))


def test_frames_of_both_sides_have_their_fields():
    session = Session()
    found = session.feed(CLIENT, frame(1, b"hello", KEY))
    assert found["websocket.fin"] == [True]
    assert found["websocket.opcode"] == [1]
    assert found["websocket.mask"] == [True]
    assert found["websocket.payload_length"] == [5]
    assert found["websocket.masking_key"] == [KEY]
    assert found["websocket.payload.text"] == ["hello"]
    found = session.feed(SERVER, frame(2, b"z" * 300) + frame(9, b"?") + frame(8, b"\x03\xe8bye"))
    assert found["websocket.opcode"] == [2, 9, 8]
    assert found["websocket.payload_length_ext_16"] == [300]
    assert found["websocket.payload.ping"] == [b"?"]
    assert found["websocket.payload.close.status_code"] == [1000]
    assert found["websocket.payload.close.reason"] == ["bye"]


def test_a_fragmented_text_is_in_its_last_frame_and_a_compressed_one_is_no_text():
    session = Session()
    assert "websocket.payload.text" not in session.feed(SERVER, frame(1, b"part ", first=0))
    assert "websocket.payload.text" not in session.feed(SERVER, frame(10, b""))
    assert session.feed(SERVER, frame(0, b"two"))["websocket.payload.text"] == ["part two"]
    found = session.feed(SERVER, frame(1, b"deflated", first=0xC0))
    assert found["websocket.pmc"] == [True]
    assert "websocket.payload.text" not in found


def test_bytes_one_by_one_are_the_same_frames():
    session = Session(b"")
    found = [session.feed(SERVER, bytes((octet,))) for octet in SWITCH + frame(1, b"hi") + frame(2, b"x" * 130)]
    assert [one["websocket.opcode"] for one in found if one] == [[1], [2]]


def test_other_sessions_have_no_fields():
    assert Session(b"HTTP/1.1 200 OK\r\n\r\n").feed(SERVER, frame(1, b"hi")) == {}
    assert Session(SWITCH, b"h2").feed(SERVER, frame(1, b"hi")) == {}
    assert Session(SWITCH.replace(b"websocket", b"h2c")).feed(SERVER, frame(1, b"hi")) == {}


def test_behind_a_gap_a_direction_has_no_fields_and_the_other_goes_on():
    session = Session()
    session.take(DataMissing(CLIENT, None, 0))
    assert session.feed(CLIENT, frame(1, b"hi", KEY)) == {}
    assert session.feed(SERVER, frame(1, b"hi"))["websocket.payload.text"] == ["hi"]


def test_a_long_payload_is_skipped_and_not_held():
    session = Session()
    found = session.feed(SERVER, frame(2, b"z" * (MAX_PAYLOAD + 1))[:-9])
    assert found["websocket.payload_length_ext_64"] == [MAX_PAYLOAD + 1]
    assert "websocket.payload" not in found
    assert session.feed(SERVER, b"z" * 9 + frame(1, b"next"))["websocket.payload.text"] == ["next"]


def test_sessions_that_are_followed_are_bounded_and_damage_never_raises():
    session, chance = Session(), random.Random(2)
    for number in range(2, MAX_SESSIONS + 2):
        session.session = number
        session.take(DataBegan(None, 0, None))
    session.session = 1
    assert session.feed(SERVER, frame(1, b"hi")) == {}
    for _ in range(300):
        damaged = Session()
        damaged.feed(SERVER, bytes(chance.randrange(256) for _ in range(60)))
