"""Declares the record of one HTTP exchange: a line of `analyzer http --format json`."""

from analyzer.store.declaration import (
    TIME,
    Schema,
    decimal,
    document,
    flag,
    free_form,
    number,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.schema import CAPTURE_KEYS, ENDPOINT, FRAME, described

_SHA256 = "^[0-9a-f]{64}$"

HTTP: Schema = document(
    "exchange",
    record(
        "One HTTP request with its response, decrypted or in plain text: a line of `analyzer http --format json`.",
        {
            "session": or_null(number("id of the TLS session that carried it; null for a connection without TLS")),
            "client": described(ENDPOINT, "the end that sends requests"),
            "server": described(ENDPOINT, "the end that answers"),
            "time": or_null(reference("time of the frame; null where the capture has none", "time")),
            "frame": or_null(
                described(FRAME, "the frame that completed the request's header fields; the response's if none was seen")
            ),
            "response_frame": or_null(
                described(FRAME, "the frame that completed the response's header fields; null where none was seen")
            ),
            "version": or_null(text("version of HTTP: 0.9, 1.0, 1.1, 2, 3")),
            "method": or_null(text("such as GET; null where the request was not seen or cannot be read")),
            "url": or_null(
                text("what was asked for: a URL, host:port of CONNECT, * of OPTIONS, a path alone where no host was named")
            ),
            "request_type": or_null(text("media type of the request's body, as declared")),
            "request_size": or_null(number("bytes of the request's body that were read, without content coding")),
            "request_sha256": or_null(text("SHA-256 of that body in hex; null unless all of it was read", _SHA256)),
            "status": or_null(number("status code; null where no response was seen")),
            "type": or_null(text("media type of the response's body, as declared")),
            "size": or_null(number("bytes of the response's body that were read, without content coding")),
            "sha256": or_null(text("SHA-256 of that body in hex; null unless all of it was read", _SHA256)),
            "guessed": flag("whether bytes were lost before, so that the response may belong to another request"),
            "response_seconds": or_null(
                decimal("seconds from `frame` to `response_frame`; null where one of them was not seen or has no time")
            ),
            "stream": or_null(number("the stream of HTTP/2 or HTTP/3 that carried it; null in HTTP/1")),
            "protocol": or_null(text("what an extended CONNECT asks for: websocket, connect-udp, webtransport")),
            "datagrams": or_null(
                several("how many HTTP datagrams the client and the server sent; null for none", number("of one side"))
            ),
            "capsules": or_null(
                free_form("for each type of capsule in the stream, how many the client and the server sent; null for none")
            ),
            **CAPTURE_KEYS,
        },
    ),
    {"time": TIME},
)
