"""Reads secrets from files: key logs, the secrets inside captures, and private keys with their passwords.

`secrets` reads the contents, and opens no file. No text from this module contains a secret.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.key_prescan import prescan_keys
from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError
from analyzer.secrets.keylog_source import THE_CAPTURE

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

_CHUNK = 1 << 17


def add_secrets_of(captures: Iterable[str], keylog: "KeyLog | None") -> "KeyLog | None":
    """Add the secrets inside captures that are regular files, anywhere in them. Return None if there are none, and no key log.

    Raises OSError.
    """
    for path in captures:
        for kind, data in prescan_keys(path):
            if kind != TLS_KEY_LOG:
                continue
            if keylog is None:
                from analyzer.secrets.keylog import KeyLog

                keylog = KeyLog()
            keylog.take(data, THE_CAPTURE)
    return keylog


def feed_key_log(keylog: "KeyLog", path: str) -> None:
    """Read a key log file. The last line stays open until `KeyLog.close`. Raises OSError."""
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            keylog.feed(data, path)


def open_private_keys(data: bytes, source: str, passwords: Iterable[bytes]) -> "list[PrivateKey]":
    """Read the RSA keys in the bytes of a file: without a password, or with the first that opens it.

    source: the name of the file, for reports. passwords: each is taken only if those before it did not open the file. Raises
    DecryptionError, that of the last attempt; its reason is wrong_secret if the file needs a password, or another one.
    """
    from analyzer.secrets.private_keys import read_private_keys

    try:
        keys = read_private_keys(data, None)
    except DecryptionError as error:
        keys = _with_passwords(data, passwords, error)
    for key in keys:
        key.source = source
    return keys


def _with_passwords(data: bytes, passwords: Iterable[bytes], last_error: DecryptionError) -> "list[PrivateKey]":
    from analyzer.secrets.private_keys import read_private_keys

    untried = iter(passwords)
    while last_error.reason == WRONG_SECRET:
        password = next(untried, None)
        if password is None:
            break
        try:
            return read_private_keys(data, password)
        except DecryptionError as error:
            last_error = error
    raise last_error
