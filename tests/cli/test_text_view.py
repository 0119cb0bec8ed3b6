import gzip
import hashlib
import json
import random
from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, packetise
from keyed import page, pcapng_of, save, talk_of

from .conftest import Run

PNG = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(30_000)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_binary_body_is_named_with_the_hash_of_the_object(run: Run, tmp_path: Path, chunked: bool):
    request, answer = page("/a.png", PNG, "Content-Type: image/png\r\n")
    if chunked:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = [b"%x\r\n%b\r\n" % (len(PNG[pos : pos + 9000]), PNG[pos : pos + 9000]) for pos in range(0, len(PNG), 9000)]
        answer = SERVER, head + b"".join(chunks) + b"0\r\n\r\n"
    capture, keys = save(tmp_path, talk_of([request, answer, *page("/", b"text\n")]))
    ran = run("follow", capture, 0, "-k", keys)
    assert (ran.status, ran.err) == (0, b"")
    lines = ran.text.splitlines()
    facts = f"30,008 bytes of the server, binary: PNG image, declared as image/png, SHA-256 {sha256(PNG)}, --hex shows it"
    assert f"* {facts}" in lines
    assert all(line.isprintable() for line in lines)
    assert "< text" in lines
    (found, _) = [json.loads(line) for line in run("http", capture, "-k", keys, "--format", "json").text.splitlines()]
    assert found["sha256"] == sha256(PNG)


def test_a_coded_text_is_text(run: Run, tmp_path: Path):
    coded = gzip.compress(b'{"a": 1}\n{"b": 2}\n')
    capture, keys = save(tmp_path, talk_of(page("/", coded, "Content-Encoding: gzip\r\n")))
    lines = run("follow", capture, 0, "-k", keys).text.splitlines()
    assert '< {"a": 1}' in lines
    assert '< {"b": 2}' in lines


def test_a_damaged_body_is_said(run: Run, tmp_path: Path):
    coded = gzip.compress(b"text " * 900)[:-20]
    capture, keys = save(tmp_path, talk_of([*page("/", coded, "Content-Encoding: gzip\r\n"), *page("/2", b"next\n")]))
    lines = run("follow", capture, 0, "-k", keys).text.splitlines()
    assert "* the body above is not whole: the body ends before its coded data does" in lines
    assert "< next" in lines


def test_binary_data_of_another_protocol_ends_with_its_turn(run: Run, tmp_path: Path):
    noise = [random.Random(n).randbytes(300) for n in range(3)]
    talk = talk_of([(CLIENT, noise[0]), (SERVER, noise[1] + noise[2]), (CLIENT, b"plain words\n")])
    capture, keys = save(tmp_path, talk)
    lines = run("follow", capture, 0, "-k", keys).text.splitlines()
    assert lines[1] == f"* 300 bytes of the client, binary, SHA-256 {sha256(noise[0])}, --hex shows it"
    assert lines[3] == f"* 600 bytes of the server, binary, SHA-256 {sha256(noise[1] + noise[2])}"
    assert lines[5] == "> plain words"


def test_only_one_side_is_read_with_the_other_in_mind(run: Run, tmp_path: Path):
    """The answer to HEAD has no body, though its fields announce one."""
    asked = (CLIENT, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    told = (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n")
    capture, keys = save(tmp_path, talk_of([asked, told, *page("/a", PNG)]))
    lines = run("follow", capture, 0, "-k", keys, "--from", "server").text.splitlines()
    assert f"SHA-256 {sha256(PNG)}" in lines[-2]
    assert not any(line.startswith(">") for line in lines)


def test_http2_is_written_as_heads_and_bodies(run: Run, captures: Path):
    folder = captures / "curl-nginx-http2"
    (capture,) = folder.glob("*.pcap*")
    lines = run("follow", capture, 0, "-k", folder / "curl-nginx-http2.keys").text.splitlines()
    assert lines[0].startswith("* client, frame 14, stream 1, ")
    assert lines[1:3] == ["> GET /index.html HTTP/2", "> :authority: www.example"]
    assert "< HTTP/2 200" in lines
    assert any(line.startswith('< {"readings": ') for line in lines)


def test_ascii_has_every_byte_as_a_character(run: Run, tmp_path: Path):
    sent = b"one\x00\x1b[2J\ttwo\xff\r\n" + "é\n".encode()
    capture, keys = save(tmp_path, talk_of([(SERVER, sent)]))
    lines = run("follow", capture, 0, "-k", keys, "--ascii").text.splitlines()
    assert lines[1:3] == ["< one..[2J.two.", "< .."]
    assert run("follow", capture, 0, "-k", keys, "--ascii", "--hex").status == 2


@pytest.mark.parametrize("n_bytes", [1, 5, 1000])
def test_long_text_is_the_same_however_it_comes(run: Run, tmp_path: Path, n_bytes: int):
    text = "one\r\n\r\n\r\ntwo\tthree\n\ngrößer €\n\n".encode() * 3
    pieces = [(SERVER, text[pos : pos + n_bytes]) for pos in range(0, len(text), n_bytes)]
    capture, keys = save(tmp_path, talk_of(pieces))
    lines = run("follow", capture, 0, "-k", keys).text.splitlines()[1:-1]
    assert lines == ["< one", "<", "<", "< two\tthree", "<", "< größer €", "<"] * 3
    colored = run("follow", capture, 0, "-k", keys, "--color", "always").text.splitlines()[1:-1]
    assert [line.replace("\x1b[33m", "").replace("\x1b[0m", "").rstrip() for line in colored] == lines


@pytest.mark.parametrize("pieces", [(b"\xc2", b"\x9b31mred\n"), (b"\xe2\x80", b"\xaered\n"), (b"\xe2", b"\x80\xaered\n")])
def test_a_control_character_in_two_records_is_escaped(run: Run, tmp_path: Path, pieces: tuple[bytes, bytes]):
    first, second = pieces
    capture, keys = save(tmp_path, talk_of([(CLIENT, b"a line of text"), (SERVER, b"hello " + first), (SERVER, second)]))
    ran = run("follow", capture, 0, "-k", keys)
    assert "hello" in ran.text
    assert "red" in ran.text
    assert not {"\x9b", "\u202e"} & set(ran.text)


def test_a_tcp_stream_by_its_number(run: Run, tmp_path: Path):
    talk = talk_of(page("/", b"secret\n"))
    plain = packetise(
        [(CLIENT, b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"), (SERVER, b"HTTP/1.1 204 No\r\n\r\n")], ports=(50009, 80)
    )
    capture, keys = save(tmp_path, talk, [*packetise(talk.flights), *plain])
    ran = run("follow", capture, "--stream", 1)
    assert (ran.status, ran.err) == (0, b"")
    assert "> GET /plain HTTP/1.1" in ran.text.splitlines()
    assert ran.text.splitlines()[-1].startswith(
        "* end of stream 1: 32 bytes from the client 10.0.0.1:50009, 19 bytes from the "
    )
    opened = run("follow", "--stream", 0, capture, "-k", keys)
    assert (opened.status, opened.err) == (0, b"")
    assert "< secret" in opened.text.splitlines()
    assert "* end of stream 0: 38 bytes from the client " in opened.text
    raw = run("follow", "--stream", 0, capture, "--raw", "--from", "client")
    assert raw.out == b"".join(data for side, data in talk.flights if side == CLIENT)
    assert raw.complaint == "analyzer: TLS begins in this stream: `follow` with the id 0 shows what it carried"
    assert b"binary: TLS records" in run("follow", capture, "--stream", 0).out
    absent = run("follow", capture, "--stream", 2)
    assert (absent.status, absent.complaint) == (2, f"analyzer: {capture}: no TCP stream 2: there are 2, from 0 to 1")
    assert run("follow", capture).status == 2


def test_what_was_said_before_and_behind_starttls(run: Run, captures: Path):
    folder = captures / "smtp-starttls"
    (capture,) = folder.glob("*.pcap*")
    ran = run("follow", capture, "--stream", 0, "-k", folder / "smtp-starttls.keys")
    assert (ran.status, ran.err) == (0, b"")
    said = [line for line in ran.text.splitlines() if not line.startswith("* ")]
    before, behind = said.index("> STARTTLS"), said.index("> MAIL FROM:<alice@example.com>")
    assert said[before + 1] == "< 220 2.0.0 Go ahead"
    assert before < behind
    assert "binary" not in ran.text
    other = run("follow", capture, "--stream", 0, "-k", captures / "demo" / "demo.keys")
    assert other.complaint == "analyzer: TLS in this stream was not decrypted: `follow` with the id 0 says why"


def test_a_gap_in_a_tcp_stream_is_said_in_its_place(run: Run):
    segments = packetise([(CLIENT, b"one\n" * 500), (SERVER, b"two\n")], ports=(50009, 80))
    data = [index for index, segment in enumerate(segments) if segment.payload]
    del segments[data[1]]
    ran = run("follow", "-", "--stream", 0, stdin=pcapng_of(segments))
    assert any(" bytes of the client are not in the capture" in line for line in ran.text.splitlines())
    other = run("follow", "-", "--stream", 0, "--from", "server", stdin=pcapng_of(segments))
    assert "two" in other.text
    assert "not in the capture" not in other.text
