"""Defines the options that several commands share: captures, keys, processes, trust, colours, language."""

import argparse
from typing import Any

from analyzer.cli.capture_paths import CAPTURES
from analyzer.cli.number_argument import read_jobs
from analyzer.cli.time_argument import parse_time
from analyzer.store.validation_time import CAPTURE
from analyzer.text.language import LANGUAGES

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


def add_color(command: argparse.ArgumentParser, default: Any) -> None:
    """Add --color, which the whole program and each command have."""
    command.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=default,
        help="colours: on a terminal (auto, unless NO_COLOR is set), always, or never",
    )


def add_language(command: argparse.ArgumentParser) -> None:
    """Add --lang."""
    command.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=argparse.SUPPRESS,
        help="the language of text: English or Chinese (default: that of LC_ALL, LC_MESSAGES or LANG)",
    )


def add_captures(command: argparse.ArgumentParser) -> None:
    """Add the captures."""
    command.add_argument("captures", nargs="+", metavar="CAPTURE", help=CAPTURES)


def add_keys(command: argparse.ArgumentParser) -> None:
    """Add the files of keys."""
    for names, text in _KEYS:
        command.add_argument(*names, action="append", default=[], metavar="FILE", help=text)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Add -j."""
    command.add_argument(
        "-j",
        "--jobs",
        type=read_jobs,
        metavar="N",
        help="read captures in files in N processes (default: one for each processor if much is to be decrypted, else 1)",
    )


def add_trust_options(command: argparse.ArgumentParser) -> None:
    """Add what decides how certificates are judged."""
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


def add_pager(command: argparse.ArgumentParser, default: Any) -> None:
    """Add --no-pager, which the whole program and each command have."""
    command.add_argument(
        "--no-pager",
        action="store_true",
        default=default,
        help="long text on a terminal does not go through $ANALYZER_PAGER, $PAGER or less",
    )


def add_read(command: argparse.ArgumentParser) -> None:
    """Add -r to a command that has captures. `word_order` makes its values captures, so the parser never sees it."""
    command.add_argument("-r", "--read", action="append", metavar="CAPTURE", help="a capture too, as in tshark")


def add_json(command: argparse.ArgumentParser) -> None:
    """Add --json to a command with --format json."""
    command.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")


def paths_of_keys(options: argparse.Namespace) -> list[str]:
    """Return the files that the options for keys name, in their order."""
    if "keylog" not in options:
        return []
    return [*options.keylog, *options.rsa_key, *options.psk_file, *options.password_file]
