"""Finds secrets in lines that are not lines of a key log, where there can be no doubt.

Programs that read the secrets of other programs print them: logcat of Android puts time and process before each line, a script
of Frida its own sign or JSON around it, and some forget the line end, so that the next label follows the secret. A label of a
key log, a client random of 64 hex digits and a secret of a length that the label allows are nothing else, wherever they stand.
Without all three, or if the hex digits go on behind white space, nothing is taken.

No text from this module contains a secret.
"""

import re
from itertools import pairwise

from analyzer.secrets.keylog_line import LABELS, Line, UnreadableLine, read_line

_ANY_LABEL = rb"(?:QUIC_)?(?:(?:CLIENT|SERVER)_TRAFFIC_SECRET_(?:[0-9]{1,9}|N)|%b)" % b"|".join(
    label.encode() for label in sorted(LABELS, key=len, reverse=True)
)
_LABEL = re.compile(_ANY_LABEL)
_BETWEEN = rb"[^0-9A-Za-z_]{1,8}(?:[a-z_]{1,32}[^0-9A-Za-z_]{1,8})?"
"""Between the values: white space and punctuation, perhaps with a name, as in JSON."""

_VALUES = re.compile(
    rb"(%b)%b([0-9A-Fa-f]{64})%b([0-9A-Fa-f]+)(?![0-9A-Za-z_])(?!\s+[0-9A-Fa-f]+(?:\s|$))" % (_ANY_LABEL, _BETWEEN, _BETWEEN)
)
_MASTER_KEY = re.compile(rb"\bRSA Session-ID:[0-9A-Fa-f]{2,64} Master-Key:[0-9A-Fa-f]{96}(?![0-9A-Za-z_])")
_HEX_BEFORE = re.compile(rb"[0-9A-Fa-f]{64}\Z")
_ENDS_A_LABEL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def salvage(line: bytes, source: str, number: int) -> list[Line | UnreadableLine]:
    """Return what stands in a line that `read_line` cannot read; empty if no label of a key log stands in it.

    There is one entry for each label: the secret, or why there is none. source, number: the place of the line. Zero bytes are
    ignored, because a file can become UTF-16 in its middle.
    """
    line = line.replace(b"\0", b"")
    begins = [found.start() for found in _LABEL.finditer(line) if _begins(line, found.start())]
    found = []
    for begin, end in pairwise([*begins, len(line)]):
        values = _VALUES.match(line, begin, end)
        words = line[begin:end].split(None, 4)[:4] if values is None else list(values.groups())
        found.append(read_line(words, source, number))
    found += [read_line(master.group().split(), source, number) for master in _MASTER_KEY.finditer(line)]
    return found


def longest_whole(line: bytes) -> int:
    """Return how many bytes of a line of many secrets are before its last label; 0 if there is no second one."""
    last = 0
    for found in _LABEL.finditer(line):
        if _begins(line, found.start()):
            last = found.start()
    return last


def _begins(line: bytes, pos: int) -> bool:
    """Return whether a label begins at `pos`, and not in the middle of a longer word in capitals."""
    if pos == 0 or line[pos - 1] not in _ENDS_A_LABEL:
        return True
    return _HEX_BEFORE.search(line, max(0, pos - 64), pos) is not None
