"""The events of the engine as typed objects: what happened in the sessions of a capture, in its order.

Each class has the attributes of `Event` and its own. There is no JSON output of events elsewhere, so the declarations of their
keys are here; `to_dict` gives them as JSON values, bytes in hex.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from analyzer.api.endpoint_object import Endpoint
from analyzer.api.session_object import ChainsAtTheEnd, Session
from analyzer.api.session_parts import Problem
from analyzer.api.typed_record import Record
from analyzer.codec.registry import registry
from analyzer.engine import capture_events
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.clock import rfc3339
from analyzer.store.declaration import Schema, flag, free_form, number, one_of, or_null, record, several, text
from analyzer.store.schema import DEFINITIONS, ENDPOINT, SESSION
from analyzer.store.session_record import alert_record, endpoint_record, parse_error_record
from analyzer.store.session_record import text as text_of
from analyzer.tls import events as engine_events
from analyzer.tls.session_log import ROLES

_COMMON: dict[str, Schema] = {
    "kind": text("what happened: the name of the class, in the form session_began"),
    "session": or_null(number("id of the session; null for what belongs to none")),
    "from": or_null(one_of("which side did it; null for neither", ("client", "server"))),
    "frame": or_null(number("the frame in which it became known", minimum=1)),
    "time": or_null(text("time of that frame by RFC 3339, in UTC")),
    "version": or_null(text("version of the session at that time; null before it is known")),
}


def _keys(**own: Schema) -> Schema:
    return record("one event", {**_COMMON, **{name.rstrip("_"): schema for name, schema in own.items()}})


class Event(Record, declared=_keys()):
    """Something that happened. `session` is the id of its session, `sender` the side that did it: client, server or None.

    Values are made when they are first read.
    """

    kind: str
    session: int | None
    sender: str | None
    frame: int | None
    time: str | None
    version: str | None

    def __init__(self, seen: Any) -> None:
        """seen: the event of the engine."""
        super().__init__({})
        self._seen = seen

    def _json(self) -> Any:
        return {key: self._value(key) for key in self.keys}

    def __repr__(self) -> str:
        return self._text(self.attributes[1:])

    def _value(self, key: str) -> Any:
        if key not in self._values:
            self._values[key] = self._make(key)
        return self._values[key]

    def _make(self, key: str) -> Any:
        if key == "kind":
            return re.sub("(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        make = _MAKERS.get((type(self), key)) or _OF_ALL.get(key)
        return getattr(self._seen, key) if make is None else make(self._seen)


class SessionBegan(Event, declared=_keys(client=ENDPOINT, server=ENDPOINT)):
    """The first handshake bytes of a session, or its first record if the capture starts later."""

    client: Endpoint
    server: Endpoint


class HandshakeMessageSeen(
    Event,
    declared=_keys(
        type=text("the RFC's name, such as client_hello"),
        length=number("bytes with the header, as declared"),
        encrypted=flag("whether it was encrypted on the wire"),
        raw=text("the bytes that are available, with the header"),
        message=or_null(free_form("decoded fields under the RFC's names; null where it is not decrypted or not known")),
        problems=several("what could not be read", DEFINITIONS["problem"]),
    ),
):
    """A handshake message. Its fields are decoded when `message` is first read."""

    type: str
    length: int
    encrypted: bool
    raw: bytes
    message: dict[str, Any] | None
    problems: tuple[Problem, ...]


class AlertSeen(
    Event,
    declared=_keys(
        level=or_null(text("warning or fatal; null while it is encrypted")),
        description=or_null(text("the RFC's name; null while it is encrypted")),
        encrypted=flag("whether it was encrypted on the wire"),
    ),
):
    """An alert."""

    level: str | None
    description: str | None
    encrypted: bool


class RecordListed(
    Event,
    declared=_keys(
        content=text("change_cipher_spec, application_data, heartbeat or encrypted_handshake"),
        length=number("bytes of its body"),
    ),
):
    """A record that has no message to show: of application data, or of what is encrypted."""

    content: str
    length: int


class RecordRead(
    Event,
    declared=_keys(
        content_type=number("as on the wire, encrypted or not"),
        offset=number("of its header in the stream of its side, in bytes"),
        header=number("bytes of its header"),
        length=number("bytes of its body"),
    ),
):
    """A whole record of the wire, or the available part of it."""

    content_type: int
    offset: int
    header: int
    length: int


class KeysChanged(Event, declared=_keys(epoch=text("protected; in TLS 1.3 handshake, application or updated"))):
    """A side protects its records with new keys from here on."""

    epoch: str


class OutOfOrder(
    Event,
    declared=_keys(type=number("number of the message"), state=text("state of its sender in the handshake")),
):
    """A message that its sender is not allowed to send in this state."""

    type: int
    state: str


class DataBegan(
    Event,
    declared=_keys(
        alpn=or_null(text("the protocol that both sides agreed on")),
        failed=number("records before it that could not be decrypted"),
        reason=or_null(text("why the first of them could not; `analyzer fields --causes` explains it")),
    ),
):
    """The first decrypted application data of a session follows."""

    alpn: str | None
    failed: int
    reason: str | None


class Data(Event, declared=_keys(data=text("the bytes"))):
    """Decrypted application data of one record."""

    data: bytes


class DataMissing(
    Event,
    declared=_keys(
        reason=or_null(text("why; `analyzer fields --causes` explains it")),
        failed=number("records of the session that could not be decrypted so far"),
    ),
):
    """Application data of a side is missing here."""

    reason: str | None
    failed: int


class GapSeen(
    Event,
    declared=_keys(
        offset=number("of the first missing byte in the stream of its side"), length=number("how many bytes are missing")
    ),
):
    """Bytes that the capture lacks; `frame` is the last frame before them."""

    offset: int
    length: int


class Conflict(
    Event,
    declared=_keys(
        offset=number("of the first byte in the stream of its side"),
        first=text("the bytes that came first, and were used"),
        second=text("the other bytes, which `frame` has"),
    ),
):
    """Bytes that came twice, and not the same."""

    offset: int
    first: bytes
    second: bytes


class FindingMade(
    Event,
    declared=_keys(
        code=text("what it is; `analyzer fields --findings` explains it"),
        severity=text("info, low, medium or high"),
        detail=text("the same in a sentence"),
        frames=several("frames in which it shows", number("a frame", minimum=1)),
    ),
):
    """Something that a reader should know, found while the session was read. `Session.findings` has further ones."""

    code: str
    severity: str
    detail: str
    frames: tuple[int, ...]


class SessionEnded(Event, declared=_keys(ended=SESSION)):
    """A session has ended; `ended` is the session, as `analyzer.sessions` gives it."""

    ended: Session

    def __init__(self, seen: Any, ended: Session) -> None:
        """seen: the event of the engine. ended: the session."""
        super().__init__(seen)
        self._values["ended"] = ended

    def _json(self) -> Any:
        return super()._json() | {"ended": self.ended.to_dict()}


class RevocationSeen(
    Event,
    declared=_keys(content_type=text("as declared in the response"), body=text("the bytes of the body")),
):
    """An OCSP response or a revocation list in plain HTTP. It is not verified."""

    content_type: str
    body: bytes


def typed(seen: Any, messages: bool, chains: Chains) -> Event:
    """Return the typed object of an event of the engine. messages: whether a session that ended is to have decoded fields."""
    if isinstance(seen, engine_events.SessionEnded):
        return SessionEnded(seen, Session(seen.ended, messages, ChainsAtTheEnd(chains, seen.ended)))
    return CLASSES[type(seen)](seen)


CLASSES: Mapping[type[engine_events.Event], type[Event]] = {
    engine_events.SessionBegan: SessionBegan,
    engine_events.HandshakeMessage: HandshakeMessageSeen,
    engine_events.Alert: AlertSeen,
    engine_events.RecordEvent: RecordListed,
    engine_events.RecordRead: RecordRead,
    engine_events.KeysChanged: KeysChanged,
    engine_events.OutOfOrder: OutOfOrder,
    engine_events.DataBegan: DataBegan,
    engine_events.Data: Data,
    engine_events.DataMissing: DataMissing,
    engine_events.Gap: GapSeen,
    engine_events.Conflict: Conflict,
    engine_events.Finding: FindingMade,
    capture_events.RevocationSeen: RevocationSeen,
}
"""The class of each kind of event, but for SessionEnded."""

Make = Callable[[Any], Any]

_OF_ALL: Mapping[str, Make] = {
    "session": lambda seen: None if seen.session < 0 else seen.session,
    "from": lambda seen: None if seen.role < 0 else ROLES[seen.role],
    "frame": lambda seen: seen.frame or None,
    "time": lambda seen: rfc3339(seen.at),
    "version": lambda seen: registry("versions").name(seen.version) if seen.version else None,
}

_MAKERS: Mapping[tuple[type[Event], str], Make] = {
    (SessionBegan, "client"): lambda seen: endpoint_record(seen.flow.key, CLIENT),
    (SessionBegan, "server"): lambda seen: endpoint_record(seen.flow.key, SERVER),
    (HandshakeMessageSeen, "type"): lambda seen: seen.name,
    (HandshakeMessageSeen, "message"): lambda seen: None if seen.body is None else seen.body.json(),
    (HandshakeMessageSeen, "problems"): lambda seen: list(map(parse_error_record, seen.problems)),
    (AlertSeen, "level"): lambda seen: alert_record(seen)["level"],
    (AlertSeen, "description"): lambda seen: alert_record(seen)["description"],
    (RecordListed, "content"): lambda seen: seen.kind,
    (DataBegan, "alpn"): lambda seen: text_of(seen.alpn),
}
"""What makes the values that are not those of the engine's event."""
