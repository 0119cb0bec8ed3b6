"""Defines the command line: the commands, their options, and their help with examples."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from analyzer.cli.live_arguments import EXAMPLES as LIVE_EXAMPLES
from analyzer.cli.live_arguments import add_live
from analyzer.cli.output import CommandError
from analyzer.cli.time_argument import parse_time
from analyzer.store.validation_time import CAPTURE
from analyzer.text.escape import harmless

COMMANDS = (
    "summary",
    "sessions",
    "show",
    "certificates",
    "follow",
    "export",
    "packets",
    "packet",
    "keys",
    "live",
    "interfaces",
    "fields",
)
"""The commands in the order of the help. A first word that is not a command is a capture; the command is `summary` then."""

MOST_JOBS = 64
"""The largest number of processes that `--jobs` accepts."""

_ABOUT = """\
Packet captures in, structured TLS sessions out: reads pcap and pcapng files, plain or compressed with gzip, zstd, lz4 or xz,
or from a pipe as `-`, and shows what the TLS handshakes in them say."""

_STATUS = """\
exit status:
  0  all was read
  1  a capture is damaged or cut short; what could be read is in the output
  2  nothing could be done: no such file, not a capture, no such session, bad option"""

_EXAMPLES = {
    "": """\
examples:
  analyzer trace.pcapng                     the summary of a capture
  analyzer sessions trace.pcapng            one row for every TLS session
  analyzer show trace.pcapng 0              the first session's handshake, step by step
  tcpdump -i eth0 -w - | analyzer sessions - --format json""",
    "summary": """\
examples:
  analyzer trace.pcapng                     `summary` may be left out
  analyzer trace.pcapng --format json | jq '.findings[] | select(.severity == "high")'
  analyzer day1.pcap.zst day2.pcap.zst      several captures in order, as one
  tcpdump -w - port 443 -c 1000 | analyzer -""",
    "sessions": """\
examples:
  analyzer sessions trace.pcapng
  analyzer sessions trace.pcapng --format json | jq -r .server_name
  analyzer sessions trace.pcapng --format json --messages
  analyzer sessions *.pcap --format csv -o sessions.csv
  analyzer sessions --schema                the JSON Schema of a record""",
    "show": """\
examples:
  analyzer show trace.pcapng 0              the session with id 0, as `analyzer sessions` numbers them
  analyzer show trace.pcapng 0 --terse      without the explanations
  analyzer show trace.pcapng 0 --format json""",
    "follow": """\
examples:
  analyzer follow trace.pcapng 0 -k keys.log                what both sides said, as text: > client, < server
  analyzer follow trace.pcapng 0 -k keys.log --hex | less -R
  analyzer follow trace.pcapng 0 -k keys.log --raw --from server -o answer.bin
  analyzer follow trace.pcapng 0 --format json              one object a record, the bytes in hex""",
    "certificates": """\
examples:
  analyzer certificates trace.pcapng
  analyzer certificates trace.pcapng --long            every extension of each
  analyzer certificates trace.pcapng --pem DIR         as DIR/<SHA-256>.pem
  analyzer certificates trace.pcapng --format json | jq .sha256""",
    "export": """\
examples:
  analyzer export trace.pcapng -o DIR -k keys.log           HTTP objects and certificates, with a manifest.json
  analyzer export trace.pcapng -o DIR -k keys.log --session 3 --what objects,streams
  analyzer export trace.pcap -o open.pcapng -k keys.log     the capture with its secrets: wireshark opens it as it is
  analyzer export trace.pcap -o one.pcapng -k keys.log --session 3 --only
  analyzer export trace.pcap --plaintext plain.pcapng -k keys.log && suricata -r plain.pcapng""",
    "packets": """\
examples:
  analyzer packets trace.pcapng | less -S
  analyzer packets trace.pcapng --format csv -o packets.csv""",
    "packet": """\
examples:
  analyzer packet trace.pcapng 6            the field tree of frame 6, and its bytes""",
    "fields": """\
examples:
  analyzer fields --findings                what each finding means, how bad it is, and what would refute it
  analyzer fields --findings downgrade
  analyzer fields --causes --format json    why something did not decrypt, and what makes a chain invalid""",
    "live": LIVE_EXAMPLES,
    "interfaces": """\
examples:
  analyzer interfaces                       names, addresses, state, and what is missing to capture there
  analyzer interfaces --format json | jq -r 'select(.state == "up") | .name'""",
    "keys": """\
examples:
  analyzer keys trace.pcapng -k keys.log    for which sessions the log has secrets, and what is wrong with it
  analyzer keys trace.pcap -k keys.log --format json | jq 'select(.verdict == "none")'""",
}

_ABOUTS = {
    "summary": "What is in the captures: file facts, protocols, conversations, TLS sessions, findings.",
    "sessions": "One record for every TLS session. JSON has one object a line, each as its session ends.",
    "show": "One session in full: the handshake as a ladder, certificates, and the fields of every message.",
    "follow": "The bytes of one session, decrypted where the keys allow. What is missing is said in its place.",
    "certificates": "Every distinct certificate, with the sessions that sent it.",
    "export": "What sessions carried, as files or as plain packets; or the capture with their secrets inside.",
    "packets": "The packet list: one row a packet.",
    "packet": "One packet: the field tree of every layer with byte ranges, and its bytes.",
    "live": "The same analysis while packets arrive, on interfaces or from a pipe. Ctrl-C ends it, and the summary comes.",
    "interfaces": "The interfaces of this machine, and what is missing to capture there.",
    "fields": "The codes that records carry, and what each means.",
    "keys": "The audit of key logs: which sessions have which secrets, and which lines are unused, bad or contradicting.",
}


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

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{harmless(message)} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    root = _new_parser(_Parser, "analyzer", _ABOUT, "", usage="analyzer [COMMAND] CAPTURE... [OPTION]...")
    root.add_argument("--version", action="store_true", help="print version and build, and exit")
    root.add_argument(
        "--completion", choices=("bash", "zsh", "fish", "tcsh"), help="print a completion script for a shell, and exit"
    )
    _add_color(root, "auto")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog="analyzer")
    for name in COMMANDS:
        command = commands.add_parser(
            name,
            help=_ABOUTS[name].split(". ")[0].rstrip("."),
            description=_ABOUTS[name],
            epilog=_EXAMPLES[name] + "\n\n" + _STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _ADDERS[name](command)
        if name != "export":
            command.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of standard output")
        _add_color(command, argparse.SUPPRESS)
        if name != "packet":
            what = "manifest.json" if name == "export" else "the JSON output"
            command.add_argument("--schema", action="store_true", help=f"print the JSON Schema of {what}, and exit")
    return root


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line, and return its options. Raises CommandError for a bad command line; `--help` exits."""
    words = with_command(list(arguments))
    started: list[str] | None = None
    if "--" in words and words[_options_of_all(words) :][:1] == ["live"]:  # what follows is a command with options of its own
        end = words.index("--")
        words, started = words[:end], words[end + 1 :]
    if "--schema" in words and not {"-h", "--help"} & set(words):
        return _schema_options(words)
    options = parser().parse_args(words)
    if started is not None:
        options.words = started
    return options


def _schema_options(arguments: list[str]) -> argparse.Namespace:
    """The options of a command line with `--schema`, which needs no capture; what does not concern the schema is ignored."""
    small = _Parser(prog="analyzer", add_help=False, allow_abbrev=False)
    small.add_argument("command")
    small.add_argument("-o", "--output")
    small.add_argument("--schema", action="store_true")
    small.add_argument("--events", action="store_true")
    small.set_defaults(version=False, completion=None, captures=[])
    _add_color(small, "auto")
    return small.parse_known_args(arguments)[0]


def with_command(arguments: list[str]) -> list[str]:
    """Return the arguments, with `summary` inserted if they name no command.

    Only options of the whole program can come before a command.
    """
    at = _options_of_all(arguments)
    if at >= len(arguments) or arguments[at] in COMMANDS or arguments[at] in ("-h", "--help", "--version"):
        return arguments
    if arguments[at].startswith("--completion"):
        return arguments
    return [*arguments[:at], "summary", *arguments[at:]]


def _options_of_all(arguments: Sequence[str]) -> int:
    """Return how many words at the beginning are options of the whole program."""
    at = 0
    while at < len(arguments) and (arguments[at] == "--color" or arguments[at].startswith("--color=")):
        at += 2 if arguments[at] == "--color" else 1
    return at


def _new_parser(kind: type[argparse.ArgumentParser], name: str, about: str, key: str, usage: str) -> argparse.ArgumentParser:
    return kind(
        prog=name,
        description=about,
        usage=usage,
        epilog=_EXAMPLES[key] + "\n\n" + _STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_color(command: argparse.ArgumentParser, default: Any) -> None:
    command.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=default,
        help="colours: on a terminal (auto, unless NO_COLOR is set), always, or never",
    )


def _add_captures(command: argparse.ArgumentParser) -> None:
    command.add_argument("captures", nargs="+", metavar="CAPTURE", help="a capture file, or - for standard input")


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


def _add_summary(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_sessions(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="text is the default")
    command.add_argument("--messages", action="store_true", help="the decoded fields of every handshake message too (json)")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_show(command: argparse.ArgumentParser) -> None:
    command.add_argument("capture", metavar="CAPTURE", help="a capture file, or - for standard input")
    command.add_argument("id", type=_number, metavar="ID", help="the number of a session, from 0")
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
    command.add_argument("--terse", action="store_true", help="leave out the sentences that explain the steps")
    _add_keys(command)
    _add_trust_options(command)


def _add_follow(command: argparse.ArgumentParser) -> None:
    command.add_argument("capture", metavar="CAPTURE", help="a capture file, or - for standard input")
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
    lists.add_argument("--causes", action="store_true", help="the codes of failed decryption and of invalid chains")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="text is the default")


def _add_certificates(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="text is the default")
    command.add_argument("--long", action="store_true", help="all details of each certificate, instead of one row (text)")
    command.add_argument("--pem", metavar="DIR", help="write each certificate into that folder too, as <SHA-256>.pem")
    _add_jobs(command)
    _add_keys(command)
    _add_trust_options(command)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("capture", metavar="CAPTURE", help="a capture file, or - for standard input")
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
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="text is the default")
    _add_keys(command)


def _add_packet(command: argparse.ArgumentParser) -> None:
    command.add_argument("capture", metavar="CAPTURE", help="a capture file, or - for standard input")
    command.add_argument("frame", type=_number, metavar="FRAME", help="the number of a frame, from 1")
    _add_keys(command)


def _add_audit(command: argparse.ArgumentParser) -> None:
    _add_captures(command)
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
    _add_jobs(command)
    _add_keys(command)


def _add_interfaces(command: argparse.ArgumentParser) -> None:
    command.set_defaults(captures=[])  # this command reads no captures
    command.add_argument("--format", choices=("text", "json", "csv"), default="text", help="text is the default")


def _add_live(command: argparse.ArgumentParser) -> None:
    add_live(command)
    _add_keys(command)
    _add_trust_options(command)
    command.set_defaults(captures=[], words=None)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def _jobs(text: str) -> int:
    number = _number(text)
    if not 1 <= number <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_JOBS}")
    return number


def _size(text: str) -> int:
    number, factor = text[:-1], {"k": 1000, "M": 1000**2, "G": 1000**3}.get(text[-1:], 0)
    return _number(number) * factor if factor else _number(text)


_ADDERS = {
    "summary": _add_summary,
    "sessions": _add_sessions,
    "show": _add_show,
    "follow": _add_follow,
    "certificates": _add_certificates,
    "export": _add_export,
    "packets": _add_packets,
    "packet": _add_packet,
    "fields": _add_fields,
    "live": _add_live,
    "interfaces": _add_interfaces,
    "keys": _add_audit,
}
