"""The one place that wires the rooms: frames in, one ordered stream of events out.

A file, a pipe and a live interface drive the same engine: `feed` takes one frame, `run` all frames that a packet reader can
give without more bytes, `tick` moves time where no frame comes. Events come out of `take` in the order in which they
happened, so memory grows with the connections open at one moment and not with the capture. The same frames give the same
events.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import cython

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine.dispatcher import DatagramProtocol, Dispatcher, TcpStream
from analyzer.flows.connection import Endpoint
from analyzer.flows.flow import TCP, UDP
from analyzer.flows.fragments import Defragmenter, FragmentReport
from analyzer.flows.tcp import Connections
from analyzer.flows.udp import UdpFlows
from analyzer.packet.headers import read, read_ip
from analyzer.packet.packet import Packet
from analyzer.tls.decryption.key_material import Application, KeyMaterial
from analyzer.tls.events import Event
from analyzer.tls.record.record_reader import RecordReader

# Once compiled these are C variables, which no other module sees.
_TCP, _UDP = TCP, UDP

TLS_KEY_LOG = 0x544C534B
"""The type of a Decryption Secrets Block that holds a TLS key log (pcapng, section 4.7)."""

THE_CAPTURE = "the capture"
"""What the lines of such blocks have as their source."""

MAX_REPORTS = 1024
"""Reports of odd fragments that are kept; a flood of fragments makes one for each."""


class Engine:
    """Takes frames and gives events.

    packet: what the last frame fed said of addresses and ports; of a datagram that its fragments have just completed, the
    whole. dispatcher: what became of flows; material: what decrypts, where secrets inside a capture are read into the same
    key log, before the frames that follow them. follows_datagrams: whether anything is read over UDP. frames: how many were
    fed. fragments: what was odd about IP fragments, at most MAX_REPORTS.
    """

    __slots__ = (
        "at", "connections", "datagrams", "defragmenter", "dispatcher", "follows_datagrams", "fragments", "frame", "frames",
        "material", "n_seen", "packet", "seen",
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
        application: "Callable[[bytes | None], Application] | None" = None,
        reads_data: bool = True,
        watches_revocation: bool = False,
        datagram_protocols: Sequence[DatagramProtocol] = (),
    ) -> None:
        """detailed: whether everything is told as it happens, and not only what ended; places: then also where records and
        messages stand in the streams. fields: whether messages keep their bytes and decoded fields. keylog, private_keys,
        psks (by identity): what decrypts. may_grow: tells whether secrets may still come, so that sessions wait for them.
        application: makes the reader of a session's application data, given the protocol agreed on, `conversation` if None;
        reads_data: whether it is read at all. watches_revocation: whether OCSP responses and revocation lists in clear HTTP
        are told. datagram_protocols: what reads UDP flows.
        """
        reader = (application or conversation) if reads_data else None
        self.material = KeyMaterial(reader, keylog, private_keys, psks, may_grow)
        self.dispatcher = Dispatcher(self.material, detailed, places, fields, watches_revocation, datagram_protocols)
        self.connections = Connections(self.dispatcher)
        self.datagrams = UdpFlows(self.dispatcher)
        self.follows_datagrams = len(datagram_protocols) > 0
        self.defragmenter = Defragmenter()
        self.seen: list[tuple[int, bytes]] = []
        self.n_seen = 0
        self.fragments: list[FragmentReport] = []
        self.packet = Packet()
        self.frames = 0
        self.frame = 0
        self.at = 0

    def feed(self, frame: Frame) -> None:
        """Take one frame; `packet` then describes it."""
        self.frames += 1
        self.frame = frame.number
        self.at = frame.at
        self.hand_on(frame)
        if self.dispatcher.pending is not None:  # here, so that the order of events is the same whenever they are taken
            self.dispatcher.tick(frame.at)

    def hand_on(self, frame: Frame) -> None:
        """Give what a frame carries to its flow."""
        packet: Packet = self.packet
        whole: cython.bint = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        while packet.fragment and not whole:  # what a tunnel's fragments carry may be a fragment again
            datagram = self.defragmenter.feed(packet, frame.at, frame.number)
            if datagram is None:
                return
            whole = read_ip(packet, datagram, 0, len(datagram))
        if whole:
            if packet.protocol == _TCP:
                self.connections.feed(packet, frame.number, frame.at)
            elif packet.protocol == _UDP and self.follows_datagrams:
                self.datagrams.feed(packet, frame.number, frame.at)

    def step(self, packet_reader: PacketReader) -> cython.bint:
        """Take the next frame, and the secrets before it; False where the packet reader needs more bytes."""
        more: cython.bint = packet_reader.advance()
        self.add_secrets(packet_reader.secrets)
        if more:
            self.feed(packet_reader.frame)
        return more

    def run(self, packet_reader: PacketReader) -> None:
        """Take all frames that the packet reader has the bytes of."""
        while self.step(packet_reader):
            pass

    def tick(self, at: cython.longlong) -> None:
        """Move time to `at`, in nanoseconds since the epoch, where no frame comes: what was idle for long enough ends."""
        self.at = max(self.at, at)
        self.connections.tick(self.at)
        self.datagrams.tick(self.at)
        self.dispatcher.tick(self.at)

    def add_secrets(self, secrets: list[Any]) -> None:
        """Take the Decryption Secrets Blocks of a capture that came since the last call."""
        known: cython.Py_ssize_t = self.n_seen if secrets is self.seen else 0
        if len(secrets) == known:
            return
        from analyzer.secrets.keylog import KeyLog

        if self.material.keylog is None:
            self.material.keylog = KeyLog()
        keylog = self.material.keylog
        for kind, data in secrets[known:]:
            if kind == TLS_KEY_LOG:
                keylog.take(data, THE_CAPTURE)
        self.seen = secrets
        self.n_seen = len(secrets)
        self.dispatcher.tick(self.at)

    def take(self) -> list[Event]:
        """Give the events since the last call, in the order in which they happened."""
        self.dispatcher.tick(self.at)
        events: list[Event] = self.dispatcher.events
        taken = events[:]
        events.clear()
        reports = self.defragmenter.take_reports()
        self.fragments.extend(reports[: MAX_REPORTS - len(self.fragments)])
        return taken

    def close(self) -> None:
        """End everything that is still open, at the end of the capture."""
        self.defragmenter.finish()
        self.connections.close(self.frame, self.at)
        self.datagrams.close(self.frame, self.at)
        self.dispatcher.close()

    # What a view of single packets asks.

    def first_sequences(self) -> tuple[int, int] | None:
        """The TCP sequence numbers of the first byte of each direction: of the sender of `packet`, and of its receiver.

        -1 where that is not known; None for a packet of no connection.
        """
        endpoint: Endpoint | None = self.connections.endpoints.get(self.packet.key())
        return None if endpoint is None else (_first_sequence(endpoint), _first_sequence(endpoint.peer))

    def stream_offset(self) -> int | None:
        """Position of the first payload byte of `packet` in its direction's stream; None for a packet of no connection."""
        endpoint: Endpoint | None = self.connections.endpoints.get(self.packet.key())
        if endpoint is None or not endpoint.started:
            return None
        ahead = (self.packet.sequence - endpoint.next) & 0xFFFFFFFF
        return endpoint.offset + (ahead if ahead < 0x80000000 else ahead - 0x100000000)

    def record_reader(self) -> RecordReader | None:
        """The reader of the TLS records in which `packet` lies; None where its connection has no session by now."""
        endpoint: Endpoint | None = self.connections.endpoints.get(self.packet.key())
        stream = None if endpoint is None else endpoint.connection.sink
        if endpoint is None or not isinstance(stream, TcpStream) or stream.session is None:
            return None
        return stream.readers[endpoint.side ^ stream.client]


def _first_sequence(endpoint: Endpoint) -> int:
    return (endpoint.next - endpoint.offset) & 0xFFFFFFFF if endpoint.started else -1


def conversation(alpn: bytes | None) -> Application:
    """The reader of a session's application data; its room is entered only with a session that was decrypted."""
    reader: Application = _conversation()(None if alpn is None else alpn.decode("utf-8", "replace"))
    return reader


@cache
def _conversation() -> Any:
    from analyzer.application.conversation import Conversation

    return Conversation
