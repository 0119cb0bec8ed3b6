"""The keys that a command line names: key logs, private keys and pre-shared keys, read before the first capture.

A password never stands on the command line, where other users of the machine can read it: it comes from a file, or is asked for
on the terminal. No secret is in anything that this prints.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from getpass import getpass
from typing import TYPE_CHECKING, TypedDict

from analyzer.cli.output import Refusal, complain
from analyzer.cli.tail import Tail
from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError
from analyzer.store.secret_files import add_secrets_of, feed_key_log, open_private_keys

if TYPE_CHECKING:
    from analyzer.cli.capture_run import CaptureRun
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

_CHUNK = 1 << 17

_TOLD = 3
"""Problems of key logs that are told one by one."""

_ATTEMPTS = 3
"""Passwords that are asked for before a file is given up."""

_LONGEST_PASSWORD = 1 << 16
"""Bytes read of a file with a password."""


class Keys(TypedDict):
    """What `Engine` takes to decrypt: the key log of all `--keylog`, None without one, RSA keys, PSKs, and what tells whether
    secrets may still come; None where nobody waits for them."""

    keylog: "KeyLog | None"
    private_keys: "Sequence[PrivateKey]"
    psks: Mapping[bytes, bytes]
    may_grow: Callable[[], bool] | None


def read_keys(options: Namespace, capture_run: "CaptureRun", patient: bool = True) -> Keys:
    """Read what `--keylog`, `--rsa-key` and `--psk-file` name, and the secrets inside captures that are regular files.

    While captures are read from a pipe, key logs grow on. patient: sessions without secrets wait while some may still come;
    not for who wants to see every frame as it is read. Raises Refusal.
    """
    keylog = _read_keylogs(options.keylog, capture_run) if options.keylog else None
    keylog = add_secrets_of(capture_run.reader.paths, keylog)
    passwords = [_password(path) for path in options.password_file]
    keys: list[PrivateKey] = []
    for path in options.rsa_key:
        keys += _private_keys(path, passwords)
    psks: dict[bytes, bytes] = {}
    for path in options.psk_file:
        psks |= _psks(path)
    return Keys(keylog=keylog, private_keys=keys, psks=psks, may_grow=capture_run.secrets_may_come if patient else None)


def paths_of_keys(options: Namespace) -> list[str]:
    """The files that the options for keys name, in their order."""
    if "keylog" not in options:
        return []
    return [*options.keylog, *options.rsa_key, *options.psk_file, *options.password_file]


def _read_keylogs(paths: list[str], capture_run: "CaptureRun") -> "KeyLog":
    from analyzer.secrets.keylog import KeyLog

    keylog = KeyLog()
    for path in dict.fromkeys(paths):
        if capture_run.piped and path != "-" and os.path.isfile(path):
            tail = Tail(keylog, path)
            tail.look()
            capture_run.tail.append(tail)
        else:
            _feed(keylog, path)
            keylog.close(path)
    for problem in keylog.problems[:_TOLD]:
        complain(f"{problem.source}: line {problem.line}: {problem.why}")
    if len(keylog.problems) > _TOLD:
        complain(f"and {len(keylog.problems) - _TOLD} further problems in key logs; `analyzer keys` tells them all")
    return keylog


def _feed(keylog: "KeyLog", path: str) -> None:
    if path == "-":
        while data := sys.stdin.buffer.read(_CHUNK):
            keylog.feed(data, path)
        return
    feed_key_log(keylog, path)


def _private_keys(path: str, passwords: Sequence[bytes]) -> "list[PrivateKey]":
    """The RSA keys of a file, with the first password that opens it, if it wants one."""
    from analyzer.secrets.private_keys import LARGEST_FILE

    data = _read(path, LARGEST_FILE)
    asked = not passwords and path != "-" and _terminal()
    try:
        return open_private_keys(data, path, _ask(path) if asked else passwords)
    except DecryptionError as error:
        hint = "" if error.reason != WRONG_SECRET or asked or passwords else " (--password-file FILE)"
        raise Refusal(f"{path}: {error.detail}{hint}") from error


def _ask(path: str) -> Iterator[bytes]:
    for _ in range(_ATTEMPTS):
        yield getpass(f"Password of {path}: ").encode()


def _psks(path: str) -> dict[bytes, bytes]:
    from analyzer.secrets.psk_file import LARGEST_FILE, read_psks

    try:
        return read_psks(_read(path, LARGEST_FILE))
    except DecryptionError as error:
        raise Refusal(f"{path}: {error.detail}") from error


def _password(path: str) -> bytes:
    """The first line of a file."""
    return _read(path, _LONGEST_PASSWORD).partition(b"\n")[0].removesuffix(b"\r")


def _read(path: str, limit: int) -> bytes:
    """A file, or of a larger one a byte more than the limit."""
    if path == "-":
        return sys.stdin.buffer.read(limit + 1)
    with open(path, "rb") as file:
        return file.read(limit + 1)


def _terminal() -> bool:
    """Whether there is a person to ask: `getpass` talks to the terminal whatever standard input is."""
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
