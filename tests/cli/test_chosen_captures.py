"""-c, and a filter behind the captures."""

import json

import pytest

from analyzer.cli.exit_status import FAILED

from .conftest import Run


def numbers(run, *words):
    return [int(line) for line in run(*words, "-T", "fields", "-e", "frame.number").text.split()]


def test_only_so_many_frames_are_read(run: Run, demo):
    assert numbers(run, "-r", demo, "-c", 5) == [1, 2, 3, 4, 5]
    assert numbers(run, "-r", demo, "-c", 20, "-Y", "tcp.port == 443") == [19, 20]


@pytest.mark.parametrize("jobs", [1, 2])
def test_sessions_behind_them_are_not_there(run: Run, demo, jobs):
    found = [json.loads(line) for line in run("sessions", demo, "-c", 81, "--json", "-j", jobs).out.splitlines()]
    assert sorted(session["id"] for session in found) == [0, 1]
    assert run("sessions", demo, "-c", 81, "--json", "-j", jobs).status == 0


def test_several_captures_are_one(run: Run, demo, captures):
    found = numbers(run, demo, captures / "vlan" / "vlan.pcap", "-c", 214)
    assert len(found) == 214


def test_the_summary_counts_what_is_read(run: Run, demo):
    found = json.loads(run(demo, "-c", 3, "--json").out)
    assert found["packets"] == 3


@pytest.mark.parametrize("words", [["tcp port 80"], ["tcp", "port", "80"]])
def test_a_capture_filter_may_stand_behind_the_captures(run: Run, demo, words):
    assert numbers(run, demo, *words) == list(range(9, 19))


@pytest.mark.parametrize("words", [["arp"], ["eth.type == 0x806"], ["eth.type", "==", "0x806"]])
def test_a_display_filter_may_too(run: Run, demo, words):
    assert numbers(run, "-r", demo, *words) == [1, 2, 3, 4]


@pytest.mark.parametrize("words", [["io"], ["-z", "io,stat,0"], ["conversations", "--json"]])
def test_a_capture_filter_may_stand_behind_what_is_counted(run: Run, demo, words):
    chosen = run("stats", demo, *words, "tcp port 80")
    assert chosen.status == 0
    assert chosen.out != run("stats", demo, *words).out
    assert b"no packet passes" in run("stats", demo, *words, "udp port 9999").err


def test_a_capture_filter_may_stand_behind_a_session_or_frame(run: Run, demo):
    assert "www.bank.example" in run("show", demo, "0", "host 198.51.100.44").out.decode()
    assert "Frame 119" in run("packet", demo, "119", "tcp", "port", "443").out.decode()
    assert "missing.pcap: No such file" in run("show", demo, "missing.pcap", "0").complaint


def test_the_frames_that_pass_are_all_there_is(run: Run, demo):
    found = [json.loads(line) for line in run("sessions", demo, "host 203.0.113.30", "--json").out.splitlines()]
    assert [session["server_name"] for session in found] == ["news.example"]
    assert found[0]["first_frame"] == 82


@pytest.mark.parametrize("command", ["packets", "sessions", "summary"])
def test_a_filter_that_no_frame_passes_is_named(run: Run, demo, command):
    for words in ([], ["-j", "2"] if command != "packets" else []):
        found = run(command, demo, "udp port 9999", *words)
        assert (found.status, found.complaint) == (0, "analyzer: no packet passes udp port 9999")
        assert run(command, demo, "tcp port 443", *words).err == b""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tcp prt 443"], "filter: 'tcp prt 443'"),
        (["missing.pcap"], "missing.pcap: No such file"),
        (["-c", "0"], "'0' is not from 1 on"),
        (["-d", "tcp"], "'tcp' is no rule"),
    ],
)
def test_what_is_wrong_is_said(run: Run, demo, words, why):
    found = run("packets", demo, *words)
    assert found.status == FAILED
    assert why in found.complaint


def test_a_comparison_reads_as_many_of_both(run: Run, demo):
    found = json.loads(run("compare", demo, demo, "-c", 50, "--json").out)
    assert found["sessions"]["listed"][-1]["a"] == 1
