"""Makes completion scripts for shells from the parser of the command line, with shtab."""

import argparse

import shtab

from analyzer.cli.arguments import parser


def completion(shell: str) -> str:
    """Return the script for `bash`, `zsh`, `fish` or `tcsh`. It completes commands, options and file names."""
    root = parser()
    _complete_files(root)
    return shtab.complete(root, shell)


def _complete_files(command: argparse.ArgumentParser) -> None:
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner)
        elif action.metavar in ("CAPTURE", "FILE", "KEY"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
