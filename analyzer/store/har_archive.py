"""Writes an HTTP Archive (HAR 1.2): every HTTP exchange of the captures, decrypted or plain, with its bodies.

The bodies are written to a temporary file while the capture is read, so they may be larger than the memory. So are the
entries, without the text of their bodies. At the end they are joined in the order of time. A body that is UTF-8 is text;
another one is in base64. An exchange whose request is not in the capture cannot be an entry, and is counted.
"""

import base64
import codecs
import json
import re
import secrets
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Final

from analyzer import __version__
from analyzer.analysis.missing_data import MissingData
from analyzer.application.conversation import Conversation
from analyzer.application.data_kinds import WINDOW, binary_at
from analyzer.application.exchange import CLIENT, SERVER, Exchange, Message
from analyzer.engine.capture_events import PlainHttp
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.har_entry import Place, Times, form_pairs, har_entry, page, page_id, post_data, security_details
from analyzer.store.part import Part
from analyzer.store.session_record import decryption_record, endpoint_record, session_record
from analyzer.tls.events import Event
from analyzer.tls.session import Session

BLOCK: Final = 1 << 16
"""Bytes of a body that are held in memory before they are written."""

BODIES_HELD: Final = 1024
"""The most bodies of which a block is held in memory: 64 MiB. Beyond, their bytes are written as they come."""

BODIES_MAX: Final = 200_000
"""The most bodies that are open at one time, of all connections. Beyond, bodies are cut."""

LONGEST_MESSAGE: Final = 1 << 16
"""The longest message of a WebSocket whose data is in its entry, in bytes."""

MESSAGES_MAX: Final = 1 << 23
"""The most bytes of messages of one WebSocket that are in its entry: they are in memory while it is written."""

FORM_MAX: Final = 1 << 20
"""The longest form whose parameters are listed beside its text."""

NO_ROOM: Final = "the body is left out, as there is no room for it"
"""The comment on a body that was not kept."""

FINISHED: Final = 20

_PORT: Final = re.compile(r":[0-9]+\Z")
_TEXT, _BINARY, _CONTROL = 1, 2, 8


@dataclass(slots=True)
class SpooledBody:
    """A body in the temporary file.

    exchange: what it is part of. segments: where its bytes are. head: the first of them. end: the time of the last ones. cut:
    whether there was no room for all of it. is_text: whether all of it is UTF-8.
    """

    exchange: Exchange

    segments: list[tuple[int, int]] = field(default_factory=list)
    held: bytearray = field(default_factory=bytearray)
    head: bytes = b""
    size: int = 0
    end: int = -1
    cut: bool = False
    is_text: bool = False


class Spool:
    """The temporary file. room: bytes that it may still take. It is removed when it is closed."""

    def __init__(self, folder: str, room: int) -> None:
        self.room = room
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder or ".")  # noqa: SIM115 - closed by `close`
        self._end = 0

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def add(self, body: SpooledBody, data: bytes, at: int) -> None:
        """Add bytes to a body. Raises OSError."""
        body.end = at
        if len(data) > self.room:
            body.cut = True
        if body.cut:
            return
        self.room -= len(data)
        if len(body.head) < WINDOW:
            body.head += data[: WINDOW - len(body.head)]
        body.size += len(data)
        body.held += data
        if len(body.held) >= BLOCK:
            self.settle(body)

    def settle(self, body: SpooledBody) -> None:
        """Write what is held of a body."""
        if body.held:
            body.segments.append(self.write(bytes(body.held)))
            body.held = bytearray()

    def write(self, data: bytes) -> tuple[int, int]:
        """Write data at the end, and return its place and length."""
        self._file.seek(self._end)
        self._file.write(data)
        place = self._end, len(data)
        self._end += len(data)
        return place

    def read(self, segments: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """Yield the data of these places."""
        for offset, length in segments:
            self._file.seek(offset)
            yield self._file.read(length)

    def part(self, body: SpooledBody, offset: int, length: int) -> bytes:
        """Return a part of a settled body."""
        found, pos = b"", 0
        for place, size in body.segments:
            begin, end = max(offset - pos, 0), min(offset + length - pos, size)
            if begin < end:
                found += b"".join(self.read([(place + begin, end - begin)]))
            pos += size
        return found


class HarArchive(DataStreams):
    """Collects exchanges, and writes them. Use it in a `with` block.

    entries: how many there are. unasked: exchanges without a request, which are left out. bodies_cut: bodies for which there
    was no room. closed: sessions that were not decrypted.
    """

    def __init__(
        self, folder: str, room: int, sessions: Collection[int] | None = None, part: Part | None = None, plain: bool = True
    ) -> None:
        """folder: for the temporary file. room: bytes of bodies. sessions: only these, None for all. part: only exchanges in
        its time, and plain ones of its hosts and of connections that pass its filter. plain: whether exchanges without TLS are
        in it. Raises OSError."""
        super().__init__()
        self.entries = 0
        self.unasked = 0
        self.bodies_cut = 0
        self.closed = 0
        self._sessions = None if sessions is None else frozenset(sessions)
        self._part = part
        self._plain = plain
        self._spool = Spool(folder, room)
        self._bodies: dict[tuple[int, int], SpooledBody] = {}
        self._read: dict[int, Conversation] = {}
        self._index: list[tuple[int, int, tuple[int, int], list[tuple[bytes, SpooledBody]]]] = []
        self._pages: dict[str, tuple[str, Place]] = {}
        self._marks = (secrets.token_hex(16), secrets.token_hex(16))

    def __enter__(self) -> "HarArchive":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._spool.close()

    def take_body(self, exchange: Exchange, side: int, data: bytes, frame: int, at: int) -> None:
        """Take a piece of a body; see `plain_http.TakeBody`."""
        key = id(exchange), side
        body = self._bodies.get(key)
        if body is None:
            if len(self._bodies) >= BODIES_MAX:
                return
            body = self._bodies[key] = SpooledBody(exchange)
        self._spool.add(body, data, at)
        if len(self._bodies) > BODIES_HELD:
            self._spool.settle(body)

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if self._sessions is not None and session not in self._sessions:
            return None
        return _Reader(self, session, alpn, missing)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        super().take(events)
        for event in events:
            if isinstance(event, PlainHttp):
                client, server = endpoint_record(event.key, CLIENT), endpoint_record(event.key, SERVER)
                wanted = self._plain and (self._part is None or self._part.has_connection(event.key))
                self._add_all(event.exchanges, (), Place(client, server, "http"), wanted)

    def end(self, session: Session) -> None:
        """See `DataStreams.end`. Adds the exchanges of the session."""
        conversation = self._read.pop(session.id, None)
        if self._sessions is not None and session.id not in self._sessions:
            return
        if decryption_record(session)["status"] == "none":
            self.closed += 1
        if conversation is not None and conversation.exchanges:
            self._add_all(conversation.exchanges, conversation.messages, _place_of(session))

    def read(self, session: int, conversation: Conversation) -> None:
        """Take what a session carried, when its data has ended."""
        self._read[session] = conversation

    def write(self, out: BinaryIO, comment: str) -> None:
        """Write the archive. Raises OSError."""
        log = {
            "version": "1.2",
            "creator": {"name": "analyzer", "version": __version__},
            "pages": [page(place, began) for began, place in sorted(self._pages.values(), key=lambda one: one[0])],
            "comment": comment,
        }
        out.write(b'{"log":' + _dumps(log)[:-1] + b',"entries":[')
        for number, (_, _, place, bodies) in enumerate(sorted(self._index, key=lambda one: one[:2])):
            out.write(b",\n" if number else b"\n")
            rest = b"".join(self._spool.read([place]))
            for mark, body in bodies:
                head, _, rest = rest.partition(mark)
                out.write(head)
                out.writelines(self._text_of(body) if body.is_text else self._base64_of(body))
            out.write(rest)
        out.write(b"\n]}}\n")

    def _add_all(self, exchanges: Sequence[Exchange], messages: Sequence[Message], place: Place, wanted: bool = True) -> None:
        """Add the exchanges of a connection that are wanted; wanted: False for none. The bodies of the others are forgotten."""
        said: dict[int, list[Message]] = {}
        for message in messages:
            if message.exchange is not None:
                said.setdefault(id(message.exchange), []).append(message)
        for number, exchange in enumerate(exchanges):
            bodies = [self._bodies.pop((id(exchange), side), None) for side in (CLIENT, SERVER)]
            request = exchange.request
            if not wanted or (place.session is None and not self._has_plain(exchange, place)):
                continue
            if request is None:
                self.unasked += 1
            elif self._part is None or self._part.has_moment(request.at):
                self._add(exchange, bodies, said.get(id(exchange), []), place, number == 0)

    def _has_plain(self, exchange: Exchange, place: Place) -> bool:
        """Return whether an exchange without TLS is wanted: by the sides of its connection, or by the host that it names."""
        if self._part is None or self._part.has_ends({"client": place.client, "server": place.server}):
            return True
        host = None if exchange.request is None else exchange.request.authority
        return host is not None and self._part.has_host(host.rpartition(":")[0] if _PORT.search(host) else host)

    def _add(
        self, exchange: Exchange, bodies: list[SpooledBody | None], messages: list[Message], place: Place, first: bool
    ) -> None:
        request, response = exchange.request, exchange.response
        assert request is not None
        for body in bodies:
            if body is not None:
                self._spool.settle(body)
                body.is_text = self._is_text(body)
                self.bodies_cut += body.cut
        asked, told = bodies
        sent = self._messages(messages, bodies) if messages else []
        ends = Times(-1 if asked is None else asked.end, -1 if told is None else told.end)
        entry = har_entry(exchange, place, ends, first, sent)
        texts: list[tuple[bytes, SpooledBody]] = []
        posted = post_data(request)
        if posted is not None:
            entry["request"]["postData"] = posted
            if request.body.length and ((asked is None and request.body.complete) or (asked is not None and asked.cut)):
                self.bodies_cut += asked is None
                posted["comment"] = NO_ROOM
            elif asked is not None and request.body.length:
                if asked.is_text and asked.size <= FORM_MAX:
                    posted["params"] = form_pairs(posted["mimeType"], self._spool.part(asked, 0, asked.size).decode())
                posted["text" if asked.is_text else "_base64"] = self._marks[CLIENT]
                texts.append((self._marks[CLIENT].encode(), asked))
        content = entry["response"]["content"]
        if response is not None and response.body.length and (told is not None or response.body.complete):
            if told is None or told.cut:
                self.bodies_cut += told is None
                content["comment"] = NO_ROOM
            else:
                content["text"] = self._marks[SERVER]
                texts.append((self._marks[SERVER].encode(), told))
                if not told.is_text:
                    content["encoding"] = "base64"
        elif response is not None and response.body.complete and not response.body.length:
            content["text"] = ""
        number = self.entries
        self.entries += 1
        self._index.append((request.at, number, self._spool.write(_dumps(entry)), texts))
        began = entry["startedDateTime"]
        known = self._pages.get(page_id(place))
        if known is None or began < known[0]:
            self._pages[page_id(place)] = began, place

    def _messages(self, messages: list[Message], bodies: list[SpooledBody | None]) -> list[dict[str, Any]]:
        """Return `_webSocketMessages`. The data of a message is known while all before it on its side are whole."""
        offsets: list[int | None] = [0, 0]
        room = MESSAGES_MAX
        told = []
        for message in messages:
            data: bytes | None = None
            offset, body = offsets[message.side], bodies[message.side]
            if message.opcode in (_TEXT, _BINARY) and message.complete and message.length is not None and offset is not None:
                if message.length <= min(LONGEST_MESSAGE, room) and body is not None and not body.cut:
                    data = self._spool.part(body, offset, message.length)
                    room -= message.length
                offsets[message.side] = offset + message.length
            elif message.opcode < _CONTROL:
                offsets[message.side] = None
            shown = "" if data is None else data.decode("utf-8", "replace") if message.opcode == _TEXT else _base64(data)
            told.append(
                {
                    "type": "send" if message.side == CLIENT else "receive",
                    "time": message.at / 1e9,
                    "opcode": message.opcode,
                    "data": shown,
                    "_length": message.length,
                }
            )
        return told

    def _is_text(self, body: SpooledBody) -> bool:
        """Return whether a body is UTF-8 and does not look like binary data."""
        if binary_at(body.head, begins=True) >= 0:
            return False
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for data in self._spool.read(body.segments):
                decoder.decode(data)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
        return True

    def _text_of(self, body: SpooledBody) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for data in self._spool.read(body.segments):
            yield json.dumps(decoder.decode(data))[1:-1].encode("ascii")

    def _base64_of(self, body: SpooledBody) -> Iterator[bytes]:
        left = b""
        for data in self._spool.read(body.segments):
            data = left + data
            whole = len(data) - len(data) % 3
            yield base64.b64encode(data[:whole])
            left = data[whole:]
        yield base64.b64encode(left)


class _Reader(DataReader):
    """Reads the HTTP of one session."""

    def __init__(self, archive: HarArchive, session: int, alpn: bytes | None, missing: MissingData) -> None:
        super().__init__(missing)
        self._archive = archive
        self._session = session
        self._now = (0, -1)
        self._conversation: Conversation | None = Conversation(
            None if alpn is None else alpn.decode("utf-8", "replace"), on_body=self._take
        )

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._now = frame, at
        if self._conversation is not None:
            self._conversation.feed(role, data, frame, at)

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """See `DataReader.feed_stream`."""
        self._now = frame, at
        if self._conversation is not None:
            self._conversation.feed_stream(stream, role, data, end, frame, at)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """See `DataReader.reset_stream`."""
        if self._conversation is not None:
            self._conversation.reset_stream(stream, role, code, frame, at)

    def miss_stream(self, stream: int, role: int, length: int | None, reason: str | None) -> None:
        """See `DataReader.miss_stream`."""
        if self._conversation is not None:
            self._conversation.gap_stream(stream, role, length, reason)

    def miss(self, role: int, reason: str | None) -> None:
        """See `DataReader.miss`."""
        if self._conversation is not None:
            self._conversation.gap(role, None, reason)

    def close(self, at: int) -> None:
        """See `DataReader.close`."""
        conversation, self._conversation = self._conversation, None  # it has a reference to this object
        if conversation is not None:
            conversation.close(at)
            self._archive.read(self._session, conversation)

    def _take(self, exchange: Exchange, side: int, data: bytes) -> None:
        self._archive.take_body(exchange, side, data, *self._now)


def _place_of(session: Session) -> Place:
    """Return where the exchanges of a session were carried, with the times of its connection if it began in the capture."""
    record = session_record(session, False, NO_VERDICTS, False)
    flow, messages = session.flow, session.log.messages
    finished = max((one.at for one in messages if one.type == FINISHED), default=-1)
    hello = messages[0].at if messages else -1
    whole = not flow.late and not flow.mid_stream and min(flow.start, hello, finished) >= 0 and not record["before"]
    connected, secured = (finished - flow.start, finished - hello) if whole else (-1, -1)
    details = security_details(record)
    return Place(record["client"], record["server"], "https", session.id, details, connected, secured, finished)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _dumps(value: dict[str, Any]) -> bytes:
    """Return JSON in ASCII: a lone half of a surrogate pair, which a header may hold, is an escape."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
