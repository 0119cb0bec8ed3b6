"""Declares the manifest of `analyzer export`: what was read and how, and every file."""

from analyzer.codec.codes import codes
from analyzer.store.declaration import TIME, Schema, document, flag, number, one_of, or_null, record, reference, several, text
from analyzer.store.manifest import FORMAT, VERSION
from analyzer.store.report_schema import STORE, TOOL
from analyzer.store.schema import CAPTURE_KEYS, ENDPOINT, FRAME, ROLE, SHA256, described

_SESSION_ID = number("id of a session")

_FILE_KEYS: dict[str, Schema] = {
    "file": text("name of the file in the folder"),
    "sha256": SHA256,
    "size": number("bytes of the file"),
}
_TRUNCATED = or_null(one_of("why the file is not whole; null where it is", ("max_size",)))

_OBJECT_FILE = record(
    "a body of HTTP, or the messages of a WebSocket",
    {
        **_FILE_KEYS,
        "kind": one_of("what is in it", ("request", "response", "websocket-client", "websocket-server")),
        "type": or_null(text("media type, as the sender declared it")),
        "session": _SESSION_ID,
        "exchange": number("number of the exchange in its session, from 0"),
        "frames": record(
            "where it is in the capture",
            {
                "request": or_null(described(FRAME, "the frame that completed the request's header fields")),
                "response": or_null(described(FRAME, "the frame that completed the response's header fields")),
                "first": described(FRAME, "the frame of its first bytes"),
                "last": described(FRAME, "the frame of its last bytes"),
            },
        ),
        "method": or_null(text("of the request")),
        "url": or_null(text("of the request")),
        "status": or_null(number("of the response")),
        "complete": or_null(flag("whether the body is whole")),
        "decoded": flag("whether all content codings were removed"),
        "guessed": flag("whether bytes were lost before, so that the response may be that of another request"),
        "truncated": _TRUNCATED,
        **CAPTURE_KEYS,
    },
)

_CERTIFICATE_FILE = record(
    "a certificate in PEM",
    {
        **_FILE_KEYS,
        "kind": one_of("what is in it", ("certificate",)),
        "type": text("media type"),
        "session": described(_SESSION_ID, "the session in which it was seen first"),
        "sessions": several("the sessions in which it was sent", _SESSION_ID),
        "from": described(ROLE, "which side sent it there"),
        "place": number("place among the certificates of that side, from 0"),
        "frame": or_null(described(FRAME, "the frame that completed its message")),
        "certificate_sha256": described(SHA256, "SHA-256 of the certificate itself, in hex"),
        "subject": or_null(text("distinguished name by RFC 4514")),
        "truncated": _TRUNCATED,
        **CAPTURE_KEYS,
    },
)

_STREAM_FILE = record(
    "all bytes of application data that one side sent, in QUIC in one stream",
    {
        **_FILE_KEYS,
        "kind": one_of("what is in it", ("stream",)),
        "type": {"type": "null", "description": "always null: a stream has no media type"},
        "session": _SESSION_ID,
        "stream": or_null(number("the QUIC stream; null where the session has no streams")),
        "from": described(ROLE, "which side sent it"),
        "frames": record(
            "where it is in the capture",
            {"first": described(FRAME, "of its first bytes"), "last": described(FRAME, "of its last bytes")},
        ),
        "missing": several(
            "what is missing in it",
            record(
                "one thing that is missing",
                {
                    "offset": number("where in the file"),
                    "bytes": or_null(number("encrypted bytes that the capture lacks; null where it is not known how many")),
                    "records": number("records that did not decrypt"),
                    "reason": or_null(text("why; `analyzer fields --causes` explains it")),
                },
            ),
        ),
        "truncated": _TRUNCATED,
        **CAPTURE_KEYS,
    },
)


_INPUT = record(
    "one file that was read",
    {
        "role": one_of("what it is", ("capture", "key_log", "private_key", "psk_file", "certificates")),
        "path": text("as given; - is standard input"),
        "size": or_null(number("bytes; null where that is not known")),
        "sha256": or_null(described(SHA256, "SHA-256 of what was read, in hex; null of a file that was not read to its end")),
    },
)

_PART = record(
    "the part of the captures that was asked for",
    {
        "since": or_null(reference("first moment", "time")),
        "until": or_null(reference("first moment behind it", "time")),
        "hosts": several("addresses and names; empty for all", text("a host")),
        "filter": or_null(text("display filter; null for none")),
    },
)

_OPTIONS = record(
    "options that change the result",
    {
        "what": several("kinds of files", one_of("a kind", ("objects", "certificates", "streams"))),
        "sessions": several("the chosen sessions; empty for all", _SESSION_ID),
        "part": or_null(_PART),
        "max_size": number("the most bytes of all files"),
        "at": or_null(reference("the time at which chains were judged; null for the start of each session", "time")),
    },
)

_SESSION = record(
    "one session that has files",
    {
        "id": _SESSION_ID,
        "client": described(ENDPOINT, "the client"),
        "server": described(ENDPOINT, "the server"),
        "server_name": or_null(text("name that the client asked for")),
        "start_time": or_null(reference("of its connection", "time")),
        "end_time": or_null(reference("of its connection", "time")),
        "version": or_null(text("version of the protocol")),
        "chain": record(
            "how the certificates of the server were judged",
            {
                "verdict": one_of("the verdict", ("valid", "invalid", "absent", "unknown")),
                "at": or_null(reference("for which moment", "time")),
                "problems": several("codes of its problems", one_of("a code", tuple(codes("chain_problems")))),
            },
        ),
        **CAPTURE_KEYS,
    },
)

MANIFEST: Schema = document(
    "manifest",
    record(
        "The files that `analyzer export -o FOLDER` wrote, and what they were made of: manifest.json in the folder. It lists "
        "exactly the files that are there, also if the command was interrupted.",
        {
            "format": one_of("what this is", (FORMAT,)),
            "version": number("version of this form", VERSION, VERSION),
            "tool": TOOL,
            "command": several("the words after `analyzer`, without those that say where results go", text("word")),
            "options": _OPTIONS,
            "ended": one_of("whether the captures were read to their end, or until a signal", ("end", "interrupted")),
            "inputs": several("what was read", _INPUT),
            "trust": several("the trust stores that chains were judged by; empty if none was", STORE),
            "has_all_sessions": flag("whether `sessions` is whole; false if there was no room for all of them"),
            "sessions": several("the sessions that have files, in their order", _SESSION),
            "files": several(
                "the files, in the order of sessions",
                {"description": "one file", "oneOf": [_OBJECT_FILE, _CERTIFICATE_FILE, _STREAM_FILE]},
            ),
        },
    ),
    {"time": TIME},
)
