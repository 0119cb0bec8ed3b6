"""The commands in a report: quoted for a shell, with the options of the run that the command knows."""

import shlex
from typing import Any

import pytest

from analyzer.cli.arguments import parse
from analyzer.report.command_lines import command_line, options_of, report_line


def facts_with(command: list[str], *paths: str) -> dict[str, Any]:
    return {"command": command, "evidence": {"inputs": [{"path": path} for path in paths]}}


@pytest.mark.parametrize("path", ["a b.pcap", "$(rm -rf ~).pcap", "a'b;c.pcap", "a\nb", "`id`"])
def test_names_are_quoted(path: str) -> None:
    line = command_line(facts_with(["report", path, "-o", "r.html"], path), "summary", "--format", "json")
    assert shlex.split(line) == ["analyzer", "summary", path, "--format", "json"]
    assert shlex.split(report_line(facts_with(["report", path], path))) == ["analyzer", "report", path, "-o", "report.html"]


def test_a_name_like_an_option_is_a_name() -> None:
    assert command_line(facts_with([], "-k", "-"), "summary") == "analyzer summary ./-k -"


def test_options_go_to_the_commands_that_know_them() -> None:
    words = ["report", "a.pcap", "-k", "a.keys", "--trust=b.pem", "-kc.keys", "--at", "2026-01-01", "--case=-k", "-o", "r.html"]
    facts = facts_with(words, "a.pcap")
    assert command_line(facts, "show", "3") == "analyzer show a.pcap 3 -k a.keys --trust=b.pem -kc.keys --at 2026-01-01"
    assert command_line(facts, "packets") == "analyzer packets a.pcap -k a.keys -kc.keys"


def test_the_part_of_a_report_goes_to_its_commands() -> None:
    words = ["report", "a.pcap", "-Y", "ip.src == 192.0.2.1", "--since=2026-01-01", "--host", "a.example", "-o", "r.html"]
    facts = facts_with(words, "a.pcap")
    part = ["-Y", "ip.src == 192.0.2.1", "--since=2026-01-01", "--host", "a.example"]
    for command in ("summary", "sessions", "certificates", "inventory", "packets"):
        assert shlex.split(command_line(facts, command)) == ["analyzer", command, "a.pcap", *part]
    assert command_line(facts, "show", "3") == "analyzer show a.pcap 3"


def test_the_value_of_another_option_is_no_option() -> None:
    """Argparse takes no value that begins with a hyphen, except behind an equals sign."""
    assert options_of(["report", "--case=--trust", "a.pcap", "--trust", "b"], ("--trust",)) == ["--trust", "b"]
    assert options_of(["report", "a.pcap", "--trust"], ("--trust",)) == []


@pytest.mark.parametrize("command", ["summary", "sessions", "certificates", "inventory", "packets"])
def test_the_commands_are_those_of_the_program(command: str) -> None:
    facts = facts_with(["report", "a.pcap", "-k", "a.keys", "--trust", "b.pem", "-o", "r.html"], "a.pcap")
    options = parse(shlex.split(command_line(facts, command, "--format", "csv" if command == "packets" else "json"))[1:])
    assert options.command == command
    assert options.captures == ["a.pcap"]
    assert options.keylog == ["a.keys"]
