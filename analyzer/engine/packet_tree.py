"""The field tree of one packet: the layers that `packet` reads, and those of TLS, DTLS or QUIC in a TCP or UDP payload."""

from collections.abc import Sequence

from analyzer.capture.frame import Frame
from analyzer.engine.engine import Engine
from analyzer.flows.flow import TCP, UDP
from analyzer.packet.field_tree import Field, Layer
from analyzer.packet.headers import read
from analyzer.packet.layers import tree
from analyzer.packet.packet import Packet
from analyzer.tls.dtls.datagram_records import DatagramRecords
from analyzer.tls.dtls.dtls_layers import dtls_layers
from analyzer.tls.events import Event, RecordRead
from analyzer.tls.quic.datagram_packets import DatagramPacket, DatagramPackets
from analyzer.tls.quic.quic_layers import quic_layers
from analyzer.tls.record.record import Record
from analyzer.tls.tls_layers import Payload, TlsLayer, tls_layers


def packet_tree(
    engine: Engine,
    frame: Frame,
    events: Sequence[Event],
    quic: DatagramPackets | None = None,
    dtls: DatagramRecords | None = None,
) -> list[TlsLayer]:
    """Return the layers of the frame that was fed last, outermost first. Offsets count from the frame's first byte.

    events: those that the frame caused. quic, dtls: have seen the datagrams before it; None to leave their payloads as bytes.
    """
    packet = Packet()
    is_tcp = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length) and packet.protocol == TCP
    start, end = packet.payload - frame.start, packet.payload_end - frame.start
    found: list[TlsLayer] = []
    reader = engine.record_reader() if is_tcp and start < end else None
    is_tls = is_tcp and start < end and (reader is not None or any(isinstance(event, RecordRead) for event in events))
    datagram = quic_packets(packet, quic)
    records = dtls_records(packet, dtls)
    for layer in tree(frame):
        if (datagram or records) and layer.offset >= start:
            continue  # what else these bytes could be, by their ports
        if is_tls and layer.name == "Data" and layer.offset == start:
            payload = Payload(frame.data[frame.start : frame.end], start, end, engine.stream_offset())
            found += tls_layers(payload, reader, events)
        else:
            found.append(TlsLayer(layer, 0))
    if records and dtls is not None:
        found += dtls_layers(records, start, dtls.association, events)
        rest = start + sum(len(record.body) for record in records)
        if rest < end:
            octets = frame.data[frame.start + rest : frame.start + end]
            found.append(
                TlsLayer(Layer("Data", rest, len(octets), (Field("data", octets, octets.hex(), rest, len(octets)),)), 0)
            )
    found += quic_layers(frame.data[frame.start : frame.end], start, datagram, events, frame.number)
    return found


def quic_packets(packet: Packet, quic: DatagramPackets | None) -> list[DatagramPacket]:
    """Return the QUIC packets in the payload of a packet, which is remembered for those after it; empty if it has none."""
    if quic is None or packet.protocol != UDP or packet.payload >= packet.payload_end:
        return []
    if packet.fragment or not quic.may_begin(packet.data[packet.payload]):
        return []
    return quic.split(packet.data[packet.payload : packet.payload_end], packet.key())


def dtls_records(packet: Packet, dtls: DatagramRecords | None) -> list[Record]:
    """Return the DTLS records in the payload of a packet, whose hellos are remembered for those after it."""
    if dtls is None or packet.protocol != UDP or packet.payload >= packet.payload_end or packet.fragment:
        return []
    return dtls.split(packet.data[packet.payload : packet.payload_end], packet.key())
