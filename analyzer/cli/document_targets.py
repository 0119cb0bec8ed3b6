"""The files to which a document goes, of `report` and `validate`: `-o FILE`, and what is refused before any work is done."""

import argparse
import os
from collections.abc import Sequence

from analyzer.cli.output import CommandError
from analyzer.store.private_file import PrivateFile


def add_targets(command: argparse.ArgumentParser, document: str) -> None:
    """Add `-o` and `--force`. document: what goes there, for the help."""
    command.add_argument(
        "-o",
        "--output",
        dest="targets",
        action="append",
        default=[],
        metavar="FILE",
        help=f"where the {document} goes: .html, .pdf, .md or .json by its ending; may be repeated",
    )
    command.add_argument("--force", action="store_true", help="write over files that exist")
    command.set_defaults(output=None)


def refuse_targets(targets: Sequence[str], force: bool) -> None:
    """Raise CommandError for a file that is named twice, that exists without `force`, or whose folder does not exist."""
    if len(set(targets)) < len(targets):
        raise CommandError(f"{targets[-1]}: the same file twice")
    for target in targets:
        refuse_existing(target, force)
        folder = os.path.dirname(target) or "."
        if not os.path.isdir(folder):
            raise CommandError(f"{target}: there is no folder {folder}")


def refuse_existing(target: str, force: bool) -> None:
    """Raise CommandError for a file that exists without `force`, or that cannot be written."""
    try:
        PrivateFile(target, force)
    except FileExistsError as error:
        raise CommandError(f"{target}: it exists already; --force writes over it") from error
    except OSError as error:
        raise CommandError(f"{target}: {error.strerror}") from error


def need_font(language: str, forms: Sequence[str], font_path: str | None) -> None:
    """Raise CommandError if one of the forms is a PDF in Chinese, and there is no font for it."""
    if language == "zh" and "pdf" in forms:
        from analyzer.report.chinese_font import MissingFontError, chinese_font

        try:
            chinese_font(font_path)
        except MissingFontError as error:
            raise CommandError(str(error)) from error


def write_target(target: str, content: bytes, force: bool) -> None:
    """Write a document."""
    with PrivateFile(target, force) as file:
        file.write(content)
