"""The options of `analyzer live`: what is wrong with them is one line, before anything is opened."""

import shlex
from pathlib import Path

import pytest

from analyzer.cli.arguments import parse
from analyzer.cli.live_arguments import EXAMPLES
from analyzer.cli.live_settings import check_live, limits_of, quantity, ring_of, seconds_of, triggers_of

from .conftest import Run

WRONG = [
    ([], "say which interface"),
    (["lo", "-"], "does not go together with other interfaces"),
    (["-", "-f", "tcp"], "a pipe has no filter"),
    (["lo", "--rotate", "5min"], "--rotate needs -w FILE"),
    (["lo", "-w", "f", "--keep", "3"], "--keep needs --rotate"),
    (["lo", "--keep-before", "60s"], "--keep-before needs --trigger"),
    (["lo", "--embed-keys"], "--embed-keys needs"),
    (["lo", "--events", "--format", "text"], "--events are JSON"),
    (["lo", "--trigger", "decrypt_eror"], "no finding and no cause has the code 'decrypt_eror'"),
    (["lo", "--trigger", "fatal_alert", "--keep-before", "soon"], "--keep-before soon: say a time"),
    (["lo", "-w", "-"], "-w -: packets go into a file"),
    (["lo", "-w", "f", "--rotate", "0KB"], "--rotate 0KB: a file has at least 100kB"),
    (["lo", "-w", "f", "--rotate", "99.9kB"], "at least 100kB"),
    (["lo", "-w", "f", "--rotate", "5 apples"], "--rotate 5 apples: say a size"),
    (["lo", "-a", "duration:ever"], "-a duration:ever: say"),
    (["lo", "-a", "filesize:100"], "needs -w FILE"),
    (["lo", "-a", "sessions:100"], "'sessions' is not known"),
    (["lo", "-c", "0"], "'0' is no number from 1"),
    (["lo", "-B", "100000"], "'100000' is no number from 1 to 4096"),
    (["lo", "-s", "x"], "'x' is no number"),
    (["-", "--", "curl"], "captured on interfaces, not in a pipe"),
    (["lo", "--user", "root", "--", "curl"], "--user does not go with a command"),
    (["lo", "--", "no-such-program"], "no such command"),
    (["./no-such-pipe"], "No such file"),
]


@pytest.mark.parametrize(("words", "expected"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_a_wrong_option_is_one_line(words: list[str], expected: str, run: Run):
    done = run("live", *words)
    assert done.status == 2
    assert done.out == b""
    assert expected in done.complaint


def test_interfaces_are_named_in_two_ways():
    options = parse(["live", "eth0", "-i", "lo", "--interface", "eth0"])
    check_live(options)
    assert options.interfaces == ["eth0", "lo"]


def test_a_command_keeps_its_own_options():
    options = parse(["live", "lo", "--", "curl", "-k", "--", "x"])
    assert options.words == ["curl", "-k", "--", "x"]
    assert options.keylog == []
    anywhere = parse(["live", "--", "curl"])
    check_live(anywhere)
    assert anywhere.interfaces == ["any"]


def test_the_least_number_of_packets_counts():
    options = parse(["live", "lo", "-c", "50", "-a", "packets:20", "-a", "duration:3"])
    assert (limits_of(options).n_frames, limits_of(options).seconds) == (20, 3)


@pytest.mark.parametrize(
    ("text", "n_bytes", "seconds"),
    [
        ("100MB", 100_000_000, None),
        ("100kB", 100_000, None),
        ("1.5MB", 1_500_000, None),
        ("5min", None, 300),
        ("1h", None, 3600),
    ],
)
def test_sizes_and_times(text: str, n_bytes: int | None, seconds: float | None):
    ring = ring_of(parse(["live", "lo", "-w", "f", "--rotate", text, "--keep", "7"]))
    assert ring is not None
    assert (ring.n_bytes, ring.seconds, ring.keep) == (n_bytes, seconds, 7)


def test_the_time_before_an_incident_is_a_minute():
    assert seconds_of(parse(["live", "lo", "--trigger", "fatal_alert"])) == 60
    assert quantity("-1s", {"S": 1}) is None
    assert quantity("1e9s", {"S": 1}) is None


def test_a_file_that_cannot_be_written(run: Run, demo: Path, tmp_path: Path):
    done = run("live", "-", "-w", tmp_path / "nowhere" / "f.pcapng", stdin=demo.read_bytes())
    assert done.status == 2
    assert "No such file or directory" in done.complaint
    done = run("live", "-", "--trigger", "fatal_alert", "--incidents", tmp_path / "nowhere", stdin=demo.read_bytes())
    assert "not a folder" in done.complaint


def test_the_examples_of_the_help_are_right():
    lines = [line for line in EXAMPLES.splitlines() if "analyzer live" in line]
    assert len(lines) >= 7
    for line in lines:
        command = line.rpartition("analyzer ")[2].partition(" | jq")[0].split("   ")[0]
        options = parse(shlex.split(command))
        check_live(options)
        limits_of(options), ring_of(options), seconds_of(options)
        if options.trigger is not None:
            assert triggers_of(options)
