"""Reads the keys that the command line names: key logs, private keys and pre-shared keys, before the first capture.

A password is never given on the command line, because other users of the machine can read that. It comes from a file, or the
user is asked for it on the terminal. Nothing that this module prints contains a secret.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from getpass import getpass
from typing import TYPE_CHECKING, TypedDict

from analyzer.cli.output import CommandError, complain
from analyzer.cli.tail import Tail
from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError
from analyzer.store.secret_files import add_secrets_of, feed_key_log, open_private_keys
from analyzer.text.escape import harmless
from analyzer.text.language import say

if TYPE_CHECKING:
    from analyzer.cli.capture_run import CaptureRun
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

_CHUNK = 1 << 17

_SHOWN = 3
"""The most problems of key logs that are reported one by one."""

_ATTEMPTS = 3
"""How many times the user is asked for the password of a file."""

_LONGEST_PASSWORD = 1 << 16
"""The most bytes that are read of a file with a password."""


class OtherKeys(TypedDict):
    """The keys that are no key logs. private_keys: RSA keys. psks: keys by identity."""

    private_keys: "Sequence[PrivateKey]"
    psks: Mapping[bytes, bytes]


class Keys(OtherKeys):
    """The arguments that `Engine` needs to decrypt.

    keylog: the secrets of all `--keylog` options and of the captures, None if there are none. may_grow: returns whether secrets
    may still come; None if no session waits for them. longest_wait: how long a session waits for them, as `Engine` takes it.
    """

    keylog: "KeyLog | None"
    may_grow: Callable[[], bool] | None
    longest_wait: int


def read_keys(options: Namespace, capture_run: "CaptureRun", patient: bool = True) -> Keys:
    """Read the files of `--keylog`, `--rsa-key` and `--psk-file`, and the secrets inside captures that are regular files.

    While captures are read from a pipe, key logs are read again when they grow. patient: sessions without secrets stay pending
    while secrets may still come; False for a command that shows every frame when it is read. Raises CommandError.
    """
    keylog = _read_keylogs(options.keylog, capture_run) if options.keylog else None
    keylog = add_secrets_of(capture_run.reader.paths, keylog)
    may_grow = capture_run.secrets_may_come if patient else None
    return Keys(keylog=keylog, may_grow=may_grow, longest_wait=0, **read_other_keys(options))


def read_other_keys(options: Namespace) -> OtherKeys:
    """Read the files of `--rsa-key` and `--psk-file`. Raises CommandError."""
    passwords = [_password(path) for path in options.password_file]
    keys: list[PrivateKey] = []
    for path in options.rsa_key:
        keys += _private_keys(path, passwords)
    psks: dict[bytes, bytes] = {}
    for path in options.psk_file:
        psks |= _psks(path)
    return OtherKeys(private_keys=keys, psks=psks)


def _read_keylogs(paths: list[str], capture_run: "CaptureRun") -> "KeyLog":
    from analyzer.secrets.keylog import KeyLog

    keylog = KeyLog()
    may_grow = False
    for path in dict.fromkeys(paths):
        if capture_run.piped and path != "-" and os.path.isfile(path):
            tail = Tail(keylog, path)
            while tail.read_new():
                pass
            capture_run.tail.append(tail)
            may_grow = True
        else:
            read_key_log(keylog, path)
    report_problems(keylog, may_grow=may_grow)
    return keylog


def read_key_log(keylog: "KeyLog", path: str) -> None:
    """Read one key log to its end. `-` is standard input. Raises OSError."""
    _feed(keylog, path)
    keylog.close(path)


def report_problems(keylog: "KeyLog", n_known: int = 0, may_grow: bool = False) -> None:
    """Report what is wrong with the key logs: the first problems one by one, and how many others there are.

    Of a source without any secret that can be read, one line says so. n_known: how many problems were reported before.
    may_grow: whether an empty key log is nothing to report, because it is still being written.
    """
    problems = keylog.problems[n_known:]
    faulty = {problem.source for problem in problems}
    faults = keylog.faults()
    for source, fault in faults.items():
        if source in faulty or not (n_known or may_grow):
            first = next((one for one in problems if one.source == source), None)
            complain(f"{source}: {fault}" if first is None else f"{source}: {fault}; line {first.line}: {first.why}")
    problems = [problem for problem in problems if problem.source not in faults]
    for problem in problems[:_SHOWN]:
        complain(f"{problem.source}: line {problem.line}: {problem.why}")
    if len(problems) > _SHOWN:
        complain(f"and {len(problems) - _SHOWN} further problems in key logs; `analyzer keys` tells them all")


def _feed(keylog: "KeyLog", path: str) -> None:
    if path == "-":
        while data := sys.stdin.buffer.read(_CHUNK):
            keylog.feed(data, path)
        return
    feed_key_log(keylog, path)


def _private_keys(path: str, passwords: Sequence[bytes]) -> "list[PrivateKey]":
    """Return the RSA keys of a file. If the file needs a password, the first one that decrypts it is used."""
    from analyzer.secrets.private_keys import LARGEST_FILE

    data = _read(path, LARGEST_FILE)
    asked = not passwords and path != "-" and _terminal()
    try:
        return open_private_keys(data, path, _ask(path) if asked else passwords)
    except DecryptionError as error:
        hint = "" if error.reason != WRONG_SECRET or asked or passwords else " (--password-file FILE)"
        raise CommandError(f"{path}: {error.detail}{hint}") from error


def _ask(path: str) -> Iterator[bytes]:
    for _ in range(_ATTEMPTS):
        yield getpass(say("Password of {file}: ", file=harmless(path))).encode()


def _psks(path: str) -> dict[bytes, bytes]:
    from analyzer.secrets.psk_file import LARGEST_FILE, read_psks

    try:
        return read_psks(_read(path, LARGEST_FILE))
    except DecryptionError as error:
        raise CommandError(f"{path}: {error.detail}") from error


def _password(path: str) -> bytes:
    """Return the first line of a file."""
    return _read(path, _LONGEST_PASSWORD).partition(b"\n")[0].removesuffix(b"\r")


def _read(path: str, limit: int) -> bytes:
    """Return the content of a file; of a file larger than the limit, its first limit + 1 bytes."""
    if path == "-":
        return sys.stdin.buffer.read(limit + 1)
    with open(path, "rb") as file:
        return file.read(limit + 1)


def _terminal() -> bool:
    """Return whether a person can be asked. `getpass` uses the terminal, whatever standard input is."""
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
