import gzip
import hashlib
import json
import ssl
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, Segment, Tap, packetise
from keyed import Talk, page, talk_of, without
from limited import files_up_to

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.exported_objects import KINDS, ExportedObjects, ending
from analyzer.store.folder import Folder
from analyzer.store.manifest import Manifest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200


def export(
    path: Path,
    *talks: Talk,
    segments: Sequence[Segment] | None = None,
    kinds: Sequence[str] = KINDS,
    sessions: Sequence[int] = (),
    room: int = 1 << 30,
) -> tuple[list[dict[str, Any]], ExportedObjects]:
    """Export what talks carried. Return the manifest, after each of its files was checked."""
    keys = KeyLog()
    for talk in talks:
        keys.feed(talk.keylog.encode())
    with Folder(str(path), room) as folder, Manifest(folder, {}) as manifest:
        contents = ExportedObjects(folder, manifest, kinds, sessions)
        tap = Tap()
        tap.engine = Engine(detailed=True, fields=False, keylog=keys, reads_data=False)
        if segments is None:
            segments = [one for n, talk in enumerate(talks) for one in packetise(talk.flights, ports=(50000 + n, 443))]
        tap.feed(*segments)
        tap.close()
        contents.take(tap.events)
        assert contents.write({})
    entries: list[dict[str, Any]] = json.loads((path / "manifest.json").read_bytes())["files"]
    for entry in entries:
        data = (path / entry["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"])
    there = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert there == {"manifest.json", *(entry["file"] for entry in entries)}
    return entries, contents


def of_kind(entries: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["kind"] in kinds]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_bodies_are_decoded_and_listed_with_their_facts(tmp_path: Path, version: str):
    upload = b"name=value&secret=1"
    request = b"POST /form HTTP/1.1\r\nHost: example.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    script = (
        *page("/", gzip.compress(b"<p>hello</p>"), "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n"),
        *page("/a.png", PNG, "Content-Type: image/png\r\n"),
        (CLIENT, request + b"Content-Length: %d\r\n\r\n" % len(upload) + upload),
        page("", b"", status="204 No Content")[1],
        *page("/missing", b"gone", "Content-Type: text/plain\r\n", "404 Not Found"),
    )
    entries, contents = export(tmp_path / "out", talk_of(script, version))
    objects = of_kind(entries, "request", "response")
    assert [(e["exchange"], e["kind"], e["method"], e["url"], e["status"], e["type"], e["size"]) for e in objects] == [
        (0, "response", "GET", "https://example.test/", 200, "text/html; charset=utf-8", 12),
        (1, "response", "GET", "https://example.test/a.png", 200, "image/png", len(PNG)),
        (2, "request", "POST", "https://example.test/form", 204, "application/x-www-form-urlencoded", len(upload)),
        (3, "response", "GET", "https://example.test/missing", 404, "text/plain", 4),
    ]
    for entry in objects:
        assert (entry["complete"], entry["decoded"], entry["truncated"]) == (True, True, None)
        frames = entry["frames"]
        assert 0 < frames["request"] < frames["response"]
        assert frames["first"] <= frames["last"]
    read = [(tmp_path / "out" / entry["file"]).read_bytes() for entry in objects]
    assert read == [b"<p>hello</p>", PNG, upload, b"gone"]
    assert [entry["file"].rpartition(".")[2] for entry in objects] == ["html", "png", "form", "txt"]
    assert [entry["file"] for entry in objects] == [
        f"example.test/{name}" for name in ("index.html", "a.png", "form.request.form", "missing.txt")
    ]
    assert contents.written == {"objects": 4, "certificates": 1, "streams": 2}


def test_streams_are_what_each_side_sent(tmp_path: Path):
    talk = talk_of((*page("/", b"one"), *page("/two", b"two" * 9000)))
    entries, _ = export(tmp_path / "out", talk, kinds=["streams"])
    assert [(entry["from"], entry["missing"]) for entry in entries] == [("client", []), ("server", [])]
    assert tuple((tmp_path / "out" / entry["file"]).read_bytes() for entry in entries) == talk.sent


def test_what_is_missing_in_a_stream_is_in_the_manifest(tmp_path: Path):
    talk = talk_of((*page("/", b"x" * 60_000, "Content-Type: text/css\r\n"), *page("/end", b"the end")))
    entries, _ = export(tmp_path / "out", talk, segments=without(packetise(talk.flights), SERVER, -20))
    client, server = of_kind(entries, "stream")
    assert client["missing"] == []
    (missing,) = server["missing"]
    assert (missing["bytes"], missing["reason"]) == (700, "missing_segment")
    data = (tmp_path / "out" / server["file"]).read_bytes()
    assert data[: missing["offset"]] == talk.sent[SERVER][: missing["offset"]]
    assert data[missing["offset"] :] == talk.sent[SERVER][missing["offset"] - len(data) :]
    body, last = of_kind(entries, "response")
    assert (body["complete"], body["guessed"]) == (False, False)
    assert last["complete"] is True
    assert set((tmp_path / "out" / body["file"]).read_bytes()) == {ord("x")}


def test_a_certificate_is_written_once_for_all_sessions(tmp_path: Path):
    first, other = talk_of(page("/", b"1")), talk_of(page("/", b"2"))
    keys_of_first = talk_of(page("/", b"3"), "TLSv1_2")
    entries, _ = export(tmp_path / "out", first, other, first, keys_of_first, kinds=["certificates"])
    assert [(entry["session"], entry["sessions"], entry["from"], entry["place"]) for entry in entries] == [
        (0, [0, 2], "server", 0),
        (1, [1], "server", 0),
        (3, [3], "server", 0),
    ]
    for entry in entries:
        der = ssl.PEM_cert_to_DER_cert((tmp_path / "out" / entry["file"]).read_text())
        assert hashlib.sha256(der).hexdigest() == entry["certificate_sha256"]
        assert entry["subject"] == "CN=example.test"
        assert entry["frame"] > 0


def test_only_the_chosen_sessions(tmp_path: Path):
    talks = [talk_of(page(f"/{n}", b"%d" % n)) for n in range(3)]
    entries, contents = export(tmp_path / "out", *talks, sessions=[1])
    assert {entry["session"] for entry in entries} == {1}
    assert contents.written == {"objects": 1, "certificates": 1, "streams": 2}


def test_sessions_that_are_not_decrypted_are_counted(tmp_path: Path):
    talk = talk_of(page("/", b"one"))
    closed = Talk(talk_of(page("/", b"two")).flights, (b"", b""), "")
    _, contents = export(tmp_path / "out", talk, closed)
    assert contents.closed == {"no_secret": 1}


HOSTILE = [
    "../../../etc/passwd",
    "text/../../x",
    "\x1b[2J",
    "text/html\x00.exe",
    "application/x-msdownload",
    "image/png/../../../../tmp/x",
    "TEXT/HTML ; x=/../",
    "x" * 3000,
]


def test_no_name_leads_out_of_the_folder(tmp_path: Path):
    script: list[Flight] = []
    for number, hostile in enumerate(HOSTILE):
        path = f"/../../..{hostile[:20]}".replace(" ", "").replace("\x1b", "%1b").replace("\x00", "")
        script += page(f"{path}%2e%2e/{number}", b"body%d" % number, f"Content-Type: {hostile}\r\n")
    entries, _ = export(tmp_path / "out", talk_of(script), kinds=["objects"])
    assert [entry["file"].rpartition(".")[2] for entry in entries] == ["bin"] * 6 + ["html", "bin"]
    assert len(entries) == len(HOSTILE)
    assert [entry["url"].startswith("https://example.test/../../..") for entry in entries] == [True] * len(HOSTILE)
    assert {file.name for file in tmp_path.iterdir()} == {"out"}


def test_a_hostile_server_name_or_host_is_data(tmp_path: Path):
    request = b"GET http://../../x/%2e HTTP/1.1\r\nHost: ../../\x9b\xff\r\n\r\n"
    entries, _ = export(tmp_path / "out", talk_of([(CLIENT, request), page("", b"body")[1]]), kinds=["objects"])
    (entry,) = entries
    assert entry["url"].endswith("/%2e")
    assert entry["file"] == "_/index.bin"


def test_a_decompression_bomb_is_truncated_and_reported(tmp_path: Path):
    bomb = gzip.compress(bytes(64 << 20))
    entries, _ = export(
        tmp_path / "out", talk_of(page("/", bomb, "Content-Encoding: gzip\r\nContent-Type: text/css\r\n")), kinds=["objects"]
    )
    (entry,) = entries
    assert entry["complete"] is False
    assert entry["size"] < 32 << 20


def test_an_unknown_coding_stays_on_the_body(tmp_path: Path):
    entries, _ = export(
        tmp_path / "out",
        talk_of(page("/", b"\x01\x02", "Content-Encoding: rot13\r\nContent-Type: text/css\r\n")),
        kinds=["objects"],
    )
    (entry,) = entries
    assert (entry["decoded"], entry["file"].endswith(".bin"), entry["size"]) == (False, True, 2)


def test_the_total_size_is_limited(tmp_path: Path):
    talk = talk_of((*page("/", b"a" * 600), *page("/2", b"b" * 600), *page("/3", b"c" * 600)))
    entries, contents = export(tmp_path / "out", talk, kinds=["objects"], room=1000)
    assert [(entry["size"], entry["truncated"], entry["complete"]) for entry in entries] == [
        (600, None, True),
        (400, "max_size", False),
    ]
    assert contents.folder.n_truncated == 2


def test_when_nothing_more_can_be_written_the_manifest_lists_what_was_written(tmp_path: Path):
    talk = talk_of([flight for number in range(40) for flight in page(f"/{number}", b"body %d" % number)])
    with files_up_to(6000):
        entries, contents = export(tmp_path / "out", talk)
    assert 5 < len(entries) < 20
    assert len(contents.folder.failures) + len(entries) == 43
    assert sum(contents.written.values()) == len(entries)


def test_many_bodies_of_one_session_are_named_as_they_end(tmp_path: Path):
    """Only the files of open bodies have no name yet. Otherwise the data about ended bodies would fill the memory."""
    script = [flight for number in range(200) for flight in page(f"/{number}", b"%d" % number)]
    talk = talk_of(script)
    segments = packetise(talk.flights)
    keys = KeyLog()
    keys.feed(talk.keylog.encode())
    with Folder(str(tmp_path / "out"), 1 << 20) as folder, Manifest(folder, {}) as manifest:
        contents = ExportedObjects(folder, manifest, ["objects"])
        tap = Tap()
        tap.engine = Engine(detailed=True, fields=False, keylog=keys, reads_data=False)
        tap.feed(*segments[:-10])
        contents.take(tap.take())
        assert contents.written["objects"] > 100
        tap.feed(*segments[-10:])
        tap.engine.close()
        contents.take(tap.take())
        assert contents.write({})
    entries = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]
    assert [(entry["exchange"], entry["url"]) for entry in entries] == [
        (number, f"https://example.test/{number}") for number in range(200)
    ]


def test_the_messages_of_a_websocket_are_a_file_a_side(tmp_path: Path):
    def frame(text: bytes, mask: bytes = b"") -> bytes:
        body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text)) if mask else text
        return struct.pack("!BB", 0x81, len(text) | (0x80 if mask else 0)) + mask + body

    request = (
        b"GET /chat HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    talk = talk_of([
        (CLIENT, request), (SERVER, answer), (CLIENT, frame(b"hello ", b"abcd")), (SERVER, frame(b"welcome")),
        (CLIENT, frame(b"again", b"efgh")),
    ])  # fmt: skip
    entries, _ = export(tmp_path / "out", talk, kinds=["objects"])
    assert [(entry["kind"], entry["url"], entry["type"]) for entry in entries] == [
        ("websocket-client", "https://example.test/chat", None),
        ("websocket-server", "https://example.test/chat", None),
    ]
    assert [(tmp_path / "out" / entry["file"]).read_bytes() for entry in entries] == [b"hello again", b"welcome"]


def test_endings_come_from_a_list():
    assert [ending(name) for name in ("text/html", "IMAGE/PNG; q=1", None, "", "application/x-sh", "html")] == [
        "html", "png", "bin", "bin", "bin", "bin",
    ]  # fmt: skip
