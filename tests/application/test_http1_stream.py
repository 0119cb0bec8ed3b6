import time

from analyzer.application.body import Bodies, Body
from analyzer.application.exchange import CLIENT, SERVER, ConversationLog, Request, Response
from analyzer.application.header_fields import Framing, read_request_line, read_status_line
from analyzer.application.http1_stream import START_LINE_MAX, WAITING_MAX, Direction


class Collected:
    """Makes a message of every header section; its framing is set before."""

    def __init__(self, side: int, framing: Framing) -> None:
        self.log = ConversationLog("https", True, None)
        self.framing = framing
        self.heads: list[tuple[str, str, int]] = []
        self.messages: list[Request | Response] = []
        self.n_ended = self.n_found = 0
        self.left: list[bytes] = []
        self.direction = Direction(self, side)

    def begin_message(self, side: int, line: str, rest: str, frame: int, at: int) -> bool:
        if (read_request_line(line) if side == CLIENT else read_status_line(line)) is None:
            return False
        self.heads.append((line, rest, frame))
        body = Body(Bodies(True, self.log.note), [], None)
        self.messages.append(Response(200, [], "1.1", frame, at, body))
        self.direction.begin_body(self.messages[-1], self.framing)
        return True

    def end_message(self, side: int) -> None:
        self.n_ended += 1

    def found(self, side: int) -> None:
        self.n_found += 1

    def succeed(self, side: int, data: bytes, frame: int, at: int) -> None:
        self.left.append(data)


def test_a_header_section_belongs_to_the_frame_that_completes_it() -> None:
    collected = Collected(SERVER, Framing(False, 2, []))
    for frame, data in enumerate((b"HTTP/1.1 200 OK\r", b"\nA: b\r\n", b"\r", b"\nxyHTTP/1.1 200 OK\n\nxy\r\n\r\n"), 1):
        collected.direction.feed(data, frame, frame)
    assert collected.heads == [("HTTP/1.1 200 OK", "A: b\r", 4), ("HTTP/1.1 200 OK", "", 4)]
    assert collected.n_ended == 2
    assert [(one.code, one.frame) for one in collected.log.findings] == [("bare_line_feed", 4)]


def test_a_start_line_is_found_after_any_bytes() -> None:
    for side, head in ((CLIENT, b"POST /x HTTP/1.1\r\nA: b\r\n\r\n"), (SERVER, b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n")):
        for before in (
            b"",
            b"body",
            b" HTTP/1.1\r\n",
            b"HTTP/1.1",
            b"HTTP/1.1 abc",
            b"\n" * 50_000,
            b"GET " * 9000,
            b"x" * 60_000,
        ):
            for n in (1 << 20, 1000):
                collected = Collected(side, Framing(False, 0, []))
                collected.direction.gap(None)
                stream = before + b"\n" + head
                for pos in range(0, len(stream), n):
                    collected.direction.feed(stream[pos : pos + n], 1, 1)
                assert [rest for _, rest, _ in collected.heads] == ["A: b\r"]
                assert collected.n_found == 1


def test_what_is_held_is_bounded_while_seeking() -> None:
    collected = Collected(CLIENT, Framing(False, 0, []))
    collected.direction.gap(None)
    for _ in range(100):
        collected.direction.feed(b"x" * 100_000, 1, 1)
    assert len(collected.direction._held) <= START_LINE_MAX


def test_held_bytes_are_bounded_and_in_order() -> None:
    collected = Collected(CLIENT, Framing(False, 0, []))
    direction = collected.direction
    direction.wait()
    direction.feed(b"GET /1 HTTP/1.1\r\n\r\n", 1, 1)
    direction.feed(b"GET /2 HTTP/1.1\r\n\r\n", 2, 2)
    assert collected.heads == []
    direction.resume()
    assert [(line, frame) for line, _, frame in collected.heads] == [("GET /1 HTTP/1.1", 1), ("GET /2 HTTP/1.1", 2)]
    direction.wait()
    direction.feed(b"GET /3 HTTP/1.1\r\n\r\n" + b"\r\n" * WAITING_MAX, 3, 3)
    assert len(collected.heads) == 3
    assert [finding.code for finding in collected.log.findings] == ["no_answer_to_upgrade"]


def test_held_bytes_go_to_the_protocol_that_takes_over() -> None:
    collected = Collected(CLIENT, Framing(False, 0, []))
    collected.direction.feed(b"GET /1 HT", 1, 1)
    collected.direction.leave()
    collected.direction.feed(b"TP", 2, 2)
    assert collected.left == [b"GET /1 HT", b"TP"]


def test_endless_header_sections_cost_no_more_than_their_bytes() -> None:
    before = time.process_time()
    for line in (b"GET / HTTP/1.1\r\n", b"GET /\rx HTTP/1.1\r\n", b" HTTP/1.1\r\n"):
        collected = Collected(CLIENT, Framing(False, 0, []))
        for _ in range(128):
            collected.direction.feed(line * (16384 // len(line)), 1, 1)
        collected.direction.feed(b"\r\n\r\nGET /found HTTP/1.1\r\n\r\n", 2, 2)
        assert collected.heads[-1] == ("GET /found HTTP/1.1", "", 2)
    assert time.process_time() - before < 5
