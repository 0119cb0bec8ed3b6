"""Defines the command line: the commands, their options, and their help with examples."""

import argparse
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from analyzer.cli.command_texts import ABOUT, ABOUTS, EXAMPLES, STATUS, STATUSES
from analyzer.cli.compare_arguments import add_compare
from analyzer.cli.crosscheck_arguments import add_crosscheck
from analyzer.cli.display_filter import FILTERED, add_filter
from analyzer.cli.export_arguments import add_export
from analyzer.cli.filter_options import add_macros
from analyzer.cli.follow_arguments import add_follow
from analyzer.cli.inventory_arguments import add_inventory
from analyzer.cli.live_arguments import add_live
from analyzer.cli.near_misses import no_such_options
from analyzer.cli.number_argument import read_number, read_rows
from analyzer.cli.output import CommandError, Output
from analyzer.cli.output_arguments import add_format, add_output
from analyzer.cli.part_arguments import PARTED, add_numbers, add_part
from analyzer.cli.proof_arguments import add_bundle, add_seal, add_verify
from analyzer.cli.report_arguments import add_report
from analyzer.cli.session_argument import SESSION, read_session
from analyzer.cli.shared_arguments import (
    add_captures,
    add_color,
    add_jobs,
    add_json,
    add_keys,
    add_language,
    add_pager,
    add_read,
    add_trust_options,
)
from analyzer.cli.spoken_language import HelpFormatter, translate_help
from analyzer.cli.stats_arguments import add_stats
from analyzer.cli.tshark_arguments import add_accepted, add_columns, add_count
from analyzer.cli.tshark_arguments import add_fields as add_row_fields
from analyzer.cli.validate_arguments import add_validate
from analyzer.cli.word_order import FILTERING, ONE_PACKET, in_order, options_of_all, with_command
from analyzer.text.escape import harmless
from analyzer.text.language import ENGLISH, retold_error

COMMANDS = (
    "summary",
    "sessions",
    "show",
    "http",
    "certificates",
    "inventory",
    "stats",
    "follow",
    "export",
    "packets",
    "packet",
    "keys",
    "live",
    "compare",
    "report",
    "crosscheck",
    "verify",
    "seal",
    "validate",
    "interfaces",
    "fields",
    "filter",
)
"""The commands in the order of the help."""


class _Parser(argparse.ArgumentParser):
    """Parses arguments. Raises CommandError, with one line of text, where argparse reports an error."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message and file is sys.stdout:
            page = Output(None, (), "never")
            if page.terminal and "--no-pager" not in sys.argv:
                from analyzer.cli.pager import pager_command

                page.pager = pager_command(os.environ)
            page.write(message.encode(page.encoding, "backslashreplace"))
            page.close()
        elif message:  # argparse ignores errors of writing
            (file or sys.stderr).write(message)
            (file or sys.stderr).flush()

    def error(self, message: str) -> NoReturn:
        if message.rpartition(": ")[2] == "ID":  # captures are named, and no session
            message = "the following arguments are required: ID; `analyzer sessions` lists the sessions with their numbers"
        raise CommandError(f"{harmless(retold_error(message))} (see {self.prog} --help)")


def parser(needed: Collection[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the whole command line. needed: the commands that get their arguments, which take the time."""
    root = _new_parser(_Parser, "analyzer", ABOUT, "", usage="analyzer [COMMAND] CAPTURE... [OPTION]...")
    root.add_argument("--version", action="store_true", help="print version and build, and exit")
    root.add_argument(
        "--completion", choices=("bash", "zsh", "fish", "tcsh"), help="print a completion script for a shell, and exit"
    )
    add_color(root, "auto")
    add_pager(root, False)
    add_language(root)
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog="analyzer")
    for name in COMMANDS:
        command = commands.add_parser(
            name,
            help=ABOUTS[name].split(". ")[0].rstrip("."),
            description=ABOUTS[name],
            epilog=EXAMPLES[name] + "\n\n" + STATUSES.get(name, STATUS),
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )
        if name not in needed:
            continue
        _ADDERS[name](command)
        if name in PARTED:
            add_part(command)
            add_count(command)
        if name in FILTERED:
            add_filter(command)
        if name not in ("export", "report", "validate"):
            add_output(command)
        _add_read_and_json(command)
        add_color(command, argparse.SUPPRESS)
        add_pager(command, argparse.SUPPRESS)
        if name not in ("report", "validate"):  # their own option also chooses the language of what they write
            add_language(command)
        if name != "packet":
            what = "manifest.json" if name == "export" else "the JSON output"
            command.add_argument("--schema", action="store_true", help=f"print the JSON Schema of {what}, and exit")
        translate_help(command)
    translate_help(root)
    return root


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line, and return its options. Raises CommandError for a bad command line; `--help` exits."""
    words = list(arguments)
    name = "".join(words[options_of_all(words) :][:1])
    if name in COMMANDS:
        with suppress(CommandError):  # the whole parser finds out what was meant, among the options of all commands
            return _parse(words, parser((name, FILTERING) if name == ONE_PACKET else (name,)))
    return _parse(words, parser())


def _parse(words: list[str], root: argparse.ArgumentParser) -> argparse.Namespace:
    commands = parsers_of_commands(root)
    words = with_command(words, commands)
    started: list[str] | None = None
    at = options_of_all(words)
    if "--" in words and words[at:][:1] == ["live"]:  # what follows is a command with options of its own
        end = words.index("--")
        words, started = words[:end], words[end + 1 :]
    if "--schema" in words and not {"-h", "--help"} & set(words):
        return _schema_options(words)
    options, unknown = root.parse_known_args(in_order(words, at, commands))
    if unknown:
        raise CommandError(no_such_options(unknown, commands.get(options.command, root), commands))
    options.given = words
    options.lang = getattr(options, "lang", ENGLISH)
    if started is not None:
        options.words = started
    return options


def parsers_of_commands(root: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of the commands by their names. root: what `parser` returns."""
    (action,) = (action for action in root._actions if isinstance(action, argparse._SubParsersAction))
    commands: Mapping[str, argparse.ArgumentParser] = action.choices
    return commands


def _schema_options(arguments: list[str]) -> argparse.Namespace:
    """The options of a command line with `--schema`, which needs no capture; what does not concern the schema is ignored."""
    small = _Parser(prog="analyzer", add_help=False, allow_abbrev=False)
    small.add_argument("command")
    small.add_argument("-o", "--output", action="append")
    small.add_argument("--schema", action="store_true")
    small.add_argument("--events", action="store_true")
    small.add_argument("--srtp-keys", nargs="?", const="")
    small.set_defaults(version=False, completion=None, captures=[])
    add_color(small, "auto")
    add_pager(small, False)
    add_language(small)
    return small.parse_known_args(arguments)[0]


def _add_read_and_json(command: argparse.ArgumentParser) -> None:
    """Add -r where captures are several, and --json where JSON is one of the formats."""
    positional = [action for action in command._actions if action.dest == "captures"]
    if len(positional) > 1 or any(action.nargs == "+" for action in positional):
        add_read(command)
        add_accepted(command)
    if any(action.dest == "format" and "json" in (action.choices or ()) for action in command._actions):
        add_json(command)


def _new_parser(kind: type[argparse.ArgumentParser], name: str, about: str, key: str, usage: str) -> argparse.ArgumentParser:
    return kind(
        prog=name,
        description=about,
        usage=usage,
        epilog=EXAMPLES[key] + "\n\n" + STATUS,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )


def _add_summary(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json")
    command.add_argument(
        "--top", type=read_rows, metavar="N", help="rows in each table and list (default: 5, in JSON 50; at most 100)"
    )
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_sessions(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json", "csv")
    command.add_argument("--messages", action="store_true", help="the decoded fields of every handshake message too (json)")
    add_numbers(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_http(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json", "csv")
    add_numbers(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_show(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    command.add_argument("id", type=read_session, metavar="ID", help=SESSION)
    add_format(command, "text", "json")
    said = command.add_mutually_exclusive_group()
    said.add_argument("--terse", action="store_true", help="leave out the sentences that explain the steps")
    said.add_argument("--explain", action="store_true", help="the handshake in six numbered steps first, with its own values")
    command.add_argument("--fields", action="store_true", help="the decoded fields of every handshake message too")
    add_keys(command)
    add_trust_options(command)


def _add_follow(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_follow(command, read_session, read_number)
    add_keys(command)


def _add_fields(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "word",
        nargs="?",
        default="",
        metavar="WORD",
        help="only fields that contain WORD in their name or label, or codes that have it in their name, title or meaning",
    )
    command.set_defaults(captures=[])  # this command reads no captures
    lists = command.add_mutually_exclusive_group()
    lists.add_argument("--findings", action="store_true", help="the codes of findings")
    lists.add_argument(
        "--causes", action="store_true", help="the codes of failed connections and decryption, and of invalid chains"
    )
    add_format(command, "text", "json", "csv")


def _add_filter(command: argparse.ArgumentParser) -> None:
    command.add_argument("expression", nargs="+", metavar="EXPR", help="a display filter, in the language of Wireshark")
    command.set_defaults(captures=[])  # this command reads no captures
    add_macros(command)
    add_format(command, "text", "json")


def _add_certificates(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json", "csv")
    command.add_argument("--long", action="store_true", help="all details of each certificate, instead of one row (text)")
    command.add_argument("--pem", metavar="DIR", help="write each certificate into that folder too, as <SHA-256>.pem")
    add_numbers(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_inventory(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_inventory(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_stats(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_stats(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)


def _add_export(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_export(command)
    add_jobs(command)
    add_keys(command)
    add_trust_options(command)
    command.set_defaults(output=None)


def _add_packets(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json", "csv")
    add_columns(command)
    add_row_fields(command)
    add_keys(command)


def _add_packet(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    command.add_argument("frame", type=read_number, metavar="FRAME", help="the number of a frame, from 1")
    command.add_argument("-V", dest="tree", action="store_true", help="accepted, as tshark has it: the tree is shown anyway")
    add_keys(command)


def _add_audit(command: argparse.ArgumentParser) -> None:
    add_captures(command)
    add_format(command, "text", "json")
    add_jobs(command)
    add_keys(command)


def _add_interfaces(command: argparse.ArgumentParser) -> None:
    command.set_defaults(captures=[])  # this command reads no captures
    add_format(command, "text", "json", "csv")


def _add_live(command: argparse.ArgumentParser) -> None:
    add_live(command)
    add_keys(command)
    add_trust_options(command)
    command.set_defaults(captures=[], words=None)


def _add_report(command: argparse.ArgumentParser) -> None:
    add_report(command)
    add_bundle(command)
    add_keys(command)
    add_trust_options(command)


def _add_compare(command: argparse.ArgumentParser) -> None:
    add_compare(command)
    add_keys(command)
    add_trust_options(command)


def _add_crosscheck(command: argparse.ArgumentParser) -> None:
    add_crosscheck(command)
    add_keys(command)


_ADDERS = {
    "summary": _add_summary,
    "sessions": _add_sessions,
    "show": _add_show,
    "http": _add_http,
    "follow": _add_follow,
    "certificates": _add_certificates,
    "inventory": _add_inventory,
    "stats": _add_stats,
    "export": _add_export,
    "packets": _add_packets,
    "packet": _add_packet,
    "fields": _add_fields,
    "filter": _add_filter,
    "live": _add_live,
    "compare": _add_compare,
    "report": _add_report,
    "crosscheck": _add_crosscheck,
    "verify": add_verify,
    "seal": add_seal,
    "validate": add_validate,
    "interfaces": _add_interfaces,
    "keys": _add_audit,
}
