import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conversations import packetise
from keyed import Talk, page, pcapng_of, save, talk_of
from limited import files_up_to

from .conftest import Run


@pytest.fixture(scope="module")
def talk() -> Talk:
    return talk_of((*page("/", b"<p>one</p>", "Content-Type: text/html\r\n"), *page("/2", b"two" * 5000)))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def entries_of(folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_bytes())["files"]
    return entries


def test_objects_and_certificates_are_the_default(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    out = tmp_path / "out"
    ran = run("export", capture, "-o", out, "-k", keys)
    assert (ran.status, ran.err) == (0, b"")
    assert ran.text.startswith(f"2 objects, 1 certificate in {out}, 15.")
    assert ran.text.endswith("; manifest.json lists them\n")
    certificate, *others = names(out)
    assert certificate.startswith("certificates/certificate-")
    assert others == ["example.test/2.bin", "example.test/index.html", "manifest.json"]
    assert [entry["kind"] for entry in entries_of(out)] == [
        "response",
        "response",
        "certificate",
    ]


def test_streams_if_chosen(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    ran = run("export", capture, "-o", tmp_path / "out", "-k", keys, "--what", "streams")
    assert ran.status == 0
    client, server = entries_of(tmp_path / "out")
    assert (tmp_path / "out" / client["file"]).read_bytes() == talk.sent[0]
    assert (tmp_path / "out" / server["file"]).read_bytes() == talk.sent[1]


def test_a_folder_in_use_is_left_alone(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("precious")
    ran = run("export", capture, "-o", out, "-k", keys)
    assert (ran.status, ran.complaint) == (
        2,
        f"analyzer: {out}: not an empty folder (--force writes there all the same)",
    )
    assert names(out) == ["mine"]
    for _ in range(2):
        assert run("export", capture, "-o", out, "-k", keys, "--force").status == 0
        assert len(names(out)) == 5
    assert (out / "mine").read_text() == "precious"


def test_a_file_is_not_a_folder(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    ran = run("export", capture, "-o", capture.with_suffix(".keys"), "-k", keys, "--force")
    assert ran.status == 2
    assert keys.read_text() == talk.keylog
    assert run("export", tmp_path / "absent.pcap", "-o", tmp_path / "out").status == 2
    assert not (tmp_path / "out").exists()


def test_without_keys_there_are_the_certificates_of_old_versions(run: Run, tmp_path: Path):
    capture, _ = save(tmp_path, talk_of(page("/", b"one"), "TLSv1_2"))
    ran = run("export", capture, "-o", tmp_path / "out")
    assert ran.status == 0
    assert ran.complaint == "analyzer: 1 session was not decrypted: no secret of this session was given"
    assert ran.text.startswith("0 objects, 1 certificate in ")


def test_sessions_by_number(run: Run, talk: Talk, tmp_path: Path):
    other = talk_of(page("/other", b"other"))
    capture, keys = save(tmp_path, talk, [*packetise(talk.flights), *packetise(other.flights, ports=(50001, 443))])
    keys.write_text(talk.keylog + other.keylog)
    ran = run("export", capture, "-o", tmp_path / "out", "-k", keys, "--session", 1, "--session", 7)
    assert ran.status == 0
    assert ran.complaint == f"analyzer: {capture}: no TLS session 7: there are 2, from 0 to 1"
    assert {entry["session"] for entry in entries_of(tmp_path / "out")} == {1}
    ran = run("export", capture, "-o", tmp_path / "none", "-k", keys, "--session", 7)
    assert ran.status == 2


def test_the_total_size_has_a_limit(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    ran = run("export", capture, "-o", tmp_path / "out", "-k", keys, "--max-size", "12k")
    assert (ran.status, ran.complaint) == (0, "analyzer: 2 files are cut or missing: --max-size is 12.0 kB")
    assert (
        sum((tmp_path / "out" / name).stat().st_size for name in names(tmp_path / "out") if name != "manifest.json") == 12_000
    )


def test_a_file_that_cannot_be_written_is_reported_in_one_line(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    out = tmp_path / "out"
    assert run("export", capture, "-o", out, "-k", keys).status == 0
    (pem,) = out.rglob("*.pem")
    pem.unlink()
    pem.mkdir()
    ran = run("export", capture, "-o", out, "-k", keys, "--force")
    assert (ran.status, ran.complaint) == (2, f"analyzer: {pem}: Is a directory")
    assert [entry["kind"] for entry in entries_of(out)] == ["response", "response"]


def test_a_full_disk_is_reported_in_one_line_and_the_manifest_is_correct(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of([one for number in range(40) for one in page(f"/{number}", b"body")]))
    out = tmp_path / "out"
    with files_up_to(6000):
        ran = run("export", capture, "-o", out, "-k", keys)
        entries = entries_of(out)
    assert (ran.status, ran.complaint) == (2, f"analyzer: {out}: File too large: {41 - len(entries)} files are missing")
    assert names(out) == sorted(["manifest.json", *(entry["file"] for entry in entries)])
    assert 5 < len(entries) < 20


@pytest.mark.parametrize("way", ["-o", "--plaintext"])
def test_a_capture_that_does_not_fit_is_reported(run: Run, talk: Talk, tmp_path: Path, way: str):
    capture, keys = save(tmp_path, talk)
    with files_up_to(4000):
        ran = run("export", capture, way, tmp_path / "out.pcapng", "-k", keys)
    assert (ran.status, ran.complaint) == (2, f"analyzer: {tmp_path}/out.pcapng: File too large")
    assert not any("out" in name or name.endswith(".part") for name in names(tmp_path))


def test_a_damaged_capture_gives_its_readable_part(run: Run, talk: Talk, tmp_path: Path):
    capture, keys = save(tmp_path, talk)
    whole = capture.read_bytes()
    capture.write_bytes(whole[: len(whole) - len(whole) // 4])
    ran = run("export", capture, "-o", tmp_path / "out", "-k", keys)
    assert ran.status == 1
    assert "cut short at byte" in ran.complaint
    first = entries_of(tmp_path / "out")[0]
    assert (first["url"], first["complete"]) == ("https://example.test/", True)


def test_standard_input(run: Run, talk: Talk, tmp_path: Path):
    _, keys = save(tmp_path, talk)
    ran = run("export", "-", "-o", tmp_path / "out", "-k", keys, stdin=pcapng_of(packetise(talk.flights)))
    assert (ran.status, ran.err) == (0, b"")
    assert ran.text.startswith("2 objects")


@pytest.mark.parametrize(
    "options", [(), ("-o", "x", "--what", "all"), ("-o", "x", "--max-size", "1T"), ("-o", "x", "--session", "a")]
)
def test_bad_options(run: Run, talk: Talk, tmp_path: Path, options: tuple[str, ...]):
    capture, _ = save(tmp_path, talk)
    ran = run("export", capture, *options)
    assert ran.status == 2
    assert ran.complaint


def test_nothing_hostile_reaches_the_terminal(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(page("/\x1b]0;x\x07", b"x", "Content-Type: \x1b[31m/../\r\n"), "TLSv1_2"))
    ran = run("export", capture, "-o", tmp_path / "o\x1bu", "-k", keys)
    assert ran.status == 0
    assert b"\x1b" not in ran.out + ran.err


def opened(run: Run, capture: Path, *options: object) -> list[str]:
    records = [json.loads(line) for line in run("sessions", capture, "--format", "json", *options).out.splitlines()]
    return [record["decryption"]["status"] for record in sorted(records, key=lambda record: int(record["id"]))]


def three(tmp_path: Path) -> tuple[Path, Path, int]:
    """A capture of two sessions of TLS 1.3 and one of TLS 1.2, its key log, and the number of frames of the second."""
    talks = [talk_of(page(f"/{n}", b"body %d" % n), "TLSv1_2" if n == 2 else "TLSv1_3") for n in range(3)]
    parts = [packetise(talk.flights, ports=(50000 + n, 443)) for n, talk in enumerate(talks)]
    capture, keys = save(tmp_path, talks[0], [one for part in parts for one in part])
    keys.write_text("".join(talk.keylog for talk in talks))
    return capture, keys, len(parts[1])


def test_a_capture_with_the_secrets_of_the_chosen_sessions(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    target = tmp_path / "open.pcapng"
    ran = run("export", capture, "-o", target, "-k", keys, "--session", 0, "--session", 2)
    assert (ran.status, ran.err) == (0, b"")
    assert ran.text.endswith(f" frames in {target}, with the secrets of 2 sessions\n")
    assert opened(run, target) == ["decrypted", "none", "decrypted"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    again = run("export", target, "-o", tmp_path / "less.pcapng", "--session", 2)
    assert again.status == 0
    assert opened(run, tmp_path / "less.pcapng") == ["none", "none", "decrypted"]


def test_only_the_packets_of_the_chosen_session(run: Run, tmp_path: Path):
    capture, keys, n_frames = three(tmp_path)
    target = tmp_path / "one.pcapng"
    ran = run("export", capture, "-o", target, "-k", keys, "--session", 1, "--only")
    assert ran.text.startswith(f"{n_frames} frames in ")
    assert opened(run, target) == ["decrypted"]


@pytest.mark.peer("tshark")
def test_tshark_decrypts_only_the_chosen_session(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    for number in range(3):
        target = tmp_path / f"{number}.pcapng"
        assert run("export", capture, "-o", target, "-k", keys, "--session", number).status == 0
        command = ["tshark", "-r", str(target), "-Y", "http.request", "-T", "fields", "-e", "http.request.uri"]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
        assert done.stdout.split() == [b"/%d" % number]


def test_without_any_secret_nothing_is_written(run: Run, tmp_path: Path):
    capture, _, _ = three(tmp_path)
    ran = run("export", capture, "-o", tmp_path / "x.pcapng")
    assert (ran.status, ran.complaint) == (2, f"analyzer: {capture}: there is no secret for any of 3 sessions")
    assert not (tmp_path / "x.pcapng").exists()


def test_sessions_that_are_not_decrypted_are_reported(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    keys.write_text("".join(line for line in keys.read_text().splitlines(True) if line.startswith("CLIENT_RANDOM")))
    target = tmp_path / "x.pcapng"
    ran = run("export", capture, "-o", target, "-k", keys)
    assert (ran.status, ran.complaint) == (0, f"analyzer: 2 sessions without a secret: closed in {target} too")


def test_files_are_not_overwritten(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    target = tmp_path / "x.pcapng"
    target.write_text("precious")
    ran = run("export", capture, "-o", target, "-k", keys)
    assert (ran.status, ran.complaint) == (2, f"analyzer: {target}: the file exists (--force replaces it)")
    assert target.read_text() == "precious"
    assert run("export", capture, "-o", target, "-k", keys, "--force").status == 0
    whole = capture.read_bytes()
    ran = run("export", capture, "-o", capture, "-k", keys, "--force")
    assert (ran.status, ran.complaint) == (2, f"analyzer: {capture}: the output would overwrite this input")
    assert capture.read_bytes() == whole


def test_a_pipe_cannot_be_read_twice(run: Run, tmp_path: Path):
    ran = run("export", "-", "-o", tmp_path / "x.pcapng")
    assert (ran.status, ran.complaint) == (
        2,
        "analyzer: -: what comes through a pipe cannot be read twice: save it to a file first",
    )


@pytest.mark.parametrize("options", [("-o", "x", "--only"), ("-o", "x.pcapng", "--what", "streams")])
def test_options_of_the_other_form(run: Run, tmp_path: Path, options: tuple[str, ...]):
    capture, _, _ = three(tmp_path)
    ran = run("export", capture, *options)
    assert ran.status == 2
    assert "does not go with" in ran.complaint


def test_plaintext_as_packets(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    target = tmp_path / "plain.pcapng"
    keys.write_text("".join(line for line in keys.read_text().splitlines(True) if line.startswith("CLIENT_RANDOM")))
    ran = run("export", capture, "--plaintext", target, "-k", keys)
    assert ran.status == 0
    assert ran.complaint == "analyzer: 2 sessions were not decrypted: no secret of this session was given"
    assert ran.text.endswith(f" frames in {target}, with what 1 session carried\n")
    assert b"GET /2 HTTP/1.1" in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert run("sessions", target, "--format", "json").out == b""
    assert run("export", capture, "--plaintext", target, "-k", keys).status == 2
    assert run("export", capture, "--plaintext", target, "-o", tmp_path / "x").status == 2


def test_plaintext_of_a_pipe(run: Run, talk: Talk, tmp_path: Path):
    _, keys = save(tmp_path, talk)
    target = tmp_path / "plain.pcapng"
    for options in ((), ("--force",)):
        ran = run("export", "-", "--plaintext", target, "-k", keys, *options, stdin=pcapng_of(packetise(talk.flights)))
        assert (ran.status, ran.err) == (0, b"")
    assert b"<p>one</p>" in target.read_bytes()


def test_a_folder_cannot_have_the_name_of_a_capture(run: Run, tmp_path: Path):
    capture, keys, _ = three(tmp_path)
    ran = run("export", capture, "-o", tmp_path / "x.pcap", "-k", keys)
    assert ran.status == 2
    assert ran.complaint.endswith("x.pcap: only a capture in pcapng can hold secrets: give it the ending .pcapng")


@pytest.mark.parametrize("name", ["curl-nginx-http1", "curl-nginx-http2"])
def test_files_that_a_web_server_sent(run: Run, captures: Path, tmp_path: Path, name: str):
    (capture,) = (path for path in (captures / name).iterdir() if path.suffix.startswith(".pcap"))
    ran = run("export", capture, "-o", tmp_path / "out", "-k", captures / name / f"{name}.keys")
    assert ran.status == 0
    bodies = {
        entry["url"].rpartition("/")[2]: (tmp_path / "out" / entry["file"]).read_bytes()
        for entry in entries_of(tmp_path / "out")
        if entry["kind"] == "response"
    }
    assert bodies["index.html"].startswith(b"<!doctype html>")
    assert json.loads(bodies["data.json"])


@pytest.mark.parametrize("where", [("-o", "out"), ("-o", "x.pcapng"), ("--plaintext", "x.pcapng")])
def test_nothing_is_written_if_the_input_is_not_a_capture(run: Run, tmp_path: Path, where: tuple[str, str]):
    text = tmp_path / "notes.txt"
    text.write_text("no capture at all")
    ran = run("export", text, where[0], tmp_path / where[1])
    assert (ran.status, ran.out) == (2, b"")
    assert ran.complaint.startswith(f"analyzer: {text}: not a capture: ")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [text]


def test_http3_is_exported_by_stream(run: Run, captures: Path, tmp_path: Path):
    capture, keys = captures / "quic-loss/quic-loss.pcapng", captures / "quic-loss/quic-loss.keys"
    ran = run("export", capture, "-k", keys, "--what", "objects,streams", "-o", tmp_path / "out")
    assert ran.status == 0, ran.err
    files = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]
    (large,) = [one for one in files if one["kind"] == "response"]
    assert (large["url"], large["complete"]) == ("https://www.example/large", True)
    assert (tmp_path / "out" / large["file"]).read_bytes() == bytes(range(256)) * 235
    streams = {(one["stream"], one["from"]): one for one in files if one["kind"] == "stream"}
    assert streams.keys() >= {(0, "client"), (0, "server"), (2, "client"), (3, "server")}
    assert streams[0, "server"]["size"] > 60_160
    assert streams[0, "server"]["missing"] == []


def test_http3_is_in_an_archive(run: Run, captures: Path, tmp_path: Path):
    folder = captures / "quic-http3"
    assert (
        run("export", folder / "quic-http3.pcapng", "-k", folder / "quic-http3.keys", "--har", tmp_path / "a.har").status == 0
    )
    entries = json.loads((tmp_path / "a.har").read_bytes())["log"]["entries"]
    assert [(one["request"]["method"], one["request"]["url"], one["response"]["status"]) for one in entries] == [
        ("GET", "https://www.example/", 200),
        ("GET", "https://www.example/style.css", 200),
        ("POST", "https://www.example/form", 200),
    ]
    assert {one["request"]["httpVersion"] for one in entries} == {"HTTP/3"}
    assert [one["_stream"] for one in entries] == [0, 4, 8]
    assert entries[2]["response"]["content"]["text"] == "taken\n"
