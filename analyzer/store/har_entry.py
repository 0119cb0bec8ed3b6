"""Makes entries of HAR 1.2 of HTTP exchanges (HTTP Archive format, W3C Web Performance Working Group, 2012).

Times are those of frames: a request begins with the frame that completes its header fields. What is not known is -1 or empty,
as the format has it, and never guessed. `connection` is the server's port, which the developer tools of Chromium show as such;
`_connection` tells connections apart. Facts that the format has no place for have names that begin with an underscore; those
of TLS are named as in the Chrome DevTools Protocol (`Network.SecurityDetails`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from analyzer.application.exchange import Exchange, Fields, Request, Response
from analyzer.application.request_target import content_type, media_type, target_of
from analyzer.store.clock import rfc3339

UNKNOWN_TYPE: Final = "x-unknown"
"""The media type of a body whose sender declared none, as browsers write it."""

NOT_WHOLE: Final = "the body is not whole"
"""The comment on a body of which bytes are missing."""

PRECONNECTED: Final = 1_000_000_000
"""Nanoseconds from handshake to request after which the connection was not made for this request: browsers open some ahead."""

_FORM: Final = "application/x-www-form-urlencoded"
_UNIX_EPOCH: Final = "1970-01-01T00:00:00.000000Z"
_MILLISECOND: Final = 1_000_000

_URI_CHARACTERS: Final = ":/?#[]@!$&'()*+,;=-._~%"
_STRAY_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")

_RESOURCES: Final = {
    "text/html": "document", "application/xhtml+xml": "document", "text/css": "stylesheet", "text/javascript": "script",
    "application/javascript": "script", "application/x-javascript": "script", "application/json": "xhr",
    "application/manifest+json": "manifest", "application/wasm": "wasm", "text/event-stream": "eventsource",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where an exchange was carried.

    client, server: address and port. scheme: `http` or `https`. session: the number of the TLS session, None for no TLS.
    details: `_securityDetails`, None for no TLS. connected, secured: how long the connection and its handshake took, in
    nanoseconds, and at: when the handshake ended; -1 where it is not known.
    """

    client: dict[str, Any]
    server: dict[str, Any]
    scheme: str
    session: int | None = None
    details: dict[str, Any] | None = None
    connected: int = -1
    secured: int = -1
    at: int = -1


@dataclass(frozen=True, slots=True)
class Times:
    """When the last bytes of the bodies came, in nanoseconds since 1970; -1 where there is no body."""

    request_end: int = -1
    response_end: int = -1


def har_entry(
    exchange: Exchange, place: Place, times: Times, first: bool, messages: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Return the entry of an exchange whose request is known. The text of bodies is left out: see `har_archive`.

    first: whether it is the first exchange of its connection. messages: `_webSocketMessages`, of the WebSocket that it began.
    """
    request, response = exchange.request, exchange.response
    assert request is not None
    timings, began = _timings(request, response, place, times, first)
    entry: dict[str, Any] = {
        "pageref": page_id(place),
        "startedDateTime": har_time(began),
        "time": round(sum(value for key, value in timings.items() if value > 0 and key != "ssl"), 3),
        "request": _request(request, place),
        "response": _response(response),
        "cache": {},
        "timings": timings,
        "serverIPAddress": place.server["address"],
        "connection": str(place.server["port"]),
        "_connection": _connection(place),
        "_clientIPAddress": place.client["address"],
        "_clientPort": place.client["port"],
        "_session": place.session,
        "_frames": {"request": request.frame, "response": None if response is None else response.frame},
        "_guessed": exchange.guessed,
        "_resourceType": _resource(exchange),
    }
    if place.details is not None:
        entry["_securityDetails"] = place.details
    if exchange.stream is not None:
        entry["_stream"] = exchange.stream
    if exchange.reset is not None:
        entry["_error"] = exchange.reset
    if messages:
        entry["_webSocketMessages"] = list(messages)
    return entry


def page_id(place: Place) -> str:
    """Return the id of the page that stands for all requests of one client."""
    return f"client-{place.client['address']}"


def page(place: Place, began: str) -> dict[str, Any]:
    """Return a page that begins at a time. Which requests a browser made for one page is not known, so a page is a client."""
    title = f"requests of {place.client['address']}"
    timings = {"onContentLoad": -1, "onLoad": -1}
    return {"startedDateTime": began, "id": page_id(place), "title": title, "pageTimings": timings}


def har_time(at: int) -> str:
    """Return a time, in nanoseconds since 1970, with microseconds; the epoch if it is not known."""
    text = rfc3339(at)
    return _UNIX_EPOCH if text is None else text[:-4] + "Z"


def security_details(record: dict[str, Any]) -> dict[str, Any]:
    """Return `_securityDetails` of a session, by its record."""
    certificates = record["certificates"]["server"]
    details: dict[str, Any] = {
        "protocol": record["version"],
        "keyExchangeGroup": record["group"],
        "cipher": record["cipher_suite"],
        "serverName": record["server_name"],
        "applicationProtocol": record["alpn"],
        "resumed": record["resumed"],
    }
    if certificates:
        sent = certificates[0]
        details |= {
            "subjectName": sent["subject"],
            "issuer": sent["issuer"],
            "sanList": sent["subject_alt_names"] or [],
            "validFrom": _seconds(sent["not_before"]),
            "validTo": _seconds(sent["not_after"]),
            "certificateSha256": sent["sha256"],
        }
    return details


def _request(request: Request, place: Place) -> dict[str, Any]:
    fields = request.headers or []
    target = request.path or ""
    return _unread(request.headers) | {
        "method": request.method or "",
        "url": _as_uri(request_url(request, place)),
        "httpVersion": f"HTTP/{request.version}",
        "cookies": [cookie for value in _values(fields, "cookie") for cookie in _cookies_of(value)],
        "headers": _fields(fields),
        "queryString": _pairs(target.partition("#")[0].partition("?")[2]),
        "headersSize": -1,
        "bodySize": request.body.n_wire if request.body.complete else -1,
        "_sha256": request.body.sha256 if request.body.length else None,
    }


def _response(response: Response | None) -> dict[str, Any]:
    fields: Fields = [] if response is None else response.headers or []
    return ({} if response is None else _unread(response.headers)) | {
        "status": 0 if response is None else response.status or 0,
        "statusText": "",
        "httpVersion": "" if response is None else f"HTTP/{response.version}",
        "cookies": [_set_cookie(value) for value in _values(fields, "set-cookie")],
        "headers": _fields(fields),
        "content": _content(response),
        "redirectURL": next(iter(_values(fields, "location")), ""),
        "headersSize": -1,
        "bodySize": response.body.n_wire if response is not None and response.body.complete else -1,
    }


def _unread(fields: Fields | None) -> dict[str, Any]:
    """Return a comment if the header section is not known; a list without fields would say that there are none."""
    return {"comment": "the header fields could not be read"} if fields is None else {}


def _content(response: Response | None) -> dict[str, Any]:
    if response is None:
        return {"size": 0, "mimeType": UNKNOWN_TYPE, "comment": "no response is in the capture"}
    body = response.body
    content: dict[str, Any] = {"size": body.length, "mimeType": content_type(response.headers) or UNKNOWN_TYPE}
    if body.decoded and body.length != body.n_wire:
        content["compression"] = body.length - body.n_wire
    if not body.complete:
        content["comment"] = NOT_WHOLE
    elif not body.decoded:
        content["comment"] = "the content coding is still on it"
    if body.length:
        content["_sha256"] = body.sha256
    return content


def post_data(request: Request) -> dict[str, Any] | None:
    """Return `postData` of a request without its text; None if it is known to have no body, and for a tunnel."""
    if not request.body.length and (request.body.complete or request.method == "CONNECT"):
        return None
    posted: dict[str, Any] = {"mimeType": content_type(request.headers) or UNKNOWN_TYPE, "params": []}
    if not request.body.complete:
        posted["comment"] = NOT_WHOLE
    return posted


def form_pairs(declared: str, text: str) -> list[dict[str, str]]:
    """Return the parameters of a form as `postData` has them; none for other media types."""
    return _pairs(text) if media_type(declared) == _FORM else []


def request_url(request: Request, place: Place) -> str:
    """Return an absolute URL. If the request names no host, it is the address of the server."""
    url = target_of(request.scheme, request.authority, request.path)
    if url is None or url.startswith("/") or url == "*":
        host = request.authority or _end(place.server)
        return f"{place.scheme}://{host}/{(url or '').lstrip('/')}"
    return url


def _as_uri(url: str) -> str:
    """Return a URL in which what RFC 3986 does not allow is percent-encoded. Brackets stay: browsers send them as they are."""
    return _STRAY_PERCENT.sub("%25", quote(url, safe=_URI_CHARACTERS))


def _timings(
    request: Request, response: Response | None, place: Place, times: Times, first: bool
) -> tuple[dict[str, float], int]:
    """Return the timings in milliseconds, and the time at which they begin."""
    blocked = connect = ssl = wait = receive = -1.0
    began = request.at
    sent = max(request.at, times.request_end)
    idle = request.at - place.at
    if first and place.connected >= 0 and place.at >= 0 and 0 <= idle <= PRECONNECTED:
        connect, ssl, blocked = _ms(place.connected), _ms(place.secured), _ms(idle)
        began = place.at - place.connected
    if response is not None and response.at >= 0 and request.at >= 0:
        wait = _ms(max(0, response.at - sent))
        receive = _ms(max(0, times.response_end - response.at))
    send = _ms(sent - request.at) if request.at >= 0 else -1.0
    timings = {"blocked": blocked, "dns": -1.0, "connect": connect, "ssl": ssl, "send": send, "wait": wait, "receive": receive}
    return timings, began


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / _MILLISECOND, 3) if nanoseconds >= 0 else -1.0


def _connection(place: Place) -> str:
    """Return what tells connections apart: the number of the session, or else the client's end."""
    return str(place.session) if place.session is not None else _end(place.client)


def _end(end: dict[str, Any]) -> str:
    address, port = end["address"], end["port"]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _fields(fields: Fields) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def _values(fields: Fields, name: str) -> Iterable[str]:
    return (value for one, value in fields if one.lower() == name)


def _pairs(text: str) -> list[dict[str, str]]:
    found = parse_qsl(text, keep_blank_values=True, errors="replace", separator="&")
    return [{"name": name, "value": value} for name, value in found]


def _cookies_of(value: str) -> Iterable[dict[str, str]]:
    """Yield the cookies of a request (RFC 6265 section 4.2)."""
    for pair in value.split(";"):
        name, equals, text = pair.strip().partition("=")
        if name or text:
            yield {"name": name if equals else "", "value": text if equals else name}


def _set_cookie(value: str) -> dict[str, Any]:
    """Return a cookie that a response sets (RFC 6265 section 5.2)."""
    first, *attributes = value.split(";")
    name, equals, text = first.strip().partition("=")
    cookie: dict[str, Any] = {"name": name if equals else "", "value": text.strip() if equals else name}
    for attribute in attributes:
        key, _, said = attribute.strip().partition("=")
        key = key.lower()
        if key in ("path", "domain"):
            cookie[key] = said
        elif key == "samesite":
            cookie["sameSite"] = said
        elif key == "secure":
            cookie["secure"] = True
        elif key == "httponly":
            cookie["httpOnly"] = True
        elif key == "expires":
            at = _http_date(said)
            if at is not None:
                cookie["expires"] = at
    return cookie


def _http_date(text: str) -> str | None:
    """Return a date of HTTP in ISO 8601; None if it is none."""
    try:
        return parsedate_to_datetime(text.replace("-", " ")).isoformat()
    except (ValueError, OverflowError):
        return None


def _seconds(time: str | None) -> float | None:
    return None if time is None else datetime.fromisoformat(time[:19] + "+00:00").timestamp()


def _resource(exchange: Exchange) -> str:
    response = exchange.response
    if exchange.protocol == "websocket" or (response is not None and response.status == 101):
        return "websocket"
    declared = media_type(content_type(None if response is None else response.headers)) or ""
    family = declared.partition("/")[0]
    return _RESOURCES.get(declared) or {"image": "image", "font": "font", "audio": "media", "video": "media"}.get(
        family, "other"
    )
