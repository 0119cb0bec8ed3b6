"""`analyzer report`: the forms, where they go, what is refused before anything is read, and that no clock is in them."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.report.forms import NAMES

from .conftest import Run, client_hello, pcap, tcp

ENDINGS = ("html", "pdf", "md", "json")


@pytest.fixture(scope="module")
def reports(run: Run, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    targets = [word for ending in ENDINGS for word in ("-o", folder / f"report.{ending}")]
    assert run("report", demo, *targets, "--case", "2026-1").status == 0
    return folder


def test_each_ending_is_a_form(reports: Path):
    assert (reports / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert (reports / "report.pdf").read_bytes().startswith(b"%PDF-1.")
    assert (reports / "report.md").read_bytes().startswith(b"# ")
    assert json.loads((reports / "report.json").read_bytes())["case"]["case"] == "2026-1"


def test_the_same_captures_and_options_give_the_same_bytes(run: Run, demo: Path, reports: Path, tmp_path: Path):
    targets = [word for ending in ENDINGS for word in ("-o", tmp_path / f"report.{ending}")]
    assert run("report", demo, *targets, "--case", "2026-1").status == 0
    for ending in ENDINGS:
        assert (tmp_path / f"report.{ending}").read_bytes() == (reports / f"report.{ending}").read_bytes()


def test_a_report_in_chinese_has_no_english_sentence(run: Run, demo: Path, tmp_path: Path):
    assert run("report", demo, "--lang", "zh", "-o", tmp_path / "a.html", "-o", tmp_path / "a.md").status == 0
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "客户端发起握手" in page
    assert "The client opens" not in page
    assert '<html lang="zh-CN">' in page
    assert "<title>网络通信数据检验报告</title>" in page
    for text in (page, (tmp_path / "a.md").read_text("utf-8")):
        assert "检验发现" in text
        assert "服务器名称" in text
        assert "server name" not in text
        assert "What was examined" not in text


def test_a_pdf_in_chinese_without_a_font_is_one_line_before_anything_is_read(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "a.pdf"
    result = run("report", demo, "--lang", "zh", "-o", target, "--font-path", tmp_path)
    assert (result.status, target.exists()) == (2, False)
    assert result.err.count(b"\n") == 1
    assert b"fonts-noto-cjk" in result.err


@pytest.mark.peer("tshark")
def test_a_second_opinion_is_a_part_of_the_report(run: Run, demo: Path, tmp_path: Path):
    targets = ("-o", tmp_path / "a.json", "-o", tmp_path / "a.md", "-o", tmp_path / "a.pdf")
    assert run("report", demo, "--crosscheck", *targets).status == 0
    result = json.loads((tmp_path / "a.json").read_bytes())["crosscheck"]
    assert result == json.loads(run("crosscheck", demo, "--format", "json").out)
    assert result["compared"] == result["agreed"] + result["explained"] > 100
    assert "Second opinion\n" in (tmp_path / "a.md").read_text()


def test_without_a_second_opinion_the_report_says_so(run: Run, demo: Path, reports: Path, tmp_path: Path):
    assert json.loads((reports / "report.json").read_bytes())["crosscheck"] is None
    assert "No second program was asked" in (reports / "report.md").read_text()
    ran = run("report", demo, "--crosscheck", "--tshark", tmp_path / "none", "-o", tmp_path / "a.md")
    assert (ran.status, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize("form", ["case", "stix"])
def test_a_form_that_no_ending_has_is_asked_for_by_name(run: Run, demo: Path, tmp_path: Path, form: str):
    target = tmp_path / NAMES[form]
    assert run("report", demo, "-o", target, "--format", form).status == 0
    assert json.loads(target.read_bytes())


def test_a_bundle_has_the_forms_that_were_asked_for(run: Run, demo: Path, tmp_path: Path):
    bundle = tmp_path / "bundle"
    assert run("report", demo, "--bundle", bundle, "-o", tmp_path / "a.html", "--redact", "addresses").status == 0
    names = {path.name for path in bundle.iterdir()}
    assert {"report.json", "report.html", "sessions.jsonl", "manifest.json", "actions.jsonl"} <= names
    assert (bundle / "report.html").read_bytes() == (tmp_path / "a.html").read_bytes()
    assert run("verify", bundle).status == 0
    for path in bundle.iterdir():
        assert b"192.0.2.10" not in path.read_bytes(), path.name


def test_the_case_comes_from_options_and_from_a_file(run: Run, demo: Path, tmp_path: Path):
    case = tmp_path / "case.toml"
    case.write_text('case = "1"\nexaminer = "A. Example"\n')
    target = tmp_path / "report.json"
    run("report", demo, "-o", target, "--case-file", case, "--case", "2", "--digest", "sha512,blake2b")
    facts = json.loads(target.read_bytes())
    assert (facts["case"]["case"], facts["case"]["examiner"]) == ("2", "A. Example")
    (one,) = facts["evidence"]["inputs"]
    assert one["sha512"] == hashlib.sha512(demo.read_bytes()).hexdigest()
    assert one["blake2b"] == hashlib.blake2b(demo.read_bytes()).hexdigest()
    assert one["unchanged"] is True


def test_the_time_of_issue_is_only_that_which_is_given(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "report.json"
    run("report", demo, "-o", target)
    assert json.loads(target.read_bytes())["issued_at"] is None
    run("report", demo, "-o", target, "--force", "--issued-at", "2026-12-01")
    assert json.loads(target.read_bytes())["issued_at"] == "2026-12-01T00:00:00.000000000Z"


def test_the_time_of_validation_is_said(run: Run, demo: Path, tmp_path: Path):
    run("report", demo, "-o", tmp_path / "a.json", "-o", tmp_path / "a.md", "--at", "1969-12-31")
    assert json.loads((tmp_path / "a.json").read_bytes())["options"]["at"] == "1969-12-31T00:00:00.000000000Z"
    assert "**Certificates judged for:** 1969-12-31 00:00:00 UTC" in (tmp_path / "a.md").read_text()
    run("report", demo, "-o", tmp_path / "b.md")
    assert "**Certificates judged for:** the beginning of each session" in (tmp_path / "b.md").read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "say where to: -o report.html"),
        (("-o", "report.docx"), "no form of a report has this ending"),
        (("-o", "x.html", "-o", "x.html"), "the same file twice"),
        (("-o", "nowhere/x.html"), "there is no folder nowhere"),
        (("-o", "x.html", "--redact", "faces"), "--redact: 'faces' is none of"),
        (("-o", "x.html", "--digest", "md5"), "--digest: 'md5' is none of"),
        (("-o", "x.html", "--issued-at", "soon"), "--issued-at: 'soon' is no time after 1969: say now, or as in 2026-"),
        (("-o", "-", "--format", "md"), "a report goes to a file, not to standard output: -o report.html"),
        (("-o", "x.html", "--case-file", "nothing.toml"), "nothing.toml"),
        (("-o", "x.html", "--bundle", "/usr"), "/usr: the folder is not empty"),
        (("-o", "x.html", "--bundle", "nowhere/b"), "nowhere/b: there is no folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Run, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], complaint: str
):
    monkeypatch.chdir(tmp_path)
    ran = run("report", demo, *words)
    assert ran.status == 2
    assert complaint in ran.complaint
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unasked(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "report.html"
    target.write_text("mine")
    ran = run("report", demo, "-o", target)
    assert (ran.status, target.read_text()) == (2, "mine")
    assert "--force writes over it" in ran.complaint
    copy = tmp_path / "capture.json"
    copy.write_bytes(demo.read_bytes())
    assert "would overwrite this input" in run("report", copy, "-o", copy, "--force").complaint
    assert copy.read_bytes() == demo.read_bytes()


def test_a_damaged_capture_is_reported_as_far_as_it_goes(run: Run, demo: Path, tmp_path: Path):
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(demo.read_bytes()[:30_000])
    target = tmp_path / "report.json"
    ran = run("report", cut, "-o", target)
    assert ran.status == 1
    facts = json.loads(target.read_bytes())
    assert facts["evidence"]["inputs"][0]["error"]["detail"]
    assert "damaged_capture" in {one["code"] for one in facts["limits"]}


def test_a_report_that_was_stopped_says_so(run: Run, demo: Path, tmp_path: Path):
    """The reader of a pipe that stays open is stopped by a signal; the second capture is never reached."""
    target = tmp_path / "report.json"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "analyzer", "report", str(pipe), str(demo), "-o", str(target)]
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    with subprocess.Popen(command, env=environment) as process, open(pipe, "wb", buffering=0) as writer:
        writer.write(demo.read_bytes()[:30_000])
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    facts = json.loads(target.read_bytes())
    limits = {one["code"]: one["args"] for one in facts["limits"]}
    assert limits["stopped"]["frame"] == facts["traffic"]["packets"] > 0
    assert limits["unread_capture"] == {"path": str(demo)}


def test_a_signal_leaves_no_records_behind(demo: Path, tmp_path: Path):
    """The second signal ends the program; the records of the sessions, which nothing has redacted, are gone with it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "analyzer", "report", str(pipe), "--bundle", str(tmp_path / "b"), "--redact", "names"]
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process, open(pipe, "wb", buffering=0) as writer:
        writer.write(demo.read_bytes()[:30_000])
        while not list(temporary.iterdir()):
            time.sleep(0.1)
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        assert process.wait(1) != 0
    assert list(temporary.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_pipe_is_hashed_once(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "report.json"
    assert run("report", "-", "-o", target, stdin=demo.read_bytes()).status == 0
    (one,) = json.loads(target.read_bytes())["evidence"]["inputs"]
    assert one["sha256"] == hashlib.sha256(demo.read_bytes()).hexdigest()
    assert (one["sha256_after"], one["unchanged"]) == (None, None)


def test_long_tables_stand_beside_a_pdf_and_inside_a_page(run: Run, many_sessions: Path, tmp_path: Path):
    run("report", many_sessions, "-o", tmp_path / "a.html", "-o", tmp_path / "b.md")
    assert {path.name for path in tmp_path.iterdir()} >= {"a.html", "b.md", "b.sessions.csv"}
    assert "data:text/csv" in (tmp_path / "a.html").read_text()
    assert (tmp_path / "b.sessions.csv").read_bytes().count(b"\r\n") == 61


def test_several_forms_share_their_tables(run: Run, many_sessions: Path, tmp_path: Path):
    assert run("report", many_sessions, "-o", tmp_path / "a.json", "-o", tmp_path / "a.md").status == 0
    assert {"a.json", "a.md", "a.sessions.csv"} <= {path.name for path in tmp_path.iterdir()}


def test_a_table_that_exists_is_refused_before_anything_is_written(run: Run, many_sessions: Path, tmp_path: Path):
    (tmp_path / "a.sessions.csv").write_text("mine")
    ran = run("report", many_sessions, "-o", tmp_path / "a.md")
    assert (ran.status, [path.name for path in tmp_path.iterdir()]) == (2, ["a.sessions.csv"])
    assert "a.sessions.csv: it exists already; --force writes over it" in ran.complaint
    assert (tmp_path / "a.sessions.csv").read_text() == "mine"


@pytest.fixture
def many_sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.pcap"
    path.write_bytes(pcap(*(tcp(client_hello(b"a.example"), source_port=40_000 + n) for n in range(60))))
    return path
