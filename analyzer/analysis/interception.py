"""Decides for the TLS sessions of two places whether somebody between them ended TLS.

A ClientHello and a ServerHello have 32 random bytes each. Who ends TLS answers with a hello and a key share of his own, so
equal randoms and an equal key share of the server at both places show that nobody between them did: he could not know the
secret of a key share that is not his (RFC 9846 section 7.4). In TLS 1.3 the ServerHello has it. Up to TLS 1.2 the certificate
and the signature over both randoms show it too (RFC 5246 section 7.4.3). Where none of these is seen, it is not known.

The same client random with another ServerHello or another certificate, or another client random in the same TCP connection,
proves that somebody did. A proxy that opens a connection of its own has nothing that is the same for certain. Such sessions are
paired by server name and time, and that is called possible, with what differs: the issuer of the certificate, the client's
fingerprint, the suite.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.analysis.clock_offset import NAMES, ClockOffset
from analyzer.analysis.joined_traces import CLIENT_RANDOM, JoinedTrace

EXCLUDED, PROVEN, POSSIBLE, UNKNOWN = "excluded", "proven", "possible", "unknown"
VERDICTS = (PROVEN, POSSIBLE, EXCLUDED, UNKNOWN)
"""What is said of a session, the worst first."""

SERVER_RANDOM, CONNECTION, SERVER_NAME = "server_random", "connection", "server_name"
"""What joins two sessions besides the client random: the server random, their TCP connection; server name and time."""

WINDOW = 10_000_000_000
"""Nanoseconds between two ClientHellos of which a proxy may have sent the second one because of the first."""

MOST_CANDIDATES = 1 << 14
"""Sessions with one server name that are paired by time."""

MOST_NEAR = 16
"""Sessions before and after one that are tried."""

MOST_FOR_OFFSET = 64
"""Sessions with one server name from which an offset is looked for: all pairs of them are."""

CLUSTER = 2_000_000_000
"""Nanoseconds within which differences of times are one offset, where only names join the sessions."""

LEAST_CLUSTER = 3
"""Pairs of sessions that must show the same offset; all sessions, if one place has fewer."""


@dataclass(slots=True)
class PlaceSession:
    """A TLS session as one place saw it. What is not known is None, or empty bytes.

    id, frame: as in its record. key: `Packet.key` from client to server. at: time of the ClientHello, or else of the beginning.
    client_random, server_random: of the hellos. hello: SHA-256 of the ServerHello. key_share: SHA-256 of the public key
    of the server's (EC)DHE key exchange. certificates: SHA-256 of each that the server sent, in hex. issuer: of the first one.
    """

    id: int
    frame: int
    key: bytes
    at: int
    end: int
    client_random: bytes
    server_random: bytes
    hello: bytes | None
    key_share: bytes
    certificates: tuple[str, ...] | None
    issuer: str | None
    server_name: str | None
    version: str | None
    cipher_suite: str | None
    ja4: str | None

    def facts(self) -> dict[str, str | None]:
        """Return what a proxy changes, by name."""
        certificate = self.certificates[0] if self.certificates else None
        return {
            "certificate": certificate, "issuer": self.issuer, "ja4": self.ja4, "version": self.version,
            "cipher_suite": self.cipher_suite,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: its name, and what it is at A and at B."""

    fact: str
    a: str | None
    b: str | None


@dataclass(slots=True)
class SessionPair:
    """One session at both places, or two that may belong together. by: what joins them. verdict: one of VERDICTS."""

    a: PlaceSession
    b: PlaceSession
    by: str
    verdict: str
    differences: list[Difference] = field(default_factory=list)


def join_by_random(a: Sequence[PlaceSession], b: Sequence[PlaceSession]) -> list[SessionPair]:
    """Return the sessions with the same client random, in the order of A; where a ClientHello is missing, with the same server
    random.

    Where several of one place have it (a hello that was sent again), the server random decides, and then the order of time.
    """
    waiting = _by_random(b, "client_random")
    pairs = []
    for one in a:
        others = waiting.get(one.client_random)
        if others:
            at = next((at for at, other in enumerate(others) if other.server_random == one.server_random), 0)
            pairs.append(_same_random(one, others.pop(at), CLIENT_RANDOM))
    first, second = {pair.a.id for pair in pairs}, {pair.b.id for pair in pairs}
    waiting = _by_random((other for other in b if other.id not in second), "server_random")
    for one in a:
        others = waiting.get(one.server_random, []) if one.id not in first else []
        if len(others) == 1 and not (one.client_random and others[0].client_random):
            pairs.append(_same_random(one, others.pop(), SERVER_RANDOM))
    return sorted(pairs, key=lambda pair: pair.a.id)


def join_by_connection(
    a: Iterable[tuple[PlaceSession, JoinedTrace]], b: Iterable[tuple[PlaceSession, JoinedTrace]]
) -> list[SessionPair]:
    """Return the sessions in connections that both places saw, and that no random has joined: the first one of each."""
    known: dict[int, PlaceSession] = {}
    for one, joined in b:
        known.setdefault(id(joined), one)
    pairs = []
    for one, joined in a:
        other = known.pop(id(joined), None)
        if other is not None:
            differing = bool(one.client_random and other.client_random)
            verdict = PROVEN if differing and joined.same_numbers else POSSIBLE if differing else UNKNOWN
            pairs.append(SessionPair(one, other, CONNECTION, verdict, _differences(one, other)))
    return pairs


def join_by_name(a: Sequence[PlaceSession], b: Sequence[PlaceSession], clock: ClockOffset) -> list[SessionPair]:
    """Return the pairs of sessions that somebody may have joined: the same server name, near in time, and something differs.

    With equal certificates they are sessions of two clients: who ends TLS has no key for the server's certificate.
    Each session is in one pair, with the nearest in time.
    """
    near = sorted(_near(a, b, clock), key=lambda entry: entry[:3])
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for _, first, second, one, other in near:
        if first in taken[0] or second in taken[1]:
            continue
        differences = _differences(one, other)
        if differences and (one.certificates is None or one.certificates != other.certificates):
            taken[0].add(first)
            taken[1].add(second)
            pairs.append(SessionPair(one, other, SERVER_NAME, POSSIBLE, differences))
    return sorted(pairs, key=lambda pair: pair.a.id)


def offset_by_names(a: Sequence[PlaceSession], b: Sequence[PlaceSession]) -> ClockOffset | None:
    """Return the offset that most pairs of sessions with one server name agree on; None if too few do.

    It is the offset and the time that a proxy needs.
    """
    by_name = _by_name(b, MOST_FOR_OFFSET)
    found = sorted(
        (other.at - one.at, one.id, other.id)
        for name, listed in _by_name(a, MOST_FOR_OFFSET).items()
        for one in listed
        for other in by_name.get(name, ())
    )
    best: tuple[int, int, int] = (0, 0, 0)
    agreeing: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    first = 0
    for last, (difference, *ids) in enumerate(found):
        for counts, number in zip(agreeing, ids, strict=True):
            counts[number] += 1
        while difference - found[first][0] > CLUSTER:
            for counts, number in zip(agreeing, found[first][1:], strict=True):
                counts[number] -= 1
                if not counts[number]:
                    del counts[number]
            first += 1
        n_agreeing = min(map(len, agreeing))
        if n_agreeing > best[0]:
            best = n_agreeing, first, last
    if best[0] < max(1, min(LEAST_CLUSTER, len(a), len(b))):
        return None
    differences = [difference for difference, _, _ in found[best[1] : best[2] + 1]]
    middle = differences[len(differences) // 2]
    spread = sorted(abs(one - middle) for one in differences)[len(differences) // 2]
    reference = min(one.at for one in a if one.at >= 0)
    return ClockOffset(middle, None, middle, spread, None, None, None, reference, best[0], best[0], NAMES)


def overall(verdicts: Iterable[str]) -> str:
    """Return what is said of all sessions: the worst that is said of one; UNKNOWN without any."""
    counts = Counter(verdicts)
    return next((one for one in VERDICTS if counts[one]), UNKNOWN)


def _by_random(sessions: Iterable[PlaceSession], name: str) -> dict[bytes, list[PlaceSession]]:
    """Return the sessions by one of their randoms; without those that do not have it."""
    found: dict[bytes, list[PlaceSession]] = {}
    for one in sessions:
        value: bytes = getattr(one, name)
        if value:
            found.setdefault(value, []).append(one)
    return found


def _same_random(one: PlaceSession, other: PlaceSession, by: str) -> SessionPair:
    """Compare two sessions with the same client random, or the same server random."""
    differences = []
    known = bool(one.server_random and other.server_random)
    if known and one.server_random != other.server_random:
        differences.append(Difference("server_random", one.server_random.hex(), other.server_random.hex()))
    elif one.hello is not None and other.hello is not None and one.hello != other.hello:
        differences.append(Difference("server_hello", one.hello.hex(), other.hello.hex()))
    if one.certificates and other.certificates and one.certificates != other.certificates:
        differences.append(Difference("certificate", one.certificates[0], other.certificates[0]))
        if one.issuer != other.issuer:
            differences.append(Difference("issuer", one.issuer, other.issuer))
    verdict = PROVEN if differences else EXCLUDED if known and _is_bound(one, other) else UNKNOWN
    return SessionPair(one, other, by, verdict, differences)


def _is_bound(one: PlaceSession, other: PlaceSession) -> bool:
    """Return whether what both places show of one session, without a difference, binds its keys to the server's secrets.

    Randoms alone do not: who ends TLS can repeat them. A key share is that of the server; the ServerHello of TLS 1.3 has it, or
    chooses a secret of both; the certificate has the key that signs. Up to TLS 1.2, that none was sent does too: then a secret
    of both does it, unless the key exchange is anonymous.
    """
    if one.key_share and one.key_share == other.key_share:
        return True
    if one.hello is not None and other.hello is not None and (one.version or "").endswith("1.3"):
        return True
    if one.certificates is None or other.certificates is None:
        return False
    return bool(one.certificates) or "_anon_" not in (one.cipher_suite or "_anon_")


def _differences(one: PlaceSession, other: PlaceSession) -> list[Difference]:
    """Return what is known of both and differs."""
    theirs = other.facts()
    return [
        Difference(fact, mine, theirs[fact])
        for fact, mine in one.facts().items()
        if mine is not None and theirs[fact] is not None and mine != theirs[fact]
    ]


def _by_name(sessions: Iterable[PlaceSession], most: int) -> dict[str, list[PlaceSession]]:
    found: dict[str, list[PlaceSession]] = {}
    for one in sessions:
        if one.server_name and one.at >= 0:
            listed = found.setdefault(one.server_name.lower(), [])
            if len(listed) < most:
                listed.append(one)
    return found


def _near(
    a: Iterable[PlaceSession], b: Iterable[PlaceSession], clock: ClockOffset
) -> Iterator[tuple[int, int, int, PlaceSession, PlaceSession]]:
    """Yield the sessions of both with one name that one of them can have caused: distance in time, both ids, both sessions."""
    by_name = {
        name: sorted(((clock.at_a(other.at), other.id, other) for other in listed), key=lambda entry: entry[:2])
        for name, listed in _by_name(b, MOST_CANDIDATES).items()
    }
    for name, listed in _by_name(a, MOST_CANDIDATES).items():
        others = by_name.get(name, [])
        times = [at for at, _, _ in others]
        for one in listed:
            middle = bisect_left(times, one.at)
            for at, _, other in others[max(0, middle - MOST_NEAR) : middle + MOST_NEAR]:
                if _may_be_caused(one, other, clock):
                    yield abs(at - one.at), one.id, other.id, one, other


def _may_be_caused(one: PlaceSession, other: PlaceSession, clock: ClockOffset) -> bool:
    """Return whether one of two sessions can be there because of the other: it began soon after it, and before it ended."""
    at, end = clock.at_a(other.at), clock.at_a(other.end)
    if abs(at - one.at) > WINDOW:
        return False
    margin = clock.uncertainty or CLUSTER
    return at <= one.end + margin and one.at <= end + margin
