"""Defines the command line: the commands, their options, and their help with examples."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from analyzer.cli.capture_paths import CAPTURES
from analyzer.cli.command_texts import ABOUT, ABOUTS, EXAMPLES, STATUS, STATUSES
from analyzer.cli.crosscheck_arguments import add_crosscheck
from analyzer.cli.live_arguments import add_live
from analyzer.cli.output import CommandError
from analyzer.cli.output_arguments import add_format, add_output
from analyzer.cli.part_arguments import PARTED, add_part
from analyzer.cli.proof_arguments import add_bundle, add_seal, add_verify
from analyzer.cli.report_arguments import add_report
from analyzer.cli.spoken_language import HelpFormatter, translate_help
from analyzer.cli.time_argument import parse_time
from analyzer.cli.validate_arguments import add_validate
from analyzer.cli.word_order import in_order
from analyzer.store.validation_time import CAPTURE
from analyzer.text.escape import harmless
from analyzer.text.language import ENGLISH, LANGUAGES, retold_error

COMMANDS = (
    "summary",
    "sessions",
    "show",
    "http",
    "certificates",
    "follow",
    "export",
    "packets",
    "packet",
    "keys",
    "live",
    "report",
    "crosscheck",
    "verify",
    "seal",
    "validate",
    "interfaces",
    "fields",
)
"""The commands in the order of the help. A first word that is not a command is a capture; the command is `summary` then."""

MOST_JOBS = 64
"""The largest number of processes that `--jobs` accepts."""

MOST_ROWS = 100
"""The largest number of rows that `--top` accepts."""

_KEYS = (
    (
        ("-k", "--keylog"),
        "a key log (SSLKEYLOGFILE): decrypts the sessions whose secrets it has; may be repeated, - is standard input",
    ),
    (("--rsa-key",), "an RSA private key (PEM, DER, PKCS#12), for sessions with RSA key exchange; may be repeated"),
    (("--psk-file",), "external pre-shared keys, one a line: the identity (0x for hex) and the key in hex; may be repeated"),
    (("--password-file",), "the password of private keys, in its first line; otherwise you are asked for it"),
)


_TRUST_OPTIONS = (
    ("--trust", "STORE", "roots: mozilla (the default), system, or a file in PEM or DER; may be repeated"),
    ("--intermediates", "FILE", "certificates that may complete a chain, PEM or DER; may be repeated"),
    ("--crl", "FILE", "revocation lists, PEM or DER; may be repeated"),
)


class _Parser(argparse.ArgumentParser):
    """Parses arguments. Raises CommandError, with one line of text, where argparse reports an error."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:  # argparse ignores errors of writing
            (file or sys.stderr).write(message)
            (file or sys.stderr).flush()

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{harmless(retold_error(message))} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = _new_parser(_Parser, "analyzer", ABOUT, "", usage="analyzer [COMMAND] CAPTURE... [OPTION]...")
    root.add_argument("--version", action="store_true", help="print version and build, and exit")
    root.add_argument(
        "--completion", choices=("bash", "zsh", "fish", "tcsh"), help="print a completion script for a shell, and exit"
    )
    _add_color(root, "auto")
    _add_language(root)
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
        _ADDERS[name](command)
        if name in PARTED:
            add_part(command)
        if name not in ("export", "report", "validate"):
            add_output(command)
        _add_color(command, argparse.SUPPRESS)
        if name not in ("report", "validate"):  # their own option also chooses the language of what they write
            _add_language(command)
        if name != "packet":
            what = "manifest.json" if name == "export" else "the JSON output"
            command.add_argument("--schema", action="store_true", help=f"print the JSON Schema of {what}, and exit")
        translate_help(command)
    translate_help(root)
    return root


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line, and return its options. Raises CommandError for a bad command line; `--help` exits."""
    words = with_command(list(arguments))
    started: list[str] | None = None
    if "--" in words and words[options_of_all(words) :][:1] == ["live"]:  # what follows is a command with options of its own
        end = words.index("--")
        words, started = words[:end], words[end + 1 :]
    if "--schema" in words and not {"-h", "--help"} & set(words):
        return _schema_options(words)
    root = parser()
    options = root.parse_args(in_order(words, options_of_all(words), root))
    options.given = words
    options.lang = getattr(options, "lang", ENGLISH)
    if started is not None:
        options.words = started
    return options


def _schema_options(arguments: list[str]) -> argparse.Namespace:
    """The options of a command line with `--schema`, which needs no capture; what does not concern the schema is ignored."""
    small = _Parser(prog="analyzer", add_help=False, allow_abbrev=False)
    small.add_argument("command")
    small.add_argument("-o", "--output", action="append")
    small.add_argument("--schema", action="store_true")
    small.add_argument("--events", action="store_true")
    small.set_defaults(version=False, completion=None, captures=[])
    _add_color(small, "auto")
    _add_language(small)
    return small.parse_known_args(arguments)[0]


def with_command(arguments: list[str]) -> list[str]:
    """Return the arguments, with `summary` inserted if they name no command.

    Only options of the whole program can come before a command.
    """
    at = options_of_all(arguments)
    if at >= len(arguments) or arguments[at] in COMMANDS or arguments[at] in ("-h", "--help", "--version"):
        return arguments
    if arguments[at].startswith("--completion"):
        return arguments
    return [*arguments[:at], "summary", *arguments[at:]]


def options_of_all(arguments: Sequence[str]) -> int:
    """Return how many words at the beginning of a command line are options of the whole program, before the command."""
    at = 0
    while at < len(arguments) and arguments[at].partition("=")[0] in ("--color", "--lang"):
        at += 1 if "=" in arguments[at] else 2
    return at


def _new_parser(kind: type[argparse.ArgumentParser], name: str, about: str, key: str, usage: str) -> argparse.ArgumentParser:
    return kind(
        prog=name,
        description=about,
        usage=usage,
        epilog=EXAMPLES[key] + "\n\n" + STATUS,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )


def _add_color(command: argparse.ArgumentParser, default: Any) -> None:
    command.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=default,
        help="colours: on a terminal (auto, unless NO_COLOR is set), always, or never",
    )


def _add_language(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=argparse.SUPPRESS,
        help="the language of text: English or Chinese (default: that of LC_ALL, LC_MESSAGES or LANG)",
    )


def _add_captures(command: argparse.ArgumentParser) -> None:
    command.add_argument("captures", nargs="+", metavar="CAPTURE", help=CAPTURES)


def _add_keys(command: argparse.ArgumentParser) -> None:
    for names, text in _KEYS:
        command.add_argument(*names, action="append", default=[], metavar="FILE", help=text)


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-j",
        "--jobs",
        type=_jobs,
        metavar="N",
        help="read captures in files in N processes (default: one for each processor if much is to be decrypted, else 1)",
    )


def _add_trust_options(command: argparse.ArgumentParser) -> None:
    trust_options = command.add_argument_group("judging certificates")
    for name, value, text in _TRUST_OPTIONS:
        trust_options.add_argument(name, action="append", default=[], metavar=value, help=text)
    trust_options.add_argument(
        "--ct-logs", metavar="FILE", help="the transparency logs (log_list.json) instead of those shipped"
    )
    trust_options.add_argument(
        "--at",
        type=parse_time,
        default=CAPTURE,
        metavar="TIME",
        help="the time of validation: capture (each session's start, the default), now, or a time such as 2026-10-03T12:00:00Z",
    )
    trust_options.add_argument(
        "--strict", action="store_true", help="rules that verifiers do not enforce make a chain invalid too"
    )


def _add_summary(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json")
    command.add_argument(
        "--top", type=_rows, metavar="N", help="rows in each table and list (default: 5, in JSON 50; at most 100)"
    )
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_sessions(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json", "csv")
    command.add_argument("--messages", action="store_true", help="the decoded fields of every handshake message too (json)")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_http(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json", "csv")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_show(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("id", type=_number, metavar="ID", help="the number of a session, from 0")
    add_format(command, "text", "json")
    said = command.add_mutually_exclusive_group()
    said.add_argument("--terse", action="store_true", help="leave out the sentences that explain the steps")
    said.add_argument("--explain", action="store_true", help="the handshake in six numbered steps first, with its own values")
    command.add_argument("--fields", action="store_true", help="the decoded fields of every handshake message too")
    _add_keys(command)
    _add_trust_options(command)


def _add_follow(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("id", type=_number, metavar="ID", help="the number of a session, from 0")
    forms = command.add_mutually_exclusive_group()
    forms.add_argument("--raw", action="store_true", help="the bytes as they are, never to a terminal")
    forms.add_argument("--hex", action="store_true", help="offset, hex and ASCII, each side counted from 0")
    command.add_argument("--from", dest="side", choices=("client", "server"), help="only what this side sent")
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
    _add_keys(command)


def _add_fields(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "word", nargs="?", default="", metavar="WORD", help="only codes that contain WORD in their name, title or meaning"
    )
    command.set_defaults(captures=[])  # this command reads no captures
    lists = command.add_mutually_exclusive_group(required=True)
    lists.add_argument("--findings", action="store_true", help="the codes of findings")
    lists.add_argument(
        "--causes", action="store_true", help="the codes of failed connections and decryption, and of invalid chains"
    )
    add_format(command, "text", "json", "csv")


def _add_certificates(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json", "csv")
    command.add_argument("--long", action="store_true", help="all details of each certificate, instead of one row (text)")
    command.add_argument("--pem", metavar="DIR", help="write each certificate into that folder too, as <SHA-256>.pem")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_export(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument(
        "-o",
        "--output",
        dest="target",
        metavar="FILE",
        help="a new or empty folder for the files; or FILE.pcapng for the capture with the secrets of the sessions inside, "
        "which opens them for everybody who gets it",
    )
    command.add_argument(
        "--plaintext",
        metavar="FILE",
        help="instead of -o: what the sessions carried as packets of plain TCP, for detectors that have no keys; "
        "addresses and ports stay, so let the reader know that port 443 is not encrypted here",
    )
    command.add_argument(
        "--what",
        metavar="KINDS",
        help="which files, with commas between: objects (bodies of HTTP, decoded), certificates (PEM), "
        "streams (all bytes that each side sent); the first two are the default",
    )
    command.add_argument(
        "--session",
        type=_number,
        action="append",
        default=[],
        metavar="ID",
        help="only the session with this number; may be repeated",
    )
    command.add_argument("--only", action="store_true", help="only the packets of these sessions (FILE.pcapng)")
    command.add_argument("--force", action="store_true", help="write over a file, or into a folder that is not empty")
    command.add_argument(
        "--max-size",
        type=_size,
        default=_size("10G"),
        metavar="SIZE",
        help="write at most SIZE bytes in total (k, M and G for thousands; 10G is the default)",
    )
    _add_jobs(command)
    _add_keys(command)
    command.set_defaults(output=None)


def _add_packets(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json", "csv")
    _add_keys(command)


def _add_packet(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("frame", type=_number, metavar="FRAME", help="the number of a frame, from 1")
    _add_keys(command)


def _add_audit(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    add_format(command, "text", "json")
    _add_jobs(command)
    _add_keys(command)


def _add_interfaces(command: argparse.ArgumentParser) -> None:
    command.set_defaults(captures=[])  # this command reads no captures
    add_format(command, "text", "json", "csv")


def _add_live(command: argparse.ArgumentParser) -> None:
    add_live(command)
    _add_keys(command)
    _add_trust_options(command)
    command.set_defaults(captures=[], words=None)


def _add_report(command: argparse.ArgumentParser) -> None:
    add_report(command)
    add_bundle(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_crosscheck(command: argparse.ArgumentParser) -> None:
    add_crosscheck(command)
    _add_keys(command)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def _jobs(text: str) -> int:
    number = _number(text)
    if not 1 <= number <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_JOBS}")
    return number


def _rows(text: str) -> int:
    number = _number(text)
    if not 1 <= number <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_ROWS}")
    return number


def _size(text: str) -> int:
    number, factor = text[:-1], {"k": 1000, "M": 1000**2, "G": 1000**3}.get(text[-1:], 0)
    return _number(number) * factor if factor else _number(text)


_ADDERS = {
    "summary": _add_summary,
    "sessions": _add_sessions,
    "show": _add_show,
    "http": _add_http,
    "follow": _add_follow,
    "certificates": _add_certificates,
    "export": _add_export,
    "packets": _add_packets,
    "packet": _add_packet,
    "fields": _add_fields,
    "live": _add_live,
    "report": _add_report,
    "crosscheck": _add_crosscheck,
    "verify": add_verify,
    "seal": add_seal,
    "validate": add_validate,
    "interfaces": _add_interfaces,
    "keys": _add_audit,
}
