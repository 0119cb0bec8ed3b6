"""Makes requests and responses of the field sections of HTTP/2 and HTTP/3 (RFC 9113 section 8.3, RFC 9114 section 4.3).

Both have the same pseudo-header fields with the same rules. A section that could not be decoded still begins a message: its
values are unknown, and so is the coding of its body.
"""

from typing import Final, NamedTuple

from analyzer.application.exchange import CLIENT, SERVER, ConversationLog, Exchange, Fields, Request, Response
from analyzer.application.header_fields import Index, content_codings, index, shown, values
from analyzer.application.websocket import WebSocket

_OF_REQUESTS: Final = frozenset({":method", ":scheme", ":authority", ":path", ":protocol"})
_OF_RESPONSES: Final = frozenset({":status"})


class Origin(NamedTuple):
    """Where a section comes from. version: `2` or `3`. frame, at: of the bytes that completed it."""

    version: str
    frame: int
    at: int


def begin_request(log: ConversationLog, exchange: Exchange, fields: Fields | None, n_bytes: int, origin: Origin) -> int | None:
    """Begin the request of an exchange. Return its Content-Length, if it has a valid one.

    fields: None if they could not be decoded. n_bytes: the size of the section.
    """
    if fields is None:
        exchange.request = unknown_request(log, exchange, origin)
        return None
    pseudo, regular = _split(log, fields, origin, _OF_REQUESTS)
    if ":method" not in pseudo or (pseudo[":method"] != "CONNECT" and not {":scheme", ":path"} <= pseudo.keys()):
        present = ", ".join(map(ascii, pseudo)) or "none"
        log.note("bad_pseudo_fields", f"a request with {present} only"[:200], origin.frame)
    by_name = index(regular)
    hosts = by_name.get("host", [])
    body = log.body(exchange, CLIENT, content_codings(by_name))
    exchange.request = Request(
        pseudo.get(":method"),
        pseudo.get(":scheme"),
        pseudo.get(":authority", hosts[0] if hosts else None),
        pseudo.get(":path"),
        log.keep(regular, n_bytes, origin.frame),
        origin.version,
        origin.frame,
        origin.at,
        body,
    )
    exchange.protocol = pseudo.get(":protocol")
    exchange.pseudo = tuple(pseudo)
    return _content_length(by_name)


def begin_response(
    log: ConversationLog, exchange: Exchange, fields: Fields | None, n_bytes: int, origin: Origin
) -> tuple[int | None, WebSocket | None]:
    """Begin the response of an exchange, or add an interim response to it.

    Return its Content-Length, if it has a valid one that counts, and the reader of what follows if that is a WebSocket (RFC
    8441, RFC 9220).
    """
    if fields is None:
        exchange.response = unknown_response(log, exchange, origin)
        return None, None
    pseudo, regular = _split(log, fields, origin, _OF_RESPONSES)
    text = pseudo.get(":status", "")
    status = int(text) if len(text) == 3 and text.isascii() and text.isdigit() else None
    if status is None:
        log.note("bad_pseudo_fields", f"a response whose status is {shown(text)}", origin.frame)
    by_name = index(regular)
    body = log.body(exchange, SERVER, content_codings(by_name, status))
    kept = log.keep(regular, n_bytes, origin.frame)
    response = Response(status, kept, origin.version, origin.frame, origin.at, body)
    if status is not None and 100 <= status < 200:
        log.keep_interim(exchange, response)
        return None, None
    exchange.response = response
    method = exchange.request.method if exchange.request is not None else None
    length = None if method == "HEAD" or status == 304 else _content_length(by_name)
    if exchange.protocol == "websocket" and status is not None and 200 <= status < 300:
        return length, WebSocket(log, exchange, values(by_name, "sec-websocket-extensions"))
    return length, None


def unknown_request(log: ConversationLog, exchange: Exchange, origin: Origin) -> Request:
    """Return a request whose field section was not seen or could not be decoded."""
    body = log.body(exchange, CLIENT, None)
    return Request(None, None, None, None, None, origin.version, origin.frame, origin.at, body)


def unknown_response(log: ConversationLog, exchange: Exchange, origin: Origin) -> Response:
    """Return a response whose field section was not seen or could not be decoded."""
    return Response(None, None, origin.version, origin.frame, origin.at, log.body(exchange, SERVER, None))


def _split(log: ConversationLog, fields: Fields, origin: Origin, known: frozenset[str]) -> tuple[dict[str, str], Fields]:
    """Return the pseudo-header fields and the regular fields."""
    pseudo: dict[str, str] = {}
    regular: Fields = []
    for name, value in fields:
        if not name.startswith(":"):
            if name != name.lower():
                log.note("bad_field_name", f"upper case in {shown(name)}", origin.frame)
            regular.append((name, value))
        elif name not in known or name in pseudo or regular:
            log.note("bad_pseudo_fields", f"{shown(name)} is unknown, twice there, or behind the other fields", origin.frame)
        else:
            pseudo[name] = value
    return pseudo, regular


def _content_length(fields: Index) -> int | None:
    """Return the value of Content-Length, if it is a number."""
    found = values(fields, "content-length")
    return int(found[0]) if found and found[0].isascii() and found[0].isdigit() and len(found[0]) <= 18 else None
