"""Key logs: SSLKEYLOGFILE (RFC 9850) and the forms before it.

A line is a label, the client random of the session, and a secret, the last two in hex. Since TLS 1.3 a session has several
lines. With Encrypted Client Hello accepted the secrets of TLS 1.3 stand under the inner client random, ECH_SECRET and
ECH_CONFIG under the outer. Older forms name a session otherwise: by the first 8 bytes of the encrypted premaster secret, or by
its session id. QUIC libraries once wrote the labels with QUIC_ before them; the secrets are the same, and the prefix is dropped
here.

A key log may grow while it is read, and several are read into one. Words may be apart by more than the one blank that the RFC
asks for. A bad line costs itself: it is counted and reported by number. No secret is in any text that this module makes, but
for `write`, which is there to hand them on. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

import re
from binascii import Error as HexError
from binascii import unhexlify
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import cython

LONGEST_LINE = 1 << 18
"""Octets of a line: ECH_CONFIG may have 65,535 in hex; what goes on longer is no key log."""

MOST_LINES = 1 << 22
"""Of secrets kept: about a gigabyte, for a key log may stand inside a hostile capture. What follows is not kept."""

MOST_LINES_OF_SESSION = 64
"""A session has a dozen labels, and what contradicts is looked for among them all."""

MOST_PROBLEMS = 1000
"""Of problems told one by one; all are counted."""

CLIENT_RANDOM = "CLIENT_RANDOM"
PREMASTER = "PMS_CLIENT_RANDOM"
MASTER_SECRET_LENGTH = 48

TRAFFIC_SECRETS = (
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
)
"""The labels of what every session of TLS 1.3 needs."""

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_RANDOM = 32
_ENCRYPTED_PREFIX = 8
_LONGEST_SESSION_ID = 32
_HASHES = frozenset({32, 48, 64})
_ANY = range(1, 1 << 16)
# Lengths of secret that a label may have.
_LENGTHS = {
    CLIENT_RANDOM: frozenset({MASTER_SECRET_LENGTH}),
    PREMASTER: _ANY,
    "ECH_SECRET": _ANY,
    "ECH_CONFIG": _ANY,
} | dict.fromkeys(
    (
        "CLIENT_EARLY_TRAFFIC_SECRET",
        "EARLY_EXPORTER_SECRET",
        "EARLY_EXPORTER_MASTER_SECRET",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
        "EXPORTER_MASTER_SECRET",
    ),
    _HASHES,
)
_BY_OCTETS = {label.encode(): (label, lengths) for label, lengths in _LENGTHS.items()} | {
    b"QUIC_" + label.encode(): (label, lengths) for label, lengths in _LENGTHS.items() if label != CLIENT_RANDOM
}
# The secrets after a KeyUpdate, as some libraries log them; OpenSSL writes N itself, for each of them.
_LATER = re.compile(rb"(?:CLIENT|SERVER)_TRAFFIC_SECRET_(?:[1-9][0-9]{0,8}|N)")
_SEVERAL = frozenset({"CLIENT_TRAFFIC_SECRET_N", "SERVER_TRAFFIC_SECRET_N"})
_SPELLS_A_LABEL = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]{1,16}){1,8}")
_MASTER_KEY = re.compile(rb"RSA Session-ID:([0-9A-Fa-f]*) Master-Key:([0-9A-Fa-f]*)")
_BOM = b"\xef\xbb\xbf"
_BOMS_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a key log that its owner should know. line: counted from 1. Of `why` no part is secret."""

    source: str
    line: int
    why: str


class Line:
    """A secret, where it stands, and whether a session has asked for it."""

    __slots__ = ("label", "line", "secret", "session", "source", "used")

    def __init__(self, label: str, session: bytes, secret: bytes, source: str, line: cython.longlong) -> None:
        """session: what names it, by the label's form: client random, session id, or start of the encrypted premaster."""
        self.label = label
        self.session = session
        self.secret = secret
        self.source = source
        self.line = line
        self.used = False

    def __repr__(self) -> str:
        """Tell where it stands, not what it says."""
        return f"<{self.label} of {self.source}:{self.line}>"


@dataclass(frozen=True, slots=True)
class Counts:
    """What was read. secrets: lines kept; repeated: lines that say what one before said; conflicting: that contradict one."""

    lines: int
    secrets: int
    used: int
    repeated: int
    conflicting: int
    bad: int
    unknown: int
    sessions: int


class _Source:
    """How far one source is read: the start of a line that has not ended, and the number of lines before it."""

    __slots__ = ("after_return", "lines", "skipping", "tail")

    def __init__(self) -> None:
        self.tail = b""
        self.lines = 0
        self.skipping = False
        self.after_return = False


class KeyLog:
    """The secrets of all sources. Looking one up marks its lines as used.

    problems: what its owner should know. repeats: pairs of a line and one that says the same, which is not kept; at most
    MOST_PROBLEMS of each.
    """

    __slots__ = (
        "_blocks", "_kept", "_labelled", "_n_bad", "_n_conflicting", "_n_kept", "_n_lines", "_n_repeated", "_n_unknown",
        "_news", "_premasters", "_session_ids", "_sources", "problems", "repeats",
    )  # fmt: skip

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.repeats: list[tuple[Line, Line]] = []
        self._sources: dict[str, _Source] = {}
        self._blocks: set[bytes] = set()
        self._kept: dict[bytes, list[Line]] = {}
        self._news: set[bytes] | None = None
        self._labelled: dict[str, list[Line]] = {label: [] for label in TRAFFIC_SECRETS}
        self._session_ids: dict[bytes, list[Line]] = {}
        self._premasters: dict[bytes, list[Line]] = {}
        self._n_lines = self._n_kept = self._n_repeated = self._n_conflicting = self._n_bad = self._n_unknown = 0

    def feed(self, data: bytes, source: str = "key log") -> None:
        """Take the next bytes of a source; lines may be cut anywhere."""
        state = self._sources.setdefault(source, _Source())
        if state.after_return and data[:1] == b"\n":
            data = data[1:]
            state.after_return = False
        if not data:
            return
        state.after_return = data.endswith(b"\r")
        lines = data.splitlines()
        ended = data.endswith((b"\n", b"\r"))
        lines[0] = state.tail + lines[0]
        state.tail = b"" if ended else lines.pop()
        for line in lines:
            state.lines += 1
            if state.skipping:
                state.skipping = False
                continue
            self._line(line, source, state.lines)
        if len(state.tail) > LONGEST_LINE:
            if not state.skipping:
                self._bad(source, state.lines + 1, f"longer than {LONGEST_LINE} octets")
            state.skipping, state.tail = True, b""

    def close(self, source: str | None = None) -> None:
        """Take what a source, or all of them, ended with as a line, though nothing ends it."""
        for name, state in list(self._sources.items()) if source is None else [(source, self._sources.get(source, _Source()))]:
            if state.tail or state.skipping:
                state.lines += 1
                if not state.skipping:
                    self._line(state.tail, name, state.lines)
                state.tail, state.skipping = b"", False

    def take(self, block: bytes, source: str) -> None:
        """Take a whole key log, as a Decryption Secrets Block holds it; one that was taken before is passed over."""
        digest = blake2b(block, digest_size=16).digest()
        if digest not in self._blocks:
            self._blocks.add(digest)
            self.feed(block, source)
            self.close(source)

    def restart(self, source: str) -> None:
        """Hear that a source begins anew: its last line ends here, and lines are counted from 1 again."""
        self.close(source)
        self._sources[source] = _Source()

    def secrets(self, client_random: bytes) -> dict[str, bytes]:
        """Give a session's secrets by label; of those that contradict each other the first. Empty where there are none."""
        lines = self._kept.get(client_random)
        if lines is None:
            return {}
        found: dict[str, bytes] = {}
        for line in lines:
            line.used = True
            found.setdefault(line.label, line.secret)
        return found

    def candidates(self, client_random: bytes, label: str) -> list[bytes]:
        """Give all that the sources say of one secret, in the order in which they say it."""
        found: list[bytes] = []
        line: Line
        for line in self._kept.get(client_random, ()):
            if line.label == label:
                line.used = True
                found.append(line.secret)
        return found

    def by_label(self, client_random: bytes) -> dict[str, list[bytes]]:
        """Give all that the sources say of a session's secrets, each in the order in which they say it."""
        found: dict[str, list[bytes]] = {}
        line: Line
        for line in self._kept.get(client_random, ()):
            line.used = True
            if line.label in found:
                found[line.label].append(line.secret)
            else:
                found[line.label] = [line.secret]
        return found

    def master_secret(self, client_random: bytes) -> bytes | None:
        """Give the master secret of a session up to TLS 1.2."""
        found = self.candidates(client_random, CLIENT_RANDOM)
        return found[0] if found else None

    def masters(self, client_random: bytes, session_id: bytes) -> list[bytes]:
        """Give all that the sources say of the master secret of a session up to TLS 1.2, by both its names."""
        found = self.candidates(client_random, CLIENT_RANDOM)
        return found + _all(self._session_ids[session_id]) if session_id in self._session_ids else found

    def premasters(self, encrypted: bytes) -> list[bytes]:
        """Give all that the sources say of a premaster secret, by its encrypted form, of which the first 8 bytes count."""
        return _all(self._premasters.get(encrypted[:_ENCRYPTED_PREFIX]))

    def by_session_id(self, session_id: bytes) -> bytes | None:
        """Give the master secret that is logged under a session id."""
        return _first(self._session_ids.get(session_id))

    def premaster(self, encrypted: bytes) -> bytes | None:
        """Give the premaster secret by its encrypted form, of which the first 8 bytes count."""
        return _first(self._premasters.get(encrypted[:_ENCRYPTED_PREFIX]))

    def lines_of(self, client_random: bytes = b"", session_id: bytes = b"", encrypted: bytes = b"") -> list[Line]:
        """Give the lines of a session by all that may name it; marks nothing. encrypted: its premaster secret, as sent."""
        tables = (self._kept, client_random), (self._session_ids, session_id), (self._premasters, encrypted[:_ENCRYPTED_PREFIX])
        return [line for table, name in tables for line in table.get(name, ())]

    def sources(self) -> dict[str, int]:
        """Give the number of lines of each source, in the order in which they came."""
        return {name: state.lines for name, state in self._sources.items()}

    def knows(self, client_random: bytes) -> cython.bint:
        """Whether there is any secret of this session; marks nothing."""
        return client_random in self._kept

    def news(self) -> set[bytes] | None:
        """Give the client randoms of what was kept since the last call; None the first time, when that is everything."""
        news = self._news
        self._news = set()
        return news

    def sessions(self, label: str) -> Iterator[tuple[bytes, bytes]]:
        """Give client random and secret of each session that has this one of TRAFFIC_SECRETS, first those not used yet.

        Marks nothing, and takes no longer than there are such sessions.
        """
        lines = self._labelled.get(label, ())
        for used in (False, True):
            for line in lines:
                if line.used is used:
                    yield line.session, line.secret

    def lines(self) -> Iterator[Line]:
        """Give every line kept, whether used or not, session by session."""
        for table in (self._kept, self._session_ids, self._premasters):
            for lines in table.values():
                yield from lines

    def unused(self) -> Iterator[Line]:
        """Give the lines that no session has asked for."""
        return (line for line in self.lines() if not line.used)

    def conflicts(self) -> Iterator[tuple[Line, Line]]:
        """Give pairs of lines of one label and session with different secrets: the first, and one that came later."""
        for table in (self._kept, self._session_ids, self._premasters):
            for lines in table.values():
                firsts: dict[str, Line] = {}
                for line in lines:
                    first = firsts.setdefault(line.label, line)
                    if first is not line and line.label not in _SEVERAL:
                        yield first, line

    def suffices(self, client_random: bytes) -> bool:
        """Whether there is all that a session needs, as far as labels tell; marks nothing."""
        labels = {line.label for line in self._kept.get(client_random, ())}
        return CLIENT_RANDOM in labels or PREMASTER in labels or labels.issuperset(TRAFFIC_SECRETS)

    @property
    def n_fed(self) -> int:
        """How many lines were taken so far, which tells whether there is anything new."""
        return self._n_lines

    def counts(self) -> Counts:
        """Give the figures of the audit; `sessions` are those named by client random."""
        return Counts(
            lines=self._n_lines,
            secrets=self._n_kept,
            used=sum(line.used for line in self.lines()),
            repeated=self._n_repeated,
            conflicting=self._n_conflicting,
            bad=self._n_bad,
            unknown=self._n_unknown,
            sessions=len(self._kept),
        )

    def write(self, client_random: bytes, proven: Mapping[str, bytes] = _NOTHING) -> bytes:
        """Write a session's secrets as lines of RFC 9850, for a file that decrypts just that session.

        proven: labels with the one secret that is right; what contradicts it is left out.
        """
        lines = (
            f"{line.label} {client_random.hex()} {line.secret.hex()}\n"
            for line in self._kept.get(client_random, ())
            if proven.get(line.label, line.secret) == line.secret
        )
        return "".join(lines).encode()

    def _line(self, line: bytes, source: str, number: cython.longlong) -> None:
        self._n_lines += 1
        if number == 1 and line.startswith((_BOM, *_BOMS_UTF16)):
            if not line.startswith(_BOM):
                self._bad(source, number, "UTF-16, and a key log is UTF-8")
                return
            line = line[len(_BOM) :]
            self._tell(source, number, "begins with a byte order mark, which a key log may not")
        words = line.split()
        if not words or line[0] == 0x23:
            return
        known = _BY_OCTETS.get(words[0])
        if known is None:
            self._odd_line(words, source, number)
            return
        self._secret(known[0], known[1], words, source, number)

    def _secret(self, label: str, lengths: Any, words: list[Any], source: str, number: cython.longlong) -> None:
        if len(words) != 3:
            self._bad(source, number, f"{label} with {len(words) - 1} values, not client random and secret")
            return
        try:
            session, secret = unhexlify(words[1]), unhexlify(words[2])
        except HexError:
            self._bad(source, number, f"{label} with a value that is not hex")
            return
        if len(session) != _RANDOM:
            self._bad(source, number, f"{label} with a client random of {len(session)} bytes")
        elif len(secret) not in lengths:
            self._bad(source, number, f"{label} with a secret of {len(secret)} bytes")
        else:
            self._keep(self._kept, Line(label, session, secret, source, number))

    def _odd_line(self, words: list[bytes], source: str, number: int) -> None:
        """Read what is older than the RFC, or unknown."""
        if words[0] == b"RSA":
            self._rsa(words, source, number)
        elif _LATER.fullmatch(words[0].removeprefix(b"QUIC_")):
            self._secret(words[0].removeprefix(b"QUIC_").decode(), _HASHES, words, source, number)
        elif len(words) == 3 and _SPELLS_A_LABEL.fullmatch(words[0]):
            # RFC 9850, section 2: a label that one does not know is passed over.
            self._n_unknown += 1
            self._tell(source, number, f"unknown label {words[0].decode()}")
        else:
            self._bad(source, number, "no line of a key log")

    def _rsa(self, words: list[bytes], source: str, number: int) -> None:
        form = _MASTER_KEY.fullmatch(b" ".join(words))
        table = self._session_ids if form else self._premasters
        values = list(form.groups()) if form else words[1:]
        if len(values) != 2:
            self._bad(source, number, f"RSA with {len(values)} values, not 2")
            return
        try:
            session, secret = unhexlify(values[0]), unhexlify(values[1])
        except HexError:
            self._bad(source, number, "RSA with a value that is not hex")
            return
        if form and not 0 < len(session) <= _LONGEST_SESSION_ID:
            self._bad(source, number, f"a session id of {len(session)} bytes")
        elif not form and len(session) < _ENCRYPTED_PREFIX:
            self._bad(source, number, f"RSA with {len(session)} bytes of the encrypted secret, not {_ENCRYPTED_PREFIX}")
        elif len(secret) != MASTER_SECRET_LENGTH:
            self._bad(source, number, f"RSA with a secret of {len(secret)} bytes")
        else:
            # Some programs write more of the encrypted secret than the first bytes, which are what names it.
            self._keep(table, Line("RSA", session if form else session[:_ENCRYPTED_PREFIX], secret, source, number))

    def _keep(self, table: dict[Any, Any], line: Line) -> None:
        lines: list[Line] = table.get(line.session) or []
        first: Line | None = None
        other: Line
        for other in lines:
            if other.label == line.label:
                if other.secret == line.secret:
                    self._n_repeated += 1
                    if len(self.repeats) < MOST_PROBLEMS:
                        self.repeats.append((other, line))
                    return
                first = first or other
        if self._n_kept == MOST_LINES or len(lines) == MOST_LINES_OF_SESSION:
            most = MOST_LINES if self._n_kept == MOST_LINES else MOST_LINES_OF_SESSION
            self._bad(line.source, line.line, f"not kept: there are {most} secrets already")
            return
        if first is not None and line.label not in _SEVERAL:
            self._n_conflicting += 1
            self._tell(line.source, line.line, f"{line.label} contradicts line {first.line} of {first.source}")
        if lines:
            # The same bytes, kept once.
            line.session = lines[0].session
        else:
            table[line.session] = lines
        if first is None and line.label in self._labelled:
            self._labelled[line.label].append(line)
        lines.append(line)
        self._n_kept += 1
        if self._news is not None and table is self._kept:
            self._news.add(line.session)

    def _bad(self, source: str, number: int, why: str) -> None:
        self._n_bad += 1
        self._tell(source, number, why)

    def _tell(self, source: str, number: int, why: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(source, number, why))


def _first(lines: list[Line] | None) -> bytes | None:
    found = _all(lines)
    return found[0] if found else None


def _all(lines: list[Line] | None) -> list[bytes]:
    for line in lines or ():
        line.used = True
    return [line.secret for line in lines or ()]
