"""Several processes print the same bytes as one, in every form, and say when one of them is lost."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.capture.key_prescan import LARGEST_COMPRESSED, is_prescanned
from analyzer.cli.main import main
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import Chains
from analyzer.store.shards import NotedResumptions, Shard, ShardError, Shards, can_share
from analyzer.tls.handshake.resumption import ResumableSession

CAPTURES = Path(__file__).parents[2] / "captures"
ALL = sorted(path for path in CAPTURES.rglob("*.pcap*") if path.parent != CAPTURES)

pytestmark = pytest.mark.skipif(not can_share(), reason="processes share the work on Linux only")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["sessions", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_capture_gives_the_same_bytes(path: Path, capsys: pytest.CaptureFixture[str]):
    options = [str(path), "--format", "json", "--messages"]
    assert printed(capsys, *options, "-j", "3") == printed(capsys, *options, "-j", "1")


@pytest.mark.parametrize("form", ["json", "csv", "text"])
@pytest.mark.parametrize("jobs", ["2", "5"])
def test_all_captures_as_one_give_the_same_bytes(form: str, jobs: str, capsys: pytest.CaptureFixture[str]):
    options = [*map(str, ALL), "--format", form]
    several, one = printed(capsys, *options, "-j", jobs), printed(capsys, *options, "-j", "1")
    assert several == one
    assert len(one[1].splitlines()) > 40


@pytest.mark.corpus
def test_the_corpus_gives_the_same_bytes(corpus: Path, capsys: pytest.CaptureFixture[str]):
    paths = sorted([*corpus.glob("zeek/*/*.pcap*"), *corpus.glob("ja4/*.pcap*")])
    assert len(paths) > 100
    for number in range(0, len(paths), 20):
        options = [*map(str, paths[number : number + 20]), "--format", "json"]
        assert printed(capsys, *options, "-j", "2") == printed(capsys, *options, "-j", "1")


def test_each_process_reads_a_part_and_together_they_read_all(monkeypatch: pytest.MonkeyPatch):
    parts = []
    for shard in range(3):
        engine = Engine()
        engine.dispatcher.share(shard, 3)
        from analyzer.capture.capture_reader import CaptureReader

        for packet_reader in CaptureReader(list(map(str, ALL))).packet_readers():
            engine.run(packet_reader)
        engine.close()
        parts.append({event.session for event in engine.take()})
        n_sessions = engine.dispatcher.count
    assert min(map(len, parts)) > 5
    assert sorted(number for part in parts for number in part) == list(range(n_sessions))


def test_resumption_across_processes_is_found(capsys: pytest.CaptureFixture[str]):
    paths = [str(CAPTURES / name / f"{name}.pcapng") for name in ("tls12-session-id-resumption", "tls12-ticket-resumption")]
    status, out, _ = printed(capsys, *paths, "--format", "json", "-j", "4")
    resumed = [record["resumes"] for record in map(json.loads, out.splitlines()) if record["resumed"]]
    assert status == 0
    assert resumed
    assert None not in resumed


def test_notes_of_resumption_have_what_a_search_needs():
    noted = NotedResumptions(Engine())
    noted.keep_id(b"id", ResumableSession(7, b"server", None))
    noted.keep_ticket(b"ticket", ResumableSession(8, b"server", b"name"))
    assert noted.find(None, b"", b"server", None) is None
    assert noted.find(b"ticket", b"id", b"server", None).number == -1
    assert noted.find(None, b"id", b"server", b"name").number == -2
    assert noted.notes == [
        (0, 7, b"server", None, b"id", None),
        (0, 8, b"server", b"name", None, b"ticket"),
        (0, 0, b"server", None, b"id", b"ticket", None),
        (0, 1, b"server", b"name", b"id", None, None),
    ]


def test_a_damaged_capture_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    damaged = tmp_path / "cut.pcapng"
    damaged.write_bytes(ALL[0].read_bytes()[:-9])
    options = [str(damaged), str(ALL[1]), "--format", "json"]
    several, one = printed(capsys, *options, "-j", "2"), printed(capsys, *options, "-j", "1")
    assert several == one
    assert (one[0], one[2].count("cut short")) == (1, 1)


def test_with_keys_one_process_does_the_work(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.shards.Shards.turns", lambda _: pytest.fail("shared"))
    path = CAPTURES / "tls13-rsa" / "tls13-rsa.pcapng"
    status, out, _ = printed(capsys, str(path), "-k", str(path.with_suffix(".keys")), "--format", "json", "-j", "2")
    assert (status, json.loads(out)["decryption"]["status"]) == (0, "decrypted")


def test_one_process_is_the_default(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.shards.Shards.turns", lambda _: pytest.fail("shared"))
    assert printed(capsys, str(ALL[0]), "--format", "json") == printed(capsys, str(ALL[0]), "--format", "json", "-j", "1")


def test_a_lost_process_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.shards.Shard.run", lambda shard: os._exit(9))
    with pytest.raises(ShardError, match="ended too early"):
        list(Shards([str(ALL[0])], 2, False, Chains()).turns())


def test_a_file_that_vanishes_is_an_error(tmp_path: Path):
    with pytest.raises(ShardError, match="No such file"):
        list(Shards([str(tmp_path / "gone.pcap")], 2, False, Chains()).turns())


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_several_processes_want_more_memory_than_one_may_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.shards.MOST_HELD", -1)
    with pytest.raises(ShardError, match="use -j 1"):
        list(Shards([str(ALL[0])], 2, False, Chains()).turns())


def test_a_killed_process_is_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def die_while_sending(shard: Shard) -> None:
        os.write(shard._pipe.fileno(), b"\0\0\1\0half a message")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("analyzer.store.shards.Shard.run", die_while_sending)
    assert printed(capsys, str(ALL[0]), "--format", "json", "-j", "2") == (
        2, "", "analyzer: a process that reads a part of the sessions ended too early\n",
    )  # fmt: skip


def test_processes_that_saw_different_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "changing.pcapng"
    path.write_bytes(ALL[0].read_bytes())
    run = Shard.run

    def run_later(shard: Shard) -> None:
        if not shard._is_first:
            path.write_bytes(ALL[0].read_bytes()[:-40])
        run(shard)

    monkeypatch.setattr("analyzer.store.shards.Shard.run", run_later)
    monkeypatch.setattr("analyzer.store.shards.Shard._send", slow(Shard._send))
    with pytest.raises(ShardError, match="have changed"):
        list(Shards([str(path)], 2, False, Chains()).turns())


def slow(send):
    """The same, but process 0 waits until the other one has changed the file."""

    def late(shard: Shard, *arguments: object, **named: object) -> None:
        if shard._is_first:
            time.sleep(0.3)
        send(shard, *arguments, **named)

    return late


def test_a_large_compressed_capture_is_read_by_one_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    packed = tmp_path / "late.pcapng.gz"
    packed.write_bytes(gzip.compress(ALL[0].read_bytes()))
    assert is_prescanned(str(packed))
    os.truncate(packed, LARGEST_COMPRESSED + 1)
    assert not is_prescanned(str(packed))
    monkeypatch.setattr("analyzer.store.shards.Shards.turns", lambda _: pytest.fail("shared"))
    assert printed(capsys, str(packed), "--format", "json", "-j", "2")[1]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_no_process_is_left(number: int, status: int, tmp_path: Path):
    big = tmp_path / "big.pcapng"
    with big.open("wb") as file:
        for _ in range(60):
            for path in ALL:
                if path.suffix == ".pcapng":
                    file.write(path.read_bytes())
    command = [sys.executable, "-m", "analyzer", "sessions", str(big), "--format", "json", "-j", "2"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while len(children := children_of(running.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    assert running.wait(30) == status
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
