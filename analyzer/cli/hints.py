"""Hints on standard error about what a user has probably overlooked, in one line each. They change no result and no status."""

import glob
import os
import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence

from analyzer.cli.output import CommandError, complain

KEY_LOG_VARIABLE = "SSLKEYLOGFILE"
"""Names the file to which programs write their secrets (RFC 9850, section 2.1)."""

LARGE = 20_000_000
"""Bytes of captures from which on it matters whether the installation is compiled: some seconds, or some dozens of them."""


def give_hints(options: Namespace, given: Sequence[str], environment: Mapping[str, str]) -> None:
    """Give the hints that suit a command line. given: the captures as its words name them, before folders were looked into."""
    hint_at_folders(given)
    hint_at_key_log(options, environment)
    hint_at_build(options.captures)


def check_patterns(paths: Sequence[str]) -> None:
    """Raise CommandError for a pattern that the shell has not expanded, such as one in quotation marks."""
    for path in paths:
        if not any(mark in path for mark in "*?[") or os.path.lexists(path):
            continue
        matching = glob.glob(path)
        if not matching:
            raise CommandError(f"{path}: no such file, and none whose name this pattern matches")
        from analyzer.text.formatting import count_text

        files = count_text(len(matching), "file")
        raise CommandError(f"{path}: no such file; without quotation marks, the shell finds {files}")


def hint_at_folders(paths: Sequence[str]) -> None:
    """Say which folders have folders, whose captures are not read."""
    for path in paths:
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                inner = sum(entry.is_dir() for entry in entries)
            if inner:
                from analyzer.text.formatting import count_text

                complain(f"{path}: {count_text(inner, 'folder')} in it: captures in there are not read")


def hint_at_key_log(options: Namespace, environment: Mapping[str, str]) -> None:
    """Name the key log of the environment, which is not read: who analyzes may not be who browses."""
    path = environment.get(KEY_LOG_VARIABLE, "")
    if "keylog" in options and not options.keylog and os.path.isfile(path):
        complain(f"{KEY_LOG_VARIABLE} is set, but not read: to decrypt with it, add -k {shlex.quote(path)}")


def hint_at_build(captures: Sequence[str]) -> None:
    """Say that large captures take several times as long in an installation that is not compiled."""
    size = sum(os.path.getsize(path) for path in captures if os.path.isfile(path))
    if size < LARGE:
        return
    from analyzer.codec.build import build_state
    from analyzer.text.formatting import size_text

    if build_state() != "compiled":
        complain(
            f"{size_text(size)} to read, and this installation is not compiled: it takes several times as long "
            "(see analyzer --version)"
        )
