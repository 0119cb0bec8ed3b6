"""Defines the options of `analyzer report`."""

import argparse

from analyzer.cli.capture_paths import CAPTURES
from analyzer.cli.crosscheck_arguments import add_tshark
from analyzer.cli.document_targets import add_targets
from analyzer.text.language import LANGUAGES

EXAMPLES = """\
examples:
  analyzer report trace.pcapng -o report.html              one page to read, print and hand over
  analyzer report trace.pcapng -k keys.log -o report.pdf --case 2026-117 --examiner 'A. Example'
  analyzer report day1.pcap day2.pcap -o report.html -o report.json -o report.md
  analyzer report trace.pcapng --case-file case.toml --digest sha512 -o report.pdf
  analyzer report trace.pcapng --crosscheck -o report.html  with a second opinion by tshark
  analyzer report trace.pcapng --redact addresses,names -o report.html"""

ENDINGS = {".html": "html", ".htm": "html", ".pdf": "pdf", ".md": "md", ".json": "json", ".jsonld": "case"}
"""The form of a report by the ending of its file."""

FORMATS = ("html", "pdf", "md", "json", "case", "stix")


def add_report(command: argparse.ArgumentParser) -> None:
    """Add the options that only `report` has."""
    command.add_argument("captures", nargs="+", metavar="CAPTURE", help=CAPTURES)
    add_targets(command, "report")
    command.add_argument(
        "--format", choices=FORMATS, help="the form, where the ending does not say it: case is CASE/UCO, stix is STIX 2.1"
    )
    command.add_argument(
        "--crosscheck", action="store_true", help="ask tshark too, and put what both see side by side into the report"
    )
    add_tshark(command)
    case = command.add_argument_group("the case")
    for kind, help_text in _HELP.items():
        case.add_argument(f"--{kind}", metavar="TEXT", help=help_text)
    case.add_argument(
        "--custody", action="append", default=[], metavar="TEXT", help="a note on who had the evidence; may be repeated"
    )
    case.add_argument("--case-file", metavar="FILE", help="the same from a TOML file; options win")
    case.add_argument("--digest", metavar="NAMES", help="further digests of the inputs: sha512, blake2b")
    case.add_argument(
        "--issued-at", metavar="TIME", help="the date on the report (default: none, so that it can be reproduced)"
    )
    case.add_argument("--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help="the language of the report")
    case.add_argument("--font-path", metavar="DIR", help="where a PDF in Chinese finds its font (default: what is installed)")
    case.add_argument(
        "--redact", metavar="KINDS", help="mask, with commas between: bodies, cookies, credentials, addresses, names"
    )


_HELP = {
    "case": "number or name of the case",
    "exhibit": "number or name of the exhibit",
    "examiner": "who examined it",
    "authority": "on whose order",
    "purpose": "the question that the report answers",
}
"""What an examiner says of the case. None of it is checked."""
