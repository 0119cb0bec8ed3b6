"""Keys while sniffing: late, growing, rotated and emptied key logs, through a pipe of frames and through an interface."""

import os
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from conversations import ended
from live_tls import Sessions, client, require_capture, sniff, tls_server

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.cli import live_keys
from analyzer.cli.live_keeping import open_randoms_of
from analyzer.cli.live_keys import LiveKeys
from analyzer.engine import Engine
from analyzer.store.session_record import session_record
from analyzer.tls.session import Session

SECOND = 1_000_000_000


def given(*keylogs: Path) -> Namespace:
    return Namespace(keylog=list(map(str, keylogs)), rsa_key=[], psk_file=[], password_file=[])


class Live:
    """A run over the frames of a demonstration capture, one at a time, as if they came from an interface."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *keylogs: Path, longest_wait: float = 5) -> None:
        monkeypatch.setattr(live_keys, "_INTERVAL", 0.0)
        self.capture = next(folder.glob(f"{folder.name}.pcap*"))
        self.secrets = (folder / f"{folder.name}.keys").read_bytes()
        self.keys = LiveKeys(given(*keylogs), longest_wait=longest_wait)
        self.engine = Engine(announces=True, **self.keys.arguments)
        self.engine.connections.longest_wait = SECOND // 2
        self.frames = self._frames()
        self.sessions: list[Session] = []

    def _frames(self) -> list[tuple[bytes, int, int]]:
        reader = CaptureReader([str(self.capture)])
        found = []
        for packet_reader in reader.packet_readers():
            while packet_reader.advance():
                frame = reader.frame
                found.append((bytes(frame.data[frame.start : frame.end]), frame.link_type, frame.at))
        return found

    def feed(self, begin: int = 0, end: int | None = None) -> None:
        """Feed some of the frames, each in a turn of its own."""
        for number, (data, link_type, at) in list(enumerate(self.frames, 1))[begin:end]:
            self.keys.look()
            frame = Frame()
            frame.number, frame.at, frame.link_type = number, at, link_type
            frame.data, frame.start, frame.end, frame.wire_length = data, 0, len(data), len(data)
            self.engine.feed(frame)
            self.sessions += ended(self.engine.take())

    def wait(self, seconds: float) -> None:
        """Let the time go on without frames."""
        self.keys.look()
        self.engine.tick(self.frames[-1][2] + int(seconds * SECOND))
        self.sessions += ended(self.engine.take())

    def close(self) -> list[dict[str, Any]]:
        """End the run; the records of all sessions."""
        self.keys.close()
        self.engine.close()
        self.sessions += ended(self.engine.take())
        return [session_record(session, False) for session in self.sessions]

    def statuses(self) -> list[str]:
        """The end of `close`."""
        return [record["decryption"]["status"] for record in self.close()]


@pytest.fixture
def folder(captures: Path) -> Path:
    return captures / "tls13-rsa"


# When sessions end.


def test_without_a_key_log_a_session_is_told_when_it_ends(folder: Path, monkeypatch: pytest.MonkeyPatch):
    live = Live(folder, monkeypatch)
    live.feed()
    live.wait(0.6)
    assert len(live.sessions) == 1
    assert not live.keys.may_grow()


def test_with_its_keys_there_a_session_is_told_when_it_ends(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    log = tmp_path / "keys"
    log.write_bytes((folder / "tls13-rsa.keys").read_bytes())
    live = Live(folder, monkeypatch, log)
    live.feed()
    live.wait(0.6)
    assert len(live.sessions) == 1
    assert live.statuses() == ["decrypted"]


def test_without_its_keys_a_session_waits_for_a_bounded_time(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.feed()
    live.wait(4)
    assert live.sessions == []
    live.wait(6)
    assert len(live.sessions) == 1
    assert live.statuses() == ["none"]


def test_keys_that_come_after_the_end_of_the_session(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.feed()
    live.wait(1)
    assert live.sessions == []
    log.write_bytes(live.secrets)
    live.wait(1.1)
    assert len(live.sessions) == 1
    assert live.statuses() == ["decrypted"]


def test_an_open_session_is_not_kept_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Keys that come after it was let go are a finding."""
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.feed(0, len(live.frames) - 4)
    assert live.engine.dispatcher.pending is not None
    assert len(live.engine.dispatcher.pending.waiting) == 1
    live.wait(6)
    assert live.engine.dispatcher.pending.waiting == {}
    assert live.engine.dispatcher.pending.size == 0
    log.write_bytes(live.secrets)
    live.feed(len(live.frames) - 4)
    (record,) = live.close()
    assert "late_secrets" in [finding["code"] for finding in record["findings"]]


def test_after_the_clock_was_set_back_a_session_waits_no_longer(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.feed()
    live.wait(0.6)
    pending = live.engine.dispatcher.pending
    assert pending is not None
    assert [session.id for session in pending.tick(live.frames[-1][2] - 3600 * SECOND)] == [0]


# Files.


def test_a_log_that_is_created_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    log = tmp_path / "keys"
    live = Live(folder, monkeypatch, log)
    assert "keys: not there yet" in capfd.readouterr().err
    live.feed(0, 8)
    log.write_bytes(live.secrets)
    live.feed(8)
    assert live.statuses() == ["decrypted"]


@pytest.mark.parametrize("way", ["renamed", "replaced", "emptied", "emptied and longer"])
def test_a_log_that_is_rotated(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str):
    log = tmp_path / "keys"
    log.write_bytes(b"# an old log\n")
    live = Live(folder, monkeypatch, log)
    live.feed(0, 5)
    if way == "renamed":
        log.rename(tmp_path / "keys.1")
        live.feed(5, 7)
        log.write_bytes(live.secrets)
    elif way == "replaced":
        (tmp_path / "new").write_bytes(live.secrets)
        os.replace(tmp_path / "new", log)
    elif way == "emptied":
        log.write_bytes(b"")
        live.feed(5, 7)
        log.write_bytes(live.secrets)
    else:
        log.write_bytes(live.secrets)
    live.feed(5 if way in ("replaced", "emptied and longer") else 7)
    assert live.statuses() == ["decrypted"]


def test_a_log_that_grows_by_halves_of_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    for number in range(len(live.frames)):
        with log.open("ab") as file:
            file.write(live.secrets[number * 97 : (number + 1) * 97])
        live.feed(number, number + 1)
    with log.open("ab") as file:
        file.write(live.secrets[len(live.frames) * 97 :])
    assert live.statuses() == ["decrypted"]


def test_files_are_looked_at_only_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = tmp_path / "keys"
    log.touch()
    keys = LiveKeys(given(log))
    looks = []
    monkeypatch.setattr(keys._tails[0], "read_new", lambda: bool(looks.append(1)), raising=True)
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        keys.look()
    assert 1 <= len(looks) <= 6


def test_what_is_wrong_in_a_log_is_reported_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    log = tmp_path / "keys"
    log.write_bytes(b"CLIENT_RANDOM 00\n")
    live = Live(folder, monkeypatch, log)
    assert capfd.readouterr().err.count("line 1") == 1
    with log.open("ab") as file:
        file.write(b"CLIENT_RANDOM 11\n")
    live.close()
    err = capfd.readouterr().err
    assert (err.count("line 1:"), err.count("line 2:")) == (0, 1)


def test_secrets_of_long_ago_are_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(live_keys, "MOST_LINES", 100)
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.feed(0, 4)
    keylog = live.keys.arguments["keylog"]
    assert keylog is not None
    for number in range(50):
        others = (f"CLIENT_RANDOM {10 * number + one:064x} {'ab' * 48}\n".encode() for one in range(10))
        with log.open("ab") as file:
            file.write(b"".join(others))
        live.keys.look()
        assert keylog.n_kept <= 100
    with log.open("ab") as file:
        file.write(live.secrets)
    live.feed(4)
    assert not keylog.knows(bytes(32))
    assert keylog.knows((499).to_bytes(32, "big"))
    assert live.statuses() == ["decrypted"]


def test_secrets_of_open_sessions_stay(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """They may be written into a file when the session ends. If all are needed, that is not looked at again each time."""
    monkeypatch.setattr(live_keys, "MOST_LINES", 20)
    log = tmp_path / "keys"
    log.touch()
    live = Live(folder, monkeypatch, log)
    live.keys.needed = open_randoms_of(live.engine)
    log.write_bytes(live.secrets)
    live.feed(0, len(live.frames) - 4)
    keylog = live.keys.arguments["keylog"]
    assert keylog is not None
    (own,) = live.keys.needed()
    assert keylog.knows(own)
    for number in range(50):
        others = (f"CLIENT_RANDOM {10 * number + one:064x} {'ab' * 48}\n".encode() for one in range(10))
        with log.open("ab") as file:
            file.write(b"".join(others))
        live.keys.look()
        assert keylog.n_kept <= 40
    assert keylog.knows(own)
    live.feed(len(live.frames) - 4)
    live.wait(1)
    assert live.keys.needed() == set()
    assert live.statuses() == ["decrypted"]


# Interfaces.


def test_keys_that_come_after_the_packets_of_an_interface(tmp_path: Path):
    """The client logs to a file of its own, which is copied into the followed one when the session has ended."""
    require_capture()
    own, log = tmp_path / "own", tmp_path / "keys"
    sessions = Sessions()
    keys = LiveKeys(given(log), longest_wait=300)
    copied_at = 0

    def start() -> None:
        with client(port, own):
            assert sessions.ended == []

    def done() -> bool:
        nonlocal copied_at
        if not copied_at and keys.arguments["keylog"] is not None and time.monotonic() > begun + 1:
            assert sessions.ended == []
            log.write_bytes(own.read_bytes())
            copied_at = time.time_ns()
        return bool(sessions.ended)

    with tls_server() as port:
        begun = time.monotonic()
        sniff(port, keys, [sessions], done, start)
    (record,) = [session_record(session, False) for session in sessions.ended]
    assert record["decryption"]["status"] == "decrypted"
    assert record["http"][0]["request"]["path"] == "/hello"
    assert sessions.told[0] - copied_at < 30 * SECOND


def test_with_its_keys_a_session_of_an_interface_waits_for_no_others(tmp_path: Path):
    require_capture()
    log = tmp_path / "keys"
    sessions = Sessions()
    ends: list[int] = []

    def start() -> None:
        with client(port, log):
            pass
        ends.append(time.time_ns())

    with tls_server() as port:
        keys = LiveKeys(given(log), longest_wait=300)
        sniff(port, keys, [sessions], lambda: bool(sessions.ended), start)
    (record,) = [session_record(session, False) for session in sessions.ended]
    assert record["decryption"]["status"] == "decrypted"
    assert sessions.told[0] - ends[0] < 30 * SECOND
