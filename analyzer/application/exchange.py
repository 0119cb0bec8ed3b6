"""Holds the content of a conversation: requests with their responses, messages of a WebSocket, and findings.

An exchange exists from the header section of its request on, and is filled as the stream is read. `record` returns it in the
form of the session record. All readers of one conversation write to its conversation log. The log also has the limits on what
is kept: many small requests cost an attacker's target time, but no memory without limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer.application.body import Bodies, Body, Codings, new_body

if TYPE_CHECKING:
    import cython

    from analyzer.application.dns_message import DnsMessage

CLIENT: Final = 0
SERVER: Final = 1
NAMES: Final = ("client", "server")

EXCHANGES_MAX: Final = 100_000
"""Maximum number of exchanges that are kept for one conversation."""

HEADER_BYTES_MAX: Final = 1 << 26
"""Maximum bytes of all header sections that are kept for one conversation. In HTTP/2 a byte can become 4 KiB of fields."""

FIELD_COST: Final = 160
"""Memory for a field in addition to its characters, in bytes: a tuple and two strings."""

MESSAGES_MAX: Final = 100_000
"""Maximum number of WebSocket messages that are kept for one conversation."""

FINDINGS_MAX: Final = 16
"""Maximum number of findings of one code that are kept; one more says that there were more. There are a few dozen codes in
all."""

INTERIM_MAX: Final = 16
"""Maximum number of interim responses (1xx) that are kept for one request."""

_REQUEST: Final[dict[str, Any]] = dict.fromkeys(
    ("method", "scheme", "authority", "path", "headers", "frame", "body_sha256", "body_length")
)
"""A request in the session record before its values are known: a copy is cheaper than a new dict that grows."""

Fields = list[tuple[str, str]]
"""Field lines as (name, value), in the order sent; without the pseudo-header fields of HTTP/2."""


class Finding:
    """One finding: its code, a sentence, and the frame at which it was found."""

    __slots__ = ("code", "detail", "frame")

    def __init__(self, code: str, detail: str, frame: cython.longlong) -> None:
        self.code = code
        self.detail = detail
        self.frame = frame


class Request:
    """A request. A value that is not in its header section, or that cannot be read, is None.

    headers: None if the header section could not be decoded (HTTP/2 after a gap).
    authority, scheme, path: as HTTP/2 has them; in HTTP/1.1 from the request target and `Host`, and the conversation's scheme.
    frame, at: the frame and time of the bytes that completed the header section.
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
    """A response. None, `frame` and `at` have the same meaning as in Request."""

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
    """A request and its response. The capture may miss either of them.

    interim: the 1xx responses before the final one.
    pushed: whether the server promised it without a request of the client (HTTP/2, HTTP/3).
    protocol: the protocol that an extended CONNECT asks for (RFC 8441, RFC 9220), as sent: `websocket`, `connect-udp`.
    pseudo: the names of the pseudo-header fields of the request, in the order in which they were sent (HTTP/2, HTTP/3).
    reset: the name of the error code, if a stream error ended it.
    datagrams: number of HTTP datagrams of the client and of the server (RFC 9297); None where there were none.
    capsules: by type, how many the client and the server sent in the stream (RFC 9297 section 3); None where there were none.
    guessed: whether bytes were lost before, so that the response may belong to another request.
    """

    __slots__ = (
        "capsules", "datagrams", "guessed", "interim", "protocol", "pseudo", "pushed", "request", "reset", "response", "stream",
    )  # fmt: skip

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
        self.pseudo: tuple[str, ...] = ()
        self.reset: str | None = None
        self.datagrams: list[int] | None = None
        self.capsules: dict[str, list[int]] | None = None
        self.guessed = guessed

    def record(self) -> dict[str, Any]:
        """Return one entry of the session record's `http`. It has a hash only if the whole body is known."""
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
            asked["body_sha256"] = request.body.sha256
            asked["body_length"] = request.body.length
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
    """Return a new request. This and the next two functions set the fields directly: compiled code makes no call with Python
    objects."""
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
    """Return a new response whose status is known."""
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
    """Return a new exchange, with nothing known yet."""
    exchange: Exchange = Exchange.__new__(Exchange)
    exchange.request = None
    exchange.response = None
    exchange.stream = None
    exchange.interim = []
    exchange.pushed = False
    exchange.protocol = None
    exchange.pseudo = ()
    exchange.reset = None
    exchange.datagrams = None
    exchange.capsules = None
    exchange.guessed = False
    return exchange


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a WebSocket (RFC 6455), including control frames.

    length: bytes of its payload, inflated; None if it could not be inflated.
    frame, at: the frame and time of the bytes that completed it.
    complete: False if bytes are missing or the payload was truncated.
    close_code: the code of a close frame that has one.
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
    """Findings in the order in which they were found, with a maximum for each code."""

    __slots__ = ("found", "numbers")

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.numbers: dict[str, int] | None = None

    def note(self, code: str, detail: str, frame: cython.longlong) -> None:
        """Add a finding."""
        if self.numbers is None:
            self.numbers = {}
        n = self.numbers[code] = self.numbers.get(code, 0) + 1
        if n <= FINDINGS_MAX:
            self.found.append(Finding(code, detail, frame))
        elif n == FINDINGS_MAX + 1:
            detail = f"more than {FINDINGS_MAX} of the code {code}; the rest is not listed"
            self.found.append(Finding("too_many_findings", detail, frame))


class ConversationLog:
    """Log of one conversation, which its readers write. `scheme`: for requests whose target does not name one."""

    __slots__ = (
        "_bodies", "_findings", "_limit_reported", "_n_header_bytes", "_on_body", "dns", "exchanges", "messages", "scheme",
    )  # fmt: skip

    def __init__(self, scheme: str, hashing: bool, on_body: OnBody | None) -> None:
        self.scheme = scheme
        # Bodies refer to the findings and not to the log, because the log refers to them: a reference cycle waits for the
        # collector.
        self._findings = Findings()
        self._bodies = Bodies(hashing, self._findings.note)
        self._on_body = on_body
        self.exchanges: list[Exchange] = []
        self.messages: list[Message] = []
        self.dns: list[DnsMessage] | None = None
        self._n_header_bytes = 0
        self._limit_reported = False

    @property
    def findings(self) -> list[Finding]:
        """The findings, in the order in which they were found."""
        return self._findings.found

    def note(self, code: str, detail: str, frame: cython.longlong) -> None:
        """Add a finding."""
        self._findings.note(code, detail, frame)

    def add(self, exchange: Exchange, frame: cython.longlong) -> None:
        """List an exchange if there is room. Without room it is not listed, but still followed."""
        if len(self.exchanges) < EXCHANGES_MAX and self._n_header_bytes < HEADER_BYTES_MAX:
            self.exchanges.append(exchange)
        else:
            self._note_limit("exchanges", frame)

    def add_message(self, message: Message) -> None:
        """List a message of a WebSocket if there is room."""
        if len(self.messages) < MESSAGES_MAX:
            self.messages.append(message)
        else:
            self._note_limit("messages", message.frame)

    def add_dns(self, message: DnsMessage) -> None:
        """List a DNS message if there is room. `dns` is None where no reader of DNS has begun."""
        if self.dns is None:
            self.dns = []
        self._n_header_bytes += message.size + FIELD_COST * (1 + len(message.answers))
        if len(self.dns) < MESSAGES_MAX and self._n_header_bytes < HEADER_BYTES_MAX:
            self.dns.append(message)
        else:
            self._note_limit("messages", message.frame)

    def keep(self, fields: Fields, n_bytes: cython.longlong, frame: cython.longlong) -> Fields | None:
        """Return the fields of a header section of `n_bytes`, or None if there is no room for more."""
        self._n_header_bytes += n_bytes + FIELD_COST * len(fields)
        if self._n_header_bytes < HEADER_BYTES_MAX:
            return fields
        self._note_limit("fields", frame)
        return None

    def keep_interim(self, exchange: Exchange, response: Response) -> None:
        """Add a 1xx response to an exchange if there is room."""
        if len(exchange.interim) < INTERIM_MAX:
            exchange.interim.append(response)
        elif len(exchange.interim) == INTERIM_MAX:
            self._note_limit("interim responses", response.frame)

    def body(self, exchange: Exchange, side: cython.int, codings: Codings | None) -> Body:
        """Return a new body of an exchange. `codings`: see Body."""
        return new_body(self._bodies, codings, None if self._on_body is None else self.sink(exchange, side))

    def sink(self, exchange: Exchange, side: int) -> Callable[[bytes], None] | None:
        """Return a function that takes the bytes of a body or message; None if they are not needed."""
        on_body = self._on_body
        return None if on_body is None else lambda piece: on_body(exchange, side, piece)

    def _note_limit(self, what: str, frame: cython.longlong) -> None:
        if not self._limit_reported:
            self._limit_reported = True
            self.note("too_much_to_list", f"from here on {what} of this conversation are no longer listed", frame)
