"""The bodies of HTTP/1 as a field: decrypted, and without TLS."""

from tests.filters.field_readings import fields_of, readings
from tests.filters.test_plain_streams import FIN, capture

CLIENT, SERVER = 0, 1


def found_in(path, keys=None):
    rows = readings(path, fields_of("http.file_data"), keys, engine=True)
    return {number: values[0] for number, values in enumerate(rows, 1) if values[0]}


def test_a_decrypted_body_is_in_the_frame_that_ends_it(repository):
    folder = repository / "captures" / "tls13-rsa"
    (path,), (keys,) = folder.glob("*.pcap*"), folder.glob("*.keys")
    assert found_in(path, keys) == {15: [b"Hello, world.\n"]}
    assert found_in(path) == {}


def test_a_plain_body_is_there_too(tmp_path):
    asked = b"POST / HTTP/1.1\r\nHost: www.example\r\nContent-Length: 3\r\n\r\nx=1"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
    path = capture(tmp_path / "c.pcap", (CLIENT, asked), (SERVER, head + b"abc"), (SERVER, b"def"))
    assert found_in(path) == {3: [b"x=1"], 5: [b"abcdef"]}


def test_a_plain_body_without_a_length_ends_with_a_fin_of_the_server(tmp_path):
    asked = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"
    turns = ((CLIENT, asked), (SERVER, b"HTTP/1.1 200 OK\r\n\r\nabc"), (SERVER, b"def"))
    assert found_in(capture(tmp_path / "whole.pcap", *turns, last=FIN)) == {5: [b"abcdef"]}
    assert found_in(capture(tmp_path / "cut.pcap", *turns)) == {}
