"""Reads key logs: SSLKEYLOGFILE (RFC 9850) and the older forms.

Each line (`keylog_line`) has one secret of one session. Since TLS 1.3 a session has several lines. If Encrypted Client Hello is
accepted, the secrets of TLS 1.3 are logged with the inner client random, and ECH_SECRET and ECH_CONFIG with the outer one.

A key log can grow while it is read, and several key logs are read into one object. A bad line does not affect the other lines;
it is counted and reported with its number. Only `write` puts secrets into its output, because it exports them. No other text
from this module contains a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING

from analyzer.secrets.keylog_line import (
    BY_CLIENT_RANDOM,
    BY_SESSION_ID,
    ENCRYPTED_PREFIX,
    MASTER_SECRET_LENGTH,
    REPEATABLE_LABELS,
    Line,
    UnreadableLine,
    read_line,
)
from analyzer.secrets.keylog_salvage import longest_whole, salvage
from analyzer.secrets.keylog_source import UTF_16, KeyLogSource, fault_of
from analyzer.secrets.labels import CLIENT_RANDOM, PREMASTER, TRAFFIC_SECRETS

if TYPE_CHECKING:
    import cython

__all__ = ["MASTER_SECRET_LENGTH", "Counts", "KeyLog", "Problem"]

LONGEST_LINE = 1 << 18
"""Longest line in octets. ECH_CONFIG can have 65,535 bytes in hex; anything longer is not a key log."""

MOST_LINES = 1 << 22
"""Limit of secrets kept, about one gigabyte, because a malicious capture can contain a key log. Others are not kept."""

MOST_LINES_OF_SESSION = 64
"""Limit of secrets for one session, which has about twelve labels. Each new line is compared with all earlier ones."""

MOST_PROBLEMS, MOST_CUT, MOST_CUT_OF_SESSION = 1000, 1 << 16, 16
"""Limits of the problems that are listed one by one, and of the sessions whose secrets cannot be read, with lines of each."""

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a key log that its owner should know. line: counted from 1. `why` contains no secret."""

    source: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of lines read, by kind.

    secrets: lines kept; repeated: lines that repeat an earlier one; conflicting: lines that contradict an earlier one.
    """

    lines: int
    secrets: int
    used: int
    repeated: int
    conflicting: int
    bad: int
    unknown: int
    sessions: int


class KeyLog:
    """The secrets of all sources. Looking up a secret marks its lines as used.

    problems: what its owner should know. repeats: pairs of a line and a later one that says the same, which is not kept. Each
    list has at most MOST_PROBLEMS entries.
    """

    __slots__ = (
        "_blocks", "_cut", "_kept", "_labelled", "_n_bad", "_n_conflicting", "_n_good", "_n_kept", "_n_lines", "_n_repeated",
        "_n_unknown", "_n_written", "_news", "_premasters", "_session_ids", "_sources", "problems", "repeats",
    )  # fmt: skip

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.repeats: list[tuple[Line, Line]] = []
        self._sources: dict[str, KeyLogSource] = {}
        self._cut: dict[bytes, list[Problem]] = {}
        self._blocks: set[bytes] = set()
        self._kept: dict[bytes, list[Line]] = {}
        self._news: set[bytes] | None = None
        self._labelled: dict[str, list[Line]] = {label: [] for label in TRAFFIC_SECRETS}
        self._session_ids: dict[bytes, list[Line]] = {}
        self._premasters: dict[bytes, list[Line]] = {}
        self._n_lines = self._n_kept = self._n_repeated = self._n_conflicting = self._n_bad = self._n_unknown = 0
        self._n_written = self._n_good = 0

    def feed(self, data: bytes, source: str = "key log") -> None:
        """Read the next bytes of a source. A line can continue in the next call."""
        state = self._sources.setdefault(source, KeyLogSource())
        converted = state.converted
        data = state.read(data)
        if state.converted and not converted:
            self._report(source, 1, UTF_16)
        if data:
            self._read(state, data, source)

    def close(self, source: str | None = None) -> None:
        """Read the end of a source, or of all sources, as a line, although it has no line end."""
        for name in list(self._sources) if source is None else [source]:
            state = self._sources.setdefault(name, KeyLogSource())
            held = state.end()
            if held:
                self._read(state, held, name)
            if state.tail or state.skipping:
                self._lines([state.tail], state, name)
                state.tail, state.skipping = b"", False

    def take(self, block: bytes, source: str) -> None:
        """Read a whole key log, for example from a Decryption Secrets Block. A block that was read before is skipped."""
        digest = blake2b(block, digest_size=16).digest()
        if digest not in self._blocks:
            self._blocks.add(digest)
            self.feed(block, source)
            self.close(source)

    def restart(self, source: str) -> None:
        """Note that a source starts again from its beginning: its last line ends here, and lines are counted from 1 again."""
        self.close(source)
        self._sources[source] = KeyLogSource()

    def forget(self, most: int, needed: Collection[bytes] = ()) -> None:
        """Forget the sessions whose secrets were read first, until at most `most` lines are kept.

        needed: client randoms of sessions that are not forgotten. The time depends on the number of lines, so call it rarely.
        Those by client random go first.
        """
        for table in (self._kept, self._session_ids, self._premasters):
            for name in list(table):
                if self._n_kept <= most:
                    break
                if name not in needed:
                    self._n_kept -= len(table.pop(name))
        for lines in self._labelled.values():
            lines[:] = [line for line in lines if line.session in self._kept]

    def secrets(self, client_random: bytes) -> dict[str, bytes]:
        """Return a session's secrets by label, empty if there are none.

        If secrets contradict each other, the first one is returned.
        """
        lines = self._kept.get(client_random)
        if lines is None:
            return {}
        found: dict[str, bytes] = {}
        for line in lines:
            line.used = True
            found.setdefault(line.label, line.secret)
        return found

    def candidates(self, client_random: bytes, label: str) -> list[bytes]:
        """Return all values that the sources have for one secret, in the order in which they were read."""
        found: list[bytes] = []
        line: Line
        for line in self._kept.get(client_random, ()):
            if line.label == label:
                line.used = True
                found.append(line.secret)
        return found

    def by_label(self, client_random: bytes) -> dict[str, list[bytes]]:
        """Return all values that the sources have for a session's secrets, by label, in the order in which they were read."""
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
        """Return the master secret of a session up to TLS 1.2, or None."""
        found = self.candidates(client_random, CLIENT_RANDOM)
        return found[0] if found else None

    def masters(self, client_random: bytes, session_id: bytes) -> list[bytes]:
        """Return all values for the master secret of a session up to TLS 1.2, logged by client random or by session id."""
        found = self.candidates(client_random, CLIENT_RANDOM)
        return found + _all(self._session_ids[session_id]) if session_id in self._session_ids else found

    def premasters(self, encrypted: bytes) -> list[bytes]:
        """Return all values for a premaster secret, found by the first 8 bytes of its encrypted form."""
        return _all(self._premasters.get(encrypted[:ENCRYPTED_PREFIX]))

    def by_session_id(self, session_id: bytes) -> bytes | None:
        """Return the master secret that is logged with a session id, or None."""
        return next(iter(_all(self._session_ids.get(session_id))), None)

    def premaster(self, encrypted: bytes) -> bytes | None:
        """Return a premaster secret, found by the first 8 bytes of its encrypted form, or None."""
        return next(iter(_all(self._premasters.get(encrypted[:ENCRYPTED_PREFIX]))), None)

    def lines_of(self, client_random: bytes = b"", session_id: bytes = b"", encrypted: bytes = b"") -> list[Line]:
        """Return the lines of a session, found by any of its three names. Lines are not marked as used.

        encrypted: the session's premaster secret, as it was sent.
        """
        tables = (self._kept, client_random), (self._session_ids, session_id), (self._premasters, encrypted[:ENCRYPTED_PREFIX])
        return [line for table, name in tables for line in table.get(name, ())]

    def cut_lines(self, client_random: bytes) -> list[Problem]:
        """Return the lines that name a session, but whose secret cannot be read, for example because it is cut short."""
        return self._cut.get(client_random, [])

    def counts_of_lines(self) -> tuple[int, int]:
        """Return the number of bad lines, and of all lines that are neither empty nor comments."""
        return self._n_bad, self._n_written

    def is_plain(self) -> bool:
        """Return whether every secret was read from a line of the form that all programs read."""
        return not any(source.converted or source.n_salvaged for source in self._sources.values())

    def fault(self) -> str:
        """Say why no secret at all could be read, in words that follow "the key log"; "" if one could be."""
        return "" if self._n_good else fault_of(list(self._sources.values()))

    def faults(self) -> dict[str, str]:
        """Return the same for each source of which no secret could be read, by source."""
        return {name: fault_of([state]) for name, state in self._sources.items() if not state.n_good}

    def sources(self) -> dict[str, int]:
        """Return the number of lines of each source, in the order in which the sources came."""
        return {name: state.lines for name, state in self._sources.items()}

    def knows(self, client_random: bytes) -> cython.bint:
        """Return whether there is any secret of this session. Lines are not marked as used."""
        return client_random in self._kept

    def new_sessions(self) -> set[bytes] | None:
        """Return the client randoms of the secrets kept since the last call.

        The first call returns None, which means all of them.
        """
        new_sessions = self._news
        self._news = set()
        return new_sessions

    def sessions(self, label: str) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the sessions that have this one of TRAFFIC_SECRETS, the unused ones first: (client random, secret).

        Lines are not marked as used. The time depends only on the number of these sessions.
        """
        lines = self._labelled.get(label, ())
        for used in (False, True):
            for line in lines:
                if line.used is used:
                    yield line.session, line.secret

    def lines(self) -> Iterator[Line]:
        """Iterate over all lines kept, used or not, session by session."""
        for table in (self._kept, self._session_ids, self._premasters):
            for lines in table.values():
                yield from lines

    def unused(self) -> Iterator[Line]:
        """Iterate over the lines that no session has asked for."""
        return (line for line in self.lines() if not line.used)

    def conflicts(self) -> Iterator[tuple[Line, Line]]:
        """Iterate over pairs of lines that have the same label and session, but different secrets.

        Each pair is the first line and a later one.
        """
        for table in (self._kept, self._session_ids, self._premasters):
            for lines in table.values():
                firsts: dict[str, Line] = {}
                for line in lines:
                    first = firsts.setdefault(line.label, line)
                    if first is not line and line.label not in REPEATABLE_LABELS:
                        yield first, line

    def has_all_secrets(self, client_random: bytes) -> bool:
        """Return whether the labels logged for a session are enough to decrypt it. Lines are not marked as used."""
        labels = {line.label for line in self._kept.get(client_random, ())}
        return CLIENT_RANDOM in labels or PREMASTER in labels or labels.issuperset(TRAFFIC_SECRETS)

    @property
    def n_fed(self) -> int:
        """The number of lines read so far. A caller compares it to see whether there is anything new."""
        return self._n_lines

    @property
    def n_kept(self) -> int:
        """The number of lines that are kept."""
        return self._n_kept

    def counts(self) -> Counts:
        """Return the figures for the audit; `sessions` are those named by client random."""
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

    def write(self, client_random: bytes, verified: Mapping[str, bytes] = _NOTHING) -> bytes:
        """Write a session's secrets as lines of RFC 9850, for a file that decrypts only this session.

        verified: labels with the secret that is known to be right; lines that contradict it are left out.
        """
        lines = (
            f"{line.label} {client_random.hex()} {line.secret.hex()}\n"
            for line in self._kept.get(client_random, ())
            if verified.get(line.label, line.secret) == line.secret
        )
        return "".join(lines).encode()

    def _read(self, state: KeyLogSource, data: bytes, source: str) -> None:
        """Divide bytes into lines, and read them; the last one stays open."""
        self._lines(state.split(data), state, source)
        if len(state.tail) > LONGEST_LINE:
            whole = 0 if state.skipping else longest_whole(state.tail)
            if whole:  # secrets without line ends between them
                self._lines([state.tail[:whole]], state, source)
                state.lines -= 1
                state.tail = state.tail[whole:]
        if len(state.tail) > LONGEST_LINE:
            if not state.skipping:
                self._n_written += 1
                state.n_written += 1
                self._bad(source, state.lines + 1, f"longer than {LONGEST_LINE} octets")
            state.skipping, state.tail = True, b""

    def _lines(self, lines: list[bytes], state: KeyLogSource, source: str) -> None:
        n_written, n_good, n_unknown = self._n_written, self._n_good, self._n_unknown
        for line in lines:
            state.lines += 1
            if state.skipping:
                state.skipping = False
                continue
            self._line(line, source, state.lines)
        state.n_written += self._n_written - n_written
        state.n_good += self._n_good - n_good
        state.n_unknown += self._n_unknown - n_unknown

    def _line(self, line: bytes, source: str, number: cython.longlong) -> None:
        self._n_lines += 1
        if number == 1 and line.startswith(_BOM):
            line = line[len(_BOM) :]
            self._report(source, number, "begins with a byte order mark, which a key log may not")
        words = line.split()
        if not words or line[0] == 0x23:
            return
        self._n_written += 1
        found = read_line(words, source, number)
        if isinstance(found, Line):
            self._n_good += 1
            self._keep(found)
            return
        unreadable: UnreadableLine = found
        if unreadable.unknown:
            self._n_unknown += 1
            self._report(source, number, unreadable.why)
        else:
            self._salvage(line, source, number, unreadable)

    def _salvage(self, line: bytes, source: str, number: cython.longlong, unreadable: UnreadableLine) -> None:
        """Read what can be read in a line that is no line of a key log; else note why it is none."""
        found = salvage(line, source, number)
        good = [one for one in found if isinstance(one, Line)]
        bad = [one for one in found if isinstance(one, UnreadableLine)] or ([] if good else [unreadable])
        for secret in good:
            self._keep(secret)
        if good:
            self._n_good += 1
            state = self._sources[source]
            state.n_salvaged += 1
            if state.n_salvaged == 1:
                self._report(source, number, "other text stands around the secret, which was read all the same")
        for one in bad:
            cut = self._cut.get(one.session, [])
            if one.session and len(cut) < MOST_CUT_OF_SESSION and (cut or len(self._cut) < MOST_CUT):
                cut.append(Problem(source, number, one.why))
                self._cut[one.session] = cut
        if bad:
            self._bad(source, number, bad[0].why)

    def _keep(self, line: Line) -> None:
        key: cython.int = line.key
        table: dict[bytes, list[Line]] = self._premasters
        if key == BY_CLIENT_RANDOM:
            table = self._kept
        elif key == BY_SESSION_ID:
            table = self._session_ids
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
        if first is not None and line.label not in REPEATABLE_LABELS:
            self._n_conflicting += 1
            self._report(line.source, line.line, f"{line.label} contradicts line {first.line} of {first.source}")
        if lines:
            line.session = lines[0].session  # the same bytes object
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
        self._report(source, number, why)

    def _report(self, source: str, number: int, why: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(source, number, why))


def _all(lines: list[Line] | None) -> list[bytes]:
    for line in lines or ():
        line.used = True
    return [line.secret for line in lines or ()]
