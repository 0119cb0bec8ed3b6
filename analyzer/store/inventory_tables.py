"""Collects the inventory of a run: servers, clients, certificates, and what sessions agreed on.

A capture can have a session for each of a hundred thousand servers. So every table has a limit, its entries have limits of
their own, and what is beyond them is counted: sessions of servers and clients that are not listed still count in the totals.
"""

from dataclasses import dataclass, field
from typing import Any

from analyzer.analysis.shown_certificates import HIDDEN, LISTED, NONE, PART
from analyzer.analysis.tally import Tally
from analyzer.packet.addresses import end_text
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.seen_certificates import SeenCertificates, earlier, later
from analyzer.store.session_sighting import Sighting
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session

MOST_SERVERS = 1 << 14
"""Servers (address and port) that are listed, each with about 4 kB."""

MOST_CLIENTS = 1 << 14
"""Client addresses that are listed."""

MOST_NAMES = 64
"""Names, certificates and the like that are kept of one server, and servers of one client."""

MOST_FINGERPRINTS = 16
"""JA4 fingerprints that are kept of one client. An address with more is that of many clients (NAT)."""

MOST_KINDS = 32
"""Suites, groups and the like that are kept of one server or client."""

MOST_VALUES = 1 << 14
"""Values of each total."""

LONGEST_NAME = 256
"""Characters of a server name or protocol that are kept. No name of the DNS is longer."""

SHOWN = {LISTED: "visible", PART: "cut", HIDDEN: "not_visible", NONE: "absent"}
"""What the capture shows of certificates, as the inventory names it."""

AGREED = ("versions", "cipher_suites", "groups", "alpn", "signature_schemes")
"""What sessions agree on, and is counted."""


@dataclass(slots=True)
class AgreedWeakness:
    """A weakness that sessions with one server agreed on. session, frame: of the session with the lowest number."""

    severity: str
    session: int
    frame: int | None
    sessions: int = 0


@dataclass(slots=True)
class Span:
    """Sessions of one server or client: how many, how many were established, the first and last time."""

    sessions: int = 0
    established: int = 0
    first: str | None = None
    last: str | None = None

    def take(self, seen: Sighting) -> None:
        """Count a session."""
        self.sessions += 1
        self.established += seen.established is True
        self.first, self.last = earlier(self.first, seen.start), later(self.last, seen.end)


@dataclass(slots=True)
class SeenServer:
    """What was seen of one server. certificates: SHA-256 of those that it sent as its own; shown: sessions by SHOWN.
    weak: by code and detail.

    key_exchanges, recorded, n_bytes: by key exchange, all sessions, those with encrypted bytes in the capture, and these bytes.
    """

    address: str
    port: int
    span: Span = field(default_factory=Span)
    names: Tally = field(default_factory=lambda: Tally(MOST_NAMES))
    agreed: dict[str, Tally] = field(default_factory=lambda: {name: Tally(MOST_KINDS) for name in AGREED})
    certificates: Tally = field(default_factory=lambda: Tally(MOST_NAMES))
    shown: Tally = field(default_factory=lambda: Tally(len(SHOWN)))
    weak: dict[tuple[str, str], AgreedWeakness] = field(default_factory=dict)
    key_exchanges: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    answers: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    recorded: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    n_bytes: Tally = field(default_factory=lambda: Tally(MOST_KINDS))


@dataclass(slots=True)
class SeenClient:
    """What was seen of one client address. versions: offered; those of a hello that names the highest alone, in `highest`.

    hellos: sessions whose ClientHello is whole. weak: codes of what it offers.
    """

    address: str
    span: Span = field(default_factory=Span)
    hellos: int = 0
    ja4: Tally = field(default_factory=lambda: Tally(MOST_FINGERPRINTS))
    versions: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    highest: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    post_quantum: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    answers: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    weak: Tally = field(default_factory=lambda: Tally(MOST_KINDS))
    servers: Tally = field(default_factory=lambda: Tally(MOST_NAMES))


class Inventory:
    """Takes the sessions of a run, in the order of their ends.

    beyond: sessions of servers and of clients that are not listed. totals: what sessions agreed on; suites: sessions by version
    and cipher suite. ja4: of all sessions; post_quantum: groups that clients offer. The
    others are as in `SeenServer`, of all sessions.
    """

    def __init__(self) -> None:
        self.span = Span()
        self.servers: dict[tuple[str, int], SeenServer] = {}
        self.clients: dict[str, SeenClient] = {}
        self.certificates = SeenCertificates()
        self.beyond = {"servers": 0, "clients": 0}
        self.totals: dict[str, Tally] = {name: Tally(MOST_VALUES) for name in AGREED}
        self.suites: dict[tuple[str, str], int] = {}
        self.ja4 = Tally(MOST_VALUES)
        self.post_quantum = Tally(MOST_KINDS)
        self.shown = Tally(len(SHOWN))
        self.key_exchanges = Tally(MOST_KINDS)
        self.answers = Tally(MOST_KINDS)
        self.recorded = Tally(MOST_KINDS)
        self.n_bytes = Tally(MOST_KINDS)

    def take(self, seen: Sighting, session: Session, chains: Chains) -> None:
        """Take a session that has ended: its sighting, and the object that has its certificates. chains: judges these."""
        self.span.take(seen)
        agreed = {
            "versions": seen.version, "cipher_suites": seen.cipher_suite, "groups": seen.group, "alpn": _short(seen.alpn),
            "signature_schemes": seen.scheme,
        }  # fmt: skip
        for name, value in agreed.items():
            self.totals[name].add(value)
        if seen.version is not None and seen.cipher_suite is not None:
            pair = seen.version, seen.cipher_suite
            if pair in self.suites or len(self.suites) < MOST_VALUES:
                self.suites[pair] = self.suites.get(pair, 0) + 1
        self.ja4.add(seen.ja4)
        for group in () if seen.offer is None else seen.offer.post_quantum:
            self.post_quantum.add(group)
        self.shown.add(SHOWN[seen.shown])
        self.key_exchanges.add(seen.key_exchange)
        self.answers.add(seen.answer)
        _take_bytes(self, seen)
        server = self._server(seen)
        if server is not None:
            _take_server(server, seen, agreed)
        client = self._client(seen)
        if client is not None:
            _take_client(client, seen)
        self._take_certificates(seen, session, server, chains)

    def _server(self, seen: Sighting) -> SeenServer | None:
        server = self.servers.get(seen.server)
        if server is None:
            if len(self.servers) >= MOST_SERVERS:
                self.beyond["servers"] += 1
                return None
            server = self.servers[seen.server] = SeenServer(*seen.server)
        return server

    def _client(self, seen: Sighting) -> SeenClient | None:
        client = self.clients.get(seen.client[0])
        if client is None:
            if len(self.clients) >= MOST_CLIENTS:
                self.beyond["clients"] += 1
                return None
            client = self.clients[seen.client[0]] = SeenClient(seen.client[0])
        return client

    def _take_certificates(self, seen: Sighting, session: Session, server: SeenServer | None, chains: Chains) -> None:
        ends = seen.client[0], end_text(*seen.server)
        later_lists = [(role, listed) for role, _, listed in session.log.certificate_changes]
        for role, listed in [*enumerate(session.handshake.certificates), *later_lists]:
            for place, der in enumerate(listed or ()):
                if der == CUT:
                    continue
                is_server = role == SERVER
                name = self.certificates.take(der, ends[role], is_server, place == 0, seen.start, seen.end)
                if name is not None and is_server and place == 0 and server is not None:
                    server.certificates.add(name)
        for role in (SERVER, CLIENT):
            chain = session.handshake.certificates[role]
            judged = chains.judge(session, role) if chain else None
            if chain and judged is not None:
                self.certificates.judge(chain, judged)


def _take_server(server: SeenServer, seen: Sighting, agreed: dict[str, Any]) -> None:
    server.span.take(seen)
    server.names.add(_short(seen.name))
    for name, value in agreed.items():
        server.agreed[name].add(value)
    server.shown.add(SHOWN[seen.shown])
    server.key_exchanges.add(seen.key_exchange)
    server.answers.add(seen.answer)
    _take_bytes(server, seen)
    for code, severity, frame, detail in seen.weak:
        known = server.weak.get((code, detail))
        if known is None:
            if len(server.weak) >= MOST_KINDS:
                continue
            known = server.weak[code, detail] = AgreedWeakness(severity, seen.session, frame)
        elif seen.session < known.session:
            known.session, known.frame = seen.session, frame
        known.sessions += 1


def _take_bytes(of: Inventory | SeenServer, seen: Sighting) -> None:
    if seen.n_bytes:
        of.recorded.add(seen.key_exchange)
        of.n_bytes.add(seen.key_exchange, seen.n_bytes)


def _take_client(client: SeenClient, seen: Sighting) -> None:
    client.span.take(seen)
    client.ja4.add(seen.ja4)
    client.servers.add(end_text(*seen.server))
    client.answers.add(seen.answer)
    if seen.offer is None:
        return
    client.hellos += 1
    versions = client.versions if seen.offer.listed else client.highest
    for version in seen.offer.versions:
        versions.add(version)
    for group in seen.offer.post_quantum:
        client.post_quantum.add(group)
    for code in seen.offer.weak:
        client.weak.add(code)


def _short(text: str | None) -> str | None:
    return None if text is None else text[:LONGEST_NAME]
