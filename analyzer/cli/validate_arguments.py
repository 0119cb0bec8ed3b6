"""Defines the options of `analyzer validate`, and its help."""

import argparse

from analyzer.cli.crosscheck_arguments import add_tshark
from analyzer.cli.document_targets import add_targets
from analyzer.text.language import LANGUAGES

EXAMPLES = """\
examples:
  analyzer validate                                  tries this installation, and says what passed
  analyzer validate -o validation.html -o validation.pdf -o validation.json
  analyzer validate --lang zh -o validation.pdf      the pack in Chinese
  analyzer validate --format json | jq '.requirements[] | select(.result != "passed")'"""

STATUS = """\
exit status:
  0  every requirement is met
  1  something could not be run, such as the comparison with tshark; all that was run passed
  2  nothing could be done: no material in the installation, no such folder, bad option
  3  a requirement is not met"""


def add_validate(command: argparse.ArgumentParser) -> None:
    """Add the options of `validate`, which takes no capture."""
    command.set_defaults(captures=[])
    add_targets(command, "pack")
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
    add_tshark(command)
    command.add_argument("--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help="the language of the pack")
    command.add_argument(
        "--font-path", metavar="DIR", help="where a PDF in Chinese finds its font (default: what is installed)"
    )
