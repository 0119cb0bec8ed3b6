"""Finds what a user meant by a command or an option that does not exist."""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence

MOST = 3
"""The most names that are proposed."""

_OR = " / "

_ALIKE = 0.6
"""How similar two words have to be, as `difflib` measures it."""

WHAT_V_IS = "-V: the version comes with --version, and the tree of a packet with `analyzer packet CAPTURE FRAME`"
"""The message about `-V`, which has two meanings in other programs."""

TSHARK_OPTIONS = {
    "-x": "-x: the bytes of packets come with their trees: -V, or `analyzer packet CAPTURE FRAME`",
    "-w": "-w: packets are written by `analyzer export CAPTURE -o FILE.pcapng`, and by `analyzer live`",
    "-O": "-O: all layers are in a tree: -V, or -T fields with the fields of one",
    "-G": "-G: the fields are listed by `analyzer fields`",
    "-R": "-R: a display filter is -Y here",
    "-i": "-i: packets of an interface come with `analyzer live INTERFACE`",
    "--export-objects": "--export-objects: objects are written by `analyzer export CAPTURE -o DIR`",
}
"""The messages about options of tshark that are something else here."""

OF_ALL = ("--version", "--completion")
"""Options that stand without a command."""

_WORD = re.compile(r"[A-Za-z][A-Za-z-]{1,24}", re.ASCII)
"""What may be meant as a command. Names of captures have a dot or a slash in them, nearly always."""

_OTHER_WORDS = {
    "summary": (
        "analyze",
        "capinfos",
        "conversations",
        "info",
        "read",
        "stat",
    ),
    "sessions": (
        "connections",
        "flows",
        "list",
        "ls",
        "tls",
    ),
    "show": (
        "details",
        "handshake",
        "print",
        "view",
    ),
    "http": (
        "requests",
        "urls",
    ),
    "certificates": ("certs",),
    "follow": (
        "decrypt",
        "streams",
    ),
    "export": (
        "decrypt",
        "extract",
        "objects",
        "streams",
    ),
    "packets": (
        "dump",
        "frames",
        "list",
        "ls",
        "print",
        "view",
    ),
    "packet": (
        "dump",
        "frame",
        "tree",
    ),
    "keys": ("secrets",),
    "live": (
        "capture",
        "monitor",
        "sniff",
        "watch",
    ),
    "compare": ("diff",),
    "crosscheck": ("check",),
}
"""The commands, and words of other programs and of everyday language that stand for them."""


def no_such_command(word: str, commands: Iterable[str]) -> str:
    """Return the message that a word is no command and no file, with what may be meant. Empty if it can only mean a file."""
    if not _WORD.fullmatch(word):
        return ""
    from difflib import get_close_matches

    known = list(commands)
    lower = word.lower()
    meant = [name for name, words in _OTHER_WORDS.items() if name in known and lower in words]
    meant = meant or ([lower] if lower in known else get_close_matches(lower, known, MOST, _ALIKE))
    if not meant:
        return f"{word}: no such command and no such file (see analyzer --help)"
    return f"{word}: no such command and no such file; did you mean {_OR.join(meant)}?"


def no_such_options(
    words: Sequence[str], command: argparse.ArgumentParser, commands: Mapping[str, argparse.ArgumentParser]
) -> str:
    """Return the message that a command does not know these words, with what may be meant by the first one."""
    given = " ".join(words)
    word = words[0].partition("=")[0]
    if word == "-V":
        return WHAT_V_IS
    if word in TSHARK_OPTIONS:
        return TSHARK_OPTIONS[word]
    text = f"unrecognized arguments: {given}"
    meant = _options_like(word, command)
    elsewhere = [name for name, other in commands.items() if word in other._option_string_actions][:MOST]
    if meant:
        text = f"unrecognized arguments: {given}; did you mean {_OR.join(meant)}?"
    elif word.startswith("-") and elsewhere:
        text = f"unrecognized arguments: {given}; {word} is an option of {_OR.join(elsewhere)}"
    return f"{text} (see {command.prog} --help)"


def _options_like(word: str, command: argparse.ArgumentParser) -> list[str]:
    """Return the long options of a command that are nearest to a word, and those that begin with it if none is near."""
    if not word.startswith("--"):
        return []
    from difflib import get_close_matches

    own = [*(name for name in command._option_string_actions if name.startswith("--")), *OF_ALL]
    alike = get_close_matches(word[2:], [name[2:] for name in own], MOST, _ALIKE + 0.1)
    return [f"--{name}" for name in alike] or [name for name in own if name.startswith(word)][:MOST]
