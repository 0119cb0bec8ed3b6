"""What exactly is validated: the files of this installation with their SHA-256, and the versions of all that results depend on.

No path of this machine and no name of it is here, so the same installation gives the same facts in any folder.
"""

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import analyzer

PACKAGES = (
    "brotli", "certifi", "cryptography", "dnspython", "hpack", "jinja2", "lark", "lz4", "orjson", "pcre2", "pylsqpack",
    "pyshark", "rich", "scapy", "shtab", "textual", "typst", "zstandard",
)  # fmt: skip
"""The packages that the analyzer needs, as setup.cfg lists them."""

_LEFT_OUT = frozenset(("__pycache__", "material"))
"""Folders that are not listed: what Python writes there by itself, and the material, which has a list of its own."""


def installation_facts() -> dict[str, Any]:
    """Return the files of the package by path, and one SHA-256 for all.

    That is the SHA-256 of a text with one line for each file: its SHA-256 in hex, two spaces, its path, as `sha256sum` writes
    it, in the order of the paths.
    """
    root = os.path.dirname(os.path.abspath(analyzer.__file__))
    found = []
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                content = file.read()
            short = os.path.join("analyzer", os.path.relpath(path, root))
            found.append({"path": short, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    found.sort(key=lambda one: str(one["path"]))
    lines = "".join(f"{one['sha256']}  {one['path']}\n" for one in found)
    return {"count": len(found), "sha256": hashlib.sha256(lines.encode()).hexdigest(), "files": found}


def package_versions() -> dict[str, str | None]:
    """Return the installed version of each package that is needed; None where it cannot be found out."""
    return {name: _version_of(name) for name in PACKAGES}


def system_facts() -> dict[str, str | None]:
    """Return the operating system: its name, version, distribution, C library and processor; None where it is not known."""
    libc = " ".join(part for part in platform.libc_ver() if part)
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:  # a system without os-release(5)
        distribution = None
    return {
        "system": platform.system() or None,
        "release": platform.release() or None,
        "distribution": distribution,
        "libc": libc or None,
        "machine": platform.machine() or None,
    }


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
