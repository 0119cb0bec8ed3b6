"""Imports before rights are dropped what a run that sniffs needs only later.

Such a run becomes another user when its sockets are open. Python and its packages may stand in a folder that this user cannot
read, such as that of root. Then an import fails in the middle of the run, at the first certificate or HTTP/2 connection.
So root imports all of that at the start. What a user has to be able to read all the same is said in one line.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import analyzer

OWN = os.path.dirname(analyzer.__file__)
"""The folder of the analyzer, whose modules and tables are read when they are needed."""

LATER = (
    "brotli", "certifi.core", "cryptography.hazmat.backends.openssl.backend", "cryptography.hazmat.decrepit.ciphers.algorithms",
    "cryptography.hazmat.primitives.asymmetric.ed448", "cryptography.hazmat.primitives.asymmetric.x25519",
    "cryptography.hazmat.primitives.ciphers.aead", "cryptography.hazmat.primitives.poly1305",
    "cryptography.hazmat.primitives.serialization.pkcs12", "cryptography.x509.verification", "getpass", "hpack.hpack",
    "importlib.readers", "importlib.resources.readers", "logging", "lz4.frame", "lzma",
    "pwd", "zstandard",
)  # fmt: skip
"""Modules of Python and its packages that are imported only for some captures; each imports others."""


def import_later_ones() -> None:
    """Import LATER, if this process is root's: others stay who they are. Call it before rights are dropped."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        for name in LATER:
            import_module(name)


def unreadable(view: bool, mozilla: bool) -> str | None:
    """Return what the user of this process has to read and cannot, and why it has to; None if there is nothing.

    view: whether the view is shown, for which Python imports far more. mozilla: whether Mozilla's roots are read. Call it after
    rights were dropped.
    """
    for path, reason in _needed(view, mozilla):
        if not os.access(path, os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK):
            return f"{path}, {reason}"
    return None


def _needed(view: bool, mozilla: bool) -> Iterator[tuple[str, str]]:
    for folder in (OWN, os.path.join(OWN, "cli")):
        yield folder, "where the analyzer is installed"
    if mozilla:
        yield certifi_path(), "where Mozilla's roots are; with --trust FILE they are not read"
    if view:
        spec = find_spec("textual")  # None too if its folder cannot be listed
        folders = [folder for folder in sys.path if os.path.basename(folder) == "lib-dynload"]
        for path in (os.path.dirname(os.__file__), *folders, "textual" if spec is None or spec.origin is None else spec.origin):
            yield path, "which the view needs; with --format there is none"


def certifi_path() -> str:
    """Return the file with Mozilla's roots."""
    import certifi

    return certifi.where()
