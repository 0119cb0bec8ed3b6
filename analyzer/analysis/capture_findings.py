"""Collects the findings about a capture as a whole, which no single session shows and only the end of the capture decides.

These are regular connections, patterns of failures, a fingerprint that was seen once among many, and traffic on port 443 that
is no TLS. All of it is counted with limits; what is beyond them is reported.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from analyzer.analysis.capture_finding import MAX_OCCURRENCES, CaptureFinding, Occurrence
from analyzer.analysis.failure_patterns import FailurePatterns
from analyzer.analysis.regular_connections import LEAST_CONNECTIONS, Opened, regular_connections
from analyzer.analysis.traffic import Traffic
from analyzer.packet.addresses import address_text, packed_address, split_key

LEAST_SESSIONS = 50
"""Sessions with a fingerprint from which one that was seen once is rare. In fewer of them, each program may come only once."""

LEAST_COMMON = 0.9
"""The part of these sessions that must have a fingerprint that others have too. Else fingerprints differ anyway."""

MAX_RARE = 8
"""Fingerprints that may be seen once. If there are more, none of them stands out."""

MAX_FINGERPRINTS = 1 << 14
"""Fingerprints that are counted separately. Programs have few; some change theirs in each session."""

MAX_SESSIONS = 1 << 16
"""Sessions whose connections are known by number, each with about 150 bytes."""

MAX_OTHERS = 1 << 16
"""Connections to port 443 without TLS that are counted."""

REMEMBERED_ADDRESSES = 1 << 14
"""Addresses whose bytes are kept: to read one again takes longer than the rest of what is kept of its session."""

_BEGINNINGS = (
    ((b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PATCH ", b"HTTP/1."), "HTTP"),
    ((b"SSH-",), "SSH"),
    ((b"PRI * HTTP/2",), "HTTP/2"),
    ((b"\x05\x01\x00", b"\x05\x02\x00"), "SOCKS"),
    ((b"\x13BitTorrent",), "BitTorrent"),
)
"""First bytes of protocols that are used on port 443 too."""


class _Fingerprint(NamedTuple):
    """A fingerprint: how many sessions had it, and of the first one number, first frame, client, requested name or address."""

    n_sessions: int
    session: int
    frame: int
    client: str
    server: str


class _Others:
    """Connections to port 443 without TLS that begin alike. key, head: of the first one."""

    __slots__ = ("count", "head", "key", "places")

    def __init__(self, key: bytes, head: bytes) -> None:
        self.key = key
        self.head = head
        self.count = 0
        self.places: list[Occurrence] = []


class CaptureFindings:
    """Takes records of sessions and other facts of a run, and returns the findings at its end."""

    def __init__(self) -> None:
        self._failures = FailurePatterns()
        self._fingerprints: dict[str, _Fingerprint] = {}
        self._n_fingerprints = 0
        self._forgotten = False
        self._n_others = 0
        self._ids: dict[bytes, int] = {}
        self._others: dict[str, _Others] = {}

    def take_record(self, record: dict[str, Any]) -> None:
        """Take the record of a session that has ended, in any order."""
        self._failures.take(record)
        if len(self._ids) < MAX_SESSIONS:
            self._ids[_key(record)] = record["id"]
        fingerprint = record["ja4"]
        if fingerprint is None:
            return
        self._n_fingerprints += 1
        known = self._fingerprints.get(fingerprint)
        if known is not None:
            self._fingerprints[fingerprint] = known._replace(n_sessions=known.n_sessions + 1)
        elif len(self._fingerprints) < MAX_FINGERPRINTS:
            client, server = record["client"]["address"], record["server_name"] or record["server"]["address"]
            self._fingerprints[fingerprint] = _Fingerprint(1, record["id"], record["first_frame"], client, server)
        else:
            self._forgotten = True

    def take_other(self, key: bytes, frame: int, head: bytes) -> None:
        """Take a TCP connection to port 443 without TLS. key: from its client. frame, head: of its first bytes."""
        self._n_others += 1
        if self._n_others > MAX_OTHERS:
            self._forgotten = True
            return
        what = next((name for beginnings, name in _BEGINNINGS if head.startswith(beginnings)), "")
        others = self._others.get(what)
        if others is None:
            others = self._others[what] = _Others(key, head)
        others.count += 1
        if len(others.places) < MAX_OCCURRENCES:
            others.places.append(Occurrence(None, (frame,)))

    def findings(self, traffic: Traffic | None = None, forgotten: bool = False) -> list[CaptureFinding]:
        """Return all findings.

        traffic: of the whole capture; without it, connections are not compared by time. forgotten: see `Repetitions`.
        """
        found = self._failures.findings() + self._rare_fingerprints() + self._other_traffic()
        if traffic is not None:
            found += regular_connections(self._opened(traffic))
        if self._failures.uncounted or self._forgotten:
            detail = "not all clients, servers and fingerprints were counted when patterns in the capture were looked for"
            found.append(CaptureFinding("limit", "info", detail, 1, ()))
        if forgotten:
            detail = "randoms, keys, tickets and certificates were compared only with those of the last sessions"
            found.append(CaptureFinding("limit", "info", detail, 1, ()))
        return found

    def _rare_fingerprints(self) -> list[CaptureFinding]:
        rare = [(name, one) for name, one in self._fingerprints.items() if one.n_sessions == 1]
        few = len(rare) <= min(MAX_RARE, (1 - LEAST_COMMON) * self._n_fingerprints)
        if self._n_fingerprints < LEAST_SESSIONS or self._forgotten or not few:
            return []
        found = []
        for name, one in sorted(rare, key=lambda entry: entry[1].session):
            where = f"from {one.client} to {one.server}"
            detail = f"the fingerprint JA4 {name} was seen once among {self._n_fingerprints} sessions, {where}"
            found.append(CaptureFinding("rare_fingerprint", "info", detail, 1, (Occurrence(one.session, (one.frame,)),)))
        return found

    def _other_traffic(self) -> list[CaptureFinding]:
        found = []
        for what, others in sorted(self._others.items()):
            (client, _), (server, _) = split_key(others.key)
            shown = others.head.decode("ascii") if others.head.isascii() and others.head.isalnum() else f"0x{others.head.hex()}"
            count = "1 TCP connection" if others.count == 1 else f"{others.count} TCP connections"
            begin = f"beginning like {what}" if what else f"of an unknown protocol (first bytes {shown})"
            ends = f"from {address_text(client)} to {address_text(server)}"
            detail = f"{count} to port 443 without TLS, {begin}; the first is {ends}"
            found.append(CaptureFinding("other_traffic_on_443", "info", detail, others.count, tuple(others.places)))
        return found

    def _opened(self, traffic: Traffic) -> Iterator[tuple[str, str, int, list[Opened]]]:
        """Yield the connections of each client to each port of a server, if there are enough of them."""
        groups: dict[tuple[bytes, bytes, int], list[bytes]] = {}
        for key, flow in traffic.tcp.items():
            if flow.opened and flow.first >= 0:
                (client, _), (server, port) = split_key(key)
                groups.setdefault((client, server, port), []).append(key)
        for (client, server, port), keys in groups.items():
            if len(keys) >= LEAST_CONNECTIONS:
                flows = [(traffic.tcp[key], self._ids.get(key)) for key in keys]
                opened = [Opened(flow.first, flow.first_frame, session) for flow, session in flows]
                yield address_text(client), address_text(server), port, opened


@lru_cache(maxsize=REMEMBERED_ADDRESSES)
def _packed(address: str) -> bytes:
    return packed_address(address)


def _key(record: dict[str, Any]) -> bytes:
    """Return the `Packet.key()` of the packets from client to server."""
    ends = record["client"], record["server"]
    addresses = b"".join(_packed(end["address"]) for end in ends)
    return addresses + b"".join((end["port"] or 0).to_bytes(2, "big") for end in ends)
