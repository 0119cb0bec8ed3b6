import gzip

import pytest

from analyzer.application.message_framing import MessageBody, MessageFraming

CLIENT, SERVER = 0, 1
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Taken:
    """What was passed on: bytes outside of bodies by side, and bodies with their facts when they end."""

    def __init__(self) -> None:
        self.outside = [b"", b""]
        self.bodies: list[tuple[int, bytes, MessageBody]] = []
        self._open: dict[int, bytes] = {}

    def __call__(self, side: int, data: bytes, body: MessageBody | None, ends: bool) -> None:
        if body is None:
            self.outside[side] += data
            return
        self._open[id(body)] = self._open.get(id(body), b"") + data
        if ends:
            self.bodies.append((side, self._open.pop(id(body)), body))


def read(*pieces: tuple[int, bytes], size: int = 1 << 20) -> Taken:
    """Feed the pieces, in parts of at most `size` bytes."""
    taken = Taken()
    framing = MessageFraming(taken)
    for side, data in pieces:
        for pos in range(0, len(data), size):
            framing.feed(side, data[pos : pos + size], 1, 1)
    framing.close()
    return taken


SMALL = (1, 7, 1 << 20)


@pytest.mark.parametrize("size", SMALL)
def test_a_body_of_known_length_ends_there(size: int):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\n"
    taken = read((CLIENT, GET), (SERVER, head + b"\x89PNG\n" + head + b"12345"), size=size)
    assert taken.outside == [GET, head + head]
    assert [(side, data, body.declared) for side, data, body in taken.bodies] == [
        (SERVER, b"\x89PNG\n", "image/png"),
        (SERVER, b"12345", "image/png"),
    ]


@pytest.mark.parametrize("size", SMALL)
def test_chunks_and_codings_are_removed(size: int):
    coded = gzip.compress(b"a page" * 100)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(
        b"%x;x=y\r\n%b\r\n" % (len(coded[pos : pos + 10]), coded[pos : pos + 10]) for pos in range(0, len(coded), 10)
    )
    taken = read((CLIENT, GET), (SERVER, head + chunks + b"0\r\nX-Sum: 1\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), size=size)
    assert taken.outside[SERVER] == head + b"X-Sum: 1\r\n" + b"HTTP/1.1 204 No\r\n\r\n"
    assert [(data, body.codings, body.problem) for _, data, body in taken.bodies] == [(b"a page" * 100, ["gzip"], "")]


def test_answers_without_a_body():
    asked = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    told = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n"
    )
    taken = read((CLIENT, asked + GET), (SERVER, told))
    assert taken.outside == [asked + GET, told]
    assert taken.bodies == []


def test_a_body_to_the_end_of_the_connection():
    head = b"HTTP/1.0 200 OK\r\n\r\n"
    taken = read((CLIENT, GET), (SERVER, head + b"one "), (SERVER, b"two"))
    assert [data for _, data, _ in taken.bodies] == [b"one two"]


@pytest.mark.parametrize("size", SMALL)
@pytest.mark.parametrize(
    "data",
    [
        b"EHLO laptop.example\r\n",
        b"GET is a word\r\nHost: a\r\n\r\nbody",
        b"\x16\x03\x01\x00\x05",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n" + b"\x00" * 40,
    ],
)
def test_what_is_no_http_is_passed_on_as_it_is(data: bytes, size: int):
    assert read((CLIENT, data), size=size).outside[CLIENT] == data


def test_after_a_change_of_protocol_all_bytes_are_passed_on():
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    taken = read((CLIENT, GET), (SERVER, answer + b"\x81\x05hello"), (SERVER, b"\x81\x02ab"))
    assert taken.outside[SERVER] == answer + b"\x81\x05hello\x81\x02ab"


def test_a_loss_ends_the_body_and_the_next_turn_begins_anew():
    taken = Taken()
    framing = MessageFraming(taken)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    framing.feed(CLIENT, GET, 1, 1)
    framing.feed(SERVER, head + b"half", 2, 2)
    framing.lose(SERVER)
    framing.feed(SERVER, b"the rest", 3, 3)
    framing.feed(CLIENT, GET, 4, 4)
    framing.feed(SERVER, head + b"x" * 50, 5, 5)
    assert [data for _, data, _ in taken.bodies] == [b"half", b"x" * 50]
    assert taken.outside[SERVER] == head + b"the rest" + head


def test_a_body_that_cannot_be_decoded_says_why():
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    ((_, data, body),) = read((CLIENT, GET), (SERVER, head + b"\x00\x01\x02\x03")).bodies
    assert data == b""
    assert body.problem
