"""Follows one QUIC connection: which packets are its own, whatever their addresses, and what its Initial packets say.

A connection is known by its connection IDs: each side chooses those under which it is reached, and can announce more of them at
any time (RFC 9000 section 5.1). Addresses can change: a client moves to another network, or an address translator gives it
another port (section 9). Initial packets are protected with keys that everybody can compute from the Destination Connection ID
of the client's first one; so they are opened here, and what does not authenticate changes nothing. A Retry makes the client
begin again, with an ID that the server chose (RFC 9001 section 5.2).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.codec.byte_slices import slice_bytes
from analyzer.flows.flow import Flow
from analyzer.packet.ecn import codepoint_before
from analyzer.secrets.quic_protection import OpenedPacket, PacketDecryptor, has_retry_tag, initial_decryptors
from analyzer.secrets.quic_versions import HANDSHAKE, ZERO_RTT, QuicVersion
from analyzer.tls.messages.numbers import TLS_1_2
from analyzer.tls.quic.frames import read_frames
from analyzer.tls.quic.initial_frames import InitialFrames
from analyzer.tls.quic.known_ids import SHORTEST_PROOF, ConnectionIds
from analyzer.tls.quic.packet_headers import LongHeader, negotiated_versions
from analyzer.tls.quic.packet_opening import APPLICATION_LEVEL, EARLY_LEVEL, HANDSHAKE_LEVEL
from analyzer.tls.quic.quic_events import GUESSED, UNANNOUNCED, UNCOUNTED, VERSION_BITS, PacketSeen
from analyzer.tls.quic.repeated_hello import begin_again, forget_attempts, go_on, joined
from analyzer.tls.quic.server_answers import ServerAnswer, ServerAnswers
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.quic.transport_facts import MAX_DOUBTFUL, MAX_LISTED, TransportFacts
from analyzer.tls.record import content_types
from analyzer.tls.record.record import NOTHING, Record, RecordSink, fact, gap

if TYPE_CHECKING:
    import cython

MAX_KEYS = 4
"""Initial keys of one connection: of the first Initial, behind a Retry, and of another version."""

MAX_UNANSWERED = 64
"""Records that wait for the server's first answer."""

_PREFERRED_ADDRESS, _RESET_TOKEN_PARAMETER = 0x0D, 0x02
_CLIENT, _SERVER = 0, 1
_APPLICATION_DATA, _HANDSHAKE_RECORD = content_types.APPLICATION_DATA, content_types.HANDSHAKE
_LEVELS = {ZERO_RTT: EARLY_LEVEL, HANDSHAKE: HANDSHAKE_LEVEL}


class QuicConnection:
    """One connection.

    flow: of its first path. path: `Packet.key` from client to server of the packet that is read. facts: what it shows. known:
    its connection IDs. sink: takes the records; None where another process reads the session. record: used again for each one.
    keys: by the connection ID from which they come and the version, the decryptors of Initial packets. crypto: by role,
    handshake bytes of Initial packets, and last the client's before a Retry. answers: which of those in Initial packets are the
    server's. flows: those on which it is now. closing: whether a CONNECTION_CLOSE was seen. last_frame, last_at: of the last
    packet. frames: takes the frames of Initial packets. unanswered: records that wait for the client to go on with an answer of
    the server, None behind it; void: the client's handshake bytes before a Retry. proved: whether the client has sent a 1-RTT
    packet with an ID that only its peer knows.
    """

    __slots__ = (
        "answers", "closing", "crypto", "facts", "flow", "flows", "frames", "keys", "known", "last_at", "last_frame", "path",
        "proved", "record", "session", "shard", "sink", "unanswered", "void",
    )  # fmt: skip

    def __init__(self, flow: Flow, version: QuicVersion, original_id: bytes, table: dict[bytes, Any]) -> None:
        self.flow = flow
        self.path = flow.key
        self.facts = TransportFacts(version.number, original_id)
        self.facts.add_path(flow.key, flow.first_frame)
        self.known = ConnectionIds(self, table)
        self.session: Any = None
        self.sink: RecordSink = None  # type: ignore[assignment]  # until it is given
        self.shard = 0
        self.record: Record = Record(0)
        self.keys: dict[tuple[bytes, int], tuple[PacketDecryptor, PacketDecryptor]] = {}
        self.crypto = (Reassembly(), Reassembly(), Reassembly())
        self.answers = ServerAnswers()
        self.flows: list[Any] = []
        self.closing = False
        self.last_frame = flow.first_frame
        self.last_at = flow.start
        self.unanswered: list[Record] | None = []
        self.void: list[Record] = []
        self.proved = False
        self.frames = InitialFrames(self)

    def add_keys(self, version: QuicVersion, connection_id: bytes) -> tuple[PacketDecryptor, PacketDecryptor]:
        """Return the keys of Initial packets that come from this ID, which are kept."""
        found = self.keys.get((connection_id, version.number))
        if found is None:
            if len(self.keys) >= MAX_KEYS:
                del self.keys[next(islice(self.keys, 1, None))]  # those of the first Initial stay
            found = self.keys[connection_id, version.number] = initial_decryptors(version, connection_id)
        return found

    # Connection IDs.

    def add_id(self, role: cython.int, connection_id: bytes, listed: cython.bint = True) -> None:
        """Note an ID under which a role is reached. listed: whether it is told: the server chose none for the first Initial."""
        self.known.add(role, connection_id, listed)
        if listed:
            self.facts.add_id(role, connection_id)

    def learn(self, role: cython.int, connection_id: bytes, token: bytes) -> None:
        """Take an ID that a role announced, and the token of its stateless reset."""
        self.add_id(role, connection_id)
        if token:
            self.known.add_token(role, token)

    def take_parameters(self) -> None:
        """Take what the server's transport parameters announce: an address to move to, and a token of a stateless reset."""
        for parameter in getattr(self.facts.parameters[_SERVER], "transport_parameters", None) or ():
            if parameter.id == _PREFERRED_ADDRESS and hasattr(parameter.value, "connection_id"):
                self.learn(_SERVER, parameter.value.connection_id or b"", parameter.value.stateless_reset_token or b"")
            elif parameter.id == _RESET_TOKEN_PARAMETER and isinstance(parameter.value, bytes):
                self.known.add_token(_SERVER, parameter.value)

    def is_reset(self, role: cython.int, record: Record) -> cython.bint:
        """Return whether a packet that did not open is a stateless reset of a role. If so, it is noted."""
        if not self.known.has_token(role, record.body):
            return False
        if self.facts.reset is None:
            self.facts.reset = (role, record.frame)
        return True

    # Packets.

    def take_initial(
        self, role: cython.int, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t,
        frame: cython.longlong, at: cython.longlong,
    ) -> cython.bint:  # fmt: skip
        """Take an Initial packet, which begins at `start` of `data`. Return whether it is one of this connection."""
        version = header.quic
        if version is None or header.end > end:
            return False
        opened: OpenedPacket | None = None
        decryptor: PacketDecryptor
        opens: tuple[bytes, int] = (b"", 0)
        for opens, pair in self.keys.items():
            if opens[1] == version.number:
                decryptor = pair[role]
                opened = decryptor.open(data, start, header.number_at, header.end)
                if opened is not None:
                    break
        if opened is None and self.answers.settled is None and self.may_follow(role, header):
            opens = (header.destination if role == _CLIENT else self.facts.original_id, version.number)
            decryptor = initial_decryptors(version, opens[0])[role]
            opened = decryptor.open(data, start, header.number_at, header.end)
            if opened is not None:
                self.add_keys(version, opens[0])
        if opened is None:
            return False
        self.note(frame, at)
        self.facts.last = (frame, at)
        if role == _CLIENT:
            self.facts.add_version(version.number)
            self.facts.add_path(self.path, frame)
            self.add_id(_CLIENT, header.source)
            self.add_id(_SERVER, header.destination, header.destination != self.facts.original_id)
            self.facts.count_initial(_CLIENT, opened.number)
        else:
            self.known.add(_SERVER, header.source)
        if self.session is not None and self.session.log.events is not None:
            number_at, length = header.number_at - start, header.end - start
            self.session.log.emit(PacketSeen(0, role, opened, data[start : header.end], number_at, length, frame, at))
        frames: InitialFrames = self.frames
        first: cython.bint = opens == (self.facts.original_id, self.facts.versions[0])
        if role == _CLIENT and not frames.again and opens[0] != self.facts.original_id:
            begin_again(self)
        frames.begin(role, frame, at, role == _CLIENT and self.answers.follow(header.destination), first)
        read_frames(opened.plaintext, frames)
        if role == _SERVER:
            self.take_answer(header.source, opens, opened.number, frames.pieces, frame, at)
        return True

    def may_follow(self, role: cython.int, header: LongHeader) -> cython.bint:
        """Return whether an Initial may be of this connection though it has other keys.

        A client takes another version behind a Version Negotiation, a server where both know it (RFC 9368). Behind a Retry,
        which the capture may lack, a client has a token and the same source (RFC 9000 section 17.2.5.2).
        """
        if header.version not in self.facts.versions:
            return True
        named: cython.bint = len(header.source) >= SHORTEST_PROOF and self.known.has(_CLIENT, header.source)
        return role == _CLIENT and named and len(header.token) > 0 and not self.answers.over and not self.facts.retries

    def take_answer(
        self, source: bytes, opens: Any, number: cython.longlong, pieces: list[Any],
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take an Initial packet of the server. It counts when the client has gone on with it."""
        answers = self.answers
        doubted: cython.bint = answers.doubted
        if pieces:
            one = answers.take(source, opens, number, pieces, frame, at)
            if one is not None:
                self.closing = False
                if answers.settled is one:
                    self.pass_on_answer(one)
                elif self.unanswered is None and not answers.over:  # nothing waits
                    self.settle()
        settled: ServerAnswer | None = answers.settled
        if (settled is not None and settled.source == source) or (settled is None and not answers.doubted and answers.over):
            self.facts.count_initial(_SERVER, number)
        elif not answers.over and len(self.facts.doubtful) < MAX_DOUBTFUL:
            self.facts.doubtful.append((source, number))
        if answers.doubted and not doubted and self.sink is not None:
            self.deliver(fact("contradicting_initials", f"the Initial packet of the server in frame {frame}", frame))

    def settle(self) -> list[Record]:
        """Believe the answer with which the client goes on. Return its records if records still wait, else pass them on."""
        answers = list(self.answers.found)
        one = self.answers.settle()
        if one is None:
            return []
        forged = {number for other in answers if other is not one for number in other.numbers}
        if one.opens == (self.facts.original_id, self.facts.versions[0]):
            go_on(self)
        self.facts.add_version(one.opens[1])
        self.facts.add_path(self.path, self.last_frame)
        self.add_id(_SERVER, one.source)
        self.facts.settle_initials(one.source, forged - one.numbers)
        self.crypto = (self.crypto[_CLIENT], one.stream, self.crypto[2])
        if self.unanswered is None:
            self.pass_on_answer(one)
            return []
        made = [self.made(_SERVER, _HANDSHAKE_RECORD, body, frame, at).copy() for body, frame, at in one.ready]
        one.ready.clear()
        return made

    def pass_on_answer(self, one: ServerAnswer) -> None:
        """Pass on what is in order of the server's handshake bytes."""
        ready = list(one.ready)
        one.ready.clear()
        for body, frame, at in ready:
            self.tell(_SERVER, _HANDSHAKE_RECORD, body, frame, at)

    def take_retry(self, header: LongHeader, packet: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a Retry. One whose tag is wrong changes nothing."""
        version = header.quic
        if version is None or self.answers.over or len(self.facts.retries) >= MAX_LISTED:
            return
        if has_retry_tag(version, self.facts.original_id, packet):
            if (header.source, version.number) not in self.keys:
                if not self.facts.retries:
                    forget_attempts(self)
            elif self.facts.retries:  # the same one again
                return
            self.facts.retries.append(frame)
            self.add_keys(version, header.source)
            self.add_id(_SERVER, header.source, listed=False)
            self.note(frame, at)
            self.facts.last = (frame, at)  # the client's next Initial shows whether it believed it

    def take_negotiation(self, header: LongHeader, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a Version Negotiation packet. Nothing protects it: it counts where it echoes the IDs of the client's Initial."""
        offered = negotiated_versions(data, header)
        unanswered = not self.answers.found and not self.answers.over and not self.facts.retries
        if header.source == self.facts.original_id and unanswered and self.facts.versions[0] not in offered:
            self.facts.offered = offered
            self.facts.negotiated = frame
            self.note(frame, at)
            self.facts.last = (frame, at)
            begin_again(self)

    def take_protected(
        self, role: cython.int, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take a Handshake or 0-RTT packet."""
        level = _LEVELS.get(header.type)
        if level is None or (level == EARLY_LEVEL and role != _CLIENT):
            return
        if level == HANDSHAKE_LEVEL and role == _SERVER and len(self.known.lengths[_SERVER]) == 0:
            self.add_id(_SERVER, header.source)  # its Initial, which says the same, is not in the capture
        if role == _CLIENT and len(header.source) >= SHORTEST_PROOF and len(header.destination) >= SHORTEST_PROOF:
            self.known.add(_SERVER, header.destination, False)  # which the server has announced to who has this source
        problem: str = ""
        if role == _CLIENT and level == HANDSHAKE_LEVEL and not self.known.has(_SERVER, header.destination):
            problem = UNANNOUNCED  # a client can go on with another ID at once
            self.known.name(header.destination)
        self.pass_on(role, level, header.version, data, start, header.number_at, header.end, end, problem, frame, at)
        if (
            role == _CLIENT
            and level == HANDSHAKE_LEVEL
            and self.unanswered is not None
            and self.answers.follow(header.destination)
        ):
            self.release()

    def take_short(
        self,
        role: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        number_at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.Py_ssize_t,
        problem: str,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a 1-RTT packet. number_at: behind its connection ID. missing: bytes that the snapshot length removed. problem:
        UNANNOUNCED if that ID is not known, GUESSED if the packet may be of another connection, else "".
        """
        codepoint: cython.longlong = codepoint_before(data, start, len(self.path))
        version: cython.longlong = self.facts.current | codepoint + UNCOUNTED << VERSION_BITS
        if problem == "":
            n_bytes: cython.Py_ssize_t = number_at - start - 1
            if n_bytes < SHORTEST_PROOF and not self.proved:
                problem = UNANNOUNCED
            elif role == _CLIENT:
                self.proved = True
            self.facts.marks.see(role, data[start], codepoint)
            version = self.facts.current
        elif problem == UNANNOUNCED and number_at - start > SHORTEST_PROOF:
            named: cython.bint = role == _CLIENT and self.known.is_named(data[start + 1 : number_at])
            if self.known.comes_again(data[start + 1 : number_at]):
                self.proved = self.proved or (named and self.answers.is_followed())
                problem = "" if self.proved else UNANNOUNCED
        self.pass_on(role, APPLICATION_LEVEL, version, data, start, number_at, end + missing, end, problem, frame, at)
        if role == _CLIENT and self.unanswered is not None and self.answers.follow(data[start + 1 : number_at]):
            self.release()

    def pass_on(
        self, role: cython.int, level: cython.int, version: cython.longlong, data: bytes, start: cython.Py_ssize_t,
        number_at: cython.Py_ssize_t, stop: cython.Py_ssize_t, end: cython.Py_ssize_t, problem: str, frame: cython.longlong,
        at: cython.longlong,
    ) -> None:  # fmt: skip
        """Pass on a packet whose protection is not that of Initial packets. stop: where it ends; end: where the bytes end.
        problem: see `take_short`. The record has its path as `second`; version: see `VERSION_BITS`.
        """
        if problem != GUESSED:
            self.note(frame, at)
        sink: RecordSink = self.sink
        if sink is None:
            return
        record: Record = self.record
        record.role = role
        record.content_type = _APPLICATION_DATA
        record.version = TLS_1_2
        record.offset = version  # which needs more bits than that of a record
        record.epoch = level
        record.length = stop - start
        record.missing = max(0, stop - end)
        record.header = number_at - start
        record.frame = frame
        record.at = at
        record.problem = problem
        record.second = self.path
        wanted = self.unanswered is not None or sink.wants(role, _APPLICATION_DATA) != NOTHING
        record.body = slice_bytes(data, start, min(stop, end)) if wanted else b""
        self.deliver(record)

    def tell(
        self, role: cython.int, content_type: cython.int, body: bytes, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass on handshake bytes of Initial packets, or a CONNECTION_CLOSE in one: its code in 8 bytes, a flag, its reason."""
        if self.sink is not None:
            self.deliver(self.made(role, content_type, body, frame, at))

    def made(
        self, role: cython.int, content_type: cython.int, body: bytes, frame: cython.longlong, at: cython.longlong
    ) -> Record:
        """Return the record with these bytes."""
        record: Record = self.record
        record.role = role
        record.content_type = content_type
        record.version = TLS_1_2
        record.epoch = 0
        record.body = body
        record.length = len(body)
        record.missing = 0
        record.header = 0
        record.offset = 0
        record.frame = frame
        record.at = at
        record.problem = ""
        record.second = b""
        return record

    def deliver(self, record: Record) -> None:
        """Give a record to the session. Before the client has gone on with an answer of the server, it waits."""
        if self.sink is None:
            return
        if self.unanswered is not None:
            self.unanswered.append(record.copy())
            if len(self.unanswered) > MAX_UNANSWERED:
                self.release()
            return
        self.sink.take(record)

    def release(self) -> None:
        """Give the session the records that waited for the client to go on with an answer of the server."""
        if self.unanswered is None:
            return
        answer = self.settle()
        if not self.answers.found and not self.answers.doubted:
            self.facts.settle_initials(None, set())
        waiting, self.unanswered = self.unanswered, None
        void, self.void = self.void, []
        hello = [one for one in waiting if one.content_type == _HANDSHAKE_RECORD]
        rest = [one for one in waiting if one.content_type != _HANDSHAKE_RECORD]
        if void and (not hello or joined(void) == joined(hello)):  # it stands once
            hello = void
        for record in hello:  # what answers it can stand before it in the capture
            self.deliver(record)
        if self.answers.settled is not None:  # the server has what the capture lacks
            self.skip_all(_CLIENT, self.last_frame, self.last_at)
        for record in sorted([*answer, *rest], key=_frame_of):
            self.deliver(record)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the holes in the handshake bytes of Initial packets, at the end."""
        self.release()
        for role in (_CLIENT, _SERVER):
            self.skip_all(role, frame, at)

    def skip_all(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up all holes in the handshake bytes of a role's Initial packets."""
        while self.crypto[role].waiting > 0:
            self.skip(role, frame, at)

    def skip(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the first hole in the handshake bytes of a role's Initial packets, and pass on what is behind it."""
        stream = self.crypto[role]
        offset = stream.next
        length, data = stream.skip()
        if self.sink is not None:
            missing = gap(role, offset, length, frame)
            missing.at = at
            self.deliver(missing)
        self.tell(role, _HANDSHAKE_RECORD, data, frame, at)

    def note(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Note the last packet."""
        self.last_frame = frame
        self.last_at = at


def _frame_of(record: Record) -> int:
    return record.frame
