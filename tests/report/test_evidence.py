"""Digests before and after, what a file says of itself, and that the files are left as they are."""

import hashlib
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from frames_by_hand import START, Segment, write

from analyzer.capture.blocks import Statistics
from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.source import DIGESTS, Source, names_of_digests, open_read_only
from analyzer.report.evidence import evidence_facts, hash_again, input_facts
from analyzer.x509.trust import MOZILLA, Trust

FRAMES = [(START + place, Segment().frame()) for place in range(3)]


def read(*paths: Path | str, hashing: bool | tuple[str, ...] = True) -> list[FileFacts]:
    reader = CaptureReader([str(path) for path in paths], hashing)
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            pass
    return reader.files


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    counters = Statistics(0, START, None, None, 30, 2, None, 3)
    return write(tmp_path / "capture.pcapng", FRAMES, 0, "Dumpcap", counters)


def only_input(*paths: Path, **settings: Any) -> dict[str, Any]:
    (one,) = evidence_facts(read(*paths, **settings))["inputs"]
    return dict(one)


def test_a_file_that_stays_is_unchanged(capture: Path) -> None:
    found = only_input(capture)
    expected = hashlib.sha256(capture.read_bytes()).hexdigest()
    assert (found["sha256"], found["sha256_after"], found["unchanged"]) == (expected, expected, True)
    assert (found["size"], found["size_after"], found["error_after"]) == (capture.stat().st_size,) * 2 + (None,)
    assert (found["sha512"], found["blake2b"], found["opened"]) == (None, None, "read_only")
    assert found["sections"] == [{"hardware": None, "os": None, "application": "Dumpcap"}]
    assert (found["resolution"], found["received"], found["dropped"]) == (["10^-9 s"], 30, 5)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("change", ["a byte", "longer", "gone"])
def test_a_file_that_changed_meanwhile_is_one_fact(capture: Path, change: str) -> None:
    files = read(capture)
    data = capture.read_bytes()
    if change == "gone":
        capture.unlink()
    else:
        capture.write_bytes(data + b"\0" if change == "longer" else bytes([data[0] ^ 1]) + data[1:])
    (found,) = evidence_facts(files)["inputs"]
    assert found["unchanged"] is False
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert found["error_after"] == ("ENOENT" if change == "gone" else None)
    assert (found["sha256_after"] is None) == (change == "gone")


def test_further_digests_are_of_the_bytes_that_were_read(capture: Path) -> None:
    found = only_input(capture, hashing=("blake2b", "sha512"))
    data = capture.read_bytes()
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert found["sha512"] == hashlib.sha512(data).hexdigest()
    assert found["blake2b"] == hashlib.blake2b(data).hexdigest()


def test_names_of_digests() -> None:
    assert [names_of_digests(one) for one in (False, True, (), ("sha256",), {"blake2b", "sha512"})] == [
        (), ("sha256",), (), ("sha256",), DIGESTS,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="'md5' is no digest: say sha256, sha512, blake2b"):
        Source("x", ("md5",))


def test_several_files_and_a_damaged_one_have_their_digests(capture: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(capture.read_bytes()[:-7])
    inputs = evidence_facts(read(damaged, capture))["inputs"]
    assert [one["sha256"] for one in inputs] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in (damaged, capture)]
    assert [one["unchanged"] for one in inputs] == [True, True]


def test_a_pipe_is_hashed_once(capture: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(capture.read_bytes()))
    writer.start()
    files = read(pipe)
    writer.join()
    (found,) = evidence_facts(files)["inputs"]
    assert found["sha256"] == hashlib.sha256(capture.read_bytes()).hexdigest()
    assert [found[key] for key in ("sha256_after", "size_after", "unchanged", "access_time_kept", "error_after")] == [None] * 5


def test_without_a_digest_nothing_is_said_of_changes(capture: Path) -> None:
    (facts,) = read(capture, hashing=False)
    found = input_facts(facts, hash_again(str(capture)))
    assert (found["sha256"], found["unchanged"]) == (None, None)


def test_files_are_opened_for_reading_and_keep_their_access_time(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(capture, ns=(1_000_000_000, 2_000_000_000))
    opened: list[int] = []
    real = os.open

    def remember(path: str, flags: int, *rest: Any, **options: Any) -> int:
        if str(path) == str(capture):
            opened.append(flags)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", remember)
    reader = CaptureReader([str(capture)], hashing=True)
    reader.check()
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            pass
    (found,) = evidence_facts(reader.files)["inputs"]
    assert len(opened) == 3
    assert all(flags & os.O_ACCMODE == os.O_RDONLY for flags in opened)
    assert found["access_time_kept"] is True
    assert (capture.stat().st_atime_ns, capture.stat().st_mtime_ns) == (1_000_000_000, 2_000_000_000)


def test_where_the_access_time_cannot_be_kept_the_file_is_read_all_the_same(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's file: open(2) refuses O_NOATIME with EPERM."""
    real = os.open

    def refuse(path: str, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_NOATIME:
            raise PermissionError(1, "Operation not permitted", path)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    descriptor, quiet = open_read_only(str(capture))
    assert stat.S_ISREG(os.fstat(descriptor).st_mode)
    os.close(descriptor)
    assert quiet is False
    assert only_input(capture)["access_time_kept"] is False


def test_files_with_secrets_are_named_by_their_hash_only(capture: Path, tmp_path: Path) -> None:
    secret = tmp_path / "keys.log"
    secret.write_bytes(b"CLIENT_RANDOM 01 0badc0de\n")
    facts = evidence_facts(read(capture), key_logs=[str(secret), str(secret), "-"], private_keys=[str(secret)])
    assert facts["key_logs"] == [
        {"path": str(secret), "size": 26, "sha256": hashlib.sha256(secret.read_bytes()).hexdigest()},
        {"path": "-", "size": None, "sha256": None},
    ]
    assert len(facts["private_keys"]) == 1
    assert facts["psk_files"] == []
    assert "0badc0de" not in json.dumps(facts)


def test_trust_stores_have_a_hash_and_a_date(capture: Path) -> None:
    (store,) = evidence_facts(read(capture), trust=Trust([MOZILLA]))["trust"]
    assert store["store"] == "mozilla"
    assert len(store["sha256"]) == 64
    assert store["certificates"] > 100
    assert store["date"] > "2024"
    assert evidence_facts(read(capture))["trust"] == []
