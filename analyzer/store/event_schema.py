"""Declares the lines of `analyzer live --events`: one JSON object for each event of a run, the moment it happens.

All have the same first five keys; what else a line has depends on its `event`.
"""

from analyzer.store.declaration import (
    Schema,
    document,
    flag,
    item_of,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.schema import DEFINITIONS, FINDING, FRAME, ROLE, SESSION, described

CLOSINGS = ("fin", "rst", "idle", "evicted", "reused", "end")
"""How a connection ends: both sides closed, a reset, too long silent, too many others, its ports used again, the run's end."""

_RECORDS = ("change_cipher_spec", "application_data", "heartbeat", "encrypted_handshake")
_EPOCHS = ("protected", "handshake", "application", "updated")


def _event(name: str, description: str, keys: dict[str, Schema]) -> Schema:
    """Return the declaration of one kind of line. name: the value of `event`."""
    head = {
        "event": one_of("what happened", (name,)),
        "session": number("id of the session"),
        "time": or_null(reference("time of the frame; null where there is none, or the capture has no time", "time")),
        "frame": or_null(described(FRAME, "the frame in which it became known; null for none")),
        "from": or_null(described(ROLE, "which side did it; null for neither")),
    }
    return record(description, head | keys)


_KINDS = (
    _event("session_began", "the first handshake bytes of a session, or its first record if the capture begins later", {
        "client": reference("the side that sent the ClientHello", "endpoint"),
        "server": reference("the other side", "endpoint"),
        "mid_stream": flag("whether the capture begins in the middle of it"),
    }),
    _event("message", "a handshake message", {
        "type": text("the RFC's name, such as client_hello; hex for a number without a name"),
        "length": number("bytes with the header, as declared"),
        "encrypted": flag("whether it was encrypted on the wire"),
        "problems": several("what could not be read", item_of("problem")),
    }),
    _event("alert", "an alert", {
        "level": or_null(text("warning or fatal; null while it is encrypted")),
        "description": or_null(text("the RFC's name; null while it is encrypted")),
        "encrypted": flag("whether it was encrypted on the wire"),
    }),
    _event("keys_changed", "a side protects its records with new keys from here on", {
        "epoch": one_of("which keys: `protected` up to TLS 1.2, the others in TLS 1.3", _EPOCHS),
    }),
    _event("record", "a record that has no message to show", {
        "kind": one_of("what it is", _RECORDS),
        "length": number("bytes of its body"),
    }),
    _event("data_began", "the first decrypted application data of a session follows", {
        "alpn": or_null(text("the protocol that both sides agreed on")),
    }),
    _event("data", "decrypted application data of one record", {"length": number("bytes of data")}),
    _event("data_missing", "application data of a side is missing here", {
        "reason": or_null(text("why; `analyzer fields --causes` explains it")),
    }),
    _event("gap", "bytes that the capture lacks; `frame` is the last one before them", {
        "offset": number("of the first missing byte in the stream of its side"),
        "length": or_null(number("how many bytes are missing; null if that is not known")),
    }),
    _event("conflict", "bytes that were sent twice with different contents; the first are used", {
        "offset": number("of the first byte in the stream of its side"),
        "length": number("bytes that came the second time"),
    }),
    _event("out_of_order", "a message that its sender is not allowed to send in this state", {
        "state": text("state of its sender in the handshake"),
        "type": number("number of the message; above 255 for what is no handshake message"),
    }),
    _event("finding", "something that a reader should know", FINDING["properties"]),
    _event("session_ended", "the session has ended, and all facts about it are final", {
        "closed": one_of("how its connection ended; `analyzer live` says it in other words", CLOSINGS),
        "record": reference("the whole record, as `analyzer sessions --format json` prints it", "session"),
    }),
)  # fmt: skip

EVENT: Schema = document(
    "event",
    {"description": "One event of a run: a line of `analyzer live --events`.", "oneOf": list(_KINDS)},
    DEFINITIONS | {"session": {key: value for key, value in SESSION.items() if key not in ("$schema", "$defs", "title")}},
)
