"""The manifest says what was read and how, and lists exactly what is there; a ZIP file is the folder as one file."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from conversations import packetise
from jsonschema import Draft202012Validator
from keyed import page, pcapng_of, save, talk_of
from strict_schema import strict

from analyzer.store.output_schemas import SCHEMAS

from .conftest import Run

STARTED = 30.0
"""Seconds within which a process has done its part, on a busy machine."""


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest, which is valid and lists exactly the files that are there, with their hashes."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    Draft202012Validator(strict(SCHEMAS["export"])).validate(manifest)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {"manifest.json", *(entry["file"] for entry in manifest["files"])}
    for entry in manifest["files"]:
        data = (folder / entry["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"])
    return manifest


def test_the_manifest_says_what_was_read_and_how(run: Run, tmp_path: Path):
    capture, keys = save(tmp_path, talk_of(page("/", b"one")))
    assert (
        run("export", capture, "-k", keys, "-o", tmp_path / "out", "--session", "0-2,5", "--what", "objects,objects").status
        == 0
    )
    manifest = manifest_of(tmp_path / "out")
    assert [(one["role"], one["path"], one["size"], one["sha256"]) for one in manifest["inputs"]] == [
        (role, str(path), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for role, path in (("capture", capture), ("key_log", keys))
    ]
    assert manifest["tool"]["name"] == "analyzer"
    assert manifest["command"] == ["export", str(capture), "-k", str(keys), "--session", "0-2,5", "--what", "objects,objects"]
    assert (manifest["options"]["sessions"], manifest["options"]["what"]) == ([0, 1, 2, 5], ["objects"])
    assert (manifest["ended"], manifest["trust"][0]["store"]) == ("end", "mozilla")
    (session,) = manifest["sessions"]
    assert (session["id"], session["server_name"]) == (0, "example.test")
    assert (session["chain"]["verdict"], session["chain"]["problems"]) == ("invalid", ["self_signed", "no_name"])


def test_chains_are_judged_as_the_options_say(run: Run, demo: Path, captures: Path, tmp_path: Path):
    assert run("export", demo, "-o", tmp_path / "out", "--host", "news.example", "--at", "2030-01-01T00:00:00Z").status == 0
    manifest = manifest_of(tmp_path / "out")
    assert manifest["options"]["part"]["hosts"] == ["news.example"]
    assert manifest["options"]["at"] == "2030-01-01T00:00:00.000000000Z"
    assert "expired" in manifest["sessions"][0]["chain"]["problems"]


def test_verify_checks_it(run: Run, demo: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert run("export", demo, "-o", out).status == 0
    assert run("verify", out).status == 0
    (out / "www.shop.example" / "banner.png").write_bytes(b"another")
    (out / "www.shop.example" / "extra").write_bytes(b"x")
    (out / "empty").mkdir()
    ran = run("verify", out)
    assert ran.status == 3
    assert "fails     www.shop.example/banner.png: it has 7 bytes; the manifest says 14,306" in ran.text
    assert "fails     www.shop.example/extra: a file that the manifest does not list" in ran.text
    assert "fails     empty: a folder that the manifest does not list" in ran.text


def test_a_zip_file_is_the_folder(run: Run, demo: Path, tmp_path: Path):
    assert run("export", demo, "-o", tmp_path / "out").status == 0
    whole = []
    for _ in range(2):
        ran = run("export", demo, "-o", tmp_path / "a.zip", "--force")
        assert (ran.status, ran.text.partition(" in ")[2].partition(",")[0]) == (0, str(tmp_path / "a.zip"))
        whole.append((tmp_path / "a.zip").read_bytes())
    assert whole[0] == whole[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert archive.testzip() is None
        found = {info.filename: archive.read(info) for info in archive.infolist()}
        assert {(info.date_time, info.external_attr >> 16) for info in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 0o600)}
    out = tmp_path / "out"
    assert found == {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
    refused = run("export", demo, "-o", tmp_path / "a.zip")
    assert (refused.status, refused.complaint) == (2, f"analyzer: {tmp_path}/a.zip: the file exists (--force replaces it)")
    assert {path.name for path in tmp_path.iterdir()} == {"out", "a.zip"}, "nothing temporary is left"


def test_where_nothing_can_be_written(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "none" / "a.zip"
    ran = run("export", demo, "-o", target)
    assert (ran.status, ran.complaint) == (2, f"analyzer: {target}: No such file or directory")
    for option in ("-o", "--har", "--plaintext"):
        ran = run("export", demo, option, "-")
        told = "analyzer: standard output cannot hold an export: name a file or a folder"
        assert (ran.status, ran.complaint) == (2, told)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_capture_gives_no_zip_file(run: Run, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no capture at all")
    assert run("export", tmp_path / "notes.txt", "-o", tmp_path / "a.zip").status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_it_is_true_after_a_signal(repository: Path, tmp_path: Path):
    """The first signal ends the input: what was open is listed as not complete."""
    talks = [talk_of(page(f"/{n}", b"x" * 200_000)) for n in range(3)]
    segments = [one for n, talk in enumerate(talks) for one in packetise(talk.flights, ports=(50000 + n, 443))]
    keys = tmp_path / "keys"
    keys.write_text("".join(talk.keylog for talk in talks))
    data = pcapng_of(segments)
    command = [sys.executable, "-m", "analyzer", "export", "-", "-o", str(tmp_path / "out"), "-k", str(keys)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=repository) as process:
        assert process.stdin is not None
        process.stdin.write(data[: len(data) - 80_000])
        process.stdin.flush()
        until = time.monotonic() + STARTED
        while len(list((tmp_path / "out").rglob("*.bin"))) < 2:  # two sessions have ended, the third is open
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STARTED)
    manifest = manifest_of(tmp_path / "out")
    assert manifest["ended"] == "interrupted"
    assert [entry["complete"] for entry in manifest["files"] if entry["kind"] == "response"] == [True, True, False]


def test_it_is_true_after_a_second_signal(tmp_path: Path, repository: Path):
    """The second signal ends the command, and all that has a name is listed."""
    talk = talk_of(page("/", b"x" * 2000))
    capture, keys = save(tmp_path, talk)
    code = (
        "import sys\n"
        "from analyzer.store.exported_objects import ExportedObjects\n"
        "kept = ExportedObjects.end\n"
        "def end(self, session):\n"
        "    kept(self, session)\n"
        "    raise KeyboardInterrupt\n"
        "ExportedObjects.end = end\n"
        "from analyzer.cli.main import main\n"
        f"sys.exit(main(['export', {str(capture)!r}, '-o', {str(tmp_path / 'out')!r}, '-k', {str(keys)!r}]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(repository), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, "-c", code], cwd=repository, env=environment, timeout=STARTED, capture_output=True)
    manifest = manifest_of(tmp_path / "out")
    assert manifest["ended"] == "interrupted"
    assert [entry["kind"] for entry in manifest["files"]] == ["response", "certificate"]
