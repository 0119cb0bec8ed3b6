"""`analyzer http`: one row for every exchange, decrypted or in plain text."""

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, packetise
from jsonschema import Draft202012Validator
from keyed import page, pcapng_of, save, talk_of

from analyzer.cli import http
from analyzer.cli.main import main
from analyzer.cli.output import Output
from analyzer.cli.sharing import can_share
from analyzer.store.http_schema import HTTP

from .conftest import Run

UPLOAD = b"x" * 3000


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window in which no row is folded."""
    monkeypatch.setenv("COLUMNS", "300")


def post(path: str) -> tuple[Flight, Flight]:
    """A request with a body, and its answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: example.test\r\nContent-Type: text/csv\r\nContent-Length: {len(UPLOAD)}\r\n\r\n"
    return (CLIENT, head.encode() + UPLOAD), (SERVER, b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


def asked(line: str, fields: str = "") -> tuple[Flight, Flight]:
    """A request without a body, and its empty answer."""
    return (CLIENT, f"{line}\r\n{fields}\r\n".encode()), (SERVER, b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A capture with two connections in plain text, and a decrypted one between their frames; and its key log."""
    folder = tmp_path_factory.mktemp("mixed")
    talk = talk_of((*page("/", b"<p>one</p>", "Content-Type: text/html; charset=utf-8\r\n"), *post("/up")))
    first = packetise(page("/plain", b"plain" * 400), ports=(50001, 80))
    second = packetise(asked("OPTIONS * HTTP/1.1", "Host: example.test\r\n"), ports=(50002, 8080))
    capture, keys = save(folder, talk)
    capture.write_bytes(pcapng_of(first[:5], packetise(talk.flights), second, first[5:]))
    return capture, keys


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def test_a_row_says_what_was_asked_and_what_came(mixed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    found = {one["url"]: one for one in rows(printed(capsys, "http", mixed[0], "-k", mixed[1], "--format", "json"))}
    assert set(found) == {"http://example.test/plain", "*", "https://example.test/", "https://example.test/up"}
    root, upload = found["https://example.test/"], found["https://example.test/up"]
    assert (root["session"], root["method"], root["status"], root["type"], root["size"], root["sha256"]) == (
        0, "GET", 200, "text/html; charset=utf-8", 10, hashlib.sha256(b"<p>one</p>").hexdigest(),
    )  # fmt: skip
    assert root["frame"] < root["response_frame"] < upload["frame"]
    assert (upload["request_type"], upload["request_size"], upload["request_sha256"], upload["status"]) == (
        "text/csv", 3000, hashlib.sha256(UPLOAD).hexdigest(), 201,
    )  # fmt: skip
    plain = found["http://example.test/plain"]
    assert (plain["session"], plain["client"]["port"], plain["server"]["port"]) == (None, 50001, 80)
    assert (plain["frame"], plain["size"], plain["sha256"]) == (4, 2000, hashlib.sha256(b"plain" * 400).hexdigest())
    validator = Draft202012Validator(HTTP)
    for row in found.values():
        assert list(row) == list(HTTP["properties"])
        validator.validate(row)


def test_without_keys_only_what_is_plain_is_listed(mixed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    found = rows(printed(capsys, "http", mixed[0], "--format", "json"))
    assert [one["session"] for one in found] == [None, None]


def test_text_and_csv_are_in_the_order_of_frames(mixed: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    text = printed(capsys, "http", mixed[0], "-k", mixed[1])
    frames = [int(line.split()[0]) for line in text.splitlines()[1:]]
    assert (len(frames), frames) == (4, sorted(frames))
    table = list(csv.DictReader(io.StringIO(printed(capsys, "http", mixed[0], "-k", mixed[1], "--format", "csv"))))
    assert [int(one["frame"]) for one in table] == frames
    assert [one["method"] for one in table] == ["GET", "GET", "POST", "OPTIONS"]


def test_rows_beyond_the_limit_are_written_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "MOST_HELD", 2)
    written: list[int] = []
    rows_in_order = http.InOrder(Output(None, (), "never"), lambda _: {})
    monkeypatch.setattr(rows_in_order, "write", lambda row: written.append(row["frame"]))
    for frame in (5, 3, 4, 1):
        rows_in_order.add({"frame": frame})
    assert written == [3, 1]
    rows_in_order.close()
    assert written == [3, 1, 4, 5]


@pytest.mark.skipif(not can_share(), reason="processes share the work on Linux only")
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_several_processes_print_the_same(
    mixed: tuple[Path, Path], captures: Path, form: str, capfd: pytest.CaptureFixture[str]
):
    others = (captures / "demo.pcapng", captures / "http-connect" / "http-connect.pcapng")
    options = ["http", str(mixed[0]), *map(str, others), "-k", str(mixed[1]), "--format", form]
    assert main([*options, "-j", "1"]) == 0
    one = capfd.readouterr().out
    assert one.count("example.test") == 3
    assert "www.example:443" in one
    for jobs in ("2", "5"):
        assert main([*options, "-j", jobs]) == 0
        assert capfd.readouterr().out == one


@pytest.mark.parametrize(
    ("line", "fields", "method", "url"),
    [
        ("CONNECT www.example.org:443 HTTP/1.1", "Host: www.example.org:443\r\n", "CONNECT", "www.example.org:443"),
        ("GET / HTTP/1.0", "", "GET", "/"),
        ("OPTIONS * HTTP/1.1", "Host: www.example.org\r\n", "OPTIONS", "*"),
        ("GET https://www.example.org/ HTTP/1.1", "Host: www.example.org\r\n", "GET", "https://www.example.org/"),
        ("GET http://a.example/x?y=1 HTTP/1.1", "Host: b.example\r\n", "GET", "http://a.example/x?y=1"),
        ("GET /a b HTTP/1.1", "Host: c.example\r\n", "GET", "http://c.example/a b"),
    ],
)
def test_a_target_is_printed_as_it_was_asked(
    line: str, fields: str, method: str, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    capture = tmp_path / "one.pcapng"
    capture.write_bytes(pcapng_of(packetise(asked(line, fields), ports=(50001, 3128))))
    (row,) = rows(printed(capsys, "http", capture, "--format", "json"))
    assert (row["method"], row["url"]) == (method, url)
    text = printed(capsys, "http", capture)
    assert re.search(rf"{method} +{re.escape(url)}  ", text)
    assert "None" not in text


def test_what_was_not_seen_is_not_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    request, answer = page("/", b"body", "Content-Type: text/plain\r\n")
    capture = tmp_path / "half.pcapng"
    capture.write_bytes(
        pcapng_of(packetise([request], ports=(50001, 80)), packetise([answer], ports=(50002, 80), syn=False, fin=False))
    )
    asked_only, answered_only = rows(printed(capsys, "http", capture, "--format", "json"))
    assert (asked_only["status"], asked_only["size"], asked_only["response_frame"]) == (None, None, None)
    assert (answered_only["method"], answered_only["url"], answered_only["status"]) == (None, None, 200)
    assert answered_only["server"]["port"] == 80
    assert "?" in printed(capsys, "http", capture).splitlines()[2]


def test_text_of_the_capture_is_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    capture = tmp_path / "evil.pcapng"
    capture.write_bytes(pcapng_of(packetise(asked("GET /x HTTP/1.1", "Host: \x1b[31m.example\r\n"), ports=(50001, 80))))
    assert "\x1b" not in printed(capsys, "http", capture)
    assert "\x1b" not in printed(capsys, "http", capture, "--format", "csv")


def test_each_row_says_in_which_capture_it_is(mixed: tuple[Path, Path], demo: Path, capsys: pytest.CaptureFixture[str]):
    options = ("http", mixed[0], demo, "-k", mixed[1])
    for jobs in ("1", "2") if can_share() else ("1",):
        found = rows(printed(capsys, *options, "--format", "json", "-j", jobs))
        ours = [one for one in found if one["capture"] == str(mixed[0])]
        assert [one["frame_in_capture"] for one in ours] == [one["frame"] for one in ours]
        theirs = [one for one in found if one["capture"] == str(demo)]
        assert {one["frame"] - one["frame_in_capture"] for one in theirs} == {theirs[0]["frame"] - 12}
        assert (len(ours), len(theirs)) == (4, 10)
    (alone, *_) = rows(printed(capsys, "http", demo, "--format", "json"))
    assert (alone["capture"], alone["frame_in_capture"]) == (str(demo), None)
    assert f"{demo} 12" in printed(capsys, *options)


def test_a_capture_without_http_has_no_rows(run: Run, captures: Path):
    capture = captures / "smtp-starttls" / "smtp-starttls.pcapng"
    ran = run("http", capture, "-k", capture.with_suffix(".keys"))
    assert (ran.status, ran.out, ran.err) == (0, b"", b"analyzer: no HTTP exchange was seen\n")
    closed = run("http", capture)
    assert (closed.status, closed.out) == (0, b"")
    assert b"1 session was not decrypted: -k" in closed.err


def test_an_extended_connect_is_named_with_what_it_carried():
    record: dict[str, Any] = {"protocol": None, "datagrams": None, "capsules": None}
    assert http.extended_text(record) == ""
    assert http.extended_text(record | {"protocol": "websocket"}) == "websocket"
    record |= {"protocol": "connect-udp", "datagrams": [1, 1], "capsules": {"DATAGRAM": [1, 0], "0x29": [2, 3]}}
    assert http.extended_text(record) == "connect-udp, 2 datagrams, DATAGRAM 1, 0x29 5"
