import base64
import gzip
import hashlib
import io
import json
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Segment, Tap, packetise
from har_schema import HAR
from jsonschema import Draft202012Validator
from keyed import Talk, page, talk_of, without

from analyzer.application.body import Bodies, Body
from analyzer.application.exchange import Exchange, Request, Response
from analyzer.engine import Engine
from analyzer.engine.plain_http import dispatcher_with
from analyzer.secrets.keylog import KeyLog
from analyzer.store.har_archive import HarArchive
from analyzer.store.har_entry import Place, Times, har_entry

PNG = b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(200_000)


def archive_of(
    folder: Path,
    segments: Sequence[Segment],
    *talks: Talk,
    room: int = 1 << 30,
    sessions: Sequence[int] | None = None,
    plain: bool = True,
) -> tuple[dict[str, Any], HarArchive]:
    """Return the archive of a capture, which is valid, and what wrote it."""
    keys = KeyLog()
    for talk in talks:
        keys.feed(talk.keylog.encode())
    with HarArchive(str(folder), room, sessions, None, plain) as archive:
        tap = Tap()
        tap.engine = Engine(
            detailed=True, fields=False, keylog=keys, reads_data=False, dispatches=dispatcher_with(archive.take_body)
        )
        tap.feed(*segments)
        tap.close()
        archive.take(tap.events)
        out = io.BytesIO()
        archive.write(out, "a capture")
    assert out.getvalue().isascii()
    har = json.loads(out.getvalue())
    Draft202012Validator(HAR, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(har)
    assert list(folder.iterdir()) == [], "the temporary file has no name"
    return har["log"], archive


def entries_of(folder: Path, *script: tuple[int, bytes], version: str = "TLSv1_3") -> list[dict[str, Any]]:
    talk = talk_of(script, version)
    return archive_of(folder, packetise(talk.flights), talk)[0]["entries"]


def body_of(entry: dict[str, Any]) -> bytes:
    content = entry["response"]["content"]
    return base64.b64decode(content["text"]) if content.get("encoding") == "base64" else content["text"].encode()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_bodies_are_as_they_were(tmp_path: Path, version: str):
    text = '{"a": "größer \u2028 €"}\n' * 9000
    coded = gzip.compress(text.encode())
    script = (
        *page("/a.png", PNG, "Content-Type: image/png\r\n"),
        *page("/b.json?x=1&y=%C3%A9&x=&z", coded, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"),
        *page("/c", "ä".encode("latin-1") * 40, "Content-Type: text/plain; charset=iso-8859-1\r\n"),
        *page("/d", b""),
    )
    entries = entries_of(tmp_path, *script, version=version)
    assert [body_of(entry) for entry in entries] == [PNG, text.encode(), b"\xe4" * 40, b""]
    contents = [entry["response"]["content"] for entry in entries]
    assert [content["size"] for content in contents] == [len(PNG), len(text.encode()), 40, 0]
    assert [content["mimeType"] for content in contents] == [
        "image/png", "application/json", "text/plain; charset=iso-8859-1", "x-unknown",
    ]  # fmt: skip
    assert contents[0]["_sha256"] == hashlib.sha256(PNG).hexdigest()
    assert contents[1]["compression"] == len(text.encode()) - len(coded)
    asked = entries[1]["request"]
    assert asked["url"] == "https://example.test/b.json?x=1&y=%C3%A9&x=&z"
    assert [(pair["name"], pair["value"]) for pair in asked["queryString"]] == [("x", "1"), ("y", "é"), ("x", ""), ("z", "")]
    assert entries[0]["_securityDetails"]["subjectName"] == "CN=example.test"
    assert entries[0]["_securityDetails"]["protocol"] == {"TLSv1_2": "TLS 1.2", "TLSv1_3": "TLS 1.3"}[version]


def test_times_are_those_of_the_frames(tmp_path: Path):
    """Frames are a millisecond apart: the SYN is frame 1."""
    entries = entries_of(tmp_path, *page("/", b"x" * 5000), *page("/2", b"y"))
    first, second = entries
    assert first["startedDateTime"] == "2023-11-14T22:13:20.000000Z"
    timings, asked, told = first["timings"], first["_frames"]["request"], first["_frames"]["response"]
    assert timings["connect"] + timings["blocked"] == asked - 1
    assert 0 < timings["ssl"] < timings["connect"]
    assert (timings["dns"], timings["send"]) == (-1, 0)
    assert timings["wait"] == told - asked
    assert first["time"] == pytest.approx(sum(timings[name] for name in ("blocked", "connect", "send", "wait", "receive")))
    assert (second["timings"]["connect"], second["timings"]["ssl"], second["timings"]["blocked"]) == (-1, -1, -1)
    assert second["_connection"] == first["_connection"] == "0"


def test_cookies_and_a_redirect(tmp_path: Path):
    asked = b"GET / HTTP/1.1\r\nHost: a.test\r\nCookie: id=1; theme=dark=er; bare\r\nCookie: more=2\r\n\r\n"
    told = (
        b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n"
        b"Set-Cookie: id=2; Path=/a; Domain=a.test; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax\r\n"
        b"Set-Cookie: bad; Expires=yesterday\r\n\r\n"
    )
    (entry,) = entries_of(tmp_path, (CLIENT, asked), (SERVER, told))
    assert [(one["name"], one["value"]) for one in entry["request"]["cookies"]] == [
        ("id", "1"), ("theme", "dark=er"), ("", "bare"), ("more", "2"),
    ]  # fmt: skip
    assert entry["response"]["redirectURL"] == "/next"
    assert entry["response"]["cookies"] == [
        {
            "name": "id", "value": "2", "path": "/a", "domain": "a.test", "expires": "2026-10-21T07:28:00+00:00",
            "secure": True, "httpOnly": True, "sameSite": "Lax",
        },
        {"name": "", "value": "bad"},
    ]  # fmt: skip


def test_what_was_posted(tmp_path: Path):
    def post(body: bytes, kind: bytes) -> list[tuple[int, bytes]]:
        head = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        return [(CLIENT, head + body), page("", b"", status="204 No Content")[1]]

    form, json_body, binary = entries_of(
        tmp_path,
        *post(b"a=1&b=%20x&a=", b"application/x-www-form-urlencoded"),
        *post(b'{"a": 1}', b"application/json"),
        *post(PNG, b"image/png"),
    )
    assert form["request"]["postData"] == {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a", "value": "1"}, {"name": "b", "value": " x"}, {"name": "a", "value": ""}],
        "text": "a=1&b=%20x&a=",
    }
    assert json_body["request"]["postData"]["text"] == '{"a": 1}'
    assert base64.b64decode(binary["request"]["postData"]["_base64"]) == PNG


def test_plain_http_beside_tls_in_the_order_of_time(tmp_path: Path):
    plain = [*page("/plain", b"plain body"), (CLIENT, b"GET /none HTTP/1.0\r\n\r\n")]
    talk = talk_of(page("/tls", b"secret"))
    segments = [*packetise(plain, ports=(50001, 8080)), *packetise(talk.flights)]
    log, archive = archive_of(tmp_path, segments, talk)
    assert [(entry["request"]["url"], entry["response"]["status"], entry["connection"]) for entry in log["entries"]] == [
        ("http://example.test/plain", 200, "8080"),
        ("http://10.0.0.2:8080/none", 0, "8080"),
        ("https://example.test/tls", 200, "443"),
    ]
    assert body_of(log["entries"][0]) == b"plain body"
    assert "_securityDetails" not in log["entries"][0]
    assert (archive.entries, archive.unasked) == (3, 0)
    assert [page["id"] for page in log["pages"]] == ["client-10.0.0.1"]
    only, _ = archive_of(tmp_path, segments, talk, sessions=[0], plain=False)
    assert [entry["request"]["url"] for entry in only["entries"]] == ["https://example.test/tls"]


def test_what_was_lost_is_said(tmp_path: Path):
    talk = talk_of((*page("/", b"x" * 60_000), *page("/end", b"the end")))
    log, _ = archive_of(tmp_path, without(packetise(talk.flights), SERVER, -20), talk)
    first, last = log["entries"]
    assert first["response"]["content"]["comment"] == "the body is not whole"
    assert first["response"]["bodySize"] == -1
    assert body_of(last) == b"the end"


@pytest.mark.parametrize("n_sent", [0, 5])
def test_a_request_that_is_not_whole_has_not_the_body_of_a_whole_one(tmp_path: Path, n_sent: int):
    head = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n"
    log, _ = archive_of(tmp_path, packetise([(CLIENT, head + b"x" * n_sent)], ports=(50001, 80)))
    asked = log["entries"][0]["request"]
    assert (asked["bodySize"], asked["postData"]["comment"]) == (-1, "the body is not whole")
    assert asked["postData"].get("text") == ("x" * n_sent or None)


def test_what_could_not_be_read_is_not_shown_as_nothing():
    body = Body(Bodies(False, lambda *_: None), None, None)
    exchange = Exchange(Request("GET", "https", "a", "/", None, "2", 1, 1, body), Response(None, None, "2", 2, 2, body))
    place = Place({"address": "10.0.0.1", "port": 5}, {"address": "10.0.0.2", "port": 443}, "https")
    entry = har_entry(exchange, place, Times(), True)
    assert entry["request"]["comment"] == entry["response"]["comment"] == "the header fields could not be read"


def test_an_answer_without_its_request_is_counted(tmp_path: Path):
    log, archive = archive_of(tmp_path, packetise([page("/", b"x")[1]], ports=(50001, 80)))
    assert (log["entries"], archive.unasked) == ([], 1)


def test_there_is_room_for_so_much(tmp_path: Path):
    talk = talk_of((*page("/", b"x" * 900), *page("/2", b"y" * 900)))
    log, archive = archive_of(tmp_path, packetise(talk.flights), talk, room=1000)
    assert ["text" in entry["response"]["content"] for entry in log["entries"]] == [True, False]
    assert archive.bodies_cut == 1
    assert log["entries"][1]["response"]["content"]["size"] == 900
    post = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"z" * 2000
    log, archive = archive_of(tmp_path, packetise([(CLIENT, post)], ports=(50001, 80)), room=1000)
    posted = log["entries"][0]["request"]["postData"]
    assert (posted["comment"], "text" in posted) == ("the body is left out, as there is no room for it", False)
    assert archive.bodies_cut == 1


def test_text_of_the_capture_cannot_end_a_string(tmp_path: Path):
    hostile = '","status":500,"x":"\\\u2028</script>\x1b[2J'.encode()
    asked = b'GET /"%22,\xff%1 HTTP/1.1\r\nHost: a"b\r\nX: \\","y\r\n\r\n'
    (entry,) = entries_of(tmp_path, (CLIENT, asked), page("/", hostile, "Content-Type: text/plain\r\n")[1])
    assert body_of(entry) == hostile
    assert entry["response"]["status"] == 200
    assert entry["request"]["url"] == "https://a%22b/%22%22,%C3%BF%251"


def test_messages_of_a_websocket(tmp_path: Path):
    def frame(text: bytes, opcode: int, mask: bytes = b"") -> bytes:
        body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text)) if mask else text
        return struct.pack("!BB", 0x80 | opcode, len(text) | (0x80 if mask else 0)) + mask + body

    request = (
        b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    (entry,) = entries_of(
        tmp_path, (CLIENT, request), (SERVER, answer), (CLIENT, frame(b"hello", 1, b"abcd")),
        (SERVER, frame(b"\x00\xff", 2) + frame(b"", 9) + frame("é".encode(), 1)),
    )  # fmt: skip
    assert [(one["type"], one["opcode"], one["data"]) for one in entry["_webSocketMessages"]] == [
        ("send", 1, "hello"), ("receive", 2, "AP8="), ("receive", 9, ""), ("receive", 1, "é"),
    ]  # fmt: skip
    assert (entry["_resourceType"], entry["request"].get("postData")) == ("websocket", None)


def test_many_open_bodies_are_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.har_archive.BODIES_HELD", 2)
    monkeypatch.setattr("analyzer.store.har_archive.BODIES_MAX", 5)
    talk = talk_of([flight for number in range(8) for flight in page(f"/{number}", b"%d" % number * 3000)])
    log, archive = archive_of(tmp_path, packetise(talk.flights), talk)
    bodies = [entry["response"]["content"].get("text") for entry in log["entries"]]
    assert bodies == [f"{number}" * 3000 for number in range(5)] + [None] * 3
    assert archive.bodies_cut == 3
