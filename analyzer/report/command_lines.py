"""Makes the command lines with which a reader gets the numbers of a report again, quoted for a shell (POSIX sh).

They name the same captures, keys, trust stores and times as the run of the report. The options are taken from the words of that
run's command, and only those that a command knows.
"""

import shlex
from collections.abc import Sequence

from analyzer.report.pieces import Record

_KEYS = ("-k", "--keylog", "--rsa-key", "--psk-file", "--password-file")
_TRUST = ("--trust", "--intermediates", "--crl", "--ct-logs", "--at", "--strict")

_PART = ("-Y", "--filter", "--macros", "--since", "--until", "--host")
"""What chooses a part of the captures. A session is shown by its number, which is the same without these."""

_FLAGS = ("--strict",)
"""Options without a value."""

_OPTIONS: dict[str, tuple[str, ...]] = {
    "summary": (*_KEYS, *_TRUST, *_PART),
    "sessions": (*_KEYS, *_TRUST, *_PART),
    "show": (*_KEYS, *_TRUST),
    "certificates": (*_KEYS, *_TRUST, *_PART),
    "inventory": (*_KEYS, *_TRUST, *_PART),
    "follow": _KEYS,
    "packets": (*_KEYS, *_PART),
    "packet": _KEYS,
}
"""The options with a value that each command takes from the command of the report."""


def command_line(facts: Record, command: str, *words: str, inputs: Sequence[str] | None = None) -> str:
    """Return a command line. words: arguments after the captures. inputs: the captures; None for all of the report."""
    paths = [one["path"] for one in facts["evidence"]["inputs"]] if inputs is None else inputs
    names = ["./" + path if path.startswith("-") and path != "-" else path for path in paths]
    return shlex.join(["analyzer", command, *names, *words, *options_of(facts["command"], _OPTIONS.get(command, ()))])


def report_line(facts: Record) -> str:
    """Return the command line of the report itself. Where the report goes is not in the facts: a name stands for it."""
    words = list(facts["command"])
    return shlex.join(["analyzer", *words, *([] if {"-o", "--output", "--bundle"} & set(words) else ["-o", "report.html"])])


def options_of(words: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the options of a command with their values, as far as they are among the known ones."""
    found: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        name, is_long, _ = word.partition("=")
        if word in _FLAGS and word in known:
            found.append(word)
        elif word in known and place + 1 < len(words):
            found += [word, words[place + 1]]
            place += 1
        elif (is_long and name in known) or (word[:2] in known and len(word) > 2 and word[1] != "-"):
            found.append(word)
        place += 1
    return found
