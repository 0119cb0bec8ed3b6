"""Puts the options of a command line before its other words.

argparse takes the positional arguments that stand together, so `show a.pcap b.pcap -k keys.log 0` and
`sessions a.pcap -k keys.log b.pcap` would not be understood. Programs of GNU and BSD take options anywhere
(GNU C library manual, "Program Argument Syntax Conventions"). Everything behind `--` is no option.
"""

import argparse
from collections.abc import Sequence


def in_order(words: list[str], at: int, root: argparse.ArgumentParser) -> list[str]:
    """Return the words of a whole command line in such an order. at: how many words stand before the command."""
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction) and words[at : at + 1] and words[at] in action.choices:
            return [*words[: at + 1], *options_first(words[at + 1 :], action.choices[words[at]])]
    return words


def options_first(words: Sequence[str], command: argparse.ArgumentParser) -> list[str]:
    """Return the words of a command in an order that its parser takes: options with their values, then everything else.

    words: without the name of the command. An option has one value or none, as `command` declares it.
    """
    options: list[str] = []
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*options, "--", *others, *rest]
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        action = command._option_string_actions.get(word)
        valued = action is not None and action.nargs is None
        if valued and not rest:  # the parser reports that its value is missing
            others.append(word)
            break
        options += [word, rest.pop(0)] if valued else [word]
    return [*options, *others]
