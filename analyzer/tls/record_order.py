"""Puts the records of both roles into the order in which they were sent, if the capture has them in another one.

Two taps, two queues of a network card, or a merge of two files (`mergecap -a`) can put the frames of one direction before
those that they answer. Each direction is in order, because of its sequence numbers, but a ServerHello can come before its
ClientHello. The protocol says who speaks next until the keys are in use (RFC 5246 section 7.3, RFC 9846 section 2): the
client's hello, the server's answer, and up to TLS 1.2 the server's flight and then the client's, or in a resumption the other
way round. So what comes too early waits for what must be before it. Records keep their frames and times.

A record of the role whose turn it is passes at once, and with the first answer that finds nothing waiting, this object only
passes records on. What never comes is not waited for without limit: a gap, another record than the expected one, or too many
bytes end the waiting, and then everything passes in the order of the capture.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.tls.handshake.hello_features import has_early_data, is_tls13, selected_version
from analyzer.tls.handshake.message_reader import MessageReader
from analyzer.tls.handshake.transcript import is_retry
from analyzer.tls.limits import MAX_UNORDERED, MAX_UNORDERED_TOTAL, PENDING_COST
from analyzer.tls.messages.hello import ClientHello, ServerHello
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, HELLO_RETRY_REQUEST, SERVER_HELLO, SERVER_HELLO_DONE
from analyzer.tls.record.content_types import CHANGE_CIPHER_SPEC, HANDSHAKE, SSL2
from analyzer.tls.record.record import BODY, CONFLICT, FACT, Record, RecordSink

if TYPE_CHECKING:
    import cython

HELLO, ANSWER, FLIGHT, EXCHANGE = range(4)
"""What must come next: the ClientHello; the ServerHello or HelloRetryRequest; the rest of the server's flight; the client's."""

_CLIENT, _SERVER = 0, 1


class RecordOrders:
    """What the sessions of a run share that wait for records. size: bytes that wait, with PENDING_COST for each record."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def begin(self, sink: RecordSink, mid_stream: cython.bint) -> OrderedRecords:
        """Return what takes the records of a new session for this sink. mid_stream: whether its hellos are not captured."""
        ordered: OrderedRecords = OrderedRecords(sink, self)
        ordered.passes = mid_stream
        return ordered


class OrderedRecords(RecordSink):
    """The records of one session on their way to its sink.

    passes: whether records only pass from now on. turn: what must come next. waiting: by role, the records that came too early,
    with the number of their arrival. n_arrived: how many waited in all. size: bytes that wait. readers: by role, for messages
    in plaintext. changed: whether the role whose turn it is has sent a ChangeCipherSpec. hello: the last ClientHello;
    early: whether it offers early data, -1 before that is needed.
    """

    __slots__ = ("changed", "early", "hello", "n_arrived", "orders", "passes", "readers", "sink", "size", "turn", "waiting")

    def __init__(self, sink: RecordSink, orders: RecordOrders) -> None:
        self.kept = 0
        self.sink = sink
        self.orders = orders
        self.passes = False
        self.turn = HELLO
        self.changed = False
        self.hello = b""
        self.early = -1
        self.readers: tuple[MessageReader, MessageReader] | None = None
        self.waiting: tuple[deque[tuple[int, Record]], deque[tuple[int, Record]]] | None = None
        self.n_arrived = 0
        self.size = 0

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """See `RecordSink.wants`. The body of a record that may have to wait is always read."""
        return self.sink.wants(role, content_type) if self.passes else BODY

    def take(self, record: Record) -> None:
        """Pass a record on, or let it wait."""
        if not self.passes:
            self.order(record)
        else:
            self.sink.take(record)
        self.kept = self.sink.kept + self.size

    def order(self, record: Record) -> None:
        """Pass a record on if it is its turn, and then those that waited for it; else let it wait."""
        role: cython.int = record.role
        expected: cython.int = _CLIENT if self.turn == HELLO or self.turn == EXCHANGE else _SERVER
        notice: cython.bint = record.content_type < 0
        if record.content_type in (CONFLICT, FACT):
            self.sink.take(record)
        elif role == expected:
            if self.size == 0 and self.turn == ANSWER:
                self.passes = True
            if notice or record.version == SSL2 or record.missing > 0:
                self.give_up()
            if self.passes:
                self.sink.take(record)
                return
            self.deliver(record)
            self.release()
        elif (self.turn == ANSWER and not notice and self.is_early()) or (notice and self.size == 0):
            self.sink.take(record)
        else:
            self.keep(record)

    def is_early(self) -> cython.bint:
        """Return whether the client may send data before the server's answer (RFC 9846 section 4.3.10)."""
        if self.early < 0:
            hello, _ = read(ClientHello, self.hello, HEADER, len(self.hello), 0, Malformed)
            self.early = has_early_data(hello)
        return self.early > 0 and self.size == 0

    def keep(self, record: Record) -> None:
        """Let a record wait."""
        if self.waiting is None:
            self.waiting = deque(), deque()
        self.n_arrived += 1
        self.waiting[record.role].append((self.n_arrived, record.copy()))
        cost: cython.longlong = len(record.body) + PENDING_COST
        self.size += cost
        self.orders.size += cost
        if self.size > MAX_UNORDERED or self.orders.size > MAX_UNORDERED_TOTAL:
            self.give_up()

    def deliver(self, record: Record) -> None:
        """Pass on a record of the role whose turn it is, and find out what must come next."""
        if record.content_type == HANDSHAKE and not self.changed:
            self.look(record)
        elif record.content_type == CHANGE_CIPHER_SPEC and not self.changed:
            self.changed = self.turn == EXCHANGE or self.turn == FLIGHT
            self.passes = self.turn == HELLO and len(self.hello) == 0
        else:  # the Finished, or what must not come here
            self.passes = True
        if self.passes and self.turn == HELLO:  # the capture begins behind the ClientHello
            self.give_up()
        self.sink.take(record)

    def look(self, record: Record) -> None:
        """Find out what must come after the messages of a record."""
        if self.readers is None:
            self.readers = MessageReader(False), MessageReader(False)
        reader: MessageReader = self.readers[record.role]
        reader.feed(record.body, True, -1)
        while reader.advance():
            raw: bytes = reader.raw
            number: cython.int = raw[0]
            if self.turn == HELLO and number == CLIENT_HELLO:
                self.hello = raw
                self.turn = ANSWER
            elif self.turn == ANSWER and (number == HELLO_RETRY_REQUEST or (number == SERVER_HELLO and is_retry(raw))):
                self.turn = HELLO
            elif self.turn == ANSWER and number == SERVER_HELLO:
                answer, _ = read(ServerHello, raw, HEADER, len(raw), 0, Malformed)
                self.turn = FLIGHT
                self.passes = is_tls13(selected_version(answer))
            elif self.turn == FLIGHT and number == SERVER_HELLO_DONE:
                self.turn = EXCHANGE
            elif self.turn == HELLO:
                self.passes = True

    def release(self) -> None:
        """Pass on what waits and has its turn now; all of it as soon as the order does not matter any more."""
        while not self.passes and self.waiting is not None:
            role: cython.int = _CLIENT if self.turn == HELLO or self.turn == EXCHANGE else _SERVER
            queue: deque[tuple[int, Record]] = self.waiting[role]
            if not queue:
                return
            record: Record = queue.popleft()[1]
            self.let_go(record)
            if record.content_type < 0:
                self.passes = True
                self.sink.take(record)
            else:
                self.deliver(record)
        if self.passes:
            self.give_up()

    def let_go(self, record: Record) -> None:
        """Note that a record does not wait any more."""
        cost: cython.longlong = len(record.body) + PENDING_COST
        self.size -= cost
        self.orders.size -= cost

    def give_up(self) -> None:
        """Pass on all that waits in the order of the capture, and only pass records on from now on."""
        self.passes = True
        waiting = self.waiting
        self.waiting = self.readers = None
        self.hello = b""
        if waiting is None:
            return
        for _, record in sorted([*waiting[_CLIENT], *waiting[_SERVER]], key=_arrival):
            self.let_go(record)
            self.sink.take(record)

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """See `RecordSink.end_role`. What still waits is passed on."""
        self.give_up()
        self.sink.end_role(role, frame, at)
        self.kept = self.sink.kept

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """See `RecordSink.finish`."""
        self.give_up()
        return self.sink.finish(frame, at)


def _arrival(one: tuple[int, Record]) -> int:
    return one[0]
