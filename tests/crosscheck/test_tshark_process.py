"""tshark runs, and is gone afterwards: at the end, after an error, a time-out, Ctrl-C, and kill -9 of the program itself."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest
from stuck_tshark import has_ended, running, script, stopped, wait_for

from analyzer.crosscheck.tshark_process import TsharkRun
from analyzer.crosscheck.tshark_program import TsharkError, find_tshark
from analyzer.crosscheck.tshark_settings import FRAMES, arguments

DEMO = str(Path(__file__).resolve().parents[2] / "captures" / "demo.pcapng")

pytestmark = pytest.mark.peer("tshark")


def run_of(capture: str, program: Path | None = None, timeout: float = 60, frames: str = FRAMES) -> TsharkRun:
    return TsharkRun(find_tshark(None if program is None else str(program)), capture, arguments(), frames, timeout)


def is_gone(pid: int | None) -> bool:
    return pid is not None and not Path(f"/proc/{pid}").exists()


def test_packets_come_in_order_and_are_not_kept():
    with run_of(DEMO) as tshark:
        frames = [int(packet.number) for packet in tshark.packets()]
        assert len(tshark._capture._packets) == 0
    assert frames == sorted(frames)
    assert len(frames) > 20
    assert is_gone(tshark.pid)


def test_tshark_is_gone_when_the_reader_has_enough():
    with run_of(DEMO) as tshark:
        next(tshark.packets())
        assert not is_gone(tshark.pid)
    assert is_gone(tshark.pid)


def test_what_tshark_complains_about_is_told(tmp_path: Path):
    (tmp_path / "no.pcap").write_bytes(b"this is no capture at all, but some bytes")
    with run_of(str(tmp_path / "no.pcap")) as tshark, pytest.raises(TsharkError, match=r"ended with status.*no\.pcap"):
        list(tshark.packets())
    assert is_gone(tshark.pid)
    with run_of(DEMO, frames="no.such.field") as tshark, pytest.raises(TsharkError, match="ended with status"):
        list(tshark.packets())
    assert is_gone(tshark.pid)


def test_a_capture_that_is_cut_short_has_its_packets(tmp_path: Path):
    (tmp_path / "cut.pcapng").write_bytes(Path(DEMO).read_bytes()[:-9])
    with run_of(DEMO) as tshark:
        n_whole = len(list(tshark.packets()))
    with run_of(str(tmp_path / "cut.pcapng")) as tshark:
        assert n_whole - 1 <= len(list(tshark.packets())) <= n_whole


def test_tshark_that_crashes_is_told(tmp_path: Path):
    program = script(tmp_path / "tshark", "kill -SEGV $$")
    with run_of(DEMO, program) as tshark, pytest.raises(TsharkError, match="signal 11: without a word"):
        list(tshark.packets())


def test_tshark_that_says_nothing_is_ended(tmp_path: Path):
    program = stopped(tmp_path)
    with run_of(DEMO, program, timeout=0.5) as tshark, pytest.raises(TsharkError, match=r"said nothing for 0.5 s"):
        list(tshark.packets())
    assert is_gone(tshark.pid)
    assert running(program) == []


def test_a_child_of_a_script_is_ended_too(tmp_path: Path):
    child = tmp_path / "child"
    program = script(tmp_path / "tshark", f"sleep 1000 & echo $! > {child}; wait")
    for timeout in (1, 5, 25):  # on a busy machine it may take longer to start
        with run_of(DEMO, program, timeout=timeout) as tshark, pytest.raises(TsharkError, match="said nothing"):
            list(tshark.packets())
        if child.exists() and child.read_text():
            break
    assert wait_for(lambda: has_ended(int(child.read_text())))


def test_tshark_is_gone_after_an_interruption(tmp_path: Path):
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def interrupt_it() -> None:
        if wait_for(lambda: (tmp_path / "started").exists() and running(program) != []):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    program = stopped(tmp_path)
    interrupting = threading.Thread(target=interrupt_it)
    try:
        with run_of(DEMO, program) as tshark:
            interrupting.start()
            with pytest.raises(KeyboardInterrupt):
                list(tshark.packets())
    finally:
        interrupting.join()
        signal.signal(signal.SIGALRM, before)
    assert is_gone(tshark.pid)
    assert running(program) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends the children on Linux only")
def test_tshark_is_gone_after_kill_9(tmp_path: Path):
    program = stopped(tmp_path)
    command = [sys.executable, "-m", "analyzer", "crosscheck", DEMO, "--tshark", str(program)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ) as started:
        came = wait_for(lambda: (tmp_path / "started").exists() and running(program) != [])
        started.kill()
        started.wait()
    assert came
    assert wait_for(lambda: running(program) == [])


def test_the_settings_of_pyshark_in_the_current_folder_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.ini").write_text("[tshark]\ntshark_path = /bin/false\n")
    with run_of(DEMO) as tshark:
        assert int(next(tshark.packets()).number) > 0
    (tmp_path / "config.ini").write_text("no ini file")
    with run_of(DEMO) as tshark:
        assert int(next(tshark.packets()).number) > 0


def test_a_packet_that_takes_too_much_memory_ends_the_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.crosscheck.tshark_process.LARGEST_PACKET", 1000)
    with run_of(DEMO) as tshark, pytest.raises(TsharkError, match="for one packet"):
        list(tshark.packets())
    assert is_gone(tshark.pid)
