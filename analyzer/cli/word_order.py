"""Puts the words of a command line into the order that argparse understands, wherever the user wrote them.

The command may stand behind its captures: `trace.pcap show 0`. Options stand anywhere, as in programs of GNU and BSD (GNU C
library manual, "Program Argument Syntax Conventions"); argparse takes only positional arguments that stand together, so they
come first. `-r FILE` of tshark is a capture like others; where two are compared, the one that stands first is A. A session or
frame may stand before the captures: `show 0 trace.pcap`.
A command without a capture reads standard input if something comes from there. Everything behind `--` is no option.
"""

import argparse
import os
import re
from collections.abc import Iterator, Mapping, Sequence

from analyzer.cli.near_misses import WHAT_V_IS, no_such_command, no_such_options
from analyzer.cli.output import STANDARD_STREAM, CommandError
from analyzer.cli.standard_input import input_comes

Commands = Mapping[str, argparse.ArgumentParser]
"""The parsers of the commands, by name."""

DEFAULT = "summary"
"""The command of a line without one."""

FILTERING = "packets"
"""The command of such a line with a display filter, or with fields to print."""

ONE_PACKET = "packet"
"""The command that shows one packet. With a display filter and without a number it is FILTERING with trees."""

COUNTING = "stats"
"""The command of such a line with a tap of tshark (-z)."""

READ = ("-r", "--read")
"""The options whose values are captures."""

_OF_ALL = {"--color": True, "--lang": True, "--no-pager": False}
"""The options of the whole program, and whether they have a value."""

_HELP = ("-h", "--help")

_JOINED = re.compile(r"^-[nlqQ2V]+(?=[A-Za-z])")
"""Options without a value, in front of another one in the same word."""


def options_of_all(words: Sequence[str]) -> int:
    """Return how many words at the beginning of a command line are options of the whole program, before the command."""
    at = 0
    while at < len(words) and words[at].partition("=")[0] in _OF_ALL:
        at += 2 if _OF_ALL[words[at].partition("=")[0]] and "=" not in words[at] else 1
    return at


def with_command(words: list[str], commands: Commands) -> list[str]:
    """Return the words with the command in its place: at the beginning, behind the options of the whole program.

    A first word that is no command is a capture, and the command is DEFAULT, unless a command stands behind the captures.
    `help` and `version` are what other programs have for `--help` and `--version`. Raises CommandError for a word that is no
    command and can be no capture.
    """
    at = options_of_all(words)
    if at >= len(words):
        return [*words, DEFAULT, STANDARD_STREAM] if input_comes() else words
    first, before, behind = words[at], words[:at], words[at + 1 :]
    if first in commands or first in (*_HELP, "--version") or first.startswith("--completion"):
        return words
    if first == "-V" and not behind:
        raise CommandError(WHAT_V_IS)
    if first == "help" and not os.path.exists(first):
        return [*before, *_help_of(behind, commands)]
    if first == "version" and not behind:
        return [*before, "--version"]
    place = _place_of_command(words, at, commands)
    if place is not None:
        return [*before, words[place], *words[at:place], *words[place + 1 :]]
    if not first.startswith("-") and not os.path.lexists(first):
        missed = no_such_command(first, commands)
        if missed:
            raise CommandError(missed)
    chosen = COUNTING if any(map(_is_tap, words[at:])) else FILTERING if any(map(_is_of_packets, words[at:])) else DEFAULT
    return [*before, chosen, *words[at:]]


def _is_tap(word: str) -> bool:
    return _alone(word).startswith("-z")


def _is_filter(word: str) -> bool:
    return word == "--filter" or word.startswith(("-Y", "--filter="))


def _is_of_packets(word: str) -> bool:
    alone = _alone(word)
    known = _is_filter(alone) or alone in ("-V", "-q", "--columns") or alone.startswith(("-T", "-e", "-t", "--columns="))
    return known or (alone != word and "q" in word.removesuffix(alone[1:]))


def _alone(word: str) -> str:
    """Return the last option of a word with several, as `-z` for `-qz`: those before it are options without a value."""
    return _JOINED.sub("-", word)


def in_order(words: list[str], at: int, commands: Commands) -> list[str]:
    """Return the words of a whole command line in an order that the parser takes. at: how many stand before the command.

    Raises CommandError for an option that the command does not have.
    """
    if not words[at : at + 1] or words[at] not in commands:
        return words
    ordered = options_first(words[at + 1 :], commands[words[at]])
    if words[at] == ONE_PACKET and any(map(_is_filter, ordered)) and not ordered[-1].isdigit():
        return in_order([*words[:at], FILTERING, "-V", *words[at + 1 :]], at, commands)
    unknown = list(_unknown_options(ordered, commands[words[at]]))
    if unknown and not set(_HELP) & set(ordered):  # said first: without it, a capture may be missing
        raise CommandError(no_such_options(unknown, commands[words[at]], commands))
    return [*words[: at + 1], *ordered]


def options_first(words: Sequence[str], command: argparse.ArgumentParser) -> list[str]:
    """Return the words of a command in an order that its parser takes: options with their values, then everything else.

    words: without the name of the command. An option has one value or none, as `command` declares it.
    """
    options: list[str] = []
    others: list[str] = []
    keep_place = sum(action.dest == "captures" for action in command._actions) > 1  # `compare` has A and B
    captures: list[str] = others if keep_place else []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            others += rest
            break
        action = command._option_string_actions.get(word)
        if action is None and _is_joined(word, command):
            rest[:0] = [word[:2], "-" + word[2:]]
            continue
        if action is None and (not word.startswith("-") or word == STANDARD_STREAM or word[1].isdigit()):
            others.append(word)
            continue
        valued = action is not None and action.nargs is None
        if valued and not rest:  # the parser reports that its value is missing
            return [*options, *([] if keep_place else captures), *others, word]
        if valued and word in READ:
            captures.append(rest.pop(0))
        elif _read_value(word, command):
            captures.append(_read_value(word, command))
        else:
            options += [word, rest.pop(0)] if valued else [word]
    if not keep_place and not set(_HELP) & set(options):
        options, others = _filter_as_id(options, captures, others, command)
        others = _captures_first(captures, others, command)
    return [*options, *(["--"] if any(word.startswith("-") and word != STANDARD_STREAM for word in others) else []), *others]


def _is_joined(word: str, command: argparse.ArgumentParser) -> bool:
    """Return whether a word is several options in one, as `-nr`: the first has no value, and what follows is an option."""
    first = command._option_string_actions.get(word[:2])
    return first is not None and first.nargs == 0 and "-" + word[2:3] in command._option_string_actions


def _filter_as_id(
    options: list[str], captures: list[str], others: list[str], command: argparse.ArgumentParser
) -> tuple[list[str], list[str]]:
    """Return options and others with the value of -Y as the ID, where a command that shows one session has no other ID."""
    given = next((place for place, word in enumerate(options) if _is_filter(word)), None)
    shows_one = any(action.dest == "id" and not action.option_strings for action in command._actions)
    if given is None or not shows_one or "--stream" in options or not all(map(_is_capture, others)):
        return options, others
    word, length = options[given], 1
    if word in ("-Y", "--filter"):
        text, length = "".join(options[given + 1 : given + 2]), 2
    else:
        text = word.partition("=")[2] if word.startswith("--") else word[2:]
    if not text.strip() or not (captures or others or input_comes()):
        return options, others
    return [*options[:given], *options[given + length :]], [*others, f"({text})"]


def _help_of(words: list[str], commands: Commands) -> list[str]:
    """Return what `help` with these words behind it stands for."""
    if not words or words[0] in _HELP:
        return ["--help"]
    if words[0] not in commands:
        raise CommandError(no_such_command(words[0], commands) or f"{words[0]}: no such command (see analyzer --help)")
    return [words[0], "--help"]


def _place_of_command(words: list[str], at: int, commands: Commands) -> int | None:
    """Return where a command stands behind captures and options; None if it does not. What is a file is a capture."""
    valued = {name for command in commands.values() for name in _valued_options(command)}
    for place in range(at, len(words)):
        if words[place] == "--":
            return None
        if words[place] in commands and _alone(words[place - 1]) not in valued and not os.path.lexists(words[place]):
            return place
    return None


def _valued_options(command: argparse.ArgumentParser) -> Iterator[str]:
    return (name for name, action in command._option_string_actions.items() if action.nargs is None)


def _unknown_options(ordered: list[str], command: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the long options that a command does not have. ordered: its words, as `options_first` returns them."""
    known = command._option_string_actions
    before = ""
    for word in ordered:
        if word == "--":
            return
        action = known.get(before)
        if word.startswith("--") and word.partition("=")[0] not in known and (action is None or action.nargs is not None):
            yield word
        before = word


def _read_value(word: str, command: argparse.ArgumentParser) -> str:
    """Return the value of `-rFILE` or `--read=FILE`; empty if the word is something else."""
    if READ[0] not in command._option_string_actions:
        return ""
    short, long = READ
    if word.startswith(long + "="):
        return word[len(long) + 1 :]
    return word[len(short) :] if word.startswith(short) else ""


def _captures_first(captures: list[str], others: list[str], command: argparse.ArgumentParser) -> list[str]:
    """Return the positional arguments of a command in its order: the captures, then what is looked for in them."""
    declared = [action for action in command._actions if not action.option_strings]
    if not declared or declared[0].dest != "captures":
        return [*captures, *others]
    behind = sum(action.dest != "captures" for action in declared)
    if behind == 1 and len(others) > 1 and _is_capture(others[-1]) and not _is_capture(others[0]):
        others = [*others[1:], others[0]]
    if behind == 1:
        others = _expression_before(others, declared[-1], bool(captures))
    named = [*captures, *others]
    if len(named) <= behind and not any(map(_is_capture, named)) and input_comes():
        return [STANDARD_STREAM, *named]
    return named


def _expression_before(others: list[str], wanted: argparse.Action, has_captures: bool) -> list[str]:
    """Return the words with a filter that stands behind what is looked for in front of it, behind the captures.

    wanted: the argument behind the captures. has_captures: whether captures were given by options.
    """
    first = next((place for place, word in enumerate(others) if not _is_capture(word)), len(others))
    looked_for, expression = others[first : first + 1], others[first + 1 :]
    if not expression or not (first or has_captures) or any(map(_is_capture, expression)):
        return others
    sure = looked_for[0].isdecimal() or looked_for[0] in (wanted.choices or ()) or " " in expression[-1]
    return [*others[:first], *expression, *looked_for] if sure else others


def _is_capture(word: str) -> bool:
    return word == STANDARD_STREAM or os.path.exists(word)
