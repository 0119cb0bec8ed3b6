"""Bundles: what is in them, that they are the same every time, and appear whole or not at all."""

import errno
import hashlib
import json
import os
import stat
import subprocess
from contextlib import nullcontext
from pathlib import Path

import bundles
import pytest
from bundles import FACTS, bundle, contents, signer

from analyzer.report.action_log import Action, canonical, read_chain
from analyzer.report.bundle import BundleFile, write_bundle
from analyzer.report.signing import SigningError


def test_the_manifest_has_size_and_hash_of_every_file_and_input(tmp_path: Path):
    written = bundle(tmp_path / "b")
    files = contents(tmp_path / "b")
    manifest = json.loads(files["manifest.json"])
    assert set(written.names) == set(files)
    listed = {one["name"]: one for one in manifest["files"]}
    assert set(listed) == set(files) - {"manifest.json", "manifest.sha256"}
    for name, one in listed.items():
        assert (one["size"], one["sha256"]) == (len(files[name]), hashlib.sha256(files[name]).hexdigest())
    assert [(one["role"], one["path"]) for one in manifest["inputs"]] == [("capture", "a.pcap"), ("key_log", "keys.log")]
    assert manifest["inputs"][0]["unchanged"] is True
    assert manifest["inputs"][1]["sha256_after"] is None
    assert manifest["command"] == FACTS["command"]
    assert manifest["trust"] == FACTS["evidence"]["trust"]
    assert (manifest["touched"]["opened"], manifest["touched"]["network"]) == ("read_only", "none")
    assert manifest["signature"] is None
    assert written.manifest_sha256 == hashlib.sha256(files["manifest.json"]).hexdigest()


@pytest.mark.peer("sha256sum")
def test_sha256sum_checks_the_manifest(tmp_path: Path):
    bundle(tmp_path / "b", signer("ed25519", False))
    done = subprocess.run(["sha256sum", "-c", "manifest.sha256"], cwd=tmp_path / "b", capture_output=True, check=True)
    assert done.stdout.splitlines() == [b"manifest.json: OK", b"manifest.sig: OK"]


def test_the_log_tells_what_was_read_and_written_in_order(tmp_path: Path):
    files = [BundleFile("report.md", b"x", "text/markdown")]
    write_bundle(str(tmp_path / "b"), FACTS, files, actions=[Action("redact", {"kinds": ["names"]})])
    entries, head = read_chain((tmp_path / "b" / "actions.jsonl").read_bytes())
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_bytes())
    names = ["begin", "read", "read", "trust", "analyse", "read_again", "redact", "write", "close"]
    assert [entry["action"] for entry in entries] == names
    assert entries[1]["arguments"] == {"role": "capture", "path": "a.pcap", "size": len(bundles.CAPTURE), "opened": "read_only"}
    assert entries[1]["sha256"] == hashlib.sha256(bundles.CAPTURE).hexdigest()
    assert entries[4]["sha256"] == hashlib.sha256(canonical(FACTS)).hexdigest()
    assert entries[7]["sha256"] == hashlib.sha256(b"x").hexdigest()
    assert manifest["actions"] == {"file": "actions.jsonl", "count": len(entries), "head": head}


@pytest.mark.parametrize(("kind", "certified"), [("ed25519", False), ("rsa", True), ("ec", True)])
@pytest.mark.parametrize("issued_at", [None, "2026-11-28T12:30:15.123456789Z"])
def test_the_same_facts_and_files_give_the_same_bytes(tmp_path: Path, kind: str, certified: bool, issued_at: str | None):
    facts = FACTS | {"issued_at": issued_at}
    for name in ("one", "two"):
        bundle(tmp_path / name, signer(kind, certified), facts)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    stated = (b"2026" in (tmp_path / "one" / name).read_bytes() for name in ("actions.jsonl", "manifest.json"))
    assert all(stated) if issued_at else True


def test_a_file_can_be_copied_from_a_path(tmp_path: Path):
    (tmp_path / "big").write_bytes(b"0123456789" * 300_000)
    write_bundle(str(tmp_path / "b"), {}, [BundleFile("sessions.jsonl", str(tmp_path / "big"), "application/jsonl")])
    assert (tmp_path / "b" / "sessions.jsonl").read_bytes() == (tmp_path / "big").read_bytes()


def test_only_the_owner_may_read_a_bundle(tmp_path: Path):
    bundle(tmp_path / "b")
    assert stat.S_IMODE(os.stat(tmp_path / "b").st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "b").iterdir()} == {0o600}


def test_an_empty_folder_is_filled(tmp_path: Path):
    (tmp_path / "b").mkdir()
    bundle(tmp_path / "b")
    assert (tmp_path / "b" / "manifest.json").exists()


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "note").write_text("mine")
    with pytest.raises(FileExistsError):
        bundle(tmp_path / "b")
    assert contents(tmp_path / "b") == {"note": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_what_is_no_folder_is_refused(tmp_path: Path, kind: str):
    target = tmp_path / "b"
    if kind == "file":
        target.write_text("x")
    else:
        (tmp_path / "other").mkdir() if kind == "link" else None
        target.symlink_to(tmp_path / "other")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(FileExistsError):
        bundle(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_nothing_stays_when_a_file_cannot_be_read(tmp_path: Path):
    files = [BundleFile("a.csv", b"x", "text/csv"), BundleFile("b.csv", str(tmp_path / "missing"), "text/csv")]
    with pytest.raises(FileNotFoundError):
        write_bundle(str(tmp_path / "b"), FACTS, files)
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_when_a_pdf_cannot_be_signed(tmp_path: Path):
    with pytest.raises(SigningError, match="PDF"):
        write_bundle(
            str(tmp_path / "b"), FACTS, [BundleFile("a.pdf", b"%PDF-1.7 no", "application/pdf")], signer=signer("rsa", True)
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", ".x", "A", "manifest.json", "actions.jsonl", "manifest.tsr", "x" * 200, "ü"]
)
def test_only_names_of_ours_are_written(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="no name for a file"):
        write_bundle(str(tmp_path / "b"), FACTS, [BundleFile(name, b"", "text/csv")])
    assert list(tmp_path.iterdir()) == []


def test_no_name_can_stand_twice(tmp_path: Path):
    with pytest.raises(ValueError, match="no name for a file"):
        write_bundle(str(tmp_path / "b"), FACTS, [BundleFile("a", b"", "x"), BundleFile("a", b"1", "x")])


@pytest.mark.parametrize(("number", "is_whole"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_a_disk_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_whole: bool):
    """Not so a file system on which fsync(2) means nothing."""

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with nullcontext() if is_whole else pytest.raises(OSError, match=os.strerror(number)):
        bundle(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == (["b"] if is_whole else [])
