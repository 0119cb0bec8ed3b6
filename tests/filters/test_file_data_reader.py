"""Bodies of HTTP/1: decoded, in the frame that ends them, and bounded."""

import gzip

from analyzer.filters import file_data_reader
from analyzer.filters.file_data_reader import FileDataReader, HeldBodies

CLIENT, SERVER = 0, 1
ASK = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"


def bodies(reader, *turns):
    """What each turn of role and bytes completes."""
    kept = []
    for role, data in turns:
        found = {}
        reader.feed(role, data, found)
        kept.append([one.value for one in found.get("http.file_data", ())])
    return kept


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def test_a_body_is_there_when_it_ends():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
    assert bodies(FileDataReader(HeldBodies()), (CLIENT, ASK), (SERVER, head + b"abc"), (SERVER, b"def")) == [
        [],
        [],
        [b"abcdef"],
    ]
    asked = b"POST / HTTP/1.1\r\nHost: www.example\r\nContent-Length: 3\r\n\r\nx=1"
    assert bodies(FileDataReader(HeldBodies()), (CLIENT, asked * 2)) == [[b"x=1", b"x=1"]]


def test_codings_are_taken_off():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    packed = gzip.compress(b"some text")
    answer = head + chunked(packed[:5], packed[5:])
    assert bodies(FileDataReader(HeldBodies(), "http"), (CLIENT, ASK), (SERVER, answer)) == [[], [b"some text"]]


def test_no_body_is_no_value():
    assert bodies(FileDataReader(HeldBodies()), (CLIENT, ASK), (SERVER, b"HTTP/1.1 204 No Content\r\n\r\n")) == [[], []]


def test_behind_missing_bytes_the_body_is_not_known():
    reader = FileDataReader(HeldBodies())
    bodies(reader, (CLIENT, ASK), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"))
    reader.gap(SERVER)
    assert bodies(reader, (SERVER, b"def")) == [[]]


def test_a_body_up_to_the_end_of_the_connection_is_there_at_its_end():
    reader, found = FileDataReader(HeldBodies()), {}
    assert bodies(reader, (CLIENT, ASK), (SERVER, b"HTTP/1.1 200 OK\r\n\r\nabc"), (SERVER, b"def")) == [[], [], []]
    reader.end(found)
    assert [one.value for one in found["http.file_data"]] == [b"abcdef"]
    cut, found = FileDataReader(HeldBodies()), {}
    bodies(cut, (CLIENT, ASK), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"))
    cut.end(found)
    assert found == {}


def test_what_is_held_is_bounded(monkeypatch):
    monkeypatch.setattr(file_data_reader, "MAX_HELD", 4)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
    assert bodies(FileDataReader(HeldBodies()), (CLIENT, ASK), (SERVER, head + b"abcdef"), (SERVER, b"gh")) == [[], [], []]


def test_what_a_gap_drops_is_not_held_any_longer(monkeypatch):
    monkeypatch.setattr(file_data_reader, "MAX_HELD", 8)
    reader = FileDataReader(HeldBodies())
    asked = b"POST / HTTP/1.1\r\nHost: www.example\r\nContent-Length: 6\r\n\r\n"
    bodies(reader, (CLIENT, ASK), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdef"))
    reader.gap(SERVER)
    assert bodies(reader, (CLIENT, asked + b"uvw"), (CLIENT, b"xyz")) == [[], [b"uvwxyz"]]


def test_all_connections_share_the_bound(monkeypatch):
    monkeypatch.setattr(file_data_reader, "MAX_HELD", 8)
    held = HeldBodies()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
    first, second = FileDataReader(held), FileDataReader(held)
    bodies(first, (CLIENT, ASK), (SERVER, head + b"abcdef"))
    assert bodies(second, (CLIENT, ASK), (SERVER, head + b"abcdef"), (SERVER, b"gh")) == [[], [], []]
    assert held.n_bytes == 6
    first.drop()
    assert held.n_bytes == 0
