"""Reads HTTP/1.0 and HTTP/1.1 in both directions of a connection (RFC 9112), passively.

Both directions share a queue of requests without a response, because the request decides whether its response has a body (HEAD,
CONNECT). After a request that may change the protocol (CONNECT, Upgrade) the client's next bytes are held until the server's
response shows their protocol.

After lost bytes the request of a response is a guess, and the exchange is marked as guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.application.body import Body
from analyzer.application.exchange import (
    CLIENT,
    SERVER,
    ConversationLog,
    Exchange,
    Response,
    new_exchange,
    new_request,
    new_response,
)
from analyzer.application.header_fields import (
    NO_BODY,
    Framing,
    Index,
    Problems,
    check_no_framing,
    check_old_framing,
    content_codings,
    index,
    read_fields,
    read_framing,
    read_request_line,
    read_status_line,
)
from analyzer.application.http1_fast_path import FastPathMessage, read_plain_request, read_plain_response
from analyzer.application.http1_stream import HEAD_MAX, Direction
from analyzer.application.protocol_reader import Reader

if TYPE_CHECKING:
    import cython

PENDING_MAX: Final = 10_000
"""Maximum number of requests without a response."""

NO_CODINGS: Final[list[str]] = []
"""The codings of a body without any."""


class Http1:
    """An HTTP/1 conversation. `successor`: the reader of the protocol that took over, if there is one."""

    __slots__ = ("_directions", "_pending", "_pipelined", "_unmatched_responses", "_upgrading", "log", "successor")

    def __init__(self, log: ConversationLog) -> None:
        self.log = log
        self.successor: Reader | None = None
        self._directions: tuple[Direction, ...] = (Direction(self, CLIENT), Direction(self, SERVER))
        # Lists, because most hold at most one exchange. Removing the first of PENDING_MAX entries moves 80 KB.
        self._pending: list[Exchange] = []
        self._unmatched_responses: list[Exchange] = []
        self._pipelined = False
        self._upgrading: Exchange | None = None

    @property
    def kind(self) -> str:
        """`http/1.1`, or the kind of the protocol that took over."""
        return "http/1.1" if self.successor is None else self.successor.kind

    def feed(self, side: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next bytes of one side."""
        direction: Direction = self._directions[side]
        pos: cython.Py_ssize_t = 0
        if direction.is_between() and self._upgrading is None:
            direction.frame = frame
            direction.at = at
            pos = self._read_plain_request(direction, data) if side == CLIENT else self._read_plain_response(direction, data)
        if pos == 0:
            direction.feed(data, frame, at)
        elif pos < len(data):
            direction.feed(data[pos:], frame, at)

    def gap(self, side: cython.int, length: int | None) -> None:
        """Handle missing bytes. length: None if it is not known."""
        if self.successor is not None:
            self.successor.gap(side, length)
        else:
            self._directions[side].gap(length)

    def close(self) -> None:
        """Handle the end of both streams. Drop the directions, which refer back to this object."""
        for direction in self._directions:
            direction.close()
        self._directions = ()
        if self.successor is not None:
            self.successor.close()

    def succeed(self, side: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Pass bytes to the protocol that took over."""
        if self.successor is not None:
            self.successor.feed(side, data, frame, at)

    def begin_message(self, side: cython.int, line: str, rest: str, frame: cython.longlong, at: cython.longlong) -> bool:
        """Read a start line and its fields. Return False if `line` is not a start line."""
        return self._begin_request(line, rest, frame, at) if side == CLIENT else self._begin_response(line, rest, frame, at)

    def _read_plain_request(self, direction: Direction, data: bytes) -> cython.Py_ssize_t:
        """Read an ordinary request at the start of `data` and the available part of its body. Return where that ends; 0 if
        there is none."""
        head: FastPathMessage | None = read_plain_request(data, min(len(data), HEAD_MAX))
        if head is None or head.n_hosts != 1 or self._unmatched_responses:
            return 0
        log: ConversationLog = self.log
        frame: cython.longlong = direction.frame
        exchange = new_exchange()
        body: Body = log.body(exchange, CLIENT, NO_CODINGS)
        fields = log.keep(head.fields, head.n_bytes, frame)
        request = new_request(head.method, log.scheme, head.host, head.path, fields, head.version, frame, direction.at, body)
        exchange.request = request
        self._await_response(exchange, frame)
        return direction.read_counted(request, body, max(0, head.length), data, head.end)

    def _read_plain_response(self, direction: Direction, data: bytes) -> cython.Py_ssize_t:
        """Read an ordinary final response at the start of `data`. Return values as in `_read_plain_request`."""
        if not self._pending:
            return 0
        head: FastPathMessage | None = read_plain_response(data, min(len(data), HEAD_MAX))
        if head is None or head.status < 200:
            return 0
        exchange: Exchange = self._pending[0]
        assert exchange.request is not None
        method = exchange.request.method
        if head.length >= 0 and (head.status == 204 or method == "CONNECT"):
            return 0
        if method == "HEAD" or head.status in (204, 304) or (method == "CONNECT" and head.status < 300):
            head.length = 0
        elif head.length < 0:
            return 0
        del self._pending[0]
        log: ConversationLog = self.log
        frame: cython.longlong = direction.frame
        fields = log.keep(head.fields, head.n_bytes, frame)
        body: Body = log.body(exchange, SERVER, NO_CODINGS)
        response = new_response(head.status, fields, head.version, frame, direction.at, body)
        exchange.response = response
        client: Direction = self._directions[CLIENT]
        client.resume()
        return direction.read_counted(response, body, head.length, data, head.end)

    def _await_response(self, exchange: Exchange, frame: cython.longlong) -> None:
        """List an exchange that begins with a request, and add it to the queue of those without a response."""
        self.log.add(exchange, frame)
        pending = self._pending
        if pending:
            server: Direction = self._directions[SERVER]
            if not server.seeking:
                self._pipelined = True
            if len(pending) >= PENDING_MAX:
                self.log.note("too_many_pending_requests", f"{PENDING_MAX} requests without a response", frame)
                del pending[0]
        pending.append(exchange)

    def _begin_request(self, text: str, rest: str, frame: cython.longlong, at: cython.longlong) -> bool:
        line = read_request_line(text)
        if line is None:
            return False
        log = self.log
        problems: Problems = []
        fields = read_fields(rest, problems)
        by_name = index(fields)
        framing = read_framing(by_name, problems)
        if line.version == "1.0":
            check_old_framing(by_name, problems)
        hosts = by_name.get("host", [])
        if len(hosts) > 1 or (not hosts and line.version == "1.1"):
            problems.append(("bad_host", f"{len(hosts)} Host fields"))
        if framing.codings and not framing.chunked:
            problems.append(("bad_transfer_encoding", "a request whose last transfer coding is not chunked has no known end"))
            framing = Framing(False, None, [], sure=False)
        for code, detail in problems:
            log.note(code, detail, frame)
        exchange, known = self._exchange_of_request()
        body = log.body(exchange, CLIENT, content_codings(by_name) + framing.codings)
        exchange.request = request = new_request(
            line.method,
            line.scheme or (None if line.method == "CONNECT" else log.scheme),
            line.authority or (hosts[0] if hosts else None),
            line.path,
            log.keep(fields, len(rest), frame),
            line.version,
            frame,
            at,
            body,
        )
        if not known:
            self._await_response(exchange, frame)
        elif line.method == "CONNECT" and exchange.response is not None and 200 <= (exchange.response.status or 0) < 300:
            body.finish(frame)
            self._change(exchange, exchange.response)
            return True
        client: Direction = self._directions[CLIENT]
        if not framing.sure:
            client.lose()
            return True
        if not known and (line.method == "CONNECT" or "upgrade" in by_name):
            self._upgrading = exchange
        client.begin_body(request, framing if framing.chunked or framing.length else NO_BODY)
        return True

    def _exchange_of_request(self) -> tuple[Exchange, bool]:
        """Return the exchange of a new request, and whether its response was there first (captures can have packets out of
        order)."""
        if self._unmatched_responses and not self._directions[CLIENT].lossy:
            return self._unmatched_responses.pop(0), True
        return new_exchange(), False

    def _begin_response(self, text: str, rest: str, frame: cython.longlong, at: cython.longlong) -> bool:
        line = read_status_line(text)
        if line is None:
            return False
        status, version = line
        log = self.log
        problems: Problems = []
        fields = read_fields(rest, problems)
        by_name = index(fields)
        interim = 100 <= status < 200 and status != 101
        exchange = self._exchange_of_response(interim, frame)
        method = exchange.request.method if exchange.request is not None else None
        framing = self._framing_of_response(method, status, by_name, problems)
        if version == "1.0":
            check_old_framing(by_name, problems)
        for code, detail in problems:
            log.note(code, detail, frame)
        body = log.body(exchange, SERVER, content_codings(by_name, status) + framing.codings)
        response = new_response(status, log.keep(fields, len(rest), frame), version, frame, at, body)
        if interim:
            log.keep_interim(exchange, response)
        else:
            exchange.response = response
        server: Direction = self._directions[SERVER]
        if exchange is self._upgrading and not interim:
            self._upgrading = None
            if status == 101 or (method == "CONNECT" and 200 <= status < 300):
                body.finish(frame)
                self._change(exchange, response)
                return True
        if not framing.sure:
            server.lose()
            return True
        server.begin_body(response, framing)
        if not interim and self._upgrading is None:
            self._directions[CLIENT].resume()
        return True

    def _exchange_of_response(self, interim: cython.bint, frame: cython.longlong) -> Exchange:
        if self._pending:
            return self._pending[0] if interim else self._pending.pop(0)
        exchange = new_exchange()
        exchange.guessed = self._directions[CLIENT].lossy
        if not interim:
            self.log.add(exchange, frame)
            self._unmatched_responses.append(exchange)
            if len(self._unmatched_responses) > PENDING_MAX:
                del self._unmatched_responses[0]
        return exchange

    @staticmethod
    def _framing_of_response(method: str | None, status: int, fields: Index, problems: Problems) -> Framing:
        """Return the framing of a response (RFC 9112 section 6.3). The request's method and the status come before the
        fields."""
        if method == "HEAD" or status < 200 or status in (204, 304) or (method == "CONNECT" and status < 300):
            if status not in (304, 101) and method != "HEAD":
                check_no_framing(status, fields, problems)
            return NO_BODY
        return read_framing(fields, problems)

    def end_message(self, side: cython.int) -> None:
        """Handle the end of a message. After a request for another protocol, hold the client's data until the response."""
        if side == CLIENT and self._upgrading is not None:
            self._directions[CLIENT].wait()

    def found(self, side: cython.int) -> None:
        """Handle a start line found after lost bytes. Of several requests only the last is still open: clients rarely
        pipeline."""
        pending = self._pending
        if side == SERVER and len(pending) > 1:
            if self._pipelined:
                for exchange in pending:
                    exchange.guessed = True
            else:
                del pending[: len(pending) - 1]
                pending[0].guessed = True
                if self._upgrading is not None and self._upgrading is not pending[0]:
                    self._upgrading = None
                    self._directions[CLIENT].resume()

    def _change(self, exchange: Exchange, response: Response) -> None:
        """Pass both directions to the protocol that was agreed on."""
        from analyzer.application.upgrade import successor_of  # imports the readers of the other protocols

        self.successor = successor_of(exchange, response, self.log)
        for direction in self._directions:
            direction.leave()
