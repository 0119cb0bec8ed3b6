import json
import subprocess
import sys
from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, packetise
from keyed import Talk, page, save, talk_of, without

from .conftest import Run

SCRIPT = (*page("/", b"<p>hello</p>\n"), *page("/big", b"x" * 40_000), *page("/end", b"the end"))


@pytest.fixture(scope="module")
def talk() -> Talk:
    return talk_of(SCRIPT)


def test_text_shows_both_sides_in_turn(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(page("/", b"one\ntwo\n")))
    ran = run("follow", capture, 0, "-k", keys)
    assert (ran.status, ran.err) == (0, b"")
    lines = ran.text.splitlines()
    assert lines[0].startswith("* client, frame ")
    assert lines[1:4] == ["> GET / HTTP/1.1", "> Host: example.test", ">"]
    assert lines[4].startswith("* server, frame ")
    assert lines[5:10] == ["< HTTP/1.1 200 OK", "< Content-Length: 8", "<", "< one", "< two"]
    assert lines[10] == "* end of session 0: 38 bytes from the client 10.0.0.1:50000, 46 bytes from the server 10.0.0.2:443"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_raw_is_exactly_what_was_sent(run: Run, tmp_path: Path, version: str):
    talk = talk_of(SCRIPT, version)
    capture, keys = save(tmp_path, talk)
    for side, name in enumerate(("client", "server")):
        ran = run("follow", capture, 0, "-k", keys, "--raw", "--from", name)
        assert (ran.status, ran.out, ran.err) == (0, talk.sent[side], b"")
    both = run("follow", capture, 0, "-k", keys, "--raw", "-o", tmp_path / "both")
    assert (both.status, both.out, both.err) == (0, b"", b"")
    assert (tmp_path / "both").read_bytes() == b"".join(data for _, data in SCRIPT)


def test_only_the_chosen_session_is_followed(run: Run, talk: Talk, tmp_path: Path):
    other = talk_of(page("/other", b"other"))
    segments = [*packetise(other.flights, ports=(50001, 443)), *packetise(talk.flights)]
    capture, keys = save(tmp_path, talk, segments)
    keys.write_text(talk.keylog + other.keylog)
    for number, one in enumerate((other, talk)):
        assert run("follow", capture, number, "-k", keys, "--raw", "--from", "server").out == one.sent[1]


def test_hex_gives_the_bytes_back(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    ran = run("follow", capture, 0, "-k", keys, "--hex")
    found = {"> ": b"", "< ": b""}
    for line in ran.text.splitlines():
        if line[:2] in found:
            assert int(line[2:10], 16) == len(found[line[:2]])
            found[line[:2]] += bytes.fromhex(line[12:60])
    assert tuple(found.values()) == talk.sent
    assert "> 00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1.." in ran.text


def test_json_has_one_object_a_record(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    records = [json.loads(line) for line in run("follow", capture, 0, "-k", keys, "--format", "json").text.splitlines()]
    for side, name in enumerate(("client", "server")):
        pieces = [record for record in records if record["from"] == name]
        assert b"".join(bytes.fromhex(piece["data"]) for piece in pieces) == talk.sent[side]
        assert [piece["offset"] for piece in pieces] == [
            sum(piece["length"] for piece in pieces[:number]) for number in range(len(pieces))
        ]
    frames = [record["frame"] for record in records]
    assert frames == sorted(frames)
    assert {record["missing"] for record in records} == {None}


def test_missing_bytes_are_reported_in_their_place(run: Run, talk: Talk, tmp_path: Path):
    segments = without(packetise(talk.flights), SERVER, -20)
    capture, keys = save(tmp_path, talk, segments)
    ran = run("follow", capture, 0, "-k", keys)
    assert ran.status == 0
    lines = ran.text.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.startswith("* 700 bytes of the server are not in the capture, and ")]
    assert any(line.startswith("< xxxx") for line in lines[:place])
    assert "< the end" in lines[place:]
    raw = run("follow", capture, 0, "-k", keys, "--raw", "--from", "server")
    assert raw.complaint.startswith("analyzer: 700 bytes of the server are not in the capture")
    assert raw.out == talk.sent[1][: len(raw.out) - 300] + talk.sent[1][-300:]
    records = [json.loads(line) for line in run("follow", capture, 0, "-k", keys, "--format", "json").text.splitlines()]
    (missing,) = [record["missing"] for record in records if record["missing"] is not None]
    assert (missing["bytes"], missing["reason"]) == (700, "missing_segment")
    assert missing["records"] >= 1


def test_missing_data_of_the_other_side_is_not_reported(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk, without(packetise(talk.flights), SERVER, -20))
    ran = run("follow", capture, 0, "-k", keys, "--raw", "--from", "client")
    assert (ran.status, ran.out, ran.err) == (0, talk.sent[0], b"")


def test_records_that_did_not_decrypt_are_reported_with_the_reason(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    lines = [line for line in talk.keylog.splitlines(True) if not line.startswith("SERVER_TRAFFIC_SECRET_0")]
    keys.write_text("".join(lines))
    ran = run("follow", capture, 0, "-k", keys)
    assert ran.status == 0
    assert "< " not in ran.text
    assert any(line.endswith(" of the server did not open: missing_label") for line in ran.text.splitlines())


def test_the_first_records_that_did_not_decrypt_are_reported_too(run: Run, tmp_path: Path):
    talk = talk_of(reversed(page("/", b"one\n")))
    capture, keys = save(tmp_path, talk)
    lines = [line for line in talk.keylog.splitlines(True) if not line.startswith("SERVER_TRAFFIC_SECRET_0")]
    keys.write_text("".join(lines))
    ran = run("follow", capture, 0, "-k", keys)
    assert " of this session before this did not open: missing_label" in ran.text.splitlines()[0]


def test_a_session_without_a_secret_is_reported_in_one_line(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    keys.write_text(talk_of(SCRIPT[:2]).keylog)
    for options in ((), ("-k", keys)):
        for form in ((), ("--raw",), ("--hex",), ("--format", "json")):
            ran = run("follow", capture, 0, *options, *form)
            assert (ran.status, ran.out) == (2, b"")
            name = f"analyzer: {capture}: session 0"
            assert ran.complaint.startswith(f"{name} was not decrypted: no secret of this session was given")


def test_a_wrong_secret_is_not_a_missing_one(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    words = [line.split() for line in talk.keylog.splitlines() if not line.startswith("#")]
    keys.write_text("".join(f"{label} {random} {'00' * (len(secret) // 2)}\n" for label, random, secret in words))
    ran = run("follow", capture, 0, "-k", keys)
    assert (ran.status, ran.out) == (2, b"")
    assert "the secret given for it does not open it" in ran.complaint


def test_a_session_without_data(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(()))
    ran = run("follow", capture, 0, "-k", keys)
    assert ran.status == 0
    assert ran.complaint == f"analyzer: {capture}: session 0 carried no application data"
    assert ran.text.startswith("* end of session 0: 0 bytes from the client")


def test_a_missing_close_notify_is_reported(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(SCRIPT[:2], close=False))
    ran = run("follow", capture, 0, "-k", keys)
    assert ran.text.endswith("no close_notify of the client and server, so the end may be missing\n")


def test_bytes_cannot_control_the_terminal_or_look_like_lines_of_the_program(run: Run, tmp_path: Path):
    hostile = (
        "\x1b[2J\x1b]0;owned\x07\x9b31m\x00\x7f\u202e\u2028\r* server, frame 1\n* note\r\n> GET\tx\n".encode() + b"\xff\xfe\r"
    )
    capture, keys = save(tmp_path, talk_of([(SERVER, hostile), (CLIENT, b"plain\n")]))
    ran = run("follow", capture, 0, "-k", keys, "--color", "never")
    lines = ran.text.split("\n")
    assert lines[1:6] == [
        "< \\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\x00\\x7f\\u202e\\u2028\\r* server, frame 1",
        "< * note",
        "< > GET\tx",
        "< \\xff\\xfe\\r",
        lines[5],
    ]
    assert lines[5].startswith("* client, frame ")
    assert lines[6] == "> plain"
    assert all(character in "\n\t" or character.isprintable() for character in ran.text)
    shown = run("follow", capture, 0, "-k", keys, "--hex").out
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in shown)


def test_characters_and_line_ends_split_by_records_are_joined(run: Run, tmp_path: Path):
    text = "größer\r\nals €5\r\n"
    data = text.encode()
    capture, keys = save(tmp_path, talk_of([(SERVER, data[n : n + 1]) for n in range(len(data))]))
    assert [line for line in run("follow", capture, 0, "-k", keys).text.splitlines() if line.startswith("< ")] == [
        "< größer",
        "< als €5",
    ]


def test_colours_only_if_chosen(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(page("/", b"one\n")))
    assert b"\x1b[" not in run("follow", capture, 0, "-k", keys).out
    colored = run("follow", capture, 0, "-k", keys, "--color", "always").text
    assert "\x1b[36m> GET / HTTP/1.1\x1b[0m" in colored
    assert "\x1b[33m< one\x1b[0m" in colored


@pytest.mark.peer("script")
def test_raw_bytes_do_not_go_to_a_terminal(talk: Talk, tmp_path: Path, repository: Path):
    capture, keys = save(tmp_path, talk)
    command = f"{sys.executable} -m analyzer follow {capture} 0 -k {keys} --raw"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"], capture_output=True, cwd=repository, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert b"raw bytes may drive the terminal: write them to a file with -o, or into a pipe" in done.stdout
    assert b"HTTP/1.1" not in done.stdout


def test_options_that_do_not_go_together(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    assert run("follow", capture, 0, "--raw", "--hex").status == 2
    assert run("follow", capture, 0, "--raw", "--format", "json").status == 2
    assert run("follow", capture, 7, "-k", keys).complaint == f"analyzer: {capture}: no TLS session 7: there is one, 0"
    assert run("follow", capture, "x").status == 2


def test_reading_ends_with_the_session(run: Run, talk: Talk, tmp_path: Path):
    """Damage after the session is ignored. Damage before its end is reported."""
    capture, keys = save(tmp_path, talk)
    whole = capture.read_bytes()
    capture.write_bytes(whole[: len(whole) // 2])
    ran = run("follow", capture, 0, "-k", keys, "--raw", "--from", "client")
    assert ran.status == 1
    assert talk.sent[0].startswith(ran.out)
    assert b"cut short at byte" in ran.err


def test_the_demonstration_capture(run: Run, demo: Path, captures: Path):
    ran = run("follow", demo, 0, "-k", captures / "demo" / "demo.keys")
    assert "> Host: www.shop.example\n" in ran.text
    assert ran.status == 0


def recorded(name: str) -> tuple[Path, str, Path]:
    """A capture of QUIC, with its keys."""
    folder = Path(__file__).parents[2] / "captures" / name
    (capture,) = folder.glob(f"{name}.pcap*")
    return capture, "-k", folder / f"{name}.keys"


def test_http3_is_written_by_stream(run: Run):
    capture, *keys = recorded("quic-http3")
    ran = run("follow", capture, 0, *keys)
    assert (ran.status, ran.err) == (0, b"")
    heads = [line for line in ran.text.splitlines() if line.startswith("* ") and "stream" in line]
    assert [line.split(",")[0][2:] + line.split(",")[2] for line in heads] == [
        "client stream 0", "server stream 0", "client stream 4", "server stream 4", "client stream 8", "server stream 8",
    ]  # fmt: skip
    assert "> POST /form HTTP/3\n> :authority: www.example\n" in ran.text
    assert "< HTTP/3 200\n< server: example\n< content-length: 6\n<\n< taken\n" in ran.text
    assert "close_notify" not in ran.text


@pytest.mark.parametrize("form", [(), ("--hex",), ("--ascii",), ("--format", "json")])
def test_one_stream_is_chosen(run: Run, form: tuple[str, ...]):
    capture, *keys = recorded("quic-http3")
    ran = run("follow", capture, 0, *keys, "--substream", 4, *form)
    assert (ran.status, ran.err) == (0, b"")
    if "json" in form:
        found = [json.loads(line) for line in ran.text.splitlines()]
        assert {one["stream"] for one in found} == {4}
        assert [one["end"] for one in found if one["from"] == "client"] == [True]
    else:
        assert "stream 4" in ran.text
        assert "stream 0" not in ran.text
    raw = run("follow", capture, 0, *keys, "--substream", 4, "--raw", "--from", "server").out
    assert raw.endswith(b"max-width: 40rem }\n")


def test_a_stream_that_is_not_there_is_said(run: Run):
    capture, *keys = recorded("quic-http3")
    ran = run("follow", capture, 0, *keys, "--substream", 400)
    assert (ran.status, ran.err) == (2, b"analyzer: session 0 has nothing to show in stream 400\n")
    assert run("follow", capture, "--stream", 0, "--substream", 4).status == 2


def test_dns_over_quic_is_written_as_text(run: Run):
    capture, *keys = recorded("quic-doq")
    text = run("follow", capture, 0, *keys).text
    assert "> query www.example. A\n" in text
    assert "< response NOERROR www.example. AAAA\n< www.example. 300 AAAA ::1\n" in text
    assert "DNS\n  frame 9, stream 0  query www.example. A\n" in run("show", capture, 0, *keys).text


def test_missing_bytes_of_a_quic_stream_are_said(run: Run, tmp_path: Path):
    capture, *keys = recorded("quic-http3")
    whole = capture.read_bytes()
    style = next(
        json.loads(line)["frame"]
        for line in run("follow", capture, 0, *keys, "--substream", 4, "--format", "json", "--from", "server").text.splitlines()
    )
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(without_frame(whole, style))
    text = run("follow", cut, 0, *keys).text
    assert "> GET /style.css HTTP/3\n" in text
    assert "font" not in text
    assert "> POST /form HTTP/3\n" in text


def without_frame(capture: bytes, number: int) -> bytes:
    """A little-endian pcapng without one of its packets."""
    found, pos, n = b"", 0, 0
    while pos < len(capture):
        kind, length = int.from_bytes(capture[pos : pos + 4], "little"), int.from_bytes(capture[pos + 4 : pos + 8], "little")
        n += kind == 6
        if kind != 6 or n != number:
            found += capture[pos : pos + length]
        pos += length
    return found
