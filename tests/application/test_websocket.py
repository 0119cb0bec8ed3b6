import random
import struct
import zlib
from typing import Any, ClassVar

import pytest
from http_reading import CLIENT, SERVER, Pieces, codes, drip, read

from analyzer.application import websocket
from analyzer.application.conversation import Conversation

UPGRADE = (
    b"GET /chat HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)


def switching(extensions: str = "") -> bytes:
    line = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    line += "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"  # RFC 6455 section 1.3
    return f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{line}\r\n".encode()


def frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bytes = b"", compressed: bool = False) -> bytes:
    """Write a frame (RFC 6455 section 5.2)."""
    first = opcode | (0x80 if fin else 0) | (0x40 if compressed else 0)
    n = len(payload)
    size, more = (n, b"") if n < 126 else (126, struct.pack(">H", n)) if n < 1 << 16 else (127, struct.pack(">Q", n))
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([first, size | (0x80 if mask else 0)]) + more + mask + payload


MASK = b"\x37\xfa\x21\x3d"


def messages(conversation: Conversation) -> list[tuple[int, int, int | None, bool]]:
    return [(m.side, m.opcode, m.length, m.complete) for m in conversation.messages]


def test_frames_of_the_rfc() -> None:
    """Section 5.7."""
    server = [
        bytes.fromhex("810548656c6c6f"), bytes.fromhex("010348656c"), bytes.fromhex("890548656c6c6f"),
        bytes.fromhex("80026c6f"), bytes.fromhex("827E0100") + bytes(256), bytes.fromhex("827F0000000000010000") + bytes(65536),
    ]  # fmt: skip
    client = bytes.fromhex("818537fa213d7f9f4d5158")
    got: list[tuple[int, bytes]] = []
    pieces = [(CLIENT, UPGRADE), (SERVER, switching()), (CLIENT, client), *((SERVER, data) for data in server)]
    conversation = read(pieces, on_body=lambda exchange, side, data: got.append((side, data)))
    assert conversation.kind == "websocket"
    assert messages(conversation) == [
        (CLIENT, 1, 5, True), (SERVER, 1, 5, True), (SERVER, 9, 5, True), (SERVER, 1, 5, True), (SERVER, 2, 256, True),
        (SERVER, 2, 65536, True),
    ]  # fmt: skip
    assert [m.frame for m in conversation.messages] == [3, 4, 6, 7, 8, 9]
    assert b"".join(data for side, data in got if side == CLIENT) == b"Hello"
    assert b"".join(data for side, data in got if side == SERVER) == b"HelloHello" + bytes(256 + 65536)
    assert conversation.record()[0]["response"]["status"] == 101
    assert conversation.exchanges[0] is conversation.messages[0].exchange
    assert conversation.findings == []


def deflated(payloads: list[bytes]) -> list[bytes]:
    stream = zlib.compressobj(wbits=-15)
    return [(stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for payload in payloads]


def test_compressed_messages_share_their_window() -> None:
    """RFC 7692 section 7.2.3.2: the second Hello is shorter than the first."""
    hellos = [bytes.fromhex("f248cdc9c90700"), bytes.fromhex("f200110000")]
    pieces = [(CLIENT, UPGRADE), (SERVER, switching("permessage-deflate"))]
    pieces += [(SERVER, frame(1, hello, compressed=True)) for hello in hellos]
    pieces.append((CLIENT, frame(1, hellos[0], compressed=True, mask=MASK)))
    got: list[bytes] = []
    conversation = read(pieces, on_body=lambda exchange, side, data: got.append(data))
    assert messages(conversation) == [(SERVER, 1, 5, True), (SERVER, 1, 5, True), (CLIENT, 1, 5, True)]
    assert all(message.compressed for message in conversation.messages)
    assert b"".join(got) == b"Hello" * 3


TALK: Pieces = [
    (CLIENT, UPGRADE),
    (SERVER, switching("permessage-deflate; server_no_context_takeover") + frame(1, b"welcome")),
    (CLIENT, frame(1, b"a" * 300, mask=MASK) + frame(9, b"ping", mask=MASK)),
    (SERVER, frame(10, b"ping") + frame(2, deflated([b"z" * 9000])[0], compressed=True)),
    (CLIENT, frame(2, b"one", fin=False, mask=MASK) + frame(0, b"two", mask=b"\1\2\3\4")),
    (SERVER, frame(8, struct.pack(">H", 1000) + b"bye")),
    (CLIENT, frame(8, struct.pack(">H", 1000), mask=MASK)),
]


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_any_split_gives_the_same(n: int) -> None:
    whole = read(TALK)
    assert messages(whole) == [
        (SERVER, 1, 7, True), (CLIENT, 1, 300, True), (CLIENT, 9, 4, True), (SERVER, 10, 4, True), (SERVER, 2, 9000, True),
        (CLIENT, 2, 6, True), (SERVER, 8, 5, True), (CLIENT, 8, 2, True),
    ]  # fmt: skip
    assert [m.close_code for m in whole.messages[-2:]] == [1000, 1000]
    assert messages(read(drip(TALK, n))) == messages(whole)
    assert read(drip(TALK, n)).findings == whole.findings == []


def test_a_client_may_not_wait_for_the_answer() -> None:
    early = [(CLIENT, UPGRADE + frame(1, b"early", mask=MASK)), (SERVER, switching()), (CLIENT, frame(1, b"late", mask=MASK))]
    assert messages(read(early)) == [(CLIENT, 1, 5, True), (CLIENT, 1, 4, True)]


def test_gaps_cost_a_message_or_until_the_next_piece_that_fits() -> None:
    start: list[tuple[int, Any]] = [(CLIENT, UPGRADE), (SERVER, switching())]
    inside = [(SERVER, frame(2, bytes(100))[:50]), (SERVER, 40), (SERVER, bytes(12) + frame(1, b"next"))]
    assert messages(read(start + inside)) == [(SERVER, 2, 100, False), (SERVER, 1, 4, True)]
    beyond = [(SERVER, frame(2, bytes(100))[:50]), (SERVER, 0), (SERVER, b"\xff" * 9), (SERVER, frame(1, b"next"))]
    assert messages(read(start + beyond)) == [(SERVER, 1, 4, True)]
    masked = [(CLIENT, frame(2, b"x" * 100, mask=MASK)[:51]), (CLIENT, 41), (CLIENT, frame(2, b"x" * 100, mask=MASK)[92:])]
    got: list[bytes] = []
    assert messages(read(start + masked, on_body=lambda *piece: got.append(piece[2]))) == [(CLIENT, 2, 100, False)]
    assert b"".join(got) == b"x" * 45


def test_a_lost_window_is_no_guess() -> None:
    parts = deflated([b"first message", b"first message again", b"third"])
    start: list[tuple[int, Any]] = [(CLIENT, UPGRADE), (SERVER, switching("permessage-deflate"))]
    first = frame(1, parts[0], compressed=True)
    later = [(SERVER, frame(1, part, compressed=True)) for part in parts[1:]]
    conversation = read([*start, (SERVER, first[:5]), (SERVER, len(first) - 5), *later])
    assert messages(conversation) == [(SERVER, 1, None, False)] * 3


def test_a_bomb_is_truncated() -> None:
    bomb = deflated([bytes(30_000_000)])[0]
    conversation = read([(CLIENT, UPGRADE), (SERVER, switching("permessage-deflate") + frame(2, bomb, compressed=True))])
    assert codes(conversation) == ["decompression_bomb"]
    assert messages(conversation) == [(SERVER, 2, None, False)]


def test_bad_frames_are_found() -> None:
    start = [(CLIENT, UPGRADE), (SERVER, switching())]
    assert codes(read([*start, (SERVER, b"\x83\x00")])) == ["bad_websocket_frame"]
    assert codes(read([*start, (SERVER, b"\x89\x7e\x01\x00" + bytes(256))])) == ["bad_websocket_frame"]
    assert codes(read([*start, (CLIENT, frame(1, b"x"))])) == ["bad_websocket_mask"]
    assert codes(read([*start, (SERVER, frame(0, b"x"))])) == ["bad_websocket_frame"]
    assert codes(read([*start, (SERVER, frame(1, b"x", compressed=True))])) == ["bad_websocket_frame"]
    assert codes(read([*start, (SERVER, frame(1, b"x", fin=False))])) == ["truncated_message"]


class Counted(websocket._Direction):
    """Reads one side's frames, and accounts for every byte."""

    made: ClassVar[list["Counted"]] = []

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.n_fed = self.n_headers = self.n_payload = self.n_reported = self.n_dropped = self.n_skipped = 0
        # For the current message and control frame: bytes that arrived, and bytes that are missing in the capture.
        self.n_open = self.n_control = self.n_lost = 0
        self.n_notes = self.n_notes_before = self.n_missing = 0
        self.made.append(self)

    def feed(self, data: bytes, frame: int, at: int) -> None:
        held, before, n_notes, n_missing = len(self._held), self.n_headers + self.n_payload, self.n_notes, self.n_missing
        self.n_fed += len(data)
        super().feed(data, frame, at)
        skipped = held + len(data) - (self.n_headers + self.n_payload - before) - len(self._held)
        assert skipped >= 0
        if self.n_missing > n_missing:
            assert self.n_notes > n_notes, "the place is lost and nothing says why"
        else:
            assert skipped == (len(data) if self._seeking else 0)
        self.n_skipped += skipped

    def gap(self, length: int | None) -> None:
        inside = self._left >= 0 and length is not None and length <= self._left and self._opcode < 8
        self.n_lost += length if inside and length is not None else 0
        held = len(self._held)
        super().gap(length)
        self.n_skipped += held
        assert self._seeking is not inside

    def _note(self, code: str, detail: str) -> None:
        self.n_notes += 1
        super()._note(code, detail)

    def _begin_frame(self, data: bytes, pos: int, n_header: int) -> bool:
        self.n_notes_before = self.n_notes
        begins = super()._begin_frame(data, pos, n_header)
        self.n_headers += n_header if begins else 0
        return begins

    def _begin_message(self, opcode: int, compressed: bool) -> None:
        assert not self.n_open or self.n_notes > self.n_notes_before, "a message is dropped and nothing says why"
        self._drop()
        super()._begin_message(opcode, compressed)

    def _take(self, data: bytes) -> None:
        self.n_payload += len(data)
        if self._opcode >= 8:
            self.n_control += len(data)
        else:
            self.n_open += len(data)
        super()._take(data)

    def _lose(self) -> None:
        self.n_missing += 1
        self._drop()
        super()._lose()

    def _drop(self) -> None:
        self.n_dropped += self.n_open + self.n_control
        self.n_open = self.n_control = self.n_lost = 0

    def _add(self, opcode: int, length: int | None, compressed: bool, complete: bool, close_code: int | None) -> None:
        if opcode >= 8:
            assert length == self.n_control
            self.n_reported += self.n_control
            self.n_control = 0
        else:
            assert compressed or length is None or length == self.n_open + self.n_lost
            self.n_reported += self.n_open
            self.n_open = self.n_lost = 0
        super()._add(opcode, length, compressed, complete, close_code)


def test_mutations_lose_no_byte_without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte is in a header, in a message that is reported or dropped at a loss, or skipped after it."""
    monkeypatch.setattr(websocket, "_Direction", Counted)
    Counted.made.clear()
    rng = random.Random(2)
    for _ in range(2000):
        pieces: list[tuple[int, Any]] = [TALK[0], (SERVER, switching("permessage-deflate"))]
        for side, data in TALK[2:]:
            changed = bytearray(data)
            for _ in range(rng.randrange(4)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            if rng.random() < 0.2:
                pieces.append((side, rng.choice([0, 3, 300])))
            pieces.append((side, bytes(changed)))
        read(pieces)
        for side, direction in enumerate(Counted.made[-2:]):
            fed = [data for at, data in pieces[2:] if at == side and isinstance(data, bytes)]
            assert direction.n_fed == sum(map(len, fed))
            assert direction.n_fed == direction.n_headers + direction.n_payload + direction.n_skipped + len(direction._held)
            unfinished = direction.n_open + direction.n_control
            assert direction.n_payload == direction.n_reported + direction.n_dropped + unfinished
    assert len(Counted.made) == 4000
    assert all(sum(getattr(one, n) for one in Counted.made) > 2000 for n in ("n_reported", "n_dropped", "n_skipped"))
