"""The options of tshark: `-T`, `-e` and `-E` of `packets`, and those that all commands accept because nothing hangs on them."""

import argparse
import re

from analyzer.cli.number_argument import read_number

_RULE = re.compile(r"[\w.-]+(==[^,=]+)?,[\w.-]+(:.*)?")

PACKET_LISTS = ("text", "tabs", "psml")
"""The forms of `-T` that have the columns of the packet list."""

STYLES = ("fields", "json", "ek", *PACKET_LISTS)
"""The forms of `-T`. tshark also has pdml, ps and jsonraw."""


def add_fields(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    chosen = command.add_argument_group("rows of fields, as tshark prints them")
    chosen.add_argument(
        "-T",
        dest="style",
        choices=STYLES,
        help="fields, json and ek print for each packet the fields that -e names; text, tabs and psml are "
        "the packet list of tshark",
    )
    chosen.add_argument(
        "-e",
        dest="row_fields",
        action="append",
        default=[],
        metavar="FIELD",
        help="a field, a column such as _ws.col.info, or an expression such as 'tcp.port + 1'; may be repeated",
    )
    chosen.add_argument(
        "-E",
        dest="row_settings",
        action="append",
        default=[],
        metavar="SETTING",
        help="the form of -T fields: header=y, separator=/t|/s|C, quote=d|s|n, occurrence=f|l|a, aggregator=,|/s|C, bom=y, "
        "escape=y|n; several with commas, or repeated",
    )


def add_columns(command: argparse.ArgumentParser) -> None:
    """Add the columns and colours of the packet list."""
    command.add_argument(
        "--columns",
        type=_columns,
        metavar="NAMES",
        help="the columns, with commas: number, time, source, destination, protocol, length, info, fields and expressions",
    )
    command.add_argument(
        "-t",
        dest="time_format",
        choices=("r", "d", "dd", "e", "a", "ad", "adoy", "u", "ud", "udoy"),
        help="the time as tshark has it: since the first frame, since the one before, since the one shown before, since 1970, "
        "or as a time of day, with a date, with the day of the year, all in UTC",
    )
    command.add_argument("-V", dest="trees", action="store_true", help="the field tree of each packet, and its bytes")
    command.add_argument("-q", dest="quiet", action="store_true", help="print no rows; what is wrong with a capture is said")
    command.add_argument(
        "--color-legend", action="store_true", help="print what the colours of the rows mean, behind the rows (text)"
    )


def add_count(command: argparse.ArgumentParser) -> None:
    """Add -c."""
    command.add_argument(
        "-c", "--count", dest="n_frames", type=_count, metavar="N", help="read only the first N frames of the captures"
    )


def add_accepted(command: argparse.ArgumentParser) -> None:
    """Add the options that change nothing here: names are never looked up, and captures are always read as far as needed."""
    accepted = command.add_argument_group("accepted, as tshark has them")
    accepted.add_argument("-n", dest="no_names", action="store_true", help="names are never looked up anyway")
    accepted.add_argument("-N", dest="names_of", action="append", metavar="FLAGS", help="as -n")
    accepted.add_argument("-2", dest="two_passes", action="store_true", help="captures are read as often as needed anyway")
    accepted.add_argument("-Q", dest="silent", action="store_true", help="only what goes wrong is said anyway")
    accepted.add_argument(
        "-d",
        dest="decode_as",
        type=_rule,
        action="append",
        metavar="RULE",
        help="as tcp.port==8443,tls: what a port carries is seen by its content anyway",
    )
    accepted.add_argument("-l", dest="line_buffered", action="store_true", help="rows are written as they come anyway")


def _count(text: str) -> int:
    number = read_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 on")
    return number


def _columns(text: str) -> list[str]:
    from analyzer.cli.packet_columns import names_of_columns

    return names_of_columns(text)


def _rule(text: str) -> str:
    if not _RULE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no rule such as tcp.port==8443,tls")
    return text
