"""`analyzer crosscheck`: text, JSON, CSV, exit status, and what is left of tshark."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from stuck_tshark import running, script, stopped, wait_for, with_options

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.store.output_schemas import SCHEMAS

from .conftest import Run

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
DEMO = CAPTURES / "demo.pcapng"
TROUBLE = CAPTURES / "tcp-trouble" / "tcp-trouble.pcapng"
RSA = CAPTURES / "tls13-rsa" / "tls13-rsa.pcapng"


def keys(capture: Path) -> tuple[str, Path]:
    return "-k", capture.with_suffix(".keys")


@pytest.mark.peer("tshark")
def test_both_agree_on_the_demonstration(run: Run):
    ran = run("crosscheck", DEMO)
    assert (ran.status, ran.err) == (0, b"")
    assert "agreement       100.00%" in ran.text
    assert "tcp.reassemble_out_of_order:TRUE" in ran.text


@pytest.mark.peer("tshark")
def test_a_difference_has_both_values_the_frame_and_the_reason(run: Run):
    ran = run("crosscheck", TROUBLE, *keys(TROUBLE), "--format", "json")
    result = json.loads(ran.out)
    jsonschema.validate(result, SCHEMAS["crosscheck"])
    assert ran.status == 0
    assert result["agreed"] + result["explained"] == result["compared"]
    assert result["percent"] == 100
    [difference] = result["differences"]
    assert difference == {
        "capture": str(TROUBLE), "session": 3, "frame": 105, "frame_in_capture": None, "field": "alerts",
        "ours": "server warning close_notify",
        "tshark": None, "reason": "lost_segment",
    }  # fmt: skip
    text = run("crosscheck", TROUBLE, *keys(TROUBLE)).text
    assert reason_codes()["lost_segment"].meaning[:60] in text
    rows = list(csv.DictReader(io.StringIO(run("crosscheck", TROUBLE, *keys(TROUBLE), "--format", "csv").text)))
    assert [(row["session"], row["tshark"], row["reason"]) for row in rows] == [("3", "", "lost_segment")]


@pytest.mark.peer("tshark")
def test_differences_without_a_reason_have_status_3(run: Run, tmp_path: Path):
    program = with_options(tmp_path, "-o", "tls.keylog_file:/nonexistent/keys")
    ran = run("crosscheck", RSA, *keys(RSA), "--tshark", program)
    assert ran.status == 3
    assert "unknown" in ran.text
    assert "unexplained     0" not in ran.text


@pytest.mark.peer("tshark")
def test_several_captures_and_several_key_logs(run: Run):
    ran = run("crosscheck", RSA, TROUBLE, *keys(RSA), *keys(TROUBLE), "--format", "json")
    result = json.loads(ran.out)
    assert ran.status == 0
    assert result["captures"] == [str(TROUBLE), str(RSA)]  # in the order of their times
    assert {(one["capture"], one["frame_in_capture"]) for one in result["differences"]} == {(str(TROUBLE), 105)}
    assert result["sessions"] == 5


@pytest.mark.peer("tshark")
def test_sessions_go_on_from_one_capture_to_the_next(run: Run, tmp_path: Path):
    files = [tmp_path / "first.pcapng", tmp_path / "second.pcapng"]
    with files[0].open("wb") as first, files[1].open("wb") as second:
        writers = [PcapngWriter(first), PcapngWriter(second)]
        for writer in writers:
            writer.write_interface(1)
        for packet_reader in CaptureReader([str(DEMO)]).packet_readers():
            while packet_reader.advance():
                frame = packet_reader.frame
                if frame.number == 1:
                    [(_, secrets)] = packet_reader.secrets
                    writers[1].write_secrets(secrets)
                data = frame.data[frame.start : frame.end]
                writers[frame.number > 90].write_frame(frame.at, data, frame.wire_length)
    alone = json.loads(run("crosscheck", DEMO, "--format", "json").out)
    ran = run("crosscheck", *files, "--format", "json")
    result = json.loads(ran.out)
    assert (ran.status, result["captures"]) == (0, [str(path) for path in files])
    for key in ("sessions", "compared", "agreed", "differences"):
        assert result[key] == alone[key]


@pytest.mark.peer("tshark")
def test_a_capture_that_is_cut_short_is_compared_as_far_as_it_goes(run: Run, tmp_path: Path):
    (tmp_path / "cut.pcapng").write_bytes(RSA.read_bytes()[:-9])
    ran = run("crosscheck", tmp_path / "cut.pcapng", *keys(RSA), "--format", "json")
    assert ran.status == 1
    assert json.loads(ran.out)["agreed"] > 20
    assert b"cut.pcapng" in ran.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("-",), "has to be a file"),
        ((str(CAPTURES / "demo"),), "no capture is in this folder"),
        ((str(DEMO), "-k", "-"), "standard input|has to be a file"),
        ((str(DEMO), "--tshark", "/nonexistent/tshark"), "/nonexistent/tshark: no program that can be run"),
        ((str(DEMO), "--timeout", "0"), "no number of seconds"),
        ((str(DEMO), "--timeout", "1e3"), "no number of seconds"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, words: tuple[str, ...], why: str):
    ran = run("crosscheck", *words)
    assert (ran.status, ran.out) == (2, b"")
    assert any(part in ran.complaint for part in why.split("|"))


def test_without_tshark_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run):
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = run("crosscheck", DEMO)
    assert (ran.status, ran.out) == (2, b"")
    assert "tshark is not installed" in ran.complaint


@pytest.mark.peer("tshark")
def test_a_tshark_that_hangs_is_ended_after_the_time_out(run: Run, tmp_path: Path):
    program = stopped(tmp_path)
    ran = run("crosscheck", DEMO, "--tshark", program, "--timeout", "1")
    assert (ran.status, ran.out) == (2, b"")
    assert "said nothing for 1 s" in ran.complaint
    assert running(program) == []


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_second_signal_ends_a_tshark_that_hangs(tmp_path: Path, number: signal.Signals, status: int):
    program = stopped(tmp_path)
    command = [sys.executable, "-m", "analyzer", "crosscheck", str(DEMO), "--tshark", str(program)]
    own = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background would pass on that it is ignored
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as started:
        signal.signal(signal.SIGINT, own)
        came = wait_for((tmp_path / "started").exists)
        for _ in range(2):
            started.send_signal(number)
            wait_for(lambda: started.poll() is not None, 2)
        ended = wait_for(lambda: started.poll() is not None)
        started.kill()
    assert (came, ended, started.returncode) == (True, True, status)
    assert wait_for(lambda: running(program) == [])


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(("words", "status"), [(("crosscheck", "--format", "json"), 1), (("report", "--crosscheck"), 130)])
def test_one_signal_ends_the_comparison_and_what_would_follow(tmp_path: Path, words: tuple[str, ...], status: int):
    """The program in the place of tshark sends the signal, so it comes while the first capture is compared."""
    program = script(tmp_path / "tshark", f'echo started >> "{tmp_path}/runs"\nkill -INT $PPID\nexec tshark "$@"')
    written = tmp_path / "new.html"
    command = [sys.executable, "-m", "analyzer", *words, RSA, TROUBLE, "--tshark", program, "-o", written]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ended.returncode == status, ended.stderr
    assert b"stopped after frame" in ended.stderr
    assert (tmp_path / "runs").read_text() == "started\n"
    assert written.exists() == (status == 1)
    if status == 1:
        assert json.loads(written.read_bytes())["captures"] == [str(TROUBLE)]


@pytest.mark.peer("tshark")
def test_quic_is_compared_too(run: Run):
    capture = CAPTURES / "quic-http3" / "quic-http3.pcapng"
    ran = run("crosscheck", capture, *keys(capture))
    assert (ran.status, ran.err) == (0, b"")
    text = " ".join(ran.text.split())
    assert "agreement 100.00% (the same or explained)" in text
    assert "connection_ids 16/16" in text


@pytest.mark.peer("tshark")
def test_dtls_is_compared_too(run: Run):
    capture = CAPTURES / "dtls12-cookie" / "dtls12-cookie.pcapng"
    ran = run("crosscheck", capture, *keys(capture))
    assert (ran.status, ran.err) == (0, b"")
    text = " ".join(ran.text.split())
    assert "agreement 100.00% (the same or explained)" in text
    assert "handshake 11/11" in text
