"""Compares what two captures of different times show: what is new in the later one, what is gone, and what changed at a server.

Each capture becomes a table of values by kind: hosts, servers, names, certificates, versions, suites, groups, fingerprints,
findings, problems of chains. A value of one table that the other lacks is a difference. A finding is the same one if its
code and the server are; its detail and its frames are not compared. A certificate is not gone because it cannot be seen:
where TLS 1.3 hides it, nothing is known of it, and the difference is not certain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from analyzer.analysis.capture_finding import CaptureFinding
from analyzer.packet.addresses import end_text

HOST, SERVER, NAME, CERTIFICATE, VERSION, SUITE, GROUP, JA4, FINDING, CHAIN_PROBLEM, PROTOCOL = (
    "host", "server", "server_name", "certificate", "version", "cipher_suite", "group", "ja4", "finding", "chain_problem",
    "protocol",
)  # fmt: skip
KINDS = (FINDING, CHAIN_PROBLEM, SERVER, NAME, CERTIFICATE, VERSION, SUITE, GROUP, JA4, PROTOCOL, HOST)
"""Kinds of values, in the order in which differences are listed."""

CHANGING = (CERTIFICATE, VERSION, SUITE, GROUP)
"""Kinds of which a server has its own values."""

MAX_VALUES = 1 << 16
"""Values of one kind that are kept."""

MAX_PLACES = 8
"""Servers or clients that are named for one value, and values of one kind that are kept of a server. One with so many is not
compared with itself.
"""

MAX_SERVERS = 1 << 14
"""Servers of which the values are kept one by one."""

NEW, GONE, CHANGED = "new", "gone", "changed"
"""What can be said of a value: only in the later capture, only in the earlier one, another one at the same server."""


@dataclass(slots=True)
class Sighting:
    """One value in one capture. count: sessions, or packets of a host. session, frame: the first one, None for a host.
    where: the servers, or for a fingerprint the clients, that have it, at most MAX_PLACES. about: more of it, such as
    severity or subject.
    """

    count: int
    session: int | None
    frame: int | None
    where: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. change: NEW, GONE or CHANGED. value: of a finding and of a chain's problem, the code. before, after: for
    CHANGED, the values. certain: whether the other capture would show it; False where it could be hidden there.
    """

    kind: str
    change: str
    value: str | None
    sighting: Sighting
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    certain: bool = True


class Sightings:
    """The values of one capture.

    left_out: values that are not kept. n_sessions: sessions taken; hidden: servers with sessions whose certificate is hidden.
    """

    def __init__(self) -> None:
        self.values: dict[str, dict[tuple[str, ...], Sighting]] = {kind: {} for kind in KINDS}
        self.by_server: dict[str, dict[str, set[str]]] = {}
        self.hidden: set[str] = set()
        self.left_out = self.n_sessions = 0

    def take_record(self, record: dict[str, Any]) -> None:
        """Take the record of a session that has ended."""
        self.n_sessions += 1
        server = endpoint(record["server"])
        where = record["server_name"] or server
        session, frame, client = record["id"], record["first_frame"], record["client"]["address"]
        self._add(SERVER, (server,), session, frame, record["server_name"] or "")
        self._add(NAME, (record["server_name"],), session, frame, server)
        for kind in (VERSION, SUITE, GROUP):
            self._add(kind, (record[kind],), session, frame, where)
            self._tell(where, kind, record[kind])
        self._add(JA4, (record["ja4"],), session, frame, client)
        certificates = record["certificates"]["server"]
        if certificates is None:
            self.hidden.add(where)
        for place, one in enumerate(certificates or ()):
            about = {name: one[name] for name in ("subject", "issuer", "not_after")}
            self._add(CERTIFICATE, (one["sha256"],), session, frame, where, about)
            if place == 0:
                self._tell(where, CERTIFICATE, one["sha256"])
        for one in record["findings"]:
            about = {"severity": one["severity"], "detail": one["detail"]}
            self._add(FINDING, (one["code"], where), session, (one["frames"] or [frame])[0], where, about)
        for one in record["chain"]["problems"] or ():
            self._add(CHAIN_PROBLEM, (one["code"], where), session, frame, where, {"detail": one.get("detail")})

    def take_finding(self, finding: CaptureFinding) -> None:
        """Take a finding about the capture as a whole. It is the same one if the addresses that it names are."""
        first = finding.occurrences[0] if finding.occurrences else None
        where = " ".join(word.rstrip(",;") for word in finding.detail.split() if _is_address(word.rstrip(",;")))
        about = {"severity": finding.severity, "detail": finding.detail}
        frame = first.frames[0] if first is not None and first.frames else None
        self._add(FINDING, (finding.code, where), None if first is None else first.session, frame, where, about)

    def take_host(self, address: str, n_packets: int) -> None:
        """Take an address with the packets that it sent and received."""
        self._add(HOST, (address,), None, None, "", count=n_packets)

    def take_protocol(self, name: str, n_packets: int) -> None:
        """Take an application protocol with its packets."""
        self._add(PROTOCOL, (name,), None, None, "", count=n_packets)

    def _tell(self, where: str, kind: str, value: str | None) -> None:
        if value is not None and (where in self.by_server or len(self.by_server) < MAX_SERVERS):
            values = self.by_server.setdefault(where, {}).setdefault(kind, set())
            if len(values) < MAX_PLACES:
                values.add(value)

    def _add(
        self,
        kind: str,
        value: tuple[str | None, ...],
        session: int | None,
        frame: int | None,
        where: str,
        about: dict[str, Any] | None = None,
        count: int = 1,
    ) -> None:
        if None in value:
            return
        known = self.values[kind]
        name = tuple(map(str, value))
        one = known.get(name)
        if one is None:
            if len(known) >= MAX_VALUES:
                self.left_out += 1
                return
            one = known[name] = Sighting(0, session, frame, [], about or {})
        elif session is not None and (one.session is None or session < one.session):
            one.session, one.frame = session, frame
        one.count += count
        if where and where not in one.where and len(one.where) < MAX_PLACES:
            one.where.append(where)


def changes(before: Sightings, after: Sightings, kinds: Iterable[str] = KINDS) -> Iterator[Change]:
    """Yield what differs, by kind: what is new, then what is gone; and at the end what changed at servers."""
    kinds = tuple(kinds)
    for kind in KINDS:
        if kind in kinds:
            yield from _of_kind(kind, before, after, NEW)
            yield from _of_kind(kind, after, before, GONE)
    for server in sorted(before.by_server.keys() & after.by_server.keys()):
        for kind in CHANGING:
            if kind not in kinds:
                continue
            old, new = (seen.by_server[server].get(kind, set()) for seen in (before, after))
            if max(len(old), len(new)) >= MAX_PLACES:  # a value that is not kept may be common
                continue
            if old and new and old.isdisjoint(new):
                certain = kind != CERTIFICATE or server not in before.hidden | after.hidden
                about = {} if kind != CERTIFICATE else _issuers(before, after, old, new)
                sighting = Sighting(len(new), None, None, [server], about)
                yield Change(kind, CHANGED, None, sighting, tuple(sorted(old)), tuple(sorted(new)), certain)


def endpoint(end: dict[str, Any]) -> str:
    """Return an entry `client` or `server` as text: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    return end_text(end["address"], end["port"])


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _of_kind(kind: str, without: Sightings, having: Sightings, change: str) -> Iterator[Change]:
    """Yield the values of one kind that the other capture lacks, in the order of their first sessions."""
    others = without.values[kind]
    found = [(name, one) for name, one in having.values[kind].items() if name not in others]
    for name, one in sorted(found, key=lambda entry: (entry[1].session or 0, entry[0])):
        certain = kind not in (CERTIFICATE, CHAIN_PROBLEM) or without.hidden.isdisjoint(one.where)
        yield Change(kind, change, name[0], one, certain=certain)


def _issuers(before: Sightings, after: Sightings, old: set[str], new: set[str]) -> dict[str, Any]:
    """Return who issued the certificates of a server before and after."""
    return {
        name: sorted(
            {str(seen.values[CERTIFICATE][(one,)].about["issuer"]) for one in values if (one,) in seen.values[CERTIFICATE]}
        )
        for name, seen, values in (("issuers_before", before, old), ("issuers_after", after, new))
    }
