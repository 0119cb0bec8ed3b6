"""Gives each flow to its decoder: TCP connections to TLS and the search for revocation data, UDP flows to their protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analyzer.codec.byte_slices import slice_bytes
from analyzer.engine.datagram_flows import DatagramFlows
from analyzer.engine.eap_links import hardware_addresses
from analyzer.engine.inner_streams import InnerStreams
from analyzer.engine.session_table import SessionTable
from analyzer.engine.tcp_stream import TcpStream
from analyzer.flows.connection import Connection
from analyzer.flows.listener import Listener
from analyzer.flows.sink import DatagramSink, Sink
from analyzer.flows.udp_flow import UdpFlow
from analyzer.packet.packet import Packet
from analyzer.tls.decryption.key_material import KeyMaterial

if TYPE_CHECKING:
    import cython

DatagramProtocol = Callable[[UdpFlow], DatagramSink | None]
"""A protocol over UDP: takes a new flow, and returns its reader, or None if the flow is not of this protocol."""


class Dispatcher(SessionTable):
    """Gives each flow its decoder.

    datagram_protocols: the protocols for UDP flows, tried in this order; the last one searches for QUIC and DTLS.
    """

    __slots__ = ("datagram_protocols",)

    def __init__(
        self,
        material: KeyMaterial,
        detailed: cython.bint = False,
        places: cython.bint = True,
        keeps_fields: cython.bint = True,
        watches_revocation: cython.bint = False,
        datagram_protocols: Sequence[DatagramProtocol] = (),
    ) -> None:
        SessionTable.__init__(self, material, detailed, places, keeps_fields, watches_revocation)
        self.datagram_protocols: tuple[DatagramProtocol, ...] = (*datagram_protocols, DatagramFlows(self))
        material.inner = InnerStreams(self)

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection, which searches it for TLS."""
        return TcpStream(connection, self)

    def feed_port(self, packet: Packet, link_type: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a frame of 802.1X, which can have EAP."""
        ends = hardware_addresses(packet, link_type)
        for protocol in self.datagram_protocols:
            if ends is not None and isinstance(protocol, DatagramFlows):
                data = slice_bytes(packet.data, packet.payload, packet.payload_end)
                protocol.eap.feed_port(ends[0], ends[1], data, packet.missing > 0, frame, at)

    def close(self) -> None:
        """End the conversations of EAP that are open, and then the sessions that are pending."""
        for protocol in self.datagram_protocols:
            if isinstance(protocol, DatagramFlows):
                protocol.eap.close()
        SessionTable.close(self)

    def end_closed(self, at: cython.longlong) -> None:
        """End what was closed or fell silent some time before `at`, when no frame comes: connections of QUIC, and EAP."""
        for protocol in self.datagram_protocols:
            if isinstance(protocol, DatagramFlows):
                protocol.end_closed(at)

    def set_clock(self, before: cython.longlong, after: cython.longlong) -> None:
        """Move the times of the conversations of EAP: see `Connections.set_clock`."""
        for protocol in self.datagram_protocols:
            if isinstance(protocol, DatagramFlows):
                protocol.eap.set_clock(before, after)

    def open_datagrams(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new UDP flow, from the first protocol that wants it; the last one wants all."""
        for protocol in self.datagram_protocols:
            sink = protocol(flow)
            if sink is not None:
                return sink
        return Listener.open_datagrams(self, flow)
