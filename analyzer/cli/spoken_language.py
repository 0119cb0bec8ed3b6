"""Chooses the language of a command line, and translates the help that argparse writes."""

import argparse
import os
import re
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from analyzer.text.language import ENGLISH, LANGUAGES, language_of, noted, say, spoken, use

OPTION = "--lang"

ENGLISH_ONLY = frozenset({"report", "validate"})
"""Commands whose results do not follow the language of the command line. What they write has an option of its own for that."""

_HEADING = re.compile(r"^([\u3400-\u9fff]+):$", re.MULTILINE)
"""A heading of the help, which is nothing but Han characters, with the colon of argparse."""

_OWN_TEXTS = noted(("usage: ", "positional arguments", "options", "show this help message and exit"))
"""What argparse itself writes."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Writes the help with descriptions as they are, and the word before the usage in the chosen language."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """See argparse.HelpFormatter."""
        super().add_usage(usage, actions, groups, say(_OWN_TEXTS[0]) if prefix is None else prefix)

    def format_help(self) -> str:
        """See argparse.HelpFormatter. It puts a colon behind each heading."""
        help_text = super().format_help()
        return help_text if spoken() == ENGLISH else _HEADING.sub("\\1：", help_text)


FOR_PEOPLE = ("text", "svg")
"""The formats that are written in the language of the user."""


def choose_language(arguments: Sequence[str]) -> None:
    """Use the language of the option, or of the locale. It has to be known before the parser exists, for its help."""
    use(language_of(os.environ))
    words = iter(arguments)
    for word in words:
        if word == "--":
            return
        name, equals, value = word.partition("=")
        if name == OPTION:
            language = value if equals else next(words, "")
            if language in LANGUAGES:  # the parser reports any other
                use(language)


def results_are_english(options: Namespace) -> bool:
    """Return whether the results of a command stay English: JSON and CSV for programs, and `ENGLISH_ONLY`."""
    return (
        getattr(options, "format", None) not in (None, *FOR_PEOPLE)
        or any(output.form not in FOR_PEOPLE for output in options.outputs)
        or getattr(options, "events", False)
        or getattr(options, "command", None) in ENGLISH_ONLY
    )


def translate_help(command: argparse.ArgumentParser) -> None:
    """Translate everything that the help of a parser says. The help of a command is the first sentence of its description."""
    if spoken() == ENGLISH:
        return
    command.description = say(command.description or "")
    command.epilog = "\n\n".join(map(say, (command.epilog or "").split("\n\n")))
    for group in command._action_groups:
        group.title = say(group.title or "") or None
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                choice.help = (action.choices[choice.dest].description or "").partition("。")[0]
        elif action.help and action.help != argparse.SUPPRESS:
            action.help = say(action.help)
