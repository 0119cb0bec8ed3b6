"""Options may stand anywhere among the other words of a command."""

import pytest

from analyzer.cli.arguments import parse
from analyzer.cli.output import CommandError


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


def test_captures_stand_where_they_like():
    options = parse(["sessions", "a", "-j", "2", "-", "--format", "json", "b"])
    assert (options.captures, options.jobs, options.format) == (["a", "-", "b"], 2, "json")
    assert parse(["a", "--format", "json", "b"]).captures == ["a", "b"]
    assert parse(["sessions", "-k", "keys", "--", "-a", "-b"]).captures == ["-a", "-b"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show a.pcap", "ID"),
        ("show a.pcap b.pcap", "'b.pcap' is no number"),
        ("show a.pcap 1 -k", "expected one argument"),
        ("sessions a.pcap --never b.pcap", "--never"),
        ("follow", "CAPTURE, ID"),
    ],
)
def test_what_is_wrong_is_still_said(words: str, why: str):
    with pytest.raises(CommandError, match=why):
        parse(words.split())
