"""Keeps what a QUIC connection shows beside its TLS: versions, connection IDs, paths, its end, and how many packets came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.tls.quic.packet_numbers import PacketNumbers

if TYPE_CHECKING:
    import cython

MAX_LISTED = 64
"""Connection IDs and paths that are listed."""

MAX_DOUBTFUL = 1024
"""Initial packets of a server that are not counted before its answer is known."""

FARTHEST_ACK, FARTHEST_INITIAL_ACK = 1 << 24, 1 << 8
"""How far the packet number that an ACK names may be ahead of those in the capture, to count as one that the capture lacks: of
an ACK that only the peer can have made, and of one in an Initial, which anybody can make."""

LEVELS = ("initial", "early_data", "handshake", "application")
"""The names of the encryption levels (RFC 9001 section 2.1), as `Record.epoch` numbers them."""

EARLY, HANDSHAKE, APPLICATION = 1, 2, 3
"""The other levels than the first; early data and application share packet numbers."""

_BOTH, _APPLICATION = 3, APPLICATION

# In the compiled build these are C variables, which other modules cannot see.
_MAX_LISTED, _FARTHEST_ACK, _FARTHEST_INITIAL_ACK = MAX_LISTED, FARTHEST_ACK, FARTHEST_INITIAL_ACK


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
    """The packets of one role in one level: the numbers that the capture has, and those that the peer acknowledged.

    count: how many packets were opened. generation: how often the keys of the latest were updated. begun: how many were opened
    before these keys; most: how many with those of the earlier keys that sealed most. small: frame
    and bytes of the first datagram that is too small for its Initial packet.
    """

    __slots__ = ("acknowledged", "begun", "count", "generation", "most", "seen", "small")

    def __init__(self) -> None:
        self.seen = PacketNumbers()
        self.acknowledged = PacketNumbers()
        self.count = 0
        self.generation = 0
        self.begun = 0
        self.most = 0
        self.small: tuple[int, int] | None = None

    @property
    def with_one_key(self) -> int:
        """How many packets were opened at most that one key has sealed."""
        return max(self.most, self.count - self.begun)


class Marks:
    """The bits that paths may read or set. spins: by role, bits 0 and 1 for the values of the spin bit that were seen.

    reported: by role, the largest counts of ECT(0), ECT(1) and CE that it reported of its peer's packets. seen: by role, the
    packets that it sent with each of the four ECN codepoints, as their IP headers have them in the capture: Not-ECT, ECT(1),
    ECT(0), CE (RFC 3168 section 5), first those of the client. A packet is mostly marked as the one before it.
    """

    __slots__ = ("_latest", "_run", "_seen", "_spins", "reported")

    def __init__(self) -> None:
        self._spins = 0
        self.reported: list[tuple[int, int, int] | None] = [None, None]
        self._seen = [0] * 8
        self._latest = 0
        self._run = 0

    def see(self, role: cython.int, first: cython.int, codepoint: cython.int) -> None:
        """Note a packet of a role: the first byte of its short header, and its ECN codepoint, -1 if that is not known."""
        self._spins |= 1 << (2 * role + (first >> 5 & 1))
        if codepoint < 0:
            return
        if 4 * role + codepoint != self._latest:
            self._seen[self._latest] += self._run
            self._latest = 4 * role + codepoint
            self._run = 0
        self._run += 1

    @property
    def spins(self) -> list[int]:
        """See above."""
        return [self._spins & 3, self._spins >> 2 & 3]

    @property
    def seen(self) -> list[int]:
        """See above."""
        counts = list(self._seen)
        counts[self._latest] += self._run
        return counts


class TransportFacts:
    """The facts of one connection.

    name: of the protocol in the session record; letter: in JA4. versions: in the order of their use, the first is that of the
    client's first Initial, and `current` the last; offered: those of a Version Negotiation, in `negotiated` (frame).
    original_id: the Destination Connection ID of the first Initial. retries: frames of Retry packets with a right tag. ids: by
    role, the connection IDs under which it is reached, in order. paths: `Packet.key` of each path from client to server that
    the connection has used, with the first frame on it; heard: of those that may be one, the roles that were heard, as bits,
    and the first frame. close: the first CONNECTION_CLOSE. reset: the role and frame of a stateless reset. done: frame of
    HANDSHAKE_DONE. parameters: the transport parameters of each role. sent: by role and level. marks: what paths read.
    updates: by role, the frames in which new keys began. probes: frames of PATH_CHALLENGE; strays: packets that no key opened,
    though others opened. last: frame and time of the last packet that authenticates without secrets. doubtful: sender and
    number of Initial packets of the server before it is known which are its own.
    """

    __slots__ = (
        "close", "current", "done", "doubtful", "heard", "ids", "last", "marks", "negotiated", "offered", "original_id",
        "parameters", "paths", "probes", "reset", "retries", "sent", "strays", "updates", "versions",
    )  # fmt: skip

    name = "quic"
    letter = "q"

    def __init__(self, version: cython.longlong, original_id: bytes) -> None:
        self.versions = [version]
        self.current = version
        self.offered: list[int] | None = None
        self.negotiated = 0
        self.original_id = original_id
        self.retries: list[int] = []
        self.ids: tuple[list[bytes], list[bytes]] = ([], [])
        self.paths: list[tuple[bytes, int]] = []
        self.heard: dict[bytes, tuple[int, int]] = {}
        self.close: Close | None = None
        self.reset: tuple[int, int] | None = None
        self.done = 0
        self.parameters: list[Any] = [None, None]
        self.sent = tuple([Sent() for _ in range(2 * len(LEVELS))])
        self.marks = Marks()
        self.updates: tuple[list[int], list[int]] = ([], [])
        self.probes: list[int] = []
        self.strays = 0
        self.last = (0, -1)
        self.doubtful: list[tuple[bytes, int]] = []

    def again(self) -> TransportFacts:
        """Return facts of the same connection to which nothing was added yet: for what comes behind its end."""
        facts = TransportFacts(self.versions[0], self.original_id)
        facts.versions += self.versions[1:]
        facts.current = self.current
        return facts

    def n_packets(self, role: cython.int, level: cython.int) -> cython.longlong:
        """Return how many packets of a role in a level were opened."""
        one: Sent = self.sent[4 * role + level]
        return one.count

    def take_small(self, frame: cython.longlong, n_bytes: cython.longlong) -> None:
        """Take a datagram that is too small for the Initial packet of the client with handshake bytes that it has."""
        one: Sent = self.sent[0]
        if one.small is None:
            one.small = (frame, n_bytes)

    def take_update(self, role: cython.int, generation: cython.int, frame: cython.longlong) -> None:
        """Take a 1-RTT packet with updated keys, which is counted already. generation: how often they were updated."""
        one: Sent = self.sent[4 * role + _APPLICATION]
        if generation > one.generation:
            one.most = max(one.most, one.count - 1 - one.begun)
            one.begun = one.count - 1
            one.generation = generation
        frames: list[int] = self.updates[role]
        if generation > len(frames) and len(frames) < _MAX_LISTED:
            frames.append(frame)

    def add_version(self, number: cython.longlong) -> None:
        """Note the version of a packet that opened."""
        if number != self.current and len(self.versions) < _MAX_LISTED:
            self.versions.append(number)
            self.current = number

    def add_id(self, role: cython.int, connection_id: bytes) -> None:
        """Note an ID under which a role is reached."""
        listed = self.ids[role]
        if connection_id not in listed and len(listed) < _MAX_LISTED:
            listed.append(connection_id)

    def add_path(self, key: bytes, frame: cython.longlong) -> None:
        """Note a path on which a packet was opened, by `Packet.key` of its packets from client to server."""
        if len(self.paths) > 0 and self.paths[len(self.paths) - 1][0] == key:  # nearly always
            return
        if len(self.paths) < _MAX_LISTED and not self.has_path(key):
            self.paths.append((key, frame))

    def has_path(self, key: bytes) -> cython.bint:
        """Return whether a packet was opened on a path."""
        return key in [known for known, _ in self.paths]

    def hear(self, role: cython.int, key: bytes, frame: cython.longlong) -> None:
        """Take a packet of a role on a path that was not opened, but has an ID that only its peer knows. Where both sides send
        such packets, and there are no keys, it is a path.
        """
        if len(self.paths) > 0 and self.paths[len(self.paths) - 1][0] == key:
            return
        roles, first = self.heard.get(key, (0, frame))
        roles |= 1 << role
        if roles == _BOTH:
            self.add_path(key, first)
        elif len(self.heard) < _MAX_LISTED or key in self.heard:
            self.heard[key] = (roles, first)

    def count_initial(self, role: cython.int, number: cython.longlong) -> None:
        """Count an Initial packet of a role, once."""
        one: Sent = self.sent[4 * role]
        if not one.seen.has(number):
            one.count += 1
            one.seen.add(number, number)

    def settle_initials(self, source: bytes | None, forged: set[Any]) -> None:
        """Count the Initial packets of the server with this connection ID, or all if it is None, but those that are forged."""
        for sender, number in self.doubtful:
            if (source is None or sender == source) and number not in forged:
                self.count_initial(1, number)
        self.doubtful = []

    def add_close(self, close: Close) -> None:
        """Note a CONNECTION_CLOSE; the first one counts, or the first encrypted one."""
        if self.close is None or (close.encrypted and not self.close.encrypted):
            self.close = close

    def take_ack(self, role: cython.int, level: cython.int, ranges: list[Any], ecn: Any) -> None:
        """Note which packets of its peer a role got. What is far behind those in the capture was never sent: it is left out."""
        one: Sent = self.sent[4 * (1 - role) + level]
        farthest: cython.longlong = (one.seen.ends[len(one.seen.ends) - 1] if one.seen.ends else -1) + (
            _FARTHEST_ACK if level else _FARTHEST_INITIAL_ACK
        )
        for first, last in ranges:
            if last <= farthest:
                one.acknowledged.add(first, last)
        if ecn is not None:
            self.marks.reported[role] = max(self.marks.reported[role] or ecn, ecn)

    def missing(self, role: int) -> int:
        """Return how many packets of a role were acknowledged and are not in the capture."""
        return sum(one.acknowledged.without(one.seen) for one in self.sent[4 * role : 4 * role + 4])

    def unacknowledged(self, role: int) -> int:
        """Return how many packet numbers of a role, up to the last seen, are neither in the capture nor acknowledged."""
        count = 0
        for one in self.sent[4 * role : 4 * role + 4]:
            if one.seen.ends:
                known = PacketNumbers()
                known.starts, known.ends = list(one.seen.starts), list(one.seen.ends)
                for first, last in zip(one.acknowledged.starts, one.acknowledged.ends, strict=True):
                    known.add(first, last)
                span = PacketNumbers()
                span.add(one.seen.starts[0], one.seen.ends[len(one.seen.ends) - 1])
                count += span.without(known)
        return count
