"""Declares the JSON form of the summary of captures."""

from analyzer.codec.codes import SEVERITIES, codes
from analyzer.store.declaration import (
    TIME,
    Schema,
    counted,
    document,
    free_form,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.schema import CAPTURE_KEYS, ENDPOINT, FRAME, OUTCOME, SHA256, described

_SESSION_ID = number("id of a session")

_INTERFACE = record(
    "one interface, as the capture describes it",
    {
        "name": or_null(text("name")),
        "description": or_null(text("description")),
        "link_type": text("link type, by its registered name"),
        "snap_length": number("bytes of each frame that are kept at most; 0 for no limit"),
        "filter": or_null(text("capture filter")),
        "os": or_null(text("operating system")),
        "hardware": or_null(text("hardware")),
        "dropped": or_null(number("packets that were lost while capturing; null where the capture does not say")),
    },
)

PART = or_null(
    record(
        "the part of the captures that the rest is about, as options chose it; null for all of them",
        {
            "since": or_null(reference("the first moment", "time")),
            "until": or_null(reference("the first moment behind it", "time")),
            "hosts": several("addresses and server names, of which one is a side", text("one host")),
            "filter": or_null(text("the display filter of -Y that packets pass; null without one")),
        },
    )
)

CAPTURE = record(
    "one capture file",
    {
        "path": text("as given; - is standard input"),
        "size": number("bytes of the file as stored"),
        "sha256": or_null(described(SHA256, "SHA-256 of the file as stored, in hex")),
        "compression": or_null(text("gzip, zstd, lz4, xz or bzip2; null for a plain file")),
        "format": or_null(text("pcap or pcapng with its variant; null for a file that is no capture")),
        "link_types": several("link types of its interfaces", text("registered name")),
        "first_time": or_null(reference("time of the earliest frame", "time")),
        "last_time": or_null(reference("time of the latest frame", "time")),
        "first_frame": number("number of its first frame in the run"),
        "last_frame": number("number of its last frame in the run; smaller than the first where it has none"),
        "frames": number("how many frames it has"),
        "truncated_frames": number("how many of them the snapshot length cut"),
        "interfaces": counted("its interfaces", "first", _INTERFACE),
        "comments": counted(
            "comments in it",
            "first",
            record(
                "one comment",
                {
                    "frame": or_null(described(FRAME, "the frame it belongs to; null for the file")),
                    "text": text("the comment, not more than its first 1,000 characters"),
                },
            ),
        ),
        "secrets": number("blocks of secrets in it (pcapng's Decryption Secrets Blocks)"),
        "error": or_null(
            record(
                "why reading ended early; null where it did not",
                {
                    "field": text("what was being read"),
                    "offset": number("byte in the file, after decompression"),
                    "detail": text("what is wrong there"),
                },
            )
        ),
    },
)

PROTOCOL = record(
    "one protocol",
    {
        "depth": number("0 for link layers; one more than that of the protocol that carries it"),
        "protocol": text("name"),
        "packets": number("frames that have it"),
        "bytes": number("their bytes on the wire"),
    },
)

CONVERSATION = record(
    "one conversation",
    {
        "protocol": text("TCP or UDP"),
        "source": described(ENDPOINT, "the end that sent the first packet"),
        "destination": described(ENDPOINT, "the other end"),
        "packets_sent": number("packets of the source"),
        "packets_answered": number("packets of the destination"),
        "bytes_sent": number("bytes on the wire of the source"),
        "bytes_answered": number("bytes on the wire of the destination"),
        "first_time": or_null(reference("time of the first packet", "time")),
        "last_time": or_null(reference("time of the last packet", "time")),
        "carries": or_null(text("what it carries, where that was recognised")),
    },
)

_HOST = record(
    "the TCP and UDP traffic of one address",
    {
        "address": text("IP address"),
        "names": several("server names that clients asked it for, the first of them", text("server name")),
        "packets_sent": number("packets from it"),
        "packets_received": number("packets to it"),
        "bytes_sent": number("their bytes on the wire"),
        "bytes_received": number("their bytes on the wire"),
        "conversations": number("conversations in which it takes part"),
        "peers": number("different addresses in these conversations"),
    },
)

_TALLY = record(
    "how often each value occurs",
    {
        "count": number("different values that were told apart"),
        "unknown": number("occurrences whose value is not known"),
        "beyond": number("occurrences of values that were not told apart: there are limits"),
        "top": several(
            "the values that occur most",
            record("one value", {"value": text("the value"), "count": number("how often it occurs")}),
        ),
    },
)

_TRANSFER = record(
    "one body",
    {
        "session": _SESSION_ID,
        "frame": described(FRAME, "that completed the header fields of the message with the body"),
        **CAPTURE_KEYS,
        "method": or_null(text("of the request; null where it was not seen")),
        "url": or_null(text("what was asked for; null where the request was not seen")),
        "type": or_null(text("media type as declared")),
        "size": number("bytes that were read, without content coding"),
        "sha256": or_null(described(SHA256, "SHA-256 of the body; null unless all of it was read")),
    },
)


def _tally(description: str) -> Schema:
    return described(_TALLY, description)


SUMMARY: Schema = document(
    "summary",
    record(
        "What is in the captures: `analyzer summary --format json`.",
        {
            "captures": several("the files in the order in which they were read: that of their times", CAPTURE),
            "part": PART,
            "packets": number("frames that were counted"),
            "bytes": number("bytes of all frames on the wire"),
            "protocols": several(
                "protocols, each below the one that carries it",
                PROTOCOL,
            ),
            "conversations": counted(
                "TCP connections and UDP flows; those with the most bytes are listed",
                "top",
                CONVERSATION,
            ),
            "hosts": counted("addresses with TCP or UDP traffic; those with the most bytes are listed", "top", _HOST),
            "sessions": record(
                "counts of TLS sessions; `analyzer sessions` has their records",
                {
                    "count": number("sessions"),
                    "established": number("sessions that were established"),
                    "not_established": number("sessions whose handshake ended otherwise; of the rest it is not known"),
                    "totals": record(
                        "what the sessions agreed on, and who had them",
                        {
                            "protocols": _tally("`tls`, `dtls` and `quic`"),
                            "versions": _tally("protocol versions"),
                            "cipher_suites": _tally("cipher suites"),
                            "groups": _tally("groups of the key exchange"),
                            "alpn": _tally("application protocols"),
                            "server_names": _tally("server names that were asked for"),
                            "ja4": _tally("JA4 of the clients"),
                            "servers": _tally("servers, as address and port"),
                            "clients": _tally("clients, by address"),
                            "resumptions": _tally("how sessions were resumed"),
                        },
                    ),
                    "decryption": free_form("how many sessions have each status of decryption"),
                    "reasons": free_form("how many sessions have each reason why something was not decrypted"),
                    "verdicts": free_form("how many chains have each verdict"),
                },
            ),
            "http": record(
                "the HTTP inside decrypted sessions; `analyzer http` lists every exchange",
                {
                    "sessions": number("sessions with HTTP"),
                    "exchanges": number("requests and responses, paired where both were seen"),
                    "requests": number("requests"),
                    "hosts": _tally("hosts of the requests"),
                    "methods": _tally("methods of the requests"),
                    "statuses": _tally("status codes of the responses"),
                    "types": several(
                        "bodies of responses by media type, those of which there are most",
                        record(
                            "one media type",
                            {
                                "type": text("media type without parameters, in lower case"),
                                "count": number("bodies"),
                                "bytes": number("their bytes, without content coding"),
                            },
                        ),
                    ),
                    "bytes_received": number("bytes of the bodies of all responses, without content coding"),
                    "bytes_sent": number("bytes of the bodies of all requests, without content coding"),
                    "downloads": several("the largest bodies of responses", _TRANSFER),
                    "uploads": several("the largest bodies of requests", _TRANSFER),
                },
            ),
            "failures": several(
                "connections that failed or were abandoned, in the order in which they began; of very many the first ones",
                record(
                    "one of them",
                    {
                        "client": described(ENDPOINT, "who opened the connection"),
                        "server": described(ENDPOINT, "the other side"),
                        "server_name": or_null(text("from the ClientHello; null where there was none")),
                        "first_frame": described(FRAME, "first frame of the connection"),
                        "last_frame": described(FRAME, "last frame of the connection"),
                        "same_server": or_null(
                            record(
                                "what became of all connections to that address and port; null beyond 65,536 servers",
                                {
                                    "established": number("how many were established, and did not fail later"),
                                    "failed": number("how many failed or were abandoned, with this one"),
                                },
                            )
                        ),
                        **CAPTURE_KEYS,
                        "session": or_null(described(_SESSION_ID, "the session; null where the connection never became one")),
                        "outcome": OUTCOME,
                    },
                ),
            ),
            "failures_in_all": number("how many there are"),
            "causes": free_form("how many of them have each cause"),
            "findings": several(
                "findings of all sessions and of the captures, the worst first, those of one code together",
                record(
                    "findings of one code",
                    {
                        "code": one_of("what it is; `analyzer fields --findings` explains it", tuple(codes("findings"))),
                        "severity": one_of("how bad it is", SEVERITIES),
                        "detail": text("the first one in a sentence"),
                        "count": number("how many there are", minimum=1),
                        "places": several(
                            "where the first of them are",
                            record(
                                "one place",
                                {
                                    "session": or_null(described(_SESSION_ID, "the session; null for other traffic")),
                                    "frame": or_null(described(FRAME, "where it shows; of a gap, the frame before it")),
                                },
                            ),
                        ),
                    },
                ),
            ),
            "not_examined": several(
                "traffic that was only counted, or not read at all",
                record(
                    "one kind of traffic",
                    {
                        "kind": one_of(
                            "link types, frames of USB and Bluetooth, unknown contents, damaged headers, QUIC, DTLS, TCP "
                            "without TLS, UDP, packets encrypted by MACsec and ESP, other protocols, closed sessions, "
                            "conversations beyond the limit",
                            (
                                "link_type",
                                "usb",
                                "bluetooth",
                                "content",
                                "headers",
                                "quic",
                                "dtls",
                                "tcp",
                                "udp",
                                "macsec",
                                "esp",
                                "other",
                                "sessions",
                                "beyond_limit",
                            ),
                        ),
                        "count": number("packets; of tcp and udp conversations; of sessions sessions"),
                        "detail": text("the same in a sentence"),
                    },
                ),
            ),
        },
    ),
    {"time": TIME},
)
