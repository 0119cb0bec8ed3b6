# cython: annotation_typing=False
"""Goes through a capture to its next frame of which the engine tells something: one that caused an event."""

from typing import Any

from analyzer.capture.frame_reader import FrameReader
from analyzer.engine.engine import Engine
from analyzer.packet.layer_places import LayerPlaces


def next_told(engine: Engine, reader: FrameReader, layers: LayerPlaces, defragmenter: Any) -> bool:
    """Feed an engine with frames up to the next one that causes events. Return False if the reader has no such frame now.

    engine: is `detailed`, and waits for no secrets. layers: are the headers of that frame then. defragmenter: puts IP datagrams
    together for `layers`, as `flows.fragments.Defragmenter`.
    """
    frame = reader.frame
    while engine.step(reader):
        told = len(engine.dispatcher.events) > 0
        packet = engine.packet
        if not (told or packet.fragment or packet.data is not frame.data):  # data is another where a datagram was completed
            continue
        if layers.find(frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
            datagram = defragmenter.feed(layers.packet, frame.at, frame.number)
            if datagram is not None:
                layers.find_rest(datagram)
            defragmenter.take_reports()
        if told:
            return True
    return False
