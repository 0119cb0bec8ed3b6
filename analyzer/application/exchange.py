"""What a conversation amounts to: requests with their responses, messages of a WebSocket, and what was wrong.

An exchange is there from the head of its request on and grows with the stream; `record` gives it as the session record has it.
The journal is what all readers of one conversation write to, and where the limits on what is kept stand: whoever fills a stream
with small requests pays with time, not we with memory. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cython

from analyzer.application.body import Bodies, Body, Codings, new_body

CLIENT: Final = 0
SERVER: Final = 1
NAMES: Final = ("client", "server")

EXCHANGES_MAX: Final = 100_000
"""Exchanges of one conversation that are kept."""

HEADS_MAX: Final = 1 << 26
"""Bytes of all heads of one conversation that are kept; a byte on the wire can stand for 4 KiB of fields in HTTP/2."""

FIELD_COST: Final = 160
"""What a field costs in memory beside its characters: a tuple and two strings."""

MESSAGES_MAX: Final = 100_000
"""Messages of WebSockets of one conversation that are kept."""

FINDINGS_MAX: Final = 16
"""Findings of one code that are kept; one more says that there were more. The codes are a few dozen, all of this room."""

INTERIM_MAX: Final = 16
"""Interim responses (1xx) that are kept for one request."""

_REQUEST: Final[dict[str, Any]] = dict.fromkeys(("method", "scheme", "authority", "path", "headers", "frame"))
"""A request in the session record before its values are known: a copy costs less than a new table that grows."""

Fields = list[tuple[str, str]]
"""Field lines as (name, value), in the order sent; HTTP/2's pseudo-header fields are not among them."""


class Finding:
    """What was wrong, where: a code, a sentence, and the frame at which it showed."""

    __slots__ = ("code", "detail", "frame")

    def __init__(self, code: str, detail: str, frame: cython.longlong) -> None:
        self.code = code
        self.detail = detail
        self.frame = frame


class Request:
    """A request. What its head did not say, or a head that could not be read, is None.

    headers: None where the head could not be decoded (HTTP/2 after a gap).
    authority, scheme, path: as HTTP/2 has them; for HTTP/1.1 out of the request target and `Host`, scheme of the conversation.
    frame, at: of the bytes that completed the head.
    """

    __slots__ = ("at", "authority", "body", "frame", "headers", "method", "path", "scheme", "trailers", "version")

    def __init__(
        self,
        method: str | None,
        scheme: str | None,
        authority: str | None,
        path: str | None,
        headers: Fields | None,
        version: str,
        frame: cython.longlong,
        at: cython.longlong,
        body: Body,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.headers = headers
        self.version = version
        self.frame = frame
        self.at = at
        self.body = body
        self.trailers: Fields = []


class Response:
    """A response; None and frames as in Request."""

    __slots__ = ("at", "body", "frame", "headers", "status", "trailers", "version")

    def __init__(
        self,
        status: int | None,
        headers: Fields | None,
        version: str,
        frame: cython.longlong,
        at: cython.longlong,
        body: Body,
    ) -> None:
        self.status = status
        self.headers = headers
        self.version = version
        self.frame = frame
        self.at = at
        self.body = body
        self.trailers: Fields = []


class Exchange:
    """A request and its response, either of which the capture may lack.

    interim: the 1xx responses before the final one.
    pushed: the server promised it (HTTP/2); nobody asked.
    protocol: what an extended CONNECT asks for (RFC 8441).
    reset: the error code's name, if RST_STREAM ended it.
    guessed: bytes were lost before, so that the response may be that of another request.
    """

    __slots__ = ("guessed", "interim", "protocol", "pushed", "request", "reset", "response", "stream")

    def __init__(
        self,
        request: Request | None = None,
        response: Response | None = None,
        stream: int | None = None,
        guessed: cython.bint = False,
    ) -> None:
        self.request = request
        self.response = response
        self.stream = stream
        self.interim: list[Response] = []
        self.pushed = False
        self.protocol: str | None = None
        self.reset: str | None = None
        self.guessed = guessed

    def record(self) -> dict[str, Any]:
        """One entry of the session record's `http`. A hash stands only for a body that is known whole."""
        request = self.request
        response = self.response
        asked: dict[str, Any] | None = None
        if request is not None:
            asked = _REQUEST.copy()
            asked["method"] = request.method
            asked["scheme"] = request.scheme
            asked["authority"] = request.authority
            asked["path"] = request.path
            asked["headers"] = request.headers
            asked["frame"] = request.frame
        return {
            "request": asked,
            "response": None
            if response is None
            else {
                "status": response.status,
                "headers": response.headers,
                "frame": response.frame,
                "body_sha256": response.body.sha256,
                "body_length": response.body.length,
            },
        }


def new_request(
    method: str | None,
    scheme: str | None,
    authority: str | None,
    path: str | None,
    headers: Fields | None,
    version: str,
    frame: cython.longlong,
    at: cython.longlong,
    body: Body,
) -> Request:
    """A request. Setting the fields here, and in the two below, spares compiled code a call with Python objects."""
    request: Request = Request.__new__(Request)
    request.method = method
    request.scheme = scheme
    request.authority = authority
    request.path = path
    request.headers = headers
    request.version = version
    request.frame = frame
    request.at = at
    request.body = body
    request.trailers = []
    return request


def new_response(
    status: cython.int, headers: Fields | None, version: str, frame: cython.longlong, at: cython.longlong, body: Body
) -> Response:
    """A response whose status is known."""
    response: Response = Response.__new__(Response)
    response.status = status
    response.headers = headers
    response.version = version
    response.frame = frame
    response.at = at
    response.body = body
    response.trailers = []
    return response


def new_exchange() -> Exchange:
    """An exchange of which nothing is known."""
    exchange: Exchange = Exchange.__new__(Exchange)
    exchange.request = None
    exchange.response = None
    exchange.stream = None
    exchange.interim = []
    exchange.pushed = False
    exchange.protocol = None
    exchange.reset = None
    exchange.guessed = False
    return exchange


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a WebSocket (RFC 6455), control frames included.

    length: bytes of its payload, inflated; None if that could not be done.
    frame, at: of the bytes that completed it.
    complete: False if bytes are missing or it was cut.
    close_code: of a close frame that has one.
    """

    exchange: Exchange | None
    side: int
    opcode: int
    length: int | None
    frame: int
    at: int
    compressed: bool
    complete: bool
    close_code: int | None = None


OnBody = Callable[[Exchange, int, bytes], None]
"""Called with each piece of a decoded body (or of a WebSocket message): exchange, side, bytes."""


class Findings:
    """What was wrong, in the order in which it showed, so many of each code."""

    __slots__ = ("found", "numbers")

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.numbers: dict[str, int] | None = None

    def note(self, code: str, detail: str, frame: cython.longlong) -> None:
        """Keep a finding."""
        if self.numbers is None:
            self.numbers = {}
        n = self.numbers[code] = self.numbers.get(code, 0) + 1
        if n <= FINDINGS_MAX:
            self.found.append(Finding(code, detail, frame))
        elif n == FINDINGS_MAX + 1:
            detail = f"more than {FINDINGS_MAX} of the code {code}; the rest is not listed"
            self.found.append(Finding("too_many_findings", detail, frame))


class ConversationLog:
    """What the readers of one conversation have found. `scheme`: of a request whose target does not say."""

    __slots__ = (
        "_bodies", "_findings", "_n_heads", "_on_body", "_room_told", "exchanges", "messages", "scheme",
    )  # fmt: skip

    def __init__(self, scheme: str, hashing: bool, on_body: OnBody | None) -> None:
        self.scheme = scheme
        # Bodies point to the findings and not to the journal, which points to them: rings would wait for the collector.
        self._findings = Findings()
        self._bodies = Bodies(hashing, self._findings.note)
        self._on_body = on_body
        self.exchanges: list[Exchange] = []
        self.messages: list[Message] = []
        self._n_heads = 0
        self._room_told = False

    @property
    def findings(self) -> list[Finding]:
        """What was wrong, in the order in which it showed."""
        return self._findings.found

    def note(self, code: str, detail: str, frame: cython.longlong) -> None:
        """Keep a finding."""
        self._findings.note(code, detail, frame)

    def add(self, exchange: Exchange, frame: cython.longlong) -> None:
        """List an exchange, if there is room; without room it is followed all the same."""
        if len(self.exchanges) < EXCHANGES_MAX and self._n_heads < HEADS_MAX:
            self.exchanges.append(exchange)
        else:
            self._tell_full("exchanges", frame)

    def add_message(self, message: Message) -> None:
        """List a message of a WebSocket, if there is room."""
        if len(self.messages) < MESSAGES_MAX:
            self.messages.append(message)
        else:
            self._tell_full("messages", message.frame)

    def keep(self, fields: Fields, n_bytes: cython.longlong, frame: cython.longlong) -> Fields | None:
        """The fields of a head of `n_bytes`, or None if there is no more room for heads."""
        self._n_heads += n_bytes + FIELD_COST * len(fields)
        if self._n_heads < HEADS_MAX:
            return fields
        self._tell_full("fields", frame)
        return None

    def keep_interim(self, exchange: Exchange, response: Response) -> None:
        """Keep a 1xx response of an exchange, if there is room."""
        if len(exchange.interim) < INTERIM_MAX:
            exchange.interim.append(response)
        elif len(exchange.interim) == INTERIM_MAX:
            self._tell_full("interim responses", response.frame)

    def body(self, exchange: Exchange, side: cython.int, codings: Codings | None) -> Body:
        """A body of an exchange; `codings` as in Body."""
        return new_body(self._bodies, codings, None if self._on_body is None else self.sink(exchange, side))

    def sink(self, exchange: Exchange, side: int) -> Callable[[bytes], None] | None:
        """Where the bytes of a body or message go; None if nobody asked for them."""
        on_body = self._on_body
        return None if on_body is None else lambda piece: on_body(exchange, side, piece)

    def _tell_full(self, what: str, frame: cython.longlong) -> None:
        if not self._room_told:
            self._room_told = True
            self.note("too_much_to_list", f"from here on {what} of this conversation are no longer listed", frame)
