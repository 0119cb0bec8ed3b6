"""The field tree of one packet: the layers that `packet` reads, and the TLS layers in a TCP payload."""

from collections.abc import Sequence

from analyzer.capture.frame import Frame
from analyzer.engine.engine import Engine
from analyzer.flows.flow import TCP
from analyzer.packet.headers import read
from analyzer.packet.layers import tree
from analyzer.packet.packet import Packet
from analyzer.tls.events import Event, RecordRead
from analyzer.tls.tls_layers import Payload, TlsLayer, tls_layers


def packet_tree(engine: Engine, frame: Frame, events: Sequence[Event]) -> list[TlsLayer]:
    """Return the layers of the frame that was fed last, outermost first. Offsets count from the frame's first byte.

    events: those that the frame caused.
    """
    packet = Packet()
    is_tcp = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length) and packet.protocol == TCP
    start, end = packet.payload - frame.start, packet.payload_end - frame.start
    found: list[TlsLayer] = []
    reader = engine.record_reader() if is_tcp and start < end else None
    is_tls = is_tcp and start < end and (reader is not None or any(isinstance(event, RecordRead) for event in events))
    for layer in tree(frame):
        if is_tls and layer.name == "Data" and layer.offset == start:
            payload = Payload(frame.data[frame.start : frame.end], start, end, engine.stream_offset())
            found += tls_layers(payload, reader, events)
        else:
            found.append(TlsLayer(layer, 0))
    return found
