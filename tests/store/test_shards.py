"""Several processes print the same bytes as one, in every form, and say when one of them is lost."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from frames_by_hand import write
from wire import CLIENT, Wire, hello

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.key_prescan import LARGEST_COMPRESSED, is_prescanned
from analyzer.cli.main import main
from analyzer.cli.sessions import record_text
from analyzer.cli.sharing import can_share
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import Chains
from analyzer.store.shard import Spent, Turn
from analyzer.store.shards import ShardError, Shards, SharedSession

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


def test_each_process_reads_a_part_and_together_they_read_all():
    parts = []
    for shard in range(3):
        engine = Engine()
        engine.dispatcher.share(shard, 3)
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


def test_a_damaged_capture_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    damaged = tmp_path / "cut.pcapng"
    damaged.write_bytes(ALL[0].read_bytes()[:-9])
    options = [str(damaged), str(ALL[1]), "--format", "json"]
    several, one = printed(capsys, *options, "-j", "2"), printed(capsys, *options, "-j", "1")
    assert several == one
    assert (one[0], one[2].count("cut short")) == (1, 1)


def shards(paths: list[str], number: int = 2, **engine: object) -> Shards:
    return Shards(CaptureReader(paths), number, {"fields": False, **engine}, record_text(False, True), Chains())


def described(shared: Shards) -> list[bytes]:
    chains = Chains()
    return [session.describe(chains) for turn in shared.turns() for session in turn]


def test_a_lost_process_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.shards._work", lambda *_: os._exit(9))
    with pytest.raises(ShardError, match="ended too early"):
        list(shards([str(ALL[0])]).turns())


def test_a_file_that_vanishes_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        list(shards([str(tmp_path / "gone.pcap")]).turns())


def test_a_file_that_vanishes_for_another_process_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is in another folder, where there is no such file."""
    (tmp_path / "going.pcapng").write_bytes(ALL[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analyzer.store.shards._work", after(lambda: os.chdir("/")))
    with pytest.raises(ShardError, match="No such file"):
        list(shards(["going.pcapng"]).turns())


def after(action):
    """The work of another process, after something has happened."""
    from analyzer.store.shards import _work

    def work(*arguments: object) -> None:
        action()
        _work(*arguments)

    return work


def test_a_limit_of_the_run_is_not_reached_by_fewer_processes_alone(monkeypatch: pytest.MonkeyPatch):
    paths = [str(CAPTURES / name / f"{name}.pcapng") for name in ("tls12-session-id-resumption", "tls13-rsa", "tls13-x25519")]
    alone = described(shards(paths, 1))
    for most in (Spent(-1, 9, 9, 9, 9), Spent(1 << 60, -1, 9, 9, 9), Spent(1 << 60, 9, -1, 9, 9)):
        monkeypatch.setattr("analyzer.store.shards.MOST", most)
        shared = shards(paths)
        assert described(shared) == alone
        assert shared.reader.n_bytes() == sum(map(os.path.getsize, paths))
        assert [facts.path for facts in shared.reader.files] == paths


def test_what_was_printed_before_a_limit_is_not_printed_again(monkeypatch: pytest.MonkeyPatch):
    paths = list(map(str, ALL[:12]))
    alone = described(shards(paths, 1))
    turns = []

    def merged(shared: Shards, received: list[Turn]) -> list[SharedSession]:
        turns.append(len(received))
        if len(received) > 1 and len(turns) > 7:
            monkeypatch.setattr("analyzer.store.shards.MOST", Spent(-1, -1, -1, -1, -1))
        return whole(shared, received)

    whole = Shards._merged
    monkeypatch.setattr("analyzer.store.shards.Shards._merged", merged)
    assert described(shards(paths)) == alone
    assert turns[:8] == [2] * 8
    assert turns[8:] == [1] * 13


def test_a_signal_while_one_process_goes_on_alone_does_not_end_before_what_was_printed(monkeypatch: pytest.MonkeyPatch):
    paths = list(map(str, ALL[:10])) * 3
    alone = described(shards(paths, 1))
    shared = shards(paths)
    turns = []

    def merged(self: Shards, received: list[Turn]) -> list[SharedSession]:
        turns.append(len(received))
        if turns.count(1) == 1:
            shared.stop()
        elif len(turns) > 25:
            monkeypatch.setattr("analyzer.store.shards.MOST", Spent(-1, -1, -1, -1, -1))
        return whole(self, received)

    whole = Shards._merged
    monkeypatch.setattr("analyzer.store.shards.Shards._merged", merged)
    assert described(shared) == alone
    assert turns[24:27] == [2, 2, 1]


def test_secrets_of_another_session_are_found():
    """A resumed session of TLS 1.2 whose own line is not in the key log has the master secret of the first one."""
    path = CAPTURES / "tls12-ticket-resumption" / "tls12-ticket-resumption.pcapng"
    line = next(line for line in path.with_suffix(".keys").read_bytes().splitlines(True) if line.startswith(b"CLIENT_RANDOM"))
    keylog = KeyLog()
    keylog.feed(line, "first line")
    alone = described(shards([str(path)], 1, keylog=keylog))
    assert described(shards([str(path)], 2, keylog=keylog)) == alone
    assert [json.loads(record)["decryption"]["status"] for record in alone] == ["decrypted"] * 2


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_killed_process_is_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def die_while_sending(*arguments: object) -> None:
        os.write(arguments[5].fileno(), b"\0\0\1\0half a message")
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("analyzer.store.shards._work", die_while_sending)
    assert printed(capsys, str(ALL[0]), "--format", "json", "-j", "2") == (
        2, "", "analyzer: a process that reads a part of the sessions ended too early\n",
    )  # fmt: skip


def test_processes_that_saw_different_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The other one is in another folder, where the file is shorter."""
    (tmp_path / "other").mkdir()
    (tmp_path / "changing.pcapng").write_bytes(ALL[0].read_bytes())
    (tmp_path / "other" / "changing.pcapng").write_bytes(ALL[0].read_bytes()[:-40])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analyzer.store.shards._work", after(lambda: os.chdir("other")))
    with pytest.raises(ShardError, match="have changed"):
        list(shards(["changing.pcapng"]).turns())


def test_a_file_that_grows_is_read_up_to_its_end_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "growing.pcapng"
    path.write_bytes(ALL[0].read_bytes())
    alone = described(shards([str(path)], 1))
    shared = shards([str(path)])

    def grow() -> None:
        with path.open("ab") as file:
            file.write(ALL[1].read_bytes())

    monkeypatch.setattr("analyzer.store.shards._work", after(grow))
    assert described(shared) == alone
    assert shared.reader.n_bytes() == ALL[0].stat().st_size < path.stat().st_size


def test_small_pipes_are_enough(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    paths = [str(path) for path in ALL[:6]]
    alone = described(shards(paths, 1))
    monkeypatch.setattr("analyzer.store.shards.fcntl.fcntl", refuse)
    shared = shards(paths)
    assert described(shared) == alone
    assert shared._n_shards == 2


def test_sessions_that_the_end_of_the_capture_ends_come_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    talks = [Wire(source=50000 + number).open().say(CLIENT, hello()) for number in range(7)]
    frames = sorted((frame for talk in talks for frame in talk.frames), key=lambda one: one[0])
    paths = [str(write(tmp_path / "open.pcapng", frames))]
    whole = described(shards(paths, 1))
    monkeypatch.setattr("analyzer.store.shard.MAX_ENDED", 3)
    assert [len(turn) for turn in shards(paths, 1).turns()] == [0, 3, 3, 1]
    assert described(shards(paths, 1)) == described(shards(paths, 2)) == whole
    assert len(whole) == 7


def test_one_process_goes_on_if_others_cannot_be_started(monkeypatch: pytest.MonkeyPatch):
    paths = [str(path) for path in ALL[:6]]
    alone = described(shards(paths, 1))
    before = children_of(os.getpid())
    started = []
    fork = os.fork

    def fork_once() -> int:
        if started:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(fork())
        return started[0]

    monkeypatch.setattr("os.fork", fork_once)
    assert described(shards(paths, 4)) == alone
    assert started
    assert children_of(os.getpid()) == before


def test_what_was_read_before_an_error_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gone = tmp_path / "gone.pcapng"
    gone.touch()
    paths = [str(path) for path in ALL[:8] if path.suffix == ".pcapng"]
    shared = shards([*paths, str(gone)])
    gone.unlink()
    monkeypatch.setattr("analyzer.store.shards._work", after(lambda: time.sleep(0.3)))
    turns = shared.turns()
    for _ in paths:
        next(turns)
    with pytest.raises((FileNotFoundError, ShardError), match=r"gone\.pcapng"):
        next(turns)


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["process", "group"])
def test_a_signal_ends_all_processes_after_the_same_turn(send: Callable[[int, int], None], number: int, tmp_path: Path):
    big = tmp_path / "big.pcapng"
    with big.open("wb") as file:
        for _ in range(600):
            for path in ALL:
                if path.suffix == ".pcapng":
                    file.write(path.read_bytes())
    command = [sys.executable, "-m", "analyzer", "sessions", str(big), "--format", "json", "-j", "3"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (children := children_of(running.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    send(running.pid, number)
    out, err = running.communicate(timeout=60)
    deadline = time.monotonic() + 60
    assert (running.returncode, err.count("stopped after frame")) == (1, 1)
    printed = [json.loads(line)["id"] for line in out.splitlines()]
    assert sorted(printed) == list(range(len(printed)))
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
