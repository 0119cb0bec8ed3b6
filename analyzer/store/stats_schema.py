"""Declares the JSON form of `analyzer stats`: one object, in which what was not asked for is null."""

from collections.abc import Sequence

from analyzer.store.declaration import (
    TIME,
    Schema,
    decimal,
    document,
    flag,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.schema import FRAME, described
from analyzer.store.summary_schema import PART

_END = record(
    "one end",
    {
        "address": text("address of IP, or of Ethernet with colons"),
        "port": or_null(number("port; null where the kind has none", maximum=65535)),
    },
)

CONVERSATION = record(
    "one conversation",
    {
        "source": described(_END, "the end that sent the first packet"),
        "destination": described(_END, "the other end"),
        "stream": number("its number among those of its kind, from 0, as tcp.stream numbers them"),
        "packets": number("packets in both directions"),
        "bytes": number("bytes in both directions, on the wire"),
        "packets_sent": number("packets from the source"),
        "bytes_sent": number("bytes from the source"),
        "packets_answered": number("packets to the source"),
        "bytes_answered": number("bytes to the source"),
        "first_frame": described(FRAME, "its first frame"),
        "first_time": or_null(reference("time of its first packet", "time")),
        "start_seconds": or_null(decimal("seconds from the first frame of all to its first packet")),
        "duration_seconds": or_null(decimal("seconds from its first to its last packet")),
    },
)

ENDPOINT = record(
    "one endpoint",
    {
        **_END["properties"],
        "packets": number("packets sent and received"),
        "bytes": number("bytes sent and received, on the wire"),
        "packets_sent": number("packets that it sent"),
        "bytes_sent": number("bytes that it sent"),
        "packets_received": number("packets that it received"),
        "bytes_received": number("bytes that it received"),
    },
)

PROTOCOL = record(
    "one protocol",
    {
        "depth": number("0 for link layers, one more for what a protocol carries"),
        "protocol": text("its name"),
        "path": text("names from the link layer on, with / between"),
        "packets": number("frames with it"),
        "bytes": number("bytes of these frames on the wire"),
        "packet_share": decimal("their part of all frames, from 0 to 1"),
        "byte_share": decimal("the part of the bytes"),
    },
)

_COUNT = {"packets": number("packets"), "bytes": number("bytes on the wire")}

INTERVAL = record(
    "one interval",
    {
        "start": reference("its beginning", "time"),
        "offset_seconds": decimal("seconds from the beginning of the first interval"),
        **_COUNT,
        "counts": several("the same for each filter of --column", record("of one filter", _COUNT)),
    },
)

VALUE = record("one value", {"value": text("the value"), "count": number("how often")})


def tally(description: str, item: Schema = VALUE) -> Schema:
    """Return the declaration of a count of values."""
    return record(
        description,
        {
            "count": number("how many different values"),
            "unknown": number("how often the value is not known"),
            "beyond": number("occurrences of values beyond the limit, which are not told apart"),
            "top": several("those that occur most", item),
        },
    )


def spread(description: str) -> Schema:
    """Return the declaration of how a quantity is spread."""
    part = "value that so many percent do not exceed"
    return record(
        description,
        {
            "count": number("how many values"),
            "mean": or_null(decimal("mean; null without a value, as the others")),
            "least": or_null(decimal("smallest value")),
            **{f"p{n}": or_null(decimal(part)) for n in (50, 75, 90, 95, 99)},
            "most": or_null(decimal("greatest value")),
            "exact": flag("whether the percentiles are exact, or within one percent"),
            "histogram": several("how many are in equal parts of the logarithm, from least to most", number("how many")),
        },
    )


def _tables(description: str, name: str, item: Schema, kinds: Sequence[str]) -> Schema:
    one = record(
        "of one kind",
        {
            "count": number("how many there are"),
            "beyond": number("packets of conversations beyond the limit, which are in none"),
            name: several("in the order of their bytes, the most first", item),
        },
    )
    return or_null(record(description, dict.fromkeys(kinds, one)))


_KINDS = ("eth", "ipv4", "ipv6", "tcp", "udp")
_TALLIES = {
    "protocols": "`tls`, `dtls` and `quic`", "versions": "versions agreed on", "cipher_suites": "cipher suites agreed on",
    "groups": "groups of the key exchange", "alpn": "application protocols agreed on",
    "server_names": "names that were asked for", "ja4": "JA4 of clients", "servers": "addresses and ports of servers",
    "clients": "addresses of clients", "resumptions": "how sessions were resumed", "results": "results of sessions",
    "causes": "why sessions failed, by code",
}  # fmt: skip

_TLS = record(
    "the TLS sessions",
    {
        "sessions": number("how many"),
        "established": number("those whose handshake was completed"),
        "not_established": number("those whose handshake ended otherwise"),
        "unknown": number("those of which the capture cannot tell"),
        **{name: tally(meaning) for name, meaning in _TALLIES.items()},
        "durations": record(
            "seconds, as `outcome.durations` of a session has them",
            {
                "tcp": spread("from the SYN to the end of the TCP handshake"),
                "hello": spread("from the ClientHello to the ServerHello"),
                "handshake": spread("from the ClientHello to the end of the handshake"),
                "total": spread("of the whole connection"),
            },
        ),
    },
)

_TYPE = record("one media type", {**VALUE["properties"], "bytes": number("bytes of its bodies, without content coding")})

_HTTP = record(
    "the HTTP exchanges, decrypted or in plain text",
    {
        "exchanges": number("how many"),
        "encrypted": number("those inside TLS"),
        "requests": number("requests that were seen"),
        "responses": number("responses that were seen"),
        "versions": tally("versions of HTTP"),
        "methods": tally("methods"),
        "statuses": tally("status codes"),
        "hosts": tally("hosts that were asked"),
        "types": tally("media types of responses with a body", _TYPE),
        "bytes_sent": number("bytes of bodies of requests"),
        "bytes_received": number("bytes of bodies of responses"),
        "request_sizes": spread("bytes of bodies of requests that have one"),
        "response_sizes": spread("bytes of bodies of responses that have one"),
        "response_seconds": spread("seconds from a request to its response"),
    },
)

STATS: Schema = document(
    "stats",
    record(
        "What `analyzer stats --format json` prints.",
        {
            "what": one_of("what was counted", ("protocols", "conversations", "endpoints", "io", "tls", "http")),
            "part": PART,
            "packets": or_null(number("packets that were counted; null with tls and http")),
            "bytes": or_null(number("their bytes on the wire")),
            "first_time": or_null(reference("time of the earliest frame of the captures", "time")),
            "last_time": or_null(reference("time of the latest frame", "time")),
            "protocols": or_null(several("the hierarchy of protocols: what one carries stands below it", PROTOCOL)),
            "conversations": _tables("conversations by kind", "conversations", CONVERSATION, _KINDS),
            "endpoints": _tables("endpoints by kind", "endpoints", ENDPOINT, _KINDS),
            "io": or_null(
                record(
                    "traffic over time",
                    {
                        "interval_seconds": decimal("length of an interval"),
                        "filters": several("the filters of --column", text("one filter")),
                        "untimed": number("packets without a time, which are in no interval"),
                        "beyond": number("packets in intervals beyond the limit"),
                        "intervals": several("one after the other, also those without packets", INTERVAL),
                    },
                )
            ),
            "tls": or_null(_TLS),
            "http": or_null(_HTTP),
        },
    ),
    {"time": TIME},
)
