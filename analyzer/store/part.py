"""A part of a capture: what happened in a span of time, what one host did, and what passes a display filter.

The capture is read as a whole, because sessions depend on what was before them; only what is shown is limited. So frames and
sessions keep their numbers, and verdicts are those of the whole. The span is half open, as that of `editcap -A -B`: spans that
follow each other have nothing in common and miss nothing. What has no time is in no span.

A host is an address, or a server name. An address is that of a side, or one that a PROXY header names; a name is that of the
ClientHello, or what a proxy was asked to connect to, also where TLS never began.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from analyzer.packet.packet import Packet
from analyzer.store.clock import rfc3339
from analyzer.store.matches import Matches
from analyzer.store.named_host import canonical_name
from analyzer.store.session_record import session_head
from analyzer.tls.session import Session


@dataclass(frozen=True, slots=True)
class Part:
    """What is shown. since: the first moment, in nanoseconds since 1970, or None; until: the first moment behind it, or None.

    addresses: hosts by their address, as text; names: by server name, in lower case. A host is in either of them. Both are
    empty for all hosts. numbers: of the sessions; empty for all. matches: what passes the display filter, None for all.
    """

    since: int | None = None
    until: int | None = None
    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()
    matches: Matches | None = None

    @property
    def has_hosts(self) -> bool:
        """Whether only some hosts are in it."""
        return bool(self.addresses or self.names)

    def has_time(self, first: str | None, last: str | None) -> bool:
        """Return whether what lasted from `first` to `last` (as records have times) is in the span, at least partly."""
        if self.since is None and self.until is None:
            return True
        if first is None or last is None:
            return False
        since, until = (None if at is None else rfc3339(max(0, at)) for at in (self.since, self.until))
        return (since is None or last >= since) and (until is None or first < until)

    def record(self) -> dict[str, Any]:
        """Return the part as JSON values."""
        since, until = (None if at is None else rfc3339(max(0, at)) for at in (self.since, self.until))
        text = None if self.matches is None else self.matches.text
        return {"since": since, "until": until, "hosts": sorted(self.addresses | self.names), "filter": text}

    def has_moment(self, at: int) -> bool:
        """Return whether a moment is in the span. at: nanoseconds since 1970; below 0 if it is not known."""
        return self.has_span(at, at)

    def has_span(self, first: int, last: int) -> bool:
        """The same for nanoseconds since 1970, below 0 if a time is not known."""
        if self.since is None and self.until is None:
            return True
        return (
            min(first, last) >= 0 and (self.since is None or last >= self.since) and (self.until is None or first < self.until)
        )

    def has_ends(self, record: dict[str, Any]) -> bool:
        """Return whether one of the hosts is a side of what a record is about. Its `server_name` and `before` count if it has
        them.
        """
        if not self.has_hosts:
            return True
        if {record["client"]["address"], record["server"]["address"]} & self.addresses:
            return True
        return self.has_host(record.get("server_name")) or any(self._has_before(one) for one in record.get("before") or ())

    def has_host(self, text: str | None) -> bool:
        """Return whether an address or a name as a peer writes it is one of the hosts."""
        return text is not None and (canonical_name(text) in self.names or text in self.addresses)

    def has_record(self, record: dict[str, Any]) -> bool:
        """Return whether a session is in the part, by its record."""
        if self.matches is not None and record["id"] not in self.matches.sessions:
            return False
        return self.has_time(record["start_time"], record["end_time"]) and self.has_ends(record)

    def has_session(self, session: Session) -> bool:
        """Return whether a session that has ended is in the part."""
        return self.has_number(session.id) and self.has_record(session_head(session))

    def has_number(self, number: int | None) -> bool:
        """Return whether the session with a number is one of those; None: what is in no session."""
        return not self.numbers or number in self.numbers

    def has_connection(self, key: bytes) -> bool:
        """Return whether a packet of a connection passes the display filter. key: as `Packet.key`, of one of its directions."""
        return self.matches is None or key in self.matches.keys

    def has_address(self, packet: Packet) -> bool:
        """Return whether one of the hosts sent or receives a packet, by its address."""
        return bool(self.addresses) and not self.addresses.isdisjoint(addresses_of(packet))

    def _has_before(self, one: dict[str, Any]) -> bool:
        ends = {end["address"] for end in (one.get("client"), one.get("server")) if end is not None}
        target = one.get("target")
        return bool(ends & self.addresses) or (target is not None and self.has_host(target["host"]))


def addresses_of(packet: Packet) -> tuple[str, ...]:
    """Return source and destination of the innermost IP packet as text; nothing without IP."""
    width = {4: 4, 6: 16}.get(packet.ip_version)
    if width is None or packet.ip < 0:
        return ()
    first = packet.ip + (12 if width == 4 else 8)
    data = bytes(packet.data[first : first + 2 * width])
    return () if len(data) < 2 * width else (str(ip_address(data[:width])), str(ip_address(data[width:])))
