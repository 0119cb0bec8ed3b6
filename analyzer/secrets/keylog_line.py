"""Reads one line of a key log (RFC 9850 section 2), also in the older forms.

A line has a label, the client random of the session, and a secret; the last two are in hex. Older forms name a session by the
first 8 bytes of the encrypted premaster secret, or by its session id. Old QUIC libraries wrote the prefix QUIC_ before the
labels. The secrets are the same, and the prefix is removed here. The RFC separates words by one space; here any white space is
accepted.

No text from this module contains a secret.
"""

from __future__ import annotations

import re
from binascii import Error as HexError
from binascii import unhexlify
from typing import TYPE_CHECKING, Any

from analyzer.secrets.labels import CLIENT_RANDOM, EARLY_LABEL, PREMASTER, TRAFFIC_SECRETS

if TYPE_CHECKING:
    import cython

MASTER_SECRET_LENGTH = 48
"""Length in bytes of the master secret and of the premaster secret of RSA (RFC 5246 sections 8.1 and 8.1.1)."""

ENCRYPTED_PREFIX = 8
"""Number of bytes of an encrypted premaster secret that name a session."""

BY_CLIENT_RANDOM, BY_SESSION_ID, BY_ENCRYPTED = range(3)
"""How a line names its session."""

REPEATABLE_LABELS = frozenset({"CLIENT_TRAFFIC_SECRET_N", "SERVER_TRAFFIC_SECRET_N"})
"""Labels for which a session can have several lines with different secrets.

OpenSSL writes the letter N literally, once for each KeyUpdate.
"""

_RANDOM = 32
_LONGEST_SESSION_ID = 32
_HASHES = frozenset({32, 48, 64})
_ANY = range(1, 1 << 16)
# Allowed lengths of the secret, by label.
_LENGTHS = {
    CLIENT_RANDOM: frozenset({MASTER_SECRET_LENGTH}),
    PREMASTER: _ANY,
    "ECH_SECRET": _ANY,
    "ECH_CONFIG": _ANY,
} | dict.fromkeys(
    (
        EARLY_LABEL,
        *TRAFFIC_SECRETS,
        "EARLY_EXPORTER_SECRET",
        "EARLY_EXPORTER_MASTER_SECRET",
        "EXPORTER_SECRET",
        "EXPORTER_MASTER_SECRET",
    ),
    _HASHES,
)
LABELS = tuple(_LENGTHS)
"""All labels before a client random, except those of secrets after a KeyUpdate."""

_BY_OCTETS = {label.encode(): (label, lengths) for label, lengths in _LENGTHS.items()} | {
    b"QUIC_" + label.encode(): (label, lengths) for label, lengths in _LENGTHS.items() if label != CLIENT_RANDOM
}
# The secrets after a KeyUpdate, which some libraries log.
_LATER = re.compile(rb"(?:CLIENT|SERVER)_TRAFFIC_SECRET_(?:[1-9][0-9]{0,8}|N)")
_SPELLS_A_LABEL = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]{1,16}){1,8}")
_MASTER_KEY = re.compile(rb"RSA Session-ID:([0-9A-Fa-f]*) Master-Key:([0-9A-Fa-f]*)")


class Line:
    """A secret, its position in the source, and whether a session has asked for it.

    session: the name of the session, of the kind given by `key`; for an encrypted premaster secret its first 8 bytes. line:
    counted from 1.
    """

    __slots__ = ("key", "label", "line", "secret", "session", "source", "used")

    key: int
    label: str
    line: int
    secret: bytes
    session: bytes
    source: str
    used: bool

    def __repr__(self) -> str:
        """Return label and position, but not the secret."""
        return f"<{self.label} of {self.source}:{self.line}>"


class UnreadableLine:
    """Why a line is not kept.

    unknown: it has the form of a line, but its label is not known. session: the client random that it names; empty if it cannot
    be read.
    """

    __slots__ = ("session", "unknown", "why")

    session: bytes
    unknown: bool
    why: str


def read_line(words: list[Any], source: str, number: cython.longlong) -> Line | UnreadableLine:
    """Read the words of a line (at least one).

    Returns UnreadableLine if the line cannot be kept; raises nothing for bad content.
    """
    known = _BY_OCTETS.get(words[0])
    if known is None:
        return _read_old_form(words, source, number)
    return _read_secret(known[0], known[1], words, source, number)


def _read_secret(label: str, lengths: Any, words: list[Any], source: str, number: cython.longlong) -> Line | UnreadableLine:
    """Read a line that names its session by the client random."""
    if len(words) != 3:
        return _unreadable(f"{label} with {len(words) - 1} values, not client random and secret", False, _named(words))
    try:
        session, secret = unhexlify(words[1]), unhexlify(words[2])
    except HexError:
        return _unreadable(f"{label} with a value that is not hex", False, _named(words))
    if len(session) != _RANDOM:
        return _unreadable(f"{label} with a client random of {len(session)} bytes", False)
    if len(secret) not in lengths:
        return _unreadable(f"{label} with a secret of {len(secret)} bytes", False, session)
    return _line_of(label, session, secret, source, number, BY_CLIENT_RANDOM)


def _read_old_form(words: list[Any], source: str, number: cython.longlong) -> Line | UnreadableLine:
    """Read a line in an older form than the RFC's, or with an unknown label."""
    if words[0] == b"RSA":
        return _read_rsa(words, source, number)
    if _LATER.fullmatch(words[0].removeprefix(b"QUIC_")):
        return _read_secret(words[0].removeprefix(b"QUIC_").decode(), _HASHES, words, source, number)
    if len(words) == 3 and _SPELLS_A_LABEL.fullmatch(words[0]):
        # RFC 9850, section 2: unknown labels are skipped.
        return _unreadable(f"unknown label {words[0].decode()}", True)
    return _unreadable("no line of a key log", False)


def _read_rsa(words: list[Any], source: str, number: cython.longlong) -> Line | UnreadableLine:
    """Read the two forms that begin with RSA: by session id, and by the encrypted premaster secret."""
    form = _MASTER_KEY.fullmatch(b" ".join(words))
    values = list(form.groups()) if form else words[1:]
    if len(values) != 2:
        return _unreadable(f"RSA with {len(values)} values, not 2", False)
    try:
        session, secret = unhexlify(values[0]), unhexlify(values[1])
    except HexError:
        return _unreadable("RSA with a value that is not hex", False)
    if form and not 0 < len(session) <= _LONGEST_SESSION_ID:
        return _unreadable(f"a session id of {len(session)} bytes", False)
    if not form and len(session) < ENCRYPTED_PREFIX:
        return _unreadable(f"RSA with {len(session)} bytes of the encrypted secret, not {ENCRYPTED_PREFIX}", False)
    if len(secret) != MASTER_SECRET_LENGTH:
        return _unreadable(f"RSA with a secret of {len(secret)} bytes", False)
    if form:
        return _line_of("RSA", session, secret, source, number, BY_SESSION_ID)
    # Some programs write more of the encrypted secret than the 8 bytes that name it.
    return _line_of("RSA", session[:ENCRYPTED_PREFIX], secret, source, number, BY_ENCRYPTED)


def _line_of(label: str, session: bytes, secret: bytes, source: str, number: cython.longlong, key: cython.int) -> Line:
    """Return a line that is not marked as used.

    Setting the fields here saves compiled code a call with six Python objects.
    """
    line: Line = Line.__new__(Line)
    line.label = label
    line.session = session
    line.secret = secret
    line.source = source
    line.line = number
    line.key = key
    line.used = False
    return line


def _named(words: list[Any]) -> bytes:
    """Return the client random of a line whose secret cannot be read; empty if that cannot be read either."""
    if len(words) < 2 or len(words[1]) != 2 * _RANDOM:
        return b""
    try:
        return unhexlify(words[1])
    except HexError:
        return b""


def _unreadable(why: str, unknown: cython.bint, session: bytes = b"") -> UnreadableLine:
    found: UnreadableLine = UnreadableLine.__new__(UnreadableLine)
    found.why = why
    found.unknown = unknown
    found.session = session
    return found
