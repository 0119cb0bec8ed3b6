import random
import struct

import dns.message
import dns.rrset
import pytest
from http3_peers import CLIENT, SERVER, Piece, read_streams
from http_reading import codes

from analyzer.application import doq
from analyzer.application.conversation import Conversation
from analyzer.application.dns_message import ANSWERS_MAX, read_dns_message


def query(name: str, kind: str = "A") -> dns.message.QueryMessage:
    return dns.message.make_query(name, kind, id=0)


def answer(asked: dns.message.QueryMessage, *data: str, kind: str = "A") -> bytes:
    response = dns.message.make_response(asked)
    response.answer.append(dns.rrset.from_text(asked.question[0].name, 300, "IN", kind, *data))
    return framed(response.to_wire())


def framed(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


ASKED = query("www.example.")
ASKED6 = query("www.example.", "AAAA")
SENT = [
    Piece(0, CLIENT, framed(ASKED.to_wire()), True),
    Piece(4, CLIENT, framed(ASKED6.to_wire()), True),
    Piece(4, SERVER, answer(ASKED6, "2001:db8::7", kind="AAAA"), True),
    Piece(0, SERVER, answer(ASKED, "192.0.2.7", "192.0.2.8") + answer(ASKED, "192.0.2.9"), True),
]


def outline(read: Conversation) -> list[tuple[int, int, int, list[str]]]:
    assert read.dns is not None
    return [(one.stream, one.side, one.frame, sorted(each.data for each in one.answers)) for one in read.dns]


def test_messages_are_read_with_questions_and_answers() -> None:
    read = read_streams(SENT, "doq")
    assert (read.kind, read.exchanges, codes(read)) == ("doq", [], [])
    assert read.dns is not None
    assert read.dns[0].record() == {
        "stream": 0, "from": "client", "frame": 1, "size": len(ASKED.to_wire()), "response": False, "rcode": None,
        "questions": [{"name": "www.example.", "type": "A"}], "answers": [],
    }  # fmt: skip
    assert read.dns[2].record()["answers"] == [{"name": "www.example.", "type": "AAAA", "ttl": 300, "data": "2001:db8::7"}]
    assert read.dns[3].rcode == "NOERROR"
    assert outline(read) == [
        (0, 0, 1, []), (4, 0, 2, []), (4, 1, 3, ["2001:db8::7"]), (0, 1, 4, ["192.0.2.7", "192.0.2.8"]),
        (0, 1, 4, ["192.0.2.9"]),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 3, 7, 30])
def test_messages_are_found_however_the_bytes_are_cut(n: int) -> None:
    pieces = []
    for piece in SENT:
        assert isinstance(piece.data, bytes)
        pieces += [Piece(piece.stream, piece.role, piece.data[i : i + n]) for i in range(0, len(piece.data), n)]
        pieces.append(Piece(piece.stream, piece.role, b"", True))
    assert [(a, b, d) for a, b, _, d in outline(read_streams(pieces, "doq"))] == [
        (a, b, d) for a, b, _, d in outline(read_streams(SENT, "doq"))
    ]


def test_nothing_is_read_after_a_gap_in_a_stream() -> None:
    read = read_streams([*SENT[:3], Piece(0, SERVER, 3), SENT[3]], "doq")
    assert len(outline(read)) == 3
    assert codes(read) == []


def test_what_is_no_message_is_reported() -> None:
    read = read_streams([Piece(0, CLIENT, framed(b"no message")), Piece(0, CLIENT, framed(ASKED.to_wire())[:9], True)], "doq")
    assert codes(read) == ["malformed_dns_message", "malformed_dns_message"]
    assert read.dns == []


def test_a_refused_query_is_named() -> None:
    read = Conversation("doq")
    read.feed_stream(0, CLIENT, framed(ASKED.to_wire()), True, 1, 1)
    read.reset_stream(0, SERVER, 4, 2, 2)
    read.close(3)
    assert [(one.code, one.frame, one.detail) for one in read.findings] == [
        ("dns_query_refused", 2, "the server refuses the query of stream 0 with DOQ_EXCESSIVE_LOAD")
    ]


def test_streams_and_answers_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doq, "STREAMS_MAX", 4)
    read = read_streams([Piece(4 * n, CLIENT, b"\xff") for n in range(100)], "doq")
    assert read.dns == []
    many = answer(ASKED, *[f"192.0.2.{n}" for n in range(200)])
    message = read_dns_message(many[2:], 0, SERVER, 1, 1)
    assert message is not None
    assert (len(message.answers), message.n_answers) == (ANSWERS_MAX, 200)


def test_no_bytes_raise_an_exception() -> None:
    choice = random.Random(9250)
    whole = answer(ASKED, "192.0.2.7")[2:]
    for _ in range(300):
        data = bytes(
            byte ^ (choice.random() < 0.1) << choice.randrange(8) for byte in whole[: choice.randrange(len(whole) + 1)]
        )
        message = read_dns_message(data, 0, SERVER, 1, 1)
        assert message is None or message.size == len(data)
