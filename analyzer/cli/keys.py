"""The keys that a command line names: key logs and RSA private keys, read before the first capture.

No secret is in anything that this prints.
"""

import sys
from argparse import Namespace

from analyzer.cli.output import Refusal, complain
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.private_keys import LARGEST_FILE, PrivateKey, read_private_keys
from analyzer.secrets.refused import Refused

Keys = tuple[KeyLog | None, list[PrivateKey]]

_CHUNK = 1 << 20

_TOLD = 3
"""Problems of key logs that are told one by one."""


def read_keys(options: Namespace) -> Keys:
    """The key log of all `--keylog`, None without one, and the keys of all `--rsa-key`. Raises Refusal."""
    keylog: KeyLog | None = None
    keys: list[PrivateKey] = []
    for path in options.keylog:
        keylog = keylog or KeyLog()
        _feed(keylog, path)
    if keylog is not None:
        keylog.close()
        for problem in keylog.problems[:_TOLD]:
            complain(f"{problem.source}: line {problem.line}: {problem.why}")
        if len(keylog.problems) > _TOLD:
            complain(f"and {len(keylog.problems) - _TOLD} further problems in key logs")
    for path in options.rsa_key:
        try:
            keys += read_private_keys(_read_file(path))
        except Refused as refused:
            raise Refusal(f"{path}: {refused.detail}") from refused
    return keylog, keys


def _feed(keylog: KeyLog, path: str) -> None:
    if path == "-":
        while data := sys.stdin.buffer.read(_CHUNK):
            keylog.feed(data, path)
        return
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            keylog.feed(data, path)


def _read_file(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    with open(path, "rb") as file:
        return file.read(LARGEST_FILE + 1)
