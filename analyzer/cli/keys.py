"""The keys that a command line names: key logs and RSA private keys, read before the first capture.

No secret is in anything that this prints.
"""

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.output import Refusal, complain
from analyzer.secrets.refused import Refused

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

Keys = tuple["KeyLog | None", "list[PrivateKey]"]

_CHUNK = 1 << 20

_TOLD = 3
"""Problems of key logs that are told one by one."""


def read_keys(options: Namespace) -> Keys:
    """The key log of all `--keylog`, None without one, and the keys of all `--rsa-key`. Raises Refusal."""
    keylog = _read_keylogs(options.keylog) if options.keylog else None
    keys: list[PrivateKey] = []
    for path in options.rsa_key:
        keys += _private_keys(path)
    return keylog, keys


def _read_keylogs(paths: list[str]) -> "KeyLog":
    from analyzer.secrets.keylog import KeyLog

    keylog = KeyLog()
    for path in paths:
        _feed(keylog, path)
    keylog.close()
    for problem in keylog.problems[:_TOLD]:
        complain(f"{problem.source}: line {problem.line}: {problem.why}")
    if len(keylog.problems) > _TOLD:
        complain(f"and {len(keylog.problems) - _TOLD} further problems in key logs")
    return keylog


def _private_keys(path: str) -> "list[PrivateKey]":
    from analyzer.secrets.private_keys import LARGEST_FILE, read_private_keys

    if path == "-":
        data = sys.stdin.buffer.read(LARGEST_FILE + 1)
    else:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    try:
        return read_private_keys(data)
    except Refused as refused:
        raise Refusal(f"{path}: {refused.detail}") from refused


def _feed(keylog: "KeyLog", path: str) -> None:
    if path == "-":
        while data := sys.stdin.buffer.read(_CHUNK):
            keylog.feed(data, path)
        return
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            keylog.feed(data, path)
