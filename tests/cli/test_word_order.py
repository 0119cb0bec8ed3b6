"""Options may stand anywhere among the other words of a command."""

from pathlib import Path

import pytest

from analyzer.cli.arguments import parse, parser, parsers_of_commands
from analyzer.cli.output import CommandError
from analyzer.cli.word_order import with_command


@pytest.mark.parametrize(
    "words",
    [
        "show a.pcap b.pcap 3 -k keys --terse",
        "show a.pcap b.pcap -k keys 3 --terse",
        "show a.pcap -k keys b.pcap --terse 3",
        "show --terse -k keys a.pcap b.pcap 3",
        "show a.pcap --keylog=keys b.pcap 3 --terse",
        "show a.pcap -kkeys b.pcap 3 --terse",
        "--color never show a.pcap --terse b.pcap -k keys -- 3",
    ],
)
def test_options_stand_where_they_like(words: str):
    options = parse(words.split())
    assert (options.captures, options.id, options.keylog, options.terse) == (["a.pcap", "b.pcap"], 3, ["keys"], True)


@pytest.mark.parametrize("words", ["packet a.pcap -Y tcp", "packet -Ytcp -r a.pcap", "a.pcap packet --filter tcp"])
def test_packet_with_a_filter_shows_all_that_pass(words: str):
    options = parse(words.split())
    assert (options.command, options.captures, options.filter, options.trees) == ("packets", ["a.pcap"], "tcp", True)


def test_packet_with_a_filter_and_a_number_shows_one():
    options = parse(["packet", "a.pcap", "7", "-Y", "tcp"])
    assert (options.command, options.frame, options.filter) == ("packet", 7, "tcp")


def test_captures_stand_where_they_like():
    options = parse(["sessions", "a", "-j", "2", "-", "--format", "json", "b"])
    assert (options.captures, options.jobs, options.format) == (["a", "-", "b"], 2, "json")
    assert parse(["a", "--format", "json", "b"]).captures == ["a", "b"]
    assert parse(["sessions", "-k", "keys", "--", "-a", "-b"]).captures == ["-a", "-b"]


@pytest.mark.parametrize("words", ["-nr a.pcap -2", "-n2lr a.pcap", "-nra.pcap", "-n -r a.pcap", "a.pcap -N n"])
def test_several_options_stand_in_one_word(words: str):
    options = parse([*words.split(), "-T", "fields", "-eip.src"])
    assert (options.captures, options.command, options.row_fields) == (["a.pcap"], "packets", ["ip.src"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show a.pcap", "ID"),
        ("show captures/demo.pcapng -1", "'-1' is no number"),
        ("show captures/demo.pcapng README.md", "'README.md' is a file: which session of it?"),
        ("show a.pcap b..pcap", "'b..pcap' is no number, no server name and no filter"),
        ("a.pcap show", "ID"),
        ("show a.pcap 1 -k", "expected one argument"),
        ("sessions a.pcap --never b.pcap", "--never"),
        ("follow", "CAPTURE, ID"),
    ],
)
def test_what_is_wrong_is_still_said(words: str, why: str):
    with pytest.raises(CommandError, match=why):
        parse(words.split())


@pytest.mark.parametrize(
    "words",
    [
        "show captures/demo.pcapng 3 --terse",
        "show 3 captures/demo.pcapng --terse",
        "captures/demo.pcapng show 3 --terse",
        "captures/demo.pcapng 3 --terse show",
        "-r captures/demo.pcapng show 3 --terse",
        "show -r captures/demo.pcapng 3 --terse",
        "show 3 --terse --read=captures/demo.pcapng",
        "show -rcaptures/demo.pcapng --terse -- 3",
        "--no-pager --terse captures/demo.pcapng show 3",
    ],
)
def test_captures_ids_and_the_command_stand_where_they_like(words: str):
    options = parse(words.split())
    assert (options.command, options.captures, options.id, options.terse) == ("show", ["captures/demo.pcapng"], 3, True)


def test_captures_of_both_spellings_are_one_list():
    assert parse(["sessions", "b", "-r", "a", "--read", "c"]).captures == ["a", "c", "b"]
    assert parse(["-r", "a", "-k", "keys"]).command == "summary"
    assert parse(["sessions", "-r", "-x.pcap"]).captures == ["-x.pcap"]


def test_a_value_that_is_named_as_a_command_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    options = parse(["captures/demo.pcapng", "-o", "sessions"])
    assert (options.command, options.output) == ("summary", ["sessions"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sessions").touch()
    assert parse(["a.pcap", "sessions"]).captures == ["a.pcap", "sessions"]


@pytest.mark.parametrize(("words", "stands_for"), [("help", "--help"), ("help show", "show --help"), ("version", "--version")])
def test_words_of_other_programs(words: str, stands_for: str):
    commands = parsers_of_commands(parser())
    assert with_command(words.split(), commands) == stands_for.split()


def test_json_is_a_format():
    assert parse(["sessions", "a", "--json"]).format == "json"
    assert parse(["verify", "a", "--json"]).format == "json"
    with pytest.raises(CommandError, match="--json"):
        parse(["packet", "a", "1", "--json"])
