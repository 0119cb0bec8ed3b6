"""Writes a manual page for the program and for each command from the parser: analyzer(1), analyzer-show(1) and so on.

The build of the package calls it (setup.py), and the pages are installed in share/man. argparse-manpage does the work; nothing
else needs it.
"""

import argparse
from pathlib import Path
from typing import Any

from analyzer import __version__
from analyzer.cli.arguments import parser, parsers_of_commands

MANUAL = "Analyzer"
"""The title of the manual, in the middle of the first line of each page."""

_HEADINGS = {"examples": "EXAMPLES", "exit status": "EXIT STATUS"}
"""The parts of the text below a help, and their sections in a page (man-pages(7))."""


_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
"""What stands for characters that roff would change."""


def write_manual(folder: Path) -> list[Path]:
    """Write the pages into a folder, which is made if it is missing, and return them. Raises OSError."""
    root = parser()
    commands = parsers_of_commands(root)
    pages = {"analyzer": root} | {f"analyzer-{name}": command for name, command in commands.items()}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, command in pages.items():
        others = [other for other in pages if other != name] if command is root else ["analyzer"]
        path = folder / f"{name}.1"
        path.write_text(_page(name, command, others), "utf-8")
        written.append(path)
    return written


def _page(name: str, command: argparse.ArgumentParser, others: list[str]) -> str:
    from argparse_manpage.manpage import Manpage

    about = (command.description or "").partition(". ")[0].partition(":")[0]
    epilog, command.epilog = command.epilog or "", None
    page: Any = Manpage(command)
    page.prog = name
    page.description = " ".join(about.rstrip(".").split())
    page.source = f"analyzer {__version__}"
    page.manual = MANUAL
    for part in epilog.split("\n\n"):
        heading, _, lines = part.partition(":\n")
        page.add_section(_HEADINGS[heading], ">", f".nf\n{_plain(lines)}\n.fi")
    page.add_section("SEE ALSO", ">", ",\n".join(f".BR {_plain(other)} (1)" for other in others))
    return str(page)


def _plain(text: str) -> str:
    """Return text as roff shows it unchanged (groff_char(7)); a dot at the beginning of a line is no request."""
    escaped = "".join(_SPECIAL.get(one, one) for one in text)
    return "\n".join("\\&" + line if line.startswith(".") else line for line in escaped.split("\n"))
