"""What a user meant by a word that does not exist is named."""

import pytest

from analyzer.cli.arguments import COMMANDS, parse
from analyzer.cli.near_misses import _OTHER_WORDS, no_such_command
from analyzer.cli.output import CommandError

from .conftest import Run


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("sesions a.pcap", "sesions: no such command and no such file; did you mean sessions?"),
        ("Summary a.pcap", "did you mean summary?"),
        ("list", "did you mean sessions / packets?"),
        ("decrypt a.pcap", "did you mean follow / export?"),
        ("help sho", "did you mean show?"),
        ("zzz", "zzz: no such command and no such file (see analyzer --help)"),
        ("-V", "-V: the version comes with --version"),
        ("sessions a.pcap -V", "-V: the version comes with --version"),
        ("sessions a.pcap --mesages", "did you mean --messages? (see analyzer sessions --help)"),
        ("--verson", "did you mean --version?"),
        ("a.pcap --key keys", "did you mean --keylog?"),
        ("show a.pcap 0 --messages", "--messages is an option of sessions (see analyzer show --help)"),
        ("packets a.pcap -j 2", "-j is an option of "),
        ("sessions a.pcap --zzzzz", "unrecognized arguments: --zzzzz (see analyzer sessions --help)"),
        ("interfaces eth0", "unrecognized arguments: eth0 (see analyzer interfaces --help)"),
    ],
)
def test_the_nearest_is_named(words: str, meant: str):
    with pytest.raises(CommandError) as caught:
        parse(words.split())
    assert meant in str(caught.value)


@pytest.mark.parametrize("word", ["trace.pcap", "./sesions", "day/one", "caf\u00e9", "a b", "9"])
def test_what_looks_like_a_file_is_one(word: str):
    assert no_such_command(word, COMMANDS) == ""


def test_a_file_is_not_taken_for_a_command(run: Run):
    assert run("README.md").complaint.startswith("analyzer: README.md: ")


def test_no_other_word_is_a_command():
    assert not {word for words in _OTHER_WORDS.values() for word in words} & set(COMMANDS)
