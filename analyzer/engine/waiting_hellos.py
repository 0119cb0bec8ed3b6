"""Keeps ClientHellos on the ports of a DTLS session, which begin another one only if it is a session.

Whoever knows two ports can send a ClientHello, and a server that asks for a cookie answers each of them without keeping
anything. So the association that is there stays until the client of the new one is known to get the answers (RFC 6347 section
4.2.8). Here a hello waits until a ServerHello answers it, or its client goes on with the cookie that the server gave.
"""

from __future__ import annotations

from analyzer.tls.dtls.record_headers import FRAGMENT_HEADER
from analyzer.tls.limits import PENDING_COST
from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM, SERVER_HELLO
from analyzer.tls.record.record import Record

MAX_WAITING = 4
"""Hellos of one flow that wait, the latest ones."""

MAX_RECORDS = 16
"""Records of one of them: fragments, what is sent again, and the requests for a cookie."""

REPEATED = 3
"""How often a client has to send a hello to be known as one that is not answered, as in `DtlsFacts.is_unanswered`."""

_RANDOM_IN_FRAGMENT = RANDOM.start - 4
"""Where the random begins in the body of a hello."""

_ZERO, _SERVER_HELLO = b"\0\0\0", bytes((SERVER_HELLO,))


def random_of(content: bytes) -> bytes:
    """Return the random of a ClientHello or ServerHello, or what the first fragment has of it; empty in other fragments."""
    if content[0] not in (CLIENT_HELLO, SERVER_HELLO) or content[6:9] != _ZERO:
        return b""
    return content[FRAGMENT_HEADER:][_RANDOM_IN_FRAGMENT : _RANDOM_IN_FRAGMENT + 32]


def answers(content: bytes) -> bool:
    """Return whether a fragment begins a ServerHello, and no HelloRetryRequest, which only asks for another hello."""
    begins = content[:1] == _SERVER_HELLO and content[6:9] == _ZERO
    return begins and not is_same(random_of(content), HELLO_RETRY_REQUEST_RANDOM)


def is_same(random: bytes, other: bytes) -> bool:
    """Return whether two randoms, of which some bytes can be missing, can be one."""
    common = min(len(random), len(other))
    return random[:common] == other[:common]


class WaitingHello:
    """A ClientHello that waits.

    client: the side of the flow that sent it. random: its random. sent: how often. message: type, length and number of the
    message whose fragments came last. records: those of both sides.
    """

    __slots__ = ("client", "message", "random", "records", "sent")

    def __init__(self, client: int, random: bytes) -> None:
        self.client = client
        self.random = random
        self.sent = 0
        self.message = b""
        self.records: list[Record] = []

    def keep(self, record: Record) -> None:
        """Keep a copy of a record, if there are not too many."""
        if len(self.records) < MAX_RECORDS:
            self.records.append(record.copy())

    def sender(self, record: Record) -> int:
        """Return which side of the flow sent one of its records."""
        return self.client if record.body[record.header] == CLIENT_HELLO else 1 - self.client


class WaitingHellos:
    """The hellos of one flow that wait, the latest last."""

    __slots__ = ("hellos",)

    def __init__(self) -> None:
        self.hellos: list[WaitingHello] = []

    @property
    def held(self) -> int:
        """Bytes of memory that they need."""
        return sum(len(record.body) + PENDING_COST for hello in self.hellos for record in hello.records)

    def take(self, side: int, content: bytes, record: Record) -> WaitingHello | None:
        """Take a record with a ClientHello. Returns its hello if its client goes on with it, for which it leaves this list.

        content: of the record. A client goes on with a message that is not its first.
        """
        random = random_of(content)
        hello = next((one for one in self.hellos if one.client == side and is_same(one.random, random)), None)
        if hello is None:
            hello = WaitingHello(side, random)
            self.hellos = [*self.hellos[1 - MAX_WAITING :], hello]
        hello.random = max(hello.random, random, key=len)
        hello.message = content[:6]
        hello.sent += 1
        hello.keep(record)
        return self.answered(hello) if content[4:6] != b"\0\0" and len(hello.records) > 1 else None

    def continues(self, side: int, content: bytes, record: Record) -> bool:
        """Return whether a record has another fragment of a hello that waits, and take it."""
        for hello in self.hellos:
            if hello.client == side and hello.message == content[:6] and content[6:9] != _ZERO:
                hello.keep(record)
                return True
        return False

    def ask(self, side: int, record: Record) -> None:
        """Take a request for a cookie from a side, which can be for any of them."""
        for hello in self.hellos:
            if hello.client != side:
                hello.keep(record)

    def latest(self, side: int) -> WaitingHello | None:
        """Return the latest hello that this side can answer, which leaves this list; None without one."""
        found = [hello for hello in self.hellos if hello.client != side]
        return self.answered(found[-1]) if found else None

    def answered(self, hello: WaitingHello) -> WaitingHello:
        """Let go of a hello, with which a session begins."""
        self.hellos.remove(hello)
        return hello

    def unanswered(self) -> list[WaitingHello]:
        """Let go of all. Returns those that a client sent again and again."""
        hellos, self.hellos = self.hellos, []
        return [hello for hello in hellos if hello.sent >= REPEATED]
