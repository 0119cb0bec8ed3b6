"""One TLS session as a passive reader sees it: records in, messages and facts out.

Both sides run through the same states in every version: hello, key exchange, a switch to encryption, application data. Only the
switch differs: up to TLS 1.2 each side announces it with ChangeCipherSpec (RFC 5246 section 7.1), in TLS 1.3 it follows the
ServerHello, everything encrypted has content type application_data, and ChangeCipherSpec means nothing (RFC 9846 section 5).
The session records what came, in the order in which it became complete; it judges nothing. This module is compiled
(see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

import cython

from analyzer.codec.cut import cut
from analyzer.codec.registry import registry
from analyzer.codec.runner import read
from analyzer.codec.trouble import Incomplete, Malformed, Trouble
from analyzer.tls import inner_hello, learn, ssl2
from analyzer.tls.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, ENCRYPTED_ALERT_13, HANDSHAKE, HEARTBEAT
from analyzer.tls.decrypt import Decryption
from analyzer.tls.facts import Alert, Finding, HandshakeMessage, frame_of, handshake_message, new_event
from analyzer.tls.ledger import Ledger
from analyzer.tls.limits import MAX_HANDSHAKE, MAX_KEPT, MAX_MESSAGES, MAX_SIGNATURES, MESSAGE_COST
from analyzer.tls.links import Links, Origin, server_of
from analyzer.tls.messages.hello import HelloRetryRequest
from analyzer.tls.messages.tables import table_of
from analyzer.tls.proof import Later, Proof, settle, worse
from analyzer.tls.records import RecordReader
from analyzer.tls.secrets import Secrets
from analyzer.tls.suites import suite
from analyzer.tls.transcript import Transcript

SSL2 = 0x0002
TLS13 = 0x0304

CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, HELLO_RETRY_REQUEST, ENCRYPTED_EXTENSIONS = 1, 2, 4, 6, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, FINISHED, CERTIFICATE_STATUS, COMPRESSED_CERTIFICATE = 11, 12, 20, 22, 25

SESSION_TICKET, PRE_SHARED_KEY, ENCRYPTED_CLIENT_HELLO = 35, 41, 65037

HANDSHAKE_TYPES = registry("handshake_types")
NAMES = tuple(map(HANDSHAKE_TYPES.name, range(256)))


class Side:
    """What one side has sent."""

    __slots__ = (
        "buffer", "ccs_frame", "encrypted_finished", "encrypted_records", "first_frame",
        "n_application", "need", "skip", "strayed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.need = 0
        self.skip = 0
        self.ccs_frame = 0
        self.encrypted_finished = False
        self.encrypted_records = 0
        self.n_application = 0
        self.strayed = False
        self.first_frame = 0


class Session(Ledger):
    """One TLS session; `client` is the side of the connection (0 the opener) that sent the ClientHello.

    After the end of its connection all facts are final. `version` and the like are numbers from the wire, 0 before they are
    known (`version` of a draft is its own number, 0x7f17 for draft 23). greeted, answered: whether a ClientHello and a
    ServerHello were seen; hello_shape, answer_shape: what `learn` says of the first ClientHello and the last ServerHello. kept:
    bytes of memory that messages take. fields: whether messages keep their bytes and decoded fields once the session has
    learnt from them. secrets: what may open records; decryption: what came of it, None until a ClientHello came while there
    were any; opens: whether records are to be opened; opening: whether what is being taken was decrypted. transcript: what
    this handshake said; signed: the signatures of all handshakes; finished: what became of each role's Finished (0 the
    client), `verified`, `failed` or `unverifiable`, None when none was read; later: who listens for authentication afterwards;
    stapled: what came beside certificates.
    """

    __slots__ = (
        "alpn", "answer_shape", "answered", "at", "certificates", "cipher_suite", "closed", "connection", "decryption", "ech",
        "end", "fields", "finished", "first_frame", "greeted", "group", "hello_shape", "id", "last_frame", "later",
        "links", "offers", "offers_early", "opening", "opens", "origin", "resumes", "resumption",
        "secrets", "server_name", "session_id", "sides", "signed", "stapled", "suite", "tls13", "transcript",
    )  # fmt: skip

    def __init__(self, number: cython.longlong, client: cython.int, connection: Any, trace: Any, fields: cython.bint) -> None:
        self.fields = fields
        self.id = number
        self.list_nothing(client, trace)
        self.connection = connection
        self.first_frame = connection.first_frame
        self.last_frame = 0
        self.at = connection.start
        self.end = 0
        self.closed = ""
        self.readers = [RecordReader(self, 0), RecordReader(self, 1)]
        self.sides = [Side(), Side()]
        self.certificates: list[list[bytes] | None] = [None, None]
        self.stapled: list[learn.Staple] = []
        self.greeted = False
        self.answered = False
        self.offers: Any = None
        self.offers_early = False
        self.hello_shape: learn.HelloShape | None = None
        self.answer_shape: learn.AnswerShape | None = None
        self.version = 0
        self.tls13 = False
        self.cipher_suite = -1
        self.suite: Any = None
        self.group = -1
        self.session_id = b""
        self.server_name: bytes | None = None
        self.alpn: bytes | None = None
        self.resumption = ""
        self.mid_stream = False
        self.kept = 0
        self.secrets: Secrets | None = None
        self.decryption: Decryption = None  # type: ignore[assignment]  # until something may open records
        self.opens = False
        self.opening = False
        self.transcript = Transcript()
        self.signed: list[Any] = []
        self.finished: list[str | None] = [None, None]
        self.later: Any = None
        self.ech: Any = None
        self.links: Links = None  # type: ignore[assignment]  # until `Sessions` gives it
        self.origin: Origin = None  # type: ignore[assignment]  # what links to this session, once something may
        self.resumes: Origin = None  # type: ignore[assignment]  # what this session goes back to, where that is known

    # What the streams say.

    def wants(self, side: cython.int, content_type: cython.int) -> cython.bint:
        """Whether a record's body will be read."""
        if self.opens:
            return True
        if content_type == APPLICATION_DATA:
            return False
        return content_type == CHANGE_CIPHER_SPEC or self.version == 0 or not self.is_encrypted(side)

    def is_encrypted(self, side: cython.int) -> cython.bint:
        """Whether records of this side, other than of type application_data, are encrypted by now."""
        sender: Side = self.sides[side]
        return sender.ccs_frame > 0 and not self.tls13

    def is_second_hello(self, body: bytes) -> cython.bint:
        """Whether a record behind a ChangeCipherSpec is a ClientHello all the same.

        In TLS 1.3 the ChangeCipherSpec in front of a second ClientHello means nothing (RFC 9846 appendix E.4), which shows
        by itself where the capture lacks the server's side.
        """
        if self.version != 0 or len(body) < 4 or body[0] != CLIENT_HELLO:
            return False
        return (body[1] << 16 | body[2] << 8 | body[3]) == len(body) - 4

    def record(
        self,
        side: cython.int,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        length: cython.longlong,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a whole record of one side of the connection."""
        sender: Side = self.sides[side]
        if sender.first_frame == 0:
            sender.first_frame = frame
        if self.opens and self.open(side, sender, content_type, version, body, missing, length, frame, at):
            return
        if content_type == APPLICATION_DATA:
            if not self.tls13 or (self.answered and length > ENCRYPTED_ALERT_13):
                sender.encrypted_records += 1
            self.application_data(side, sender, length, frame, at)
        elif content_type == HANDSHAKE:
            if version == SSL2:
                ssl2.take(self, side, body, length, frame, at)
            elif not self.is_encrypted(side) or self.is_second_hello(body):
                self.fragment(side, sender, body, length - len(body), frame, at)
            else:
                if not sender.encrypted_finished:
                    # The first message under new keys is the Finished (RFC 5246 section 7.4.9).
                    sender.encrypted_finished = True
                    message = handshake_message(FINISHED, "finished", side, frame, at, length, b"", None, [])
                    message.encrypted = True
                    self.add(message)
                    other: Side = self.sides[1 - side]
                    if other.encrypted_finished:
                        self.prove()
                else:
                    self.note(new_event("encrypted_handshake", side, length, frame, at))
                sender.encrypted_records += 1
        elif content_type == CHANGE_CIPHER_SPEC:
            if sender.ccs_frame == 0:
                sender.ccs_frame = frame
                if side != self.client:
                    self.judge_resumption()
            if self.opens:
                self.opens = self.decryption.change(side)
                if self.origin is not None:
                    self.origin.master = self.decryption.master
            self.note(new_event("change_cipher_spec", side, length, frame, at))
        elif content_type == ALERT:
            self.alert(side, body, length, frame, at)
        elif content_type == HEARTBEAT:
            self.heartbeat(side, b"" if self.is_encrypted(side) else body, length, frame, at)

    def open(
        self,
        side: cython.int,
        sender: Side,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        missing: cython.longlong,
        length: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> cython.bint:
        """Decrypt a record and take what is inside; False where it is not encrypted, or does not open."""
        decryption: Decryption = self.decryption
        if version == SSL2 or not decryption.protects(side, content_type):
            return False
        opened = decryption.open(side, content_type, version, body, missing, frame)
        if opened is None:
            if side != self.client or not self.offers_early:
                self.transcript.lose(side ^ self.client)
            if decryption.hopeless:
                self.opens = False
            return False
        if self.version == 0 and decryption.version:  # the ServerHello is missing, and its suite was found by trial
            self.version, self.tls13, self.suite = decryption.version, True, decryption.suite
            self.cipher_suite = decryption.cipher_suite
        inner: cython.int = opened[0]
        plaintext: bytes = opened[1]
        self.opening = True
        if inner == HANDSHAKE:
            sender.encrypted_finished = True
            self.fragment(side, sender, plaintext, 0, frame, at)
        elif inner == APPLICATION_DATA:
            if not decryption.early:
                sender.encrypted_records += 1
            self.application_data(side, sender, length, frame, at)
            decryption.carry(side, plaintext, self, frame, at)
        elif inner == ALERT:
            self.alert(side, plaintext, len(plaintext), frame, at)
        elif inner == HEARTBEAT:
            self.heartbeat(side, plaintext, len(plaintext), frame, at)
        elif inner == CHANGE_CIPHER_SPEC:  # of a renegotiation
            self.opens = decryption.change(side)
            self.note(new_event("change_cipher_spec", side, length, frame, at))
        self.opening = False
        return True

    def application_data(
        self, side: cython.int, sender: Side, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Count a record of application data."""
        sender.n_application += 1
        if self.trace is not None:
            self.trace.append((self, new_event("application_data", side, length, frame, at)))
        elif sender.n_application == 1:
            self.events.append(new_event("application_data", side, length, frame, at))

    def violation(self, side: cython.int, offset: cython.longlong, why: str, frame: cython.longlong) -> None:
        """Hear that a side has left the protocol."""
        sender: Side = self.sides[side]
        if not sender.strayed:
            sender.strayed = True
            who = "client" if side == self.client else "server"
            self.finding("protocol_violation", "medium", f"byte {offset} of the {who}'s stream: {why}", frame)

    def lost(self, side: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the handshake message that was being collected."""
        sender: Side = self.sides[side]
        self.leave_partial(side, sender, frame, at)
        sender.skip = 0
        self.transcript.lose(side ^ self.client)
        if self.opens:
            self.decryption.lose(side, len(self.gaps) > 0)

    def stop(self, side: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that no more of a side comes: what is incomplete is kept as far as it goes."""
        reader: RecordReader = self.readers[side]
        reader.finish(frame, at)
        self.leave_partial(side, self.sides[side], frame, at)

    def finish(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """As in the class above; what was said is proved now, as far as it goes."""
        self.stop(0, frame, at)
        self.stop(1, frame, at)
        if len(self.gaps) > 0:  # what waited behind a hole came only now
            self.messages.sort(key=frame_of)
            self.alerts.sort(key=frame_of)
        self.prove()
        if self.ech is not None:
            self.ech.conclude(self)
        if self.decryption is not None:
            for code, severity, detail in self.decryption.findings():
                self.finding(code, severity, detail, self.first_frame)
            if self.origin is not None:
                self.origin.master = self.decryption.master
            self.decryption.close(at)
        self.readers = []  # they point back here: without the ring the session is freed without the collector
        self.closed = reason
        self.last_frame = frame
        self.end = at
        if reason == "evicted":
            self.finding("evicted", "info", "closed early: more connections were open than the limits allow", frame)
        limited = self.connection.limited
        if limited:
            self.finding("limit", "medium", f"{limited} holes were given up early: too much waited behind them", frame)
        if self.dropped:
            detail = f"{self.dropped} further messages, alerts, gaps or findings are not listed"
            self.findings.append(Finding("limit", "medium", detail, [frame] if frame else []))

    # Handshake.

    def fragment(
        self, side: cython.int, sender: Side, body: bytes, missing: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take the next bytes of a side's handshake stream; `missing` bytes of the record behind them are lost."""
        pos: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t
        length: cython.longlong
        if sender.skip > 0:
            pos = min(sender.skip, len(body))
            sender.skip -= pos
        data: bytes = body
        if len(sender.buffer) > 0:
            sender.buffer += body
            self.kept += len(body)
            if len(sender.buffer) < sender.need and missing == 0:
                return  # a message that spans records is looked at again when it is whole
            data = bytes(sender.buffer)
            sender.buffer.clear()
            self.kept -= len(data)
        end = len(data)
        while 4 <= end - pos:
            length = 4 + (data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3])
            if length > MAX_HANDSHAKE:
                why = f"a handshake message of {length} bytes is more than the limit of {MAX_HANDSHAKE}"
                self.finding("protocol_violation", "medium", why, frame)
                self.transcript.lose(side ^ self.client)
                sender.skip = length - (end - pos)
                pos = end
                break
            if length > end - pos:
                sender.need = length
                break
            self.message(side, cut(data, pos, pos + length), length, frame, at)
            pos += length
        if pos < end:
            sender.buffer += data[pos:end]
            self.kept += end - pos
            if 4 > end - pos:
                sender.need = 4
        if missing > 0:
            length = self.leave_partial(side, sender, frame, at)
            sender.skip = max(0, sender.skip + length - missing)

    def leave_partial(self, side: cython.int, sender: Side, frame: cython.longlong, at: cython.longlong) -> cython.longlong:
        """Record a message whose end is missing; how many bytes of it are missing."""
        if len(sender.buffer) == 0:
            return 0
        raw: bytes = bytes(sender.buffer)
        sender.buffer.clear()
        self.kept -= len(raw)
        if len(raw) < 4:
            return 0
        length: cython.longlong = 4 + (raw[1] << 16 | raw[2] << 8 | raw[3])
        if not HANDSHAKE_TYPES.known(raw[0]):
            self.finding("protocol_violation", "medium", f"{len(raw)} bytes are no handshake message: 0x{raw[:8].hex()}", frame)
            return 0
        self.message(side, raw, length, frame, at)
        return length - len(raw)

    def message(
        self, side: cython.int, raw: bytes, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Decode one handshake message and learn from it."""
        number: cython.int = raw[0]
        whole: cython.bint = length == len(raw)
        transcript: Transcript = self.transcript
        if number == CLIENT_HELLO and transcript.begun and not self.tls13:  # a renegotiation
            self.prove()
            transcript.begin()
            if self.opens:
                self.decryption.begin()
        complete: cython.bint = transcript.hear(side ^ self.client, raw, whole)
        if self.opens:
            self.decryption.hear(side, raw, whole)
            if self.opening and number == FINISHED:
                sender: Side = self.sides[side]
                sender.encrypted_records += 1
        if complete:
            self.prove()
        elif self.later is not None:
            self.later.hear(self, side ^ self.client, raw)
        if len(self.messages) >= MAX_MESSAGES or self.kept > MAX_KEPT:
            self.dropped += 1
            return
        self.kept += len(raw) + MESSAGE_COST
        name: str = NAMES[number]
        body: Any = None
        problems: list[Trouble] = []
        table = self.table(number, raw)
        if table is not None:
            body, problems = read(table, raw, 4, len(raw), 0, Malformed if whole else Incomplete)
            if number == SERVER_HELLO and table is HelloRetryRequest:
                name = "hello_retry_request"
        if not whole:
            problems.append(Incomplete(name, len(raw), f"{length - len(raw)} of {length} bytes are not in the capture"))
        early: cython.bint = self.version == 0  # what the ServerHello will say may be needed to read it, see `read_again`
        message: HandshakeMessage = handshake_message(number, name, side, frame, at, length, raw, body, problems)
        message.encrypted = self.opening
        self.add(message)
        if body is None:
            return
        if not self.fields and (not early or number == CLIENT_HELLO):
            message.raw = b""
            message.body = None
        if number == CLIENT_HELLO:
            self.learn_client_hello(side, body, raw)
        elif number in (SERVER_HELLO, HELLO_RETRY_REQUEST):
            self.learn_server_hello(body, raw, name == "hello_retry_request")
        elif number == NEW_SESSION_TICKET:
            if getattr(body, "ticket", None):
                self.links.keep_ticket(body.ticket, self.as_origin())
        elif number in (CERTIFICATE, CERTIFICATE_STATUS, COMPRESSED_CERTIFICATE):
            body = learn.presented(self.stapled, side, body, problems)
            listed = learn.certificate_list(body)
            first = self.certificates[side]
            if not first:
                self.certificates[side] = listed
            elif listed and listed != first:
                self.recertify(side, listed, first, frame)
            if listed and not transcript.complete:
                transcript.certificates[side ^ self.client] = listed[0]
        elif number == SERVER_KEY_EXCHANGE:
            if self.group < 0:
                self.group = learn.exchanged_group(body)
            transcript.exchanged = learn.signed_parameters(body, raw)
        elif number == ENCRYPTED_EXTENSIONS and side != self.client:  # some clients have one too, for ALPS
            self.alpn = learn.alpn(body)
            if self.ech is not None:
                self.ech.hear(body)
            transcript.early = learn.has_early_data(body)
            if self.decryption is not None:  # else somebody sent this in plaintext
                self.decryption.limit(1, learn.record_size_limit(body))

    def prove(self) -> None:
        """Keep what the handshake proves, and let go of what it said; several count together, and the worst result stands."""
        transcript: Transcript = self.transcript
        if not transcript.said:
            return
        proof: Proof | None = settle(transcript, self.decryption, self.suite, self.version, self.tls13)
        if proof is not None:
            self.signed += proof.signed[: MAX_SIGNATURES - len(self.signed)]
            self.finished = [worse(self.finished[role], proof.finished[role]) for role in range(2)]
            if proof.running is not None and transcript.complete:
                self.later = Later(proof.running)
        transcript.forget()

    def read_again(self) -> None:
        """Now that the version is known, read what came before the ServerHello because segments came out of order."""
        message: HandshakeMessage
        for message in self.messages:
            if message.type == CLIENT_HELLO or message.type == SERVER_HELLO or message.length != len(message.raw):
                continue
            table = self.table(message.type, message.raw)
            if table is not None:
                message.body, message.problems = read(table, message.raw, 4, len(message.raw), 0, Malformed)
                if message.type == SERVER_KEY_EXCHANGE:
                    self.transcript.exchanged = learn.signed_parameters(message.body, message.raw)

    def table(self, number: cython.int, raw: bytes) -> Any:
        """The table of a message, by its number and what the session has agreed on; None when there is none."""
        return table_of(number, TLS13 if self.tls13 else self.version, self.suite, raw)

    def learn_client_hello(self, side: cython.int, body: Any, raw: bytes) -> None:
        """Keep the first ClientHello, and the name that the client asks for."""
        if not self.greeted:
            self.greeted = True
            self.hello_shape = learn.shape_of(body, raw)
        if self.server_name is None:
            self.server_name = learn.server_name(body)
        if not self.answered:
            self.offers = learn.offers(body)
            if self.offers is not None and (self.ech is not None or ENCRYPTED_CLIENT_HELLO in self.offers):
                inner_hello.hear(self, body, raw)
        if self.decryption is None and self.secrets is not None and self.secrets.given and side == self.client:
            self.decryption = Decryption(self.secrets, side, self.transcript)
            self.opens = True
            self.offers_early = learn.has_early_data(body)
            self.decryption.limit(0, learn.record_size_limit(body))
            self.decryption.hear(side, raw, True)
            self.decryption.offer(getattr(body, "cipher_suites", None) or (), self.ech)

    def learn_server_hello(self, body: Any, raw: bytes, retry: cython.bint) -> None:
        """Take version, suite, group and resumption from a ServerHello or a HelloRetryRequest."""
        first: cython.bint = self.version == 0
        chosen: cython.int = learn.selected_version(body)
        if self.opening:  # a renegotiation: what the session is was said by its first handshake
            self.suite = suite(getattr(body, "cipher_suite", None) or 0)
            self.opens = self.decryption.agree(chosen, self.tls13, self.suite, body, raw, retry)
            return
        self.version = chosen
        self.tls13 = learn.is_tls13(chosen)
        number = getattr(body, "cipher_suite", None)
        if number is not None:
            self.cipher_suite = number
            self.suite = suite(number)
        group: cython.int = learn.selected_group(body)
        if group >= 0:
            self.group = group
        if self.decryption is None and self.secrets is not None and self.suite is not None:
            # Records that are not encrypted need no secret, and in TLS 1.3 secrets may be found without a ClientHello.
            self.opens = self.suite.mode == "null" or (self.tls13 and not self.greeted and self.secrets.given)
            self.decryption = Decryption(self.secrets, self.client, self.transcript) if self.opens else None
        if self.ech is not None:
            self.ech.answer(self, raw, retry)
        if self.offers is not None or not self.tls13:
            server = server_of(self.connection.opener.key, self.client)
            self.resumes = self.links.resumed(self.id, self.offers, body, server, self.server_name)  # type: ignore[assignment]
        if self.opens:
            if self.resumes is not None:
                self.decryption.earlier = self.resumes.master
            self.opens = self.decryption.agree(chosen, self.tls13, self.suite, body, raw, retry)
        if first and len(self.messages) > 2:
            self.read_again()
        if retry:
            return
        if self.tls13 and not self.opens:
            self.transcript.forget()
        self.answered = True
        learn.staple(self.stapled, 1 - self.client, body)
        self.answer_shape = learn.answer_shape(body)
        if not self.tls13:
            self.alpn = learn.alpn(body)
            self.session_id = getattr(body, "legacy_session_id_echo", None) or b""
        elif body.extension(PRE_SHARED_KEY) is not None:
            self.resumption = "psk"

    def judge_resumption(self) -> None:
        """At the server's first ChangeCipherSpec: up to TLS 1.2 a handshake without key exchange is a resumption."""
        message: HandshakeMessage
        if self.tls13 or not self.answered or not self.greeted:
            return
        for message in self.messages:
            if message.side != self.client and message.type != SERVER_HELLO and message.type != NEW_SESSION_TICKET:
                if len(self.session_id) > 0:
                    self.links.ids.keep(self.session_id, self.as_origin())
                return
        sender: Side = self.sides[self.client]
        if sender.ccs_frame > 0:  # in a full handshake the client changes first
            return
        self.resumption = "ticket" if self.offers is not None and SESSION_TICKET in self.offers else "session_id"

    def as_origin(self) -> Origin:
        """What others that resume this session link to."""
        if self.origin is None:
            self.origin = Origin(self.id, server_of(self.connection.opener.key, self.client), self.server_name)
        return self.origin

    # The other protocols of the record layer.

    def alert(
        self, side: cython.int, body: bytes, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take an alert record; several alerts may stand in one (RFC 5246 section 7.2)."""
        pos: cython.Py_ssize_t = 0
        if self.is_encrypted(side) and not self.opening:
            self.add_alert(Alert(-1, -1, side, frame, at))
            return
        while 2 <= len(body) - pos:
            alert: Alert = Alert(body[pos], body[pos + 1], side, frame, at)
            alert.encrypted = self.opening
            self.add_alert(alert)
            pos += 2
        if pos != length:
            self.finding(
                "protocol_violation", "low", f"an alert record of {length} bytes holds no whole number of alerts", frame
            )

    # What follows from it all.

    @property
    def established(self) -> bool:
        """Whether both Finished messages were seen, or encrypted records that can only follow them."""
        client: Side = self.sides[self.client]
        server: Side = self.sides[1 - self.client]
        if not self.answered and not self.mid_stream and not self.tls13:
            return False
        return client.encrypted_records > 0 and server.encrypted_records > 0
