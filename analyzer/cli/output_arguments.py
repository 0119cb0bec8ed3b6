"""Defines the options of outputs: -o, and the formats of a command that may write several outputs at once."""

import argparse


def add_output(command: argparse.ArgumentParser) -> None:
    """Add -o. Only a command to which `add_format` was given before writes several."""
    text = "write to FILE instead of standard output"
    if command.get_default("forms"):
        text = "write to FILE instead of standard output; may be repeated: .json, .csv and .txt give the format"
    if command.get_default("forms") and command.get_default("keylog") is not None:
        text = (
            "write to FILE instead of standard output; may be repeated: .json, .csv and .txt give the format; or a preference "
            "of tshark, such as tls.keylog_file:FILE"
        )
    command.add_argument("-o", "--output", action="append", metavar="FILE", help=text)


def add_format(command: argparse.ArgumentParser, *forms: str) -> None:
    """Add --format with these formats, for a command that writes each of its outputs in one of them."""
    command.add_argument("--format", choices=forms, help="text is the default")
    command.set_defaults(forms=forms)
