"""Keeps what a QUIC connection shows beside its TLS: versions, connection IDs, paths, its end, and how many packets came."""

from __future__ import annotations

from typing import Any, NamedTuple

from analyzer.tls.quic.packet_numbers import PacketNumbers

MAX_LISTED = 64
"""Connection IDs and paths that are listed."""

FARTHEST_ACK, FARTHEST_INITIAL_ACK = 1 << 24, 1 << 8
"""How far the packet number that an ACK names may be ahead of those in the capture, to count as one that the capture lacks: of
an ACK that only the peer can have made, and of one in an Initial, which anybody can make."""

LEVELS = ("initial", "early_data", "handshake", "application")
"""The names of the encryption levels (RFC 9001 section 2.1), as `Record.epoch` numbers them."""

EARLY, APPLICATION = 1, 3
"""Two of the levels; they share packet numbers."""


class Close(NamedTuple):
    """A CONNECTION_CLOSE (RFC 9000 section 19.19). role: who sent it. application: whether the code is the application's.

    encrypted: whether it needed a secret. One in an Initial can come from anybody on the path.
    """

    role: int
    frame: int
    at: int
    code: int
    application: bool
    reason: bytes
    encrypted: bool = False


class Sent:
    """The packets of one role in one level: the numbers that the capture has, and those that the peer acknowledged."""

    __slots__ = ("acknowledged", "seen")

    def __init__(self) -> None:
        self.seen = PacketNumbers()
        self.acknowledged = PacketNumbers()


class TransportFacts:
    """The facts of one connection.

    name: of the protocol in the session record; letter: in JA4. versions: in the order of their use, the first is that of the
    client's first Initial; offered: those of a Version Negotiation, in `negotiated` (frame). original_id: the Destination
    Connection ID of the first Initial. retries: frames of Retry packets with a right tag. ids: by role, the connection IDs
    under which it is reached, in order. paths: `Packet.key` of each path from client to server, with the first frame on it.
    close: the first CONNECTION_CLOSE. reset: the role and frame of a stateless reset. done: frame of HANDSHAKE_DONE.
    parameters: the transport parameters of each role. n_packets: by role and level; spins: by role, bits 0 and 1 for the values
    of the spin bit that were seen. sent: by role and level. ecn: by role, the largest counts of ECT(0), ECT(1) and CE that it
    reported. updates: by role, the frames in which new keys began. probes: frames of PATH_CHALLENGE; strays: packets that no
    key opened, though others opened. last: frame and time of the last packet that authenticates without secrets.
    """

    __slots__ = (
        "close", "done", "ecn", "ids", "last", "n_packets", "negotiated", "offered", "original_id", "parameters", "paths",
        "probes", "reset", "retries", "sent", "spins", "strays", "updates", "versions",
    )  # fmt: skip

    name = "quic"
    letter = "q"

    def __init__(self, version: int, original_id: bytes) -> None:
        self.versions = [version]
        self.offered: list[int] | None = None
        self.negotiated = 0
        self.original_id = original_id
        self.retries: list[int] = []
        self.ids: tuple[list[bytes], list[bytes]] = ([], [])
        self.paths: list[tuple[bytes, int]] = []
        self.close: Close | None = None
        self.reset: tuple[int, int] | None = None
        self.done = 0
        self.parameters: list[Any] = [None, None]
        self.n_packets = [[0] * len(LEVELS), [0] * len(LEVELS)]
        self.spins = [0, 0]
        self.sent = tuple(tuple(Sent() for _ in LEVELS) for _ in range(2))
        self.ecn: list[tuple[int, int, int] | None] = [None, None]
        self.updates: tuple[list[int], list[int]] = ([], [])
        self.probes: list[int] = []
        self.strays = 0
        self.last = (0, -1)

    def again(self) -> TransportFacts:
        """Return facts of the same connection to which nothing was added yet: for what comes behind its end."""
        facts = TransportFacts(self.versions[0], self.original_id)
        facts.versions += self.versions[1:]
        return facts

    @property
    def version(self) -> int:
        """The number of the version in use."""
        return self.versions[-1]

    def add_version(self, number: int) -> None:
        """Note the version of a packet that opened."""
        if number != self.versions[-1] and len(self.versions) < MAX_LISTED:
            self.versions.append(number)

    def add_id(self, role: int, connection_id: bytes) -> None:
        """Note an ID under which a role is reached."""
        listed = self.ids[role]
        if connection_id not in listed and len(listed) < MAX_LISTED:
            listed.append(connection_id)

    def add_path(self, key: bytes, frame: int) -> None:
        """Note a path, by `Packet.key` of its packets from client to server."""
        if len(self.paths) < MAX_LISTED and all(key != known for known, _ in self.paths):
            self.paths.append((key, frame))

    def add_close(self, close: Close) -> None:
        """Note a CONNECTION_CLOSE; the first one counts, or the first encrypted one."""
        if self.close is None or (close.encrypted and not self.close.encrypted):
            self.close = close

    def take_ack(self, role: int, level: int, ranges: list[tuple[int, int]], ecn: tuple[int, int, int] | None) -> None:
        """Note which packets of its peer a role got. What is far behind those in the capture was never sent: it is left out."""
        one = self.sent[1 - role][level]
        farthest = (one.seen.ends[-1] if one.seen.ends else -1) + (FARTHEST_ACK if level else FARTHEST_INITIAL_ACK)
        for first, last in ranges:
            if last <= farthest:
                one.acknowledged.add(first, last)
        if ecn is not None:
            self.ecn[role] = max(self.ecn[role] or ecn, ecn)

    def missing(self, role: int) -> int:
        """Return how many packets of a role were acknowledged and are not in the capture."""
        return sum(one.acknowledged.without(one.seen) for one in self.sent[role])

    def unacknowledged(self, role: int) -> int:
        """Return how many packet numbers of a role, up to the last seen, are neither in the capture nor acknowledged."""
        count = 0
        for one in self.sent[role]:
            if one.seen.ends:
                known = PacketNumbers()
                known.starts, known.ends = list(one.seen.starts), list(one.seen.ends)
                for first, last in zip(one.acknowledged.starts, one.acknowledged.ends, strict=True):
                    known.add(first, last)
                span = PacketNumbers()
                span.add(one.seen.starts[0], one.seen.ends[-1])
                count += span.without(known)
        return count
