"""Connects the lower packages: takes frames, and returns one ordered stream of events.

A file, a pipe and a live interface use the same engine. `feed` takes one frame. `run` takes all frames that a packet reader has
without more bytes. `tick` advances the time when no frame comes. `take` returns the events in the order in which they happened.
So memory grows with the number of connections open at one time, and not with the capture. The same frames give the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.processes.process_blocks import APP_TRAILER, LONGEST_APP_TRAILER
from analyzer.engine.dispatch_limits import WATCHES_FAILURES
from analyzer.engine.dispatcher import DatagramProtocol, Dispatcher
from analyzer.engine.eap_sessions import PORT_CONTROL
from analyzer.engine.other_traffic import WATCHES_HTTPS
from analyzer.engine.tcp_stream import TcpStream
from analyzer.flows.capwap_fragments import CapwapFragments
from analyzer.flows.connection import Endpoint
from analyzer.flows.flow import TCP, UDP
from analyzer.flows.fragments import Defragmenter, FragmentReport
from analyzer.flows.packet_copies import PacketCopies
from analyzer.flows.path_errors import ICMP, ICMPV6, note_path_error
from analyzer.flows.tcp import Connections
from analyzer.flows.udp import UdpFlows
from analyzer.packet.headers import read, read_ip
from analyzer.packet.packet import Packet
from analyzer.packet.tunnels import CAPWAP_DATA
from analyzer.secrets.keylog_source import THE_CAPTURE
from analyzer.tls.decryption.key_material import Application, KeyMaterial
from analyzer.tls.events import Event
from analyzer.tls.record.record_reader import RecordReader

if TYPE_CHECKING:
    import cython

# In the compiled build these are C variables, which other modules cannot see.
_TCP, _UDP, _ICMP, _ICMPV6, _CAPWAP = TCP, UDP, ICMP, ICMPV6, CAPWAP_DATA
_APP_TRAILER, _LONGEST_APP_TRAILER = APP_TRAILER, LONGEST_APP_TRAILER

_PORT_CONTROL, _BEFORE_ROAMING = PORT_CONTROL

MAX_REPORTS = 1024
"""Reports of anomalies in fragments that are kept, at most. In a flood of fragments, each one can cause a report."""

NO_NUMBER, NO_CONNECTION = -1, -2
"""What `Engine.first_sequence` returns where there is no number."""

# In the compiled build these are C variables, which other modules cannot see.
_NO_NUMBER, _NO_CONNECTION = NO_NUMBER, NO_CONNECTION


class Engine:
    """Takes frames and returns events.

    packet: addresses, ports and payload of the last frame; if it completed a fragmented datagram, those of the whole datagram.
    copies: knows which packets the capture has already. dispatcher: gives flows to decoders. material: the secrets that
    decrypt; secrets inside a capture are added to its key log before the frames after them. follows_datagrams: whether UDP is
    read at all. wireless: joins fragments of CAPWAP, None before the first datagram. frames: how many were fed. fragments:
    reports about anomalies in IP fragments, at most MAX_REPORTS. processes: of the current capture, None before the first
    frame.
    """

    __slots__ = (
        "at", "connections", "copies", "datagrams", "defragmenter", "dispatcher", "follows_datagrams", "fragments", "frame",
        "frames", "material", "n_known_secrets", "packet", "processes", "seen", "wireless",
    )  # fmt: skip

    def __init__(
        self,
        *,
        detailed: bool = False,
        places: bool = True,
        fields: bool = True,
        keylog: Any = None,
        private_keys: Sequence[Any] = (),
        psks: Mapping[bytes, bytes] | None = None,
        may_grow: Callable[[], bool] | None = None,
        longest_wait: int = 0,
        announces: bool = False,
        application: Callable[[bytes | None], Application] | None = None,
        reads_data: bool = True,
        watches_revocation: bool = False,
        watches_https: bool = False,
        watches_http: bool = False,
        watches_failures: bool = False,
        in_order: bool = True,
        compares: bool = True,
        datagram_protocols: Sequence[DatagramProtocol] = (),
        dispatches: type[Dispatcher] | None = None,
    ) -> None:
        """Create an engine.

        detailed: whether all events are emitted as they happen, and not only the ends of sessions; places: then also the
        positions of records and messages in the streams. fields: whether messages keep their bytes and decoded fields.
        keylog, private_keys, psks (by identity): the secrets. may_grow: returns whether secrets may still come; then sessions
        wait for them. longest_wait: nanoseconds that sessions wait, as in `KeyMaterial`. announces: whether the beginnings of
        sessions are emitted even if it is not `detailed`. application: creates the reader of a session's application data,
        given the agreed protocol; `conversation` if None. reads_data: whether application data is read at all.
        watches_revocation: whether OCSP responses and revocation lists in plain HTTP are emitted; watches_https: connections
        to port 443 without TLS (`OtherTraffic`); watches_http: the HTTP of connections without TLS (`PlainHttp`);
        watches_failures: connections that failed before TLS began (`ConnectionFailed`). in_order: whether records wait for
        those of the other side that were sent before them (`record_order`), so that their events come in the turn of a later
        frame. compares: whether sessions are compared with those before them, for findings. datagram_protocols: the
        protocols that read UDP flows. dispatches: the class of `dispatcher`, if a command needs its own.
        """
        reader = (application or conversation) if reads_data else None
        self.material = KeyMaterial(reader, keylog, private_keys, psks, may_grow, longest_wait)
        dispatcher = dispatches or (_http_dispatcher() if watches_http else Dispatcher)
        self.dispatcher = dispatcher(self.material, detailed, places, fields, watches_revocation, datagram_protocols)
        self.dispatcher.announces = announces
        self.dispatcher.watches |= (WATCHES_HTTPS if watches_https else 0) | (WATCHES_FAILURES if watches_failures else 0)
        if not in_order:
            self.dispatcher.orders = None
        if not compares:
            self.dispatcher.repetitions = None
        self.connections = Connections(self.dispatcher)
        self.datagrams = UdpFlows(self.dispatcher)
        self.follows_datagrams = True
        self.defragmenter = Defragmenter()
        self.copies = PacketCopies()
        self.wireless: CapwapFragments | None = None
        self.seen: list[tuple[int, bytes]] = []
        self.n_known_secrets = 0
        self.fragments: list[FragmentReport] = []
        self.processes: Any = None
        self.packet = Packet()
        self.frames = 0
        self.frame = 0
        self.at = 0

    def feed(self, frame: Frame) -> None:
        """Take one frame. After it, `packet` describes the frame."""
        self.frames += 1
        self.frame = frame.number
        self.at = frame.at
        self.dispatch(frame)
        if self.dispatcher.pending is not None:  # here, so that the order of events does not depend on the calls of `take`
            self.dispatcher.tick(frame.at)

    def dispatch(self, frame: Frame) -> None:
        """Pass the content of a frame to its flow."""
        packet: Packet = self.packet
        conflict: bytes = b""
        whole: cython.bint = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        while packet.fragment and not whole:  # a packet that was fragmented in a tunnel may be a fragment itself
            datagram = self.defragmenter.feed(packet, frame.at, frame.number)
            if datagram is None:
                return
            conflict = conflict or self.defragmenter.conflict
            whole = read_ip(packet, datagram, 0, len(datagram))
        if whole and packet.protocol == _UDP and (packet.source_port == _CAPWAP or packet.destination_port == _CAPWAP):
            whole = self.join_capwap(frame)
        behind: cython.Py_ssize_t = frame.end - packet.payload_end
        if _APP_TRAILER <= behind <= _LONGEST_APP_TRAILER and packet.data is frame.data and self.processes is not None:
            data = frame.data[frame.start : frame.end]
            self.processes.read_trailer(frame.number, data, packet.payload_end - frame.start, frame.link_type)
        if whole:
            packet.copy_of = self.copies.first_of(packet, frame.interface, frame.number, frame.at)
            if packet.protocol == _TCP:
                self.connections.feed(packet, frame.number, frame.at)
                if len(conflict) > 0:
                    self.connections.doubt_fragments(packet, conflict, frame.number, frame.at)
            elif packet.protocol == _UDP and self.follows_datagrams:
                self.datagrams.feed(packet, frame.number, frame.at)
        elif packet.protocol == _ICMP or packet.protocol == _ICMPV6:
            note_path_error(self.connections, self.datagrams, packet, frame.number)
        elif packet.ether_type == _PORT_CONTROL or packet.ether_type == _BEFORE_ROAMING:
            self.dispatcher.feed_port(packet, frame.link_type, frame.number, frame.at)

    def join_capwap(self, frame: Frame) -> cython.bint:
        """Take a datagram of CAPWAP data. If it completes a message in fragments, `packet` describes the message.

        Returns whether `packet` has a TCP or UDP header.
        """
        if self.wireless is None:
            self.wireless = CapwapFragments()
        message = self.wireless.feed(self.packet, frame.at, frame.number)
        return True if message is None else read_ip(self.packet, message, 0, len(message))

    def step(self, frame_reader: FrameReader) -> cython.bint:
        """Take the next frame, and the secrets before it. Return False if the packet reader needs more bytes."""
        more: cython.bint = frame_reader.advance()
        if frame_reader.processes is not self.processes:
            self.add_processes(frame_reader.processes)
        self.add_secrets(frame_reader.secrets)
        if more:
            self.feed(frame_reader.frame)
        return more

    def run(self, frame_reader: FrameReader) -> None:
        """Take all frames for which the packet reader has the bytes."""
        while self.step(frame_reader):
            pass

    def tick(self, at: cython.longlong) -> None:
        """Advance the time to `at`, in nanoseconds since the epoch, when no frame comes. Idle flows end."""
        self.at = max(self.at, at)
        self.connections.tick(self.at)
        self.datagrams.tick(self.at)
        self.dispatcher.end_closed(self.at)
        self.dispatcher.tick(self.at)

    def set_clock(self, before: cython.longlong, after: cython.longlong) -> None:
        """Go on after the clock of the capture was set from `before` to `after` (nanoseconds since the epoch).

        Without this, a clock that is set forward ends all idle flows, and one that is set back ends none for that long.
        """
        self.at = after
        self.connections.set_clock(before, after)
        self.datagrams.set_clock(before, after)
        self.dispatcher.set_clock(before, after)
        if self.dispatcher.pending is not None:
            self.dispatcher.pending.set_clock(after - before)

    def add_secrets(self, secrets: list[Any]) -> None:
        """Take the new Decryption Secrets Blocks of a capture: those that `secrets` did not contain in the last call."""
        known: cython.Py_ssize_t = self.n_known_secrets if secrets is self.seen else 0
        if len(secrets) == known:
            return
        for kind, data in secrets[known:]:
            if kind != TLS_KEY_LOG:
                continue
            if self.material.keylog is None:
                from analyzer.secrets.keylog import KeyLog

                self.material.keylog = KeyLog()
            self.material.keylog.take(data, THE_CAPTURE)
        self.seen = secrets
        self.n_known_secrets = len(secrets)
        self.dispatcher.tick(self.at)

    def add_processes(self, processes: Any) -> None:
        """Begin a new capture, with its processes, as `FrameFacts.begin`."""
        self.processes = processes
        self.copies = PacketCopies()  # another capture was perhaps made elsewhere: what it has too is not twice in one
        self.dispatcher.frames.begin(processes)

    def take(self) -> list[Event]:
        """Return the events since the last call, in the order in which they happened."""
        self.dispatcher.tick(self.at)
        if self.defragmenter.reports:
            self.fragments.extend(self.defragmenter.take_reports()[: MAX_REPORTS - len(self.fragments)])
        events: list[Event] = self.dispatcher.events
        if len(events) == 0:
            return []
        taken = events[:]
        events.clear()  # sessions have this list
        return taken

    def close(self) -> None:
        """End everything that is still open, at the end of the capture."""
        self.defragmenter.finish()
        self.connections.close(self.frame, self.at)
        self.datagrams.close(self.frame, self.at)
        self.dispatcher.close()

    # The following methods are for a view of single packets.

    def first_sequence(self, key: bytes) -> cython.Py_ssize_t:
        """Return the TCP sequence number of the first byte of the side whose packets have that key (`Packet.key`).

        It is NO_NUMBER if it is not known, NO_CONNECTION if the key is of no connection.
        """
        endpoint: Endpoint | None = self.connections.endpoints.get(key)
        if endpoint is None:
            return _NO_CONNECTION
        return (endpoint.next - endpoint.offset) & 0xFFFFFFFF if endpoint.started else _NO_NUMBER

    def stream_offset(self) -> int | None:
        """Return the position of the first payload byte of `packet` in the stream of its direction.

        None if the packet belongs to no connection, or that stream has not started.
        """
        endpoint: Endpoint | None = self.connections.endpoints.get(self.packet.key())
        if endpoint is None or not endpoint.started:
            return None
        ahead = (self.packet.sequence - endpoint.next) & 0xFFFFFFFF
        return endpoint.offset + (ahead if ahead < 0x80000000 else ahead - 0x100000000)

    def record_reader(self) -> RecordReader | None:
        """Return the reader of the TLS records that `packet` is part of; None if its connection has no session now."""
        endpoint: Endpoint | None = self.connections.endpoints.get(self.packet.key())
        stream = None if endpoint is None else endpoint.connection.sink
        if endpoint is None or not isinstance(stream, TcpStream) or stream.session is None:
            return None
        return stream.readers[endpoint.side ^ stream.client]


def conversation(alpn: bytes | None) -> Application:
    """Return the reader of a session's application data. `application` is imported only for the first decrypted session."""
    reader: Application = _conversation()(None if alpn is None else alpn.decode("utf-8", "replace"))
    return reader


@cache
def _conversation() -> Any:
    from analyzer.application.conversation import Conversation

    return Conversation


def _http_dispatcher() -> type[Dispatcher]:
    """Return the dispatcher that reads plain HTTP too. It is imported only when asked for."""
    from analyzer.engine.plain_http import HttpDispatcher

    return HttpDispatcher
