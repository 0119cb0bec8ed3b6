"""The fields of HTTP, decrypted or not: of HTTP/1 where the message is complete, of others where its header section is.

They come from the exchanges that a first reading found (`capture_facts`). A field line has a field of its own under its name if
`http_fields.csv` lists it.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from analyzer.application.exchange import Exchange, Request
from analyzer.application.request_target import target_of
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_strings import rows

MAX_PARTS = 1000
"""Parameters of a query, and cookies of a field, that are read."""

_NUMBERS = {f"{name}.headers.{one}" for name in ("http2", "http3") for one in ("age", "content_length", "max_forwards")}
"""Fields of header sections that are numbers."""

_LINES = {
    "http2": ("header.count", "header", "header.name.length", "header.value.length", "header.name", "header.value"),
    "http3": (
        "headers.count", "headers.header", "headers.header.name.length", "headers.header.value.length", "header.header.name",
        "headers.header.value",
    ),
}  # fmt: skip
"""What Wireshark calls the number of field lines, a line, the lengths of its name and value, the name and the value."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_DECLARED = {row["name"] for row in rows("http_fields")}


class HttpFields:
    """The source of `http.*`, and of the header sections of `http2.*` and `http3.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        facts, number = view.facts, view.frame.number
        found: Found = {}
        if facts is None:
            return {}
        pairs: list[tuple[str, object]] = []
        for exchange in facts.requests.get(number, ()):
            pairs += _request(exchange)
        for exchange in facts.responses.get(number, ()):
            pairs += _response(exchange, view.frame.at)
        for exchange, answered in facts.sections.get(number, ()):
            pairs += _section(exchange, answered)
        for name, value in pairs:
            found.setdefault(name, []).append(Occurrence(value, b"" if value == b"" else None, 1))  # type: ignore[arg-type]
        return found


def _request(exchange: Exchange) -> Iterator[tuple[str, object]]:
    request = exchange.request
    if request is None:
        return
    yield "http", b""
    yield "http.request", True
    yield "http.request.version", f"HTTP/{request.version}"
    if request.method is not None:
        yield "http.request.method", request.method
    yield from _targets(exchange)
    yield from _parts(request.path or "")
    yield from _cookies(request.headers or ())
    yield from _lines(request.headers or (), "http.request.line")


def _targets(exchange: Exchange) -> Iterator[tuple[str, object]]:
    """Yield what was asked for, which the response has too."""
    request = exchange.request
    if request is None:
        return
    uri = request.path if request.path is not None else request.authority
    if uri is not None:
        yield "http.request.uri", uri
    full = target_of(request.scheme, request.authority, request.path)
    if full is not None and request.authority and request.path is not None and request.path != "*":
        yield "http.request.full_uri", full


def _parts(uri: str) -> Iterator[tuple[str, object]]:
    """Yield the parts of a request target that has a query (RFC 3986 section 3.4)."""
    path, mark, query = uri.partition("?")
    if mark:
        yield "http.request.uri.path", path
        if query:
            yield "http.request.uri.query", query
        yield from (("http.request.uri.query.parameter", one) for one in query.split("&")[:MAX_PARTS] if one)


def _cookies(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, object]]:
    """Yield the pairs of the Cookie fields of a request (RFC 6265 section 4.2.1)."""
    for key, value in headers:
        if key.lower() == "cookie":
            yield from (("http.cookie_pair", pair.strip()) for pair in value.split(";")[:MAX_PARTS] if pair.strip())


def _response(exchange: Exchange, at: int) -> Iterator[tuple[str, object]]:
    response = exchange.response
    if response is None:
        return
    yield "http", b""
    yield "http.response", True
    yield "http.response.version", f"HTTP/{response.version}"
    if response.status is not None:
        yield "http.response.code", response.status
        if response.status in _PHRASES:
            yield "http.response.code.desc", _PHRASES[response.status]
    yield from _targets(exchange)
    yield from _lines(response.headers or (), "http.response.line")
    asked = exchange.request
    if asked is not None and 0 < asked.frame <= response.frame:
        yield "http.request_in", max(asked.frame, asked.body.end_frame)
        if at >= asked.at >= 0:
            yield "http.time", at - asked.at


def _lines(headers: Iterable[tuple[str, str]], name: str) -> Iterator[tuple[str, object]]:
    for key, value in headers:
        yield name, f"{key}: {value}\r\n"
        own = "http." + key.lower().replace("-", "_")
        if own == "http.content_length":
            yield "http.content_length_header", value
            if value.isascii() and value.isdigit() and len(value) < 19:
                yield own, int(value)
        elif own in _DECLARED:
            yield own, value


def _pseudo_lines(exchange: Exchange, request: Request) -> list[tuple[str, str]]:
    """Return the pseudo-header fields of a request, in the order in which they were sent."""
    values = {
        ":method": request.method,
        ":authority": request.authority,
        ":scheme": request.scheme,
        ":path": request.path,
        ":protocol": exchange.protocol,
    }
    found = ((name, values[name]) for name in exchange.pseudo)
    return [(name, value) for name, value in found if value is not None]


def _section(exchange: Exchange, answered: bool) -> Iterator[tuple[str, object]]:
    lines: list[tuple[str, str]] = []
    request, response = exchange.request, exchange.response
    message = response if answered else request
    protocol = "http3" if message is not None and message.version == "3" else "http2"
    count, line, name_length, value_length, name, content = (f"{protocol}.{one}" for one in _LINES[protocol])
    if answered and response is not None:
        lines = [] if response.status is None else [(":status", str(response.status))]
        lines += response.headers or ()
    elif request is not None:
        lines = _pseudo_lines(exchange, request) + list(request.headers or ())
        full = target_of(request.scheme, request.authority, request.path)
        if full is not None:
            yield f"{protocol}.request.full_uri", full
    if lines:
        yield count, len(lines)
    for key, value in lines:
        yield line, None
        yield name_length, len(key.encode())
        yield value_length, len(value.encode())
        yield name, key
        yield content, value
        own = f"{protocol}.headers." + key.lower().lstrip(":").replace("-", "_")
        if own == f"{protocol}.headers.status":
            if key == ":status" and value.isascii() and value.isdigit() and len(value) < 5:
                yield own, int(value)
        elif own in _NUMBERS:
            if value.isascii() and value.isdigit() and len(value) < 19:
                yield own, int(value)
        elif own in _DECLARED:
            yield own, value
