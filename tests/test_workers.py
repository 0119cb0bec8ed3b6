"""Processes that share work: replies in order, no lock-up however much goes both ways, and a lost one is told."""

import os
import signal
import time
from pathlib import Path

import pytest

from analyzer.workers import WorkerLost, Workers, usable_processors


def test_replies_come_in_the_order_of_messages() -> None:
    with Workers(3, lambda message: message[::-1]) as workers:
        for number in range(20):
            workers.send([b"%d-%d" % (number, worker) for worker in range(3)])
        for number in range(20):
            assert workers.receive() == [(b"%d-%d" % (number, worker))[::-1] for worker in range(3)]


def test_much_in_both_directions_at_once() -> None:
    size = 5 << 20  # more than the pipes hold: both would wait for each other if one only wrote
    with Workers(2, lambda message: message * 2) as workers:
        for _ in range(3):
            workers.send([b"a" * size, b"b"])
        assert [list(map(len, workers.receive())) for _ in range(3)] == [[2 * size, 2]] * 3


def test_a_worker_has_what_was_there_before_it() -> None:
    known = {"word": b"before"}
    with Workers(1, lambda message: known["word"] + message) as workers:
        known["word"] = b"after"
        workers.send([b"!"])
        assert workers.receive() == [b"before!"]


def test_an_empty_message_has_a_reply_too() -> None:
    with Workers(1, lambda message: message) as workers:
        workers.send([b""])
        assert workers.receive() == [b""]


def die(message: bytearray) -> bytes:
    if message == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    return bytes(message)


def test_a_worker_that_dies_is_told_to_who_waits_for_it() -> None:
    with Workers(2, die) as workers:
        workers.send([b"live", b"die"])
        with pytest.raises(WorkerLost, match="ended too early"):
            workers.receive()


def test_a_worker_that_dies_is_told_to_who_sends() -> None:
    with Workers(2, die) as workers:
        workers.send([b"live", b"die"])
        with pytest.raises(WorkerLost, match="ended too early"):
            workers.send([b"live", bytes(4 << 20)])


def test_the_error_of_a_worker_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers(1, lambda message: message[int(message) :]) as workers:
        workers.send([b"no number"])
        with pytest.raises(WorkerLost):
            workers.receive()
    assert "ValueError: invalid literal" in capfd.readouterr().err


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system has no /proc")
def test_no_process_is_left() -> None:
    before = children()
    workers = Workers(3, lambda message: message)
    assert len(children() - before) == 3
    workers.send([b"x"] * 3)  # replies that nobody takes must not keep them
    workers.__exit__(None, None, None)
    assert children() == before


def test_a_worker_ends_with_whoever_hired_it() -> None:
    source, sink = os.pipe()
    boss = os.fork()
    if boss == 0:
        os.close(source)
        with Workers(2, lambda message: message):
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(sink)
    os.waitpid(boss, 0)
    began = time.monotonic()
    assert os.read(source, 1) == b""  # all who had the other end are gone
    os.close(source)
    assert time.monotonic() - began < 10


def test_there_is_a_processor() -> None:
    assert usable_processors() >= 1
