"""Makes names of files of what a capture says: safe on every file system, and never out of their folder.

A host becomes a folder, the last part of a URL's path the name of a file in it. A name has only lower-case letters, digits,
dots, dashes and underscores, so two names never differ in case alone. The devices of Windows are no names (CON, NUL, COM1 and
others, also with an ending), nor is what begins with a dot or ends with one. The ending is that of the media type, never that
of the capture alone: what is no known type ends with `.bin`, so that nothing runs by a double click. The query of a URL is
left out: it may hold secrets.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

LONGEST_STEM: Final = 80
"""The longest stem of a file's name. With folder, number and ending, a name stays far below the 255 bytes of file systems."""

LONGEST_FOLDER: Final = 100

_INDEX: Final = "index"
_OTHER: Final = re.compile(r"[^a-z0-9._-]+")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9]|lpt[0-9])(?=\.|\Z)")
_ALIKE: Final = {"jpeg": "jpg", "htm": "html", "tiff": "tif", "mjs": "js", "yml": "yaml", "text": "txt"}
_OURS: Final = ("manifest.json",)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class FileNames:
    """The names of one folder, each of them once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def object_name(self, url: str | None, server: str, kind: str, ending: str, number: tuple[int, int]) -> str:
        """Return a new name for a body: `folder/name`.

        url: what was asked for. server: the address, for a folder if the URL names no host. kind: `response`, or what stands
        in the name. ending: without a dot. number: session and exchange, which stand in the name if it is taken already.
        """
        stem = safe_stem(url, ending)
        if kind != "response":
            stem = f"{stem}.{kind}"
        folder = safe_folder(url, server)
        name = f"{folder}/{stem}.{ending}"
        if name in self._used:
            stem = f"{stem}-s{number[0]}e{number[1]}"
            name = f"{folder}/{stem}.{ending}"
        copy = 1
        while name in self._used:
            copy += 1
            name = f"{folder}/{stem}-{copy}.{ending}"
        self._used.add(name)
        return name


def safe_folder(url: str | None, server: str) -> str:
    """Return the name of the folder for a URL: its host, with a port that is not the usual one; else the server's address."""
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets that are no address, a port that is no number
        host, port = None, None
        parts = urlsplit("")
    if not host:
        return _safe(server, LONGEST_FOLDER)
    usual = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
    return _safe(host if usual else f"{host}_{port}", LONGEST_FOLDER)


def safe_stem(url: str | None, ending: str) -> str:
    """Return the name of a file for a URL, without the ending, which is not doubled: `logo.png` of a PNG becomes `logo`."""
    path = (url or "").partition("#")[0].partition("?")[0]
    if "//" in path:
        path = path.partition("//")[2].partition("/")[2]
    last = unquote(path.rpartition("/")[2], errors="replace")
    name = _safe(last, LONGEST_STEM) if last.strip(". ") else _INDEX
    stem, dot, own = name.rpartition(".")
    return stem if dot and stem and _ALIKE.get(own, own) == ending else name


def _safe(text: str, longest: int) -> str:
    name = _OTHER.sub("_", text.lower().replace(":", "-"))[:longest].strip(".") or "_"
    return f"_{name}"[:longest] if _DEVICE.match(name) or name.startswith("-") or name in _OURS else name
