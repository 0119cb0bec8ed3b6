"""Writes what sessions carried as files: HTTP objects, certificates, the streams themselves.

Everything is written while the capture is read, so a body may be larger than the memory. Bodies have a folder for each host,
and names made of their URLs (`file_names`), with an ending out of a short list. Their URLs as they were sent are only in the
manifest.
"""

import base64
import hashlib
import textwrap
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

from analyzer.analysis.missing_data import MissingData
from analyzer.application.conversation import Conversation
from analyzer.application.exchange import CLIENT, EXCHANGES_MAX, NAMES, SERVER, Exchange
from analyzer.application.request_target import content_type, target_of
from analyzer.capture.frame_places import FramePlaces
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.store.chain_verdicts import NO_VERDICTS, Chains
from analyzer.store.exported_streams import HASH_DIGITS, ExportedStreams
from analyzer.store.file_names import FileNames
from analyzer.store.folder import Folder, Part
from analyzer.store.manifest import Manifest
from analyzer.store.packet_info import place_record
from analyzer.store.session_record import decryption_record, endpoint_record, session_record
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.messages.numbers import CERTIFICATE, COMPRESSED_CERTIFICATE
from analyzer.tls.session import Session
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate

OBJECTS, CERTIFICATES, STREAMS = "objects", "certificates", "streams"
KINDS: Final = (OBJECTS, CERTIFICATES, STREAMS)
"""The kinds of files that can be exported."""

MAX_SESSIONS: Final = 1000
"""The most sessions that the manifest names for one certificate. A server may send the same one in all sessions."""

MAX_CERTIFICATES: Final = 50_000
"""The most different certificates that are written. The entry of each is kept in memory until all its sessions are known."""

FIRST_SWEEP: Final = 64
"""The number of open bodies of a session at which the ended ones are searched for first. Browsers open 100 streams."""

_CERTIFICATE = frozenset((CERTIFICATE, COMPRESSED_CERTIFICATE))
_UNKNOWN = "bin"
_ENDINGS: Final = {
    "text/html": "html", "application/xhtml+xml": "html", "text/css": "css", "text/plain": "txt", "text/csv": "csv",
    "text/javascript": "js", "application/javascript": "js", "application/x-javascript": "js",
    "application/json": "json", "application/xml": "xml", "text/xml": "xml", "application/pdf": "pdf",
    "application/zip": "zip", "application/gzip": "gz", "application/wasm": "wasm", "application/dns-message": "dns",
    "application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart", "application/ocsp-response": "ocsp",
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/avif": "avif",
    "image/svg+xml": "svg", "image/x-icon": "ico", "image/vnd.microsoft.icon": "ico",
    "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/wav": "wav", "video/mp4": "mp4", "video/webm": "webm",
    "font/woff": "woff", "font/woff2": "woff2", "font/ttf": "ttf", "font/otf": "otf",
}  # fmt: skip


def ending(content_type: str | None) -> str:
    """Return the ending for a declared media type; `bin` for a type that is not in the list, for example a program."""
    return _ENDINGS.get((content_type or "").partition(";")[0].strip().lower(), _UNKNOWN)


class ExportedObjects(DataStreams):
    """Writes what sessions carried as files into a folder.

    written: files by kind. closed: sessions that were not decrypted, by the reason in their record.
    """

    def __init__(
        self,
        folder: Folder,
        manifest: Manifest,
        kinds: Collection[str],
        sessions: Collection[int] = (),
        places: FramePlaces | None = None,
        chains: Chains = NO_VERDICTS,
    ) -> None:
        """kinds: out of KINDS. sessions: the numbers of the chosen sessions, all if empty. places: in which captures frames
        are; None if nobody knows. chains: judges the certificates of the sessions that have files.
        """
        super().__init__()
        self.folder = folder
        self.manifest = manifest
        self.kinds = frozenset(kinds)
        self.written: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self._sessions = frozenset(sessions)
        self.names = FileNames()
        self._chains = chains
        self._with_files: set[int] = set()
        self._places = places or FramePlaces()
        self._certificates: dict[bytes, dict[str, Any]] = {}

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if (self._sessions and session not in self._sessions) or not self.kinds & {OBJECTS, STREAMS}:
            return None
        return _ExportedStream(self, session, alpn, missing)

    def end(self, session: Session) -> None:
        """See `DataStreams.end`. Takes the certificates of the session, and counts a session that was not decrypted."""
        if self._sessions and session.id not in self._sessions:
            return
        decryption = decryption_record(session)
        if decryption["status"] == "none":
            self.closed[decryption["reason"]] += 1
        if CERTIFICATES in self.kinds:
            for role in (0, 1):
                sent = (one.frame for one in session.log.messages if one.type in _CERTIFICATE and one.role == role)
                frame = next(sent, None)
                for place, der in enumerate(session.handshake.certificates[role] or ()):
                    if der != CUT:
                        self._note_certificate(session, role, place, der, frame)
            for role, frame, later in session.log.certificate_changes:
                for place, der in enumerate(later):
                    self._note_certificate(session, role, place, der, frame)
        if session.id in self._with_files:
            self._with_files.remove(session.id)
            self._describe(session)

    def write(self, head: Mapping[str, Any]) -> bool:
        """Write the entries of the certificates, and the manifest with this head. Return whether the manifest was written."""
        for number, entry in enumerate(self._certificates.values()):
            try:
                self.manifest.add((entry["session"], 1, number, 0), entry)
            except OSError as error:
                self.written[CERTIFICATES] -= 1
                self.folder.remove(entry["file"], error)
        return self.manifest.write(head)

    def keep(self, part: Part, name: str, kind: str, key: tuple[int, int, int, int], entry: dict[str, Any]) -> None:
        """Give a file its name, and list it in the manifest: both, or neither."""
        try:
            place = place_record(self._places, entry["frames"]["first"])
            self.manifest.add(
                key, {"file": name, "sha256": part.sha256, "size": part.size, **entry, "truncated": part.truncated, **place}
            )
        except OSError as error:
            part.error = part.error or error
            part.finish(name)
        else:
            if part.finish(name):
                self.written[kind] += 1
                self._with_files.add(entry["session"])
            else:
                self.manifest.withdraw()

    def _describe(self, session: Session) -> None:
        """Add what is about a session to the manifest: who spoke with whom, and whether the server's certificates hold."""
        record = session_record(session, False, self._chains, False)
        chain = record["chain"]
        facts = {key: record[key] for key in ("id", "client", "server", "server_name", "start_time", "end_time", "version")}
        verdict = {"verdict": chain["verdict"], "at": chain["at"], "problems": [one["code"] for one in chain["problems"]]}
        place = place_record(self._places, session.flow.first_frame)
        self.manifest.add_session(session.id, facts | {"chain": verdict, **place})

    def _note_certificate(self, session: Session, side: int, place: int, der: bytes, frame: int | None) -> None:
        digest = hashlib.sha256(der).digest()
        entry = self._certificates.get(digest)
        if entry is None:
            if len(self._certificates) >= MAX_CERTIFICATES:
                self.folder.n_refused += 1
                return
            entry = self._write_certificate(session, side, place, der, frame)
            if entry is None:
                return
            self._certificates[digest] = entry
        if entry["sessions"][-1:] != [session.id] and len(entry["sessions"]) < MAX_SESSIONS:
            entry["sessions"].append(session.id)

    def _write_certificate(
        self, session: Session, side: int, place: int, der: bytes, frame: int | None
    ) -> dict[str, Any] | None:
        part = self.folder.begin()
        if part is None:
            return None
        read = certificate(der)
        label = "PUBLIC KEY" if read.type == RAW_PUBLIC_KEY else "CERTIFICATE"
        lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
        part.write(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode("ascii"))
        name = f"certificates/certificate-{read.sha256[:HASH_DIGITS]}.pem"
        if not part.finish(name):
            return None
        self.written[CERTIFICATES] += 1
        self._with_files.add(session.id)
        return {
            "file": name,
            "sha256": part.sha256,
            "size": part.size,
            "kind": "certificate",
            "type": "application/pem-certificate-chain",
            "session": session.id,
            "sessions": [],
            "from": NAMES[side],
            "place": place,
            "frame": frame,
            "certificate_sha256": read.sha256,
            "subject": read.subject,
            "truncated": part.truncated,
            **place_record(self._places, frame or session.flow.first_frame),
        }


class _Body:
    """A body that is being written. part: None if there are too many files."""

    __slots__ = ("exchange", "first", "last", "part", "side")

    def __init__(self, exchange: Exchange, side: int, part: Part | None, frame: int) -> None:
        self.exchange = exchange
        self.side = side
        self.part = part
        self.first = self.last = frame

    @property
    def ended(self) -> bool:
        """Whether the body is complete. WebSocket messages belong to the exchange that began it; its body was empty."""
        message = self.exchange.request if self.side == CLIENT else self.exchange.response
        return message is not None and message.body.complete and message.body.length > 0


class _ExportedStream(DataReader):
    """Exports the data of one session."""

    def __init__(self, contents: ExportedObjects, session: int, alpn: bytes | None, missing: MissingData) -> None:
        super().__init__(missing)
        self._contents = contents
        self._session = session
        self._server = endpoint_record(contents.flows[session].key, SERVER)["address"]
        self._frame = 0
        self._bodies: dict[tuple[int, int], _Body] = {}
        self._sweep_at = FIRST_SWEEP
        self._numbers: dict[int, int] = {}
        self._n_unlisted = 0
        self._streams: ExportedStreams | None = None
        if STREAMS in contents.kinds:
            self._streams = ExportedStreams(session, contents.folder, self._keep_stream, missing)
        self._conversation: Conversation | None = None
        if OBJECTS in contents.kinds:
            name = None if alpn is None else alpn.decode("utf-8", "replace")
            self._conversation = Conversation(name, hashing=False, on_body=self._take)

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._frame = frame
        if self._streams is not None:
            self._streams.write(role, data, frame)
        if self._conversation is not None:
            self._conversation.feed(role, data, frame, at)

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """See `DataReader.feed_stream`."""
        self._frame = frame
        if self._streams is not None:
            self._streams.write(role, data, frame, stream, end)
        if self._conversation is not None:
            self._conversation.feed_stream(stream, role, data, end, frame, at)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """See `DataReader.reset_stream`."""
        if self._conversation is not None:
            self._conversation.reset_stream(stream, role, code, frame, at)

    def miss_stream(self, stream: int, role: int, length: int | None, reason: str | None) -> None:
        """See `DataReader.miss_stream`."""
        if self._streams is not None:
            self._streams.miss(role, stream, length, reason)
        if self._conversation is not None:
            self._conversation.gap_stream(stream, role, length, reason)

    def miss(self, role: int, reason: str | None) -> None:
        """See `DataReader.miss`."""
        if self._conversation is not None:
            self._conversation.gap(role, None, reason)

    def close(self, at: int) -> None:
        """See `DataReader.close`. Gives the written files their names."""
        if self._conversation is not None:
            self._conversation.close(at)
            self._keep_bodies(self._conversation, list(self._bodies))
            self._conversation = None  # it has a reference to this object
        if self._streams is not None:
            self._streams.close()
            self._streams = None  # it has a reference to this object

    def _keep_stream(self, part: Part, name: str, key: tuple[int, int, int, int], entry: dict[str, Any]) -> None:
        self._contents.keep(part, name, STREAMS, key, entry)

    def _take(self, exchange: Exchange, side: int, data: bytes) -> None:
        key = id(exchange), side
        body = self._bodies.get(key)
        if body is None:
            if len(self._bodies) >= self._sweep_at and self._conversation is not None:
                self._keep_bodies(self._conversation, [key for key, body in self._bodies.items() if body.ended])
                self._sweep_at = max(FIRST_SWEEP, 2 * len(self._bodies))
            body = self._bodies[key] = _Body(exchange, side, self._contents.folder.begin(), self._frame)
        if body.part is not None:
            body.part.write(data)
        body.last = self._frame

    def _keep_bodies(self, conversation: Conversation, keys: list[tuple[int, int]]) -> None:
        exchanges = conversation.exchanges
        for number in range(len(self._numbers), len(exchanges)):
            self._numbers[id(exchanges[number])] = number
        for key in keys:
            body = self._bodies.pop(key)
            number = self._numbers.get(key[0], -1)
            if number < 0:
                number = EXCHANGES_MAX + self._n_unlisted
                self._n_unlisted += 1
            if body.part is not None:
                self._keep_body(number, key[1], body, body.part)

    def _keep_body(self, number: int, side: int, body: _Body, part: Part) -> None:
        exchange, session = body.exchange, self._session
        request, response = exchange.request, exchange.response
        message = request if side == CLIENT else response
        kind = "request" if side == CLIENT else "response"
        content = None if message is None else message.body
        tunnelled = content is None or content.length == 0  # WebSocket messages belong to the exchange of their handshake
        if tunnelled:
            kind = f"websocket-{NAMES[side]}"
        declared = None if message is None or tunnelled else content_type(message.headers)
        decoded = content is not None and content.decoded
        last = ending(declared) if decoded else _UNKNOWN
        url = None if request is None else target_of(request.scheme, request.authority, request.path)
        name = self._contents.names.object_name(url, self._server, kind, last, (session, number))
        entry = {
            "kind": kind,
            "type": declared,
            "session": session,
            "exchange": number,
            "frames": {
                "request": None if request is None else request.frame,
                "response": None if response is None else response.frame,
                "first": body.first,
                "last": body.last,
            },
            "method": None if request is None else request.method,
            "url": url,
            "status": None if response is None else response.status,
            "complete": None if tunnelled or content is None else content.complete and part.truncated is None,
            "decoded": decoded,
            "guessed": exchange.guessed,
        }
        self._contents.keep(part, name, OBJECTS, (session, 0, number, side), entry)
