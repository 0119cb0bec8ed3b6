"""Decodes the handshake messages of one session, and applies each of them to the rest of the session.

`handshake/` has the parts of a handshake: the message reader, the states, the transcript, the features of hellos, certificates,
resumption and authentication. This module passes messages to them, in the order in which messages become complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.errors import Incomplete, Malformed, ParseError
from analyzer.codec.registry import registry
from analyzer.codec.runner import extension_body, read
from analyzer.flows.flow import UDP, Flow
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.ech_conclusion import conclude_ech
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.resumption_proof import continued_or_copied
from analyzer.tls.events import HandshakeMessage, OutOfOrder, handshake_message
from analyzer.tls.handshake import certificate_messages, hello_features, key_exchange
from analyzer.tls.handshake.authentication import Authentication
from analyzer.tls.handshake.ech_offer import find_ech_offer
from analyzer.tls.handshake.hello_order import begins_handshake
from analyzer.tls.handshake.key_changes import changed_keys
from analyzer.tls.handshake.late_decoding import decode_again
from analyzer.tls.handshake.message_reader import MessageReader
from analyzer.tls.handshake.offer_check import CHECKED, CHECKED_13, check_answer, check_message
from analyzer.tls.handshake.order_check import check_order
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.plaintext_rules import is_disbelieved
from analyzer.tls.handshake.post_handshake import PostHandshake
from analyzer.tls.handshake.renegotiation import unbound
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions, resumable_session
from analyzer.tls.handshake.resumption_kind import FULL, resumption_kind
from analyzer.tls.handshake.states import RoleState, State
from analyzer.tls.handshake.transcript import Transcript, is_retry, tells_retry
from analyzer.tls.limits import MAX_KEPT, MESSAGE_COST
from analyzer.tls.messages.hello import DTLSClientHello
from analyzer.tls.messages.message_tables import table_of
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    DTLS_OF_TLS,
    ENCRYPTED_CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    FINISHED,
    HEADER,
    HELLO_RETRY_REQUEST,
    HELLO_VERIFY_REQUEST,
    KEY_UPDATE,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    TLS_1_3,
)
from analyzer.tls.session_log import SessionLog
from analyzer.tls.suites import suite

if TYPE_CHECKING:
    import cython

HANDSHAKE_TYPES = registry("handshake_types")
NAMES = tuple(map(HANDSHAKE_TYPES.name, range(256)))

_CLIENT, _SERVER, _CONNECTED, _UDP = 0, 1, int(State.CONNECTED), UDP


class SessionHandshake:
    """What the handshakes of a session contain and authenticate.

    roles, readers: the state and the handshake stream of each role. hellos, parameters: what is offered, and what is agreed.
    certificates: by role, those of its first list, in DER; None before the first list. stapled: data sent with certificates.
    transcript: of the current handshake; authentication: results of all handshakes; post_handshake: authentication of the
    client after the handshake. decryption: None until a ClientHello was read and there are secrets. material: secrets that may
    decrypt records. resumptions: the sessions of the run that may be resumed; resumable: this session among them; resumed_from:
    the session that this one resumes, if it is known; copied_from: the one whose ticket it has without resuming it.
    keeps_fields: whether messages keep their bytes and decoded fields after the session has read them. decrypting: whether the
    current input was decrypted. kept: bytes of memory that all of this needs.
    """

    __slots__ = (
        "authentication", "certificates", "copied_from", "decrypting", "decryption", "flow", "hellos", "keeps_fields", "kept",
        "log", "material", "parameters", "post_handshake", "readers", "resumable", "resumed_from", "resumptions", "roles",
        "stapled", "transcript",
    )  # fmt: skip

    def __init__(
        self, flow: Flow, log: SessionLog, material: KeyMaterial, resumptions: Resumptions, keeps_fields: cython.bint
    ) -> None:
        self.flow = flow
        self.log = log
        self.material = material
        self.resumptions = resumptions
        self.keeps_fields = keeps_fields
        self.roles = (RoleState(_CLIENT), RoleState(_SERVER))
        self.readers = (MessageReader(log.places), MessageReader(log.places))
        self.hellos = Hellos(flow.protocol == _UDP)
        self.parameters = Parameters()
        self.certificates: list[list[bytes] | None] = [None, None]
        self.stapled: list[certificate_messages.Staple] = []
        self.transcript = Transcript()
        self.authentication = Authentication()
        self.post_handshake: PostHandshake | None = None
        self.decryption: Decryption = None  # type: ignore[assignment]  # until there are secrets
        self.resumable: ResumableSession = None  # type: ignore[assignment]  # until another session may resume this one
        self.resumed_from: ResumableSession = None  # type: ignore[assignment]  # until that is known
        self.copied_from: ResumableSession = None  # type: ignore[assignment]  # unless its ticket is another's
        self.decrypting = False
        self.kept = 0

    def take(
        self,
        role: cython.int,
        body: bytes,
        missing: cython.longlong,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of a role's handshake stream. After `body`, `missing` bytes are lost.

        offset: position of `body` in the role's byte stream, -1 if it was encrypted.
        """
        reader: MessageReader = self.readers[role]
        self.kept -= len(reader.buffer)
        reader.feed(body, missing == 0, offset)
        while reader.advance():
            self.message(role, reader, frame, at)
        self.kept += len(reader.buffer)
        if reader.problem:
            self.log.add_finding("protocol_violation", "medium", reader.problem, frame)
            self.transcript.lose(role)
        if missing > 0:
            reader.skip = max(0, self.take_partial(role, frame, at) + reader.skip - missing)
            self.miss(role)

    def take_partial(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> cython.Py_ssize_t:
        """Take a message whose end is missing. Returns how many bytes of it are missing."""
        reader: MessageReader = self.readers[role]
        self.kept -= len(reader.buffer)
        if not reader.cut_short():
            return 0
        raw: bytes = reader.raw
        if not HANDSHAKE_TYPES.known(raw[0]):
            detail = f"{len(raw)} bytes are no handshake message: 0x{raw[:8].hex()}"
            self.log.add_finding("protocol_violation", "medium", detail, frame)
            return 0
        self.message(role, reader, frame, at)
        return reader.length - len(raw)

    def lose(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that records of a role may be missing, and give up its incomplete message."""
        self.take_partial(role, frame, at)
        self.readers[role].lose()
        self.miss(role)

    def miss(self, role: cython.int) -> None:
        """Note that messages of a role may be missing."""
        self.roles[role].lose()
        self.transcript.lose(role)

    def message(self, role: cython.int, reader: MessageReader, frame: cython.longlong, at: cython.longlong) -> None:
        """Decode the message that the reader has found, and use its content."""
        raw: bytes = reader.raw
        number: cython.int = raw[0]
        whole: cython.bint = reader.length == len(raw)
        if not whole and number == SERVER_HELLO and not tells_retry(raw):  # it may be a HelloRetryRequest
            self.miss(role)
            return
        forged: cython.bint = not self.decrypting and is_disbelieved(self, role, number, whole)
        if not forged:
            self.follow(role, number, raw, whole, frame, at)
        if self.log.full() or self.kept > MAX_KEPT:
            self.log.dropped += 1
            self.roles[role].lose()
            return
        self.kept += len(raw) + MESSAGE_COST
        name: str = NAMES[number]
        body: Any
        problems: list[ParseError]
        table = self.table(number, raw)
        short = Malformed if whole else Incomplete
        body, problems = (None, []) if table is None else read(table, raw, HEADER, len(raw), 0, short)
        if number == SERVER_HELLO and is_retry(raw):
            name = "hello_retry_request"
        if not whole:  # what else is wrong with it may be so only because it is cut
            lost = f"{reader.length - len(raw)} of {reader.length} bytes are not in the capture"
            problems = [Incomplete(name, len(raw), lost)]
        early: cython.bint = self.parameters.version == 0  # its table may depend on the ServerHello: `decode_again`
        message: HandshakeMessage = handshake_message(
            number, name, role, frame, at, reader.length, raw, body, problems, self.decrypting
        )
        self.log.messages.append(message)
        if forged:
            self.log.disbelieve(message)
            self.roles[role].exposed = self.roles[role].exposed or number == FINISHED
        if body is not None:
            if not self.keeps_fields and (not early or number == CLIENT_HELLO):
                message.raw = b""
                message.body = None
            if not forged:
                self.collect(role, number, raw, body, message, whole)
        if self.log.events is not None:
            message.pieces = reader.places()
            self.log.emit(message)
            if self.parameters.tls13:
                for changed in changed_keys(message, self.roles[role], self.hellos.offers_early):
                    self.log.emit(changed)

    def follow(
        self, role: cython.int, number: cython.int, raw: bytes, whole: cython.bint, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass a message to state, transcript, key schedule and authentication. None of them needs it decoded."""
        transcript: Transcript = self.transcript
        state: RoleState = self.roles[role]
        tls13: cython.bint = self.parameters.tls13
        if number == HELLO_VERIFY_REQUEST and transcript.dtls:  # the handshake begins with the next ClientHello
            if not transcript.is_answered():
                self.roles[_CLIENT].sent.begin(0)
                self.roles[_CLIENT].n_hellos = 0
                if self.roles[_CLIENT].missed:  # also the next one, which others contradict
                    self.roles[_CLIENT].sent.lose()
            return
        if number in (CLIENT_HELLO, SERVER_HELLO, HELLO_RETRY_REQUEST):
            state.n_hellos += 1
        retry: cython.bint = number == SERVER_HELLO and is_retry(raw)
        if number == CLIENT_HELLO and transcript.begun and not tls13 and (self.decrypting or not transcript.dtls):
            self.authenticate()
            transcript.begin()
            if self.opens():
                self.share_master_secret()
                self.resumable = None  # type: ignore[assignment]  # the next handshake has another secret
                self.decryption.begin()
        elif self.decrypting and number == SERVER_HELLO and transcript.begun and not tls13:  # its ClientHello is missing
            self.authenticate()
            transcript.begin()
            transcript.lose(_CLIENT)
        if not whole:
            state.lose()
        else:
            self.advance(state, HELLO_RETRY_REQUEST if retry else number, frame, at)
        complete: cython.bint = transcript.add_message(role, raw, whole)
        if self.opens():
            self.decryption.take_message(role, raw, whole)
            if self.decrypting and number == FINISHED:
                state.n_protected += 1
                self.authentication.verify_data[role] = raw[HEADER:] if whole else b""
        if complete:
            self.authenticate()
        elif self.post_handshake is not None:
            self.post_handshake.take(role, raw, self.decryption)

    def advance(self, state: RoleState, number: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Apply a message, or a ChangeCipherSpec, to the state of its role. If it is out of order, an event is emitted."""
        before: cython.int = state.state
        tls13: cython.bint = self.parameters.tls13 or number == HELLO_RETRY_REQUEST
        if not tls13 or before != _CONNECTED or (number != NEW_SESSION_TICKET and number != KEY_UPDATE):
            state.sent.add(number, frame)
        if not state.advance(number, tls13) and self.log.events is not None:
            self.log.emit(OutOfOrder(number, State(before).name, state.role, frame, at))

    def collect(
        self, role: cython.int, number: cython.int, raw: bytes, body: Any, message: HandshakeMessage, whole: cython.bint
    ) -> None:
        """Use the content of a decoded message; whole: whether all its bytes are in the capture."""
        parameters: Parameters = self.parameters
        if self.decrypting and whole and number in (CLIENT_HELLO, SERVER_HELLO) and not parameters.tls13:
            self.log.report_unbound(unbound(role, body, self.authentication.verify_data), message.frame)
        if number == CLIENT_HELLO:
            self.collect_client_hello(role, body, raw, not message.problems, whole)
        elif number in (SERVER_HELLO, HELLO_RETRY_REQUEST):
            self.collect_server_hello(body, raw, message, whole)
        elif number == NEW_SESSION_TICKET:
            if role == _SERVER and getattr(body, "ticket", None) and (self.hellos.server_seen or self.decrypting):
                self.resumptions.keep_ticket(body.ticket, self.as_resumable())
        elif number in (CERTIFICATE, CERTIFICATE_STATUS, COMPRESSED_CERTIFICATE):
            sent = certificate_messages.certificates_of(self.stapled, role, body, message.problems)
            certificate_messages.collect(self, role, sent, message.frame)
        elif number == SERVER_KEY_EXCHANGE:
            parameters.take_key_exchange(body, not message.problems)
            self.transcript.exchanged = key_exchange.signed_parameters(body, raw) if whole else None
        elif number == CERTIFICATE_REQUEST:
            self.authentication.offered[_CLIENT] = parameters.take_request(body, whole)
        elif number == CLIENT_KEY_EXCHANGE:
            self.hellos.take_key_exchange(body)
        elif number == ENCRYPTED_EXTENSIONS and role == _SERVER:  # some clients send one too, for ALPS
            parameters.alpn = hello_features.alpn(body)
            self.hellos.take_extensions(body)
            self.transcript.early = hello_features.has_early_data(body)
            parameters.take_extensions(body, whole)
            if self.decryption is not None:  # else it was sent in plaintext
                if whole:
                    self.decryption.settle_early(self.transcript.early, parameters.alpn)
                self.decryption.take_limits(body)
        if whole and number in (CHECKED_13 if parameters.tls13 else CHECKED) and not message.problems:
            check_message(self, role, number, raw, body, message.frame)

    def collect_client_hello(self, role: cython.int, body: Any, raw: bytes, sound: cython.bint, whole: cython.bint) -> None:
        """Keep the content of the first ClientHello, and prepare to decrypt what follows."""
        hellos: Hellos = self.hellos
        first: cython.bint = not hellos.server_seen
        begins: cython.bint = begins_handshake(self.flow, self.log.gaps, self.roles[_CLIENT], self.parameters.version, body)
        if not hellos.client_seen and not begins:  # what both sides hash begins before it
            self.transcript.lose_beginning()
        hellos.take_client_hello(body, raw, sound, whole, begins)
        if first or self.parameters.tls13:
            if hellos.ech is not None:
                hellos.ech.open_second(raw if whole else b"")
            elif (offered := extension_body(body, ENCRYPTED_CLIENT_HELLO)) is not None:
                opens: cython.bint = begins and not self.transcript.dtls  # that of DTLS is only named
                hellos.ech = find_ech_offer(offered, body, raw, self.material.keylog if opens else None)
        if self.decryption is None and self.material.given and role == _CLIENT:
            self.decryption = Decryption(self.material, self.transcript, self.log, self.flow)
            hellos.offers_early = self.decryption.keys.offers_early = hello_features.has_early_data(body)
            self.decryption.limit(_CLIENT, hello_features.record_size_limit(body))
            self.decryption.take_message(role, raw, True)
            self.decryption.offer(getattr(body, "cipher_suites", None) or (), hellos.ech)

    def collect_server_hello(self, body: Any, raw: bytes, message: HandshakeMessage, whole: cython.bint) -> None:
        """Use version, suite, group and resumption of a ServerHello or a HelloRetryRequest."""
        hellos: Hellos = self.hellos
        parameters: Parameters = self.parameters
        retry: cython.bint = message.name == "hello_retry_request"
        first: cython.bint = parameters.version == 0
        if self.decrypting:  # a renegotiation; the parameters of the session are those of its first handshake
            parameters.suite = suite(getattr(body, "cipher_suite", None) or 0)
            self.decryption.agree(hello_features.selected_version(body), parameters.tls13, parameters.suite, body, raw, retry)
            return
        parameters.take_answer(body, whole)
        self.log.version = parameters.version
        if self.transcript.dtls:
            self.log.version = DTLS_OF_TLS.get(parameters.version, parameters.version)
        if first and parameters.tls13 and len(self.log.messages) > 2 and self.log.disbelieve_earlier():
            self.certificates = [None, None]
            self.stapled.clear()
            self.transcript.certificates = [None, None]
        if self.decryption is None and parameters.suite is not None:
            # Records without encryption need no secret. In TLS 1.3 trial decryption may find secrets without a ClientHello.
            lost: cython.bint = parameters.tls13 and not hellos.client_seen and self.material.given
            if parameters.suite.mode == "null" or lost:
                self.decryption = Decryption(self.material, self.transcript, self.log, self.flow)
        decided: cython.bint = whole or (parameters.version != 0 and not parameters.tls13)
        ech = hellos.ech if decided else None
        if ech is not None and ech.answer(raw, retry, parameters.tls13, parameters.suite, self.transcript):
            self.accept_inner()
        if hellos.offers is not None or not parameters.tls13:
            flow: Flow = self.flow
            found = self.resumptions.resumed(hellos.offers, body, flow.server_key(), hellos.asked_name(), flow.client_key())
            self.resumed_from = found  # type: ignore[assignment]
        if self.opens():
            if self.resumed_from is not None and not parameters.tls13:
                self.decryption.schedule12.resume(self.resumed_from, self.resumptions, body)
            self.decryption.agree(parameters.version, parameters.tls13, parameters.suite, body, raw, retry)
        if first and len(self.log.messages) > 2:
            decode_again(self.log.messages, parameters, self.transcript)
        if whole and not message.problems:
            check_answer(self, raw, body, message.frame)
        if retry:
            return
        if parameters.tls13 and not self.opens():
            self.transcript.forget()
        hellos.server_seen = True
        certificate_messages.staple(self.stapled, _SERVER, body)
        hellos.server_fingerprint_input = hello_features.server_fingerprint_input(body) if whole else None
        parameters.take_server_hello(body)

    def accept_inner(self) -> None:
        """Use the inner hello of Encrypted Client Hello from now on."""
        hellos: Hellos = self.hellos
        ech = hellos.ech
        if ech is None or ech.random is None:
            return
        self.transcript.replace_hellos(ech.hellos)
        self.decryption.accept_inner(ech.outer_random, ech.random)
        hellos.accept_inner()

    def detect_resumption(self) -> None:
        """At the server's first ChangeCipherSpec up to TLS 1.2, note whether this is a resumption: it has no key exchange."""
        parameters: Parameters = self.parameters
        kind: str = resumption_kind(self.log.messages, self.hellos, parameters, self.roles[_CLIENT], self.roles[_SERVER])
        if kind != FULL:
            parameters.resumption = kind or parameters.resumption
        elif len(parameters.session_id) > 0:
            self.resumptions.keep_id(parameters.session_id, self.as_resumable())

    def as_resumable(self) -> ResumableSession:
        """Return this session as a resumable session, for sessions that resume it."""
        if self.resumable is None:
            self.resumable = resumable_session(self)
        return self.resumable

    def table(self, number: cython.int, raw: bytes) -> Any:
        """Return the table of a message, by its number and the agreed parameters; None if there is none."""
        parameters: Parameters = self.parameters
        if number == CLIENT_HELLO and self.transcript.dtls:
            return DTLSClientHello
        unseen: cython.bint = self.transcript.dtls and self.decrypting and parameters.version == 0  # is its ServerHello
        return table_of(number, TLS_1_3 if parameters.tls13 or unseen else parameters.version, parameters.suite, raw)

    # Results.

    def opens(self) -> cython.bint:
        """Return whether records are to be decrypted."""
        return self.decryption is not None and self.decryption.active

    def authenticate(self) -> None:
        """Keep what the handshake authenticates, and free its transcript."""
        transcript: Transcript = self.transcript
        parameters: Parameters = self.parameters
        authentication: Authentication = self.authentication
        check_order(self)
        if not transcript.has_messages:
            return
        authentication.authenticate(transcript, self.decryption, parameters.suite, parameters.version, parameters.tls13)
        if authentication.running is not None:
            self.post_handshake = PostHandshake(authentication, authentication.running)
            authentication.running = None
        transcript.forget()

    def close(self, at: cython.longlong) -> None:
        """Note that the session has ended, and authenticate as much of the handshake as was seen."""
        decryption: Decryption = self.decryption
        self.authenticate()
        if self.resumed_from is not None:
            found, name = self.resumed_from, self.hellos.asked_name()
            continued, copied = continued_or_copied(found, self.flow, name, decryption, self.parameters.tls13)
            self.resumed_from, self.copied_from = continued, copied  # type: ignore[assignment]
        if self.hellos.ech is not None:
            conclude_ech(self.hellos, self.log, decryption, self.parameters.tls13, self.roles[_CLIENT].n_application)
        if decryption is None:
            return
        for code, severity, detail in decryption.findings():
            self.log.add_finding(code, severity, detail, self.flow.first_frame)
        self.share_master_secret()
        decryption.close(at)

    def share_master_secret(self) -> None:
        """Give the master secret of a handshake to the sessions that resume it."""
        if self.resumable is not None:
            self.resumable.master = self.decryption.schedule12.master
