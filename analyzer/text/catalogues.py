"""Reads the catalogues of translations: .po files, as gettext and Babel have them, in `locale/<language>/LC_MESSAGES/`.

`analyzer.po` has the sentences that this room and `cli` write themselves, `sentences.po` those that lower rooms have finished.
A file is read as it is, so a checkout and an installed wheel need no compiled one.
"""

import os
import re
from functools import lru_cache

SAID, RETOLD = "analyzer", "sentences"
"""The catalogue of the sentences that `say` writes, and that of those which `retold` recognizes."""

CONTEXT_END = "\x04"
"""Between a context and its msgid in the key of a catalogue, as in a .mo file."""

_FOLDER = os.path.join(os.path.dirname(__file__), "locale")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@lru_cache
def catalogue(language: str, name: str) -> dict[str, str]:
    """Return the catalogue in `locale/<language>/LC_MESSAGES/<name>.po`: translations by context and msgid. Raises OSError.

    The key of a msgid without a context is the msgid. The forms for numbers have the context `number`, and their singular.
    """
    with open(os.path.join(_FOLDER, language, "LC_MESSAGES", f"{name}.po"), encoding="utf-8") as file:
        text = file.read()
    entries: dict[str, str] = {}
    entry: dict[str, str] = {}
    keyword = ""
    for line in [*text.splitlines(), ""]:
        if not line and entry:
            key = entry["msgid"] if "msgctxt" not in entry else entry["msgctxt"] + CONTEXT_END + entry["msgid"]
            entries[key] = entry.get("msgstr") or entry.get("msgstr[0]", "")
            entry = {}
        quoted = _QUOTED.search(line)
        if line.startswith("#") or quoted is None:
            continue
        keyword = line[: quoted.start()].strip() or keyword
        entry[keyword] = entry.get(keyword, "") + re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[1])
    entries.pop("", None)
    return {key: translated for key, translated in entries.items() if translated}
