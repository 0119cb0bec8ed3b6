"""The fast forms of filters, of headers alone and of TLS alone, pass the same frames as the filters themselves."""

from contextlib import closing
from pathlib import Path

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.event_values import by_frame, event_values
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues, needs_of
from analyzer.filters.header_filter import header_test
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.header_tests import HeaderTest, next_passing
from analyzer.packet.layer_places import LayerPlaces

CAPTURES = ("demo.pcapng", "vlan/vlan.pcap", "ipv6/ipv6.pcapng", "tcp-trouble/tcp-trouble.pcapng")
LISTED = [
    line
    for line in (Path(__file__).parent / "filters.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def compiled_filters():
    return [compile_filter(text, field_table()) for text in LISTED]


def frames_of(reader):
    """The readers of a capture."""
    with closing(CaptureReader([str(reader)]).packet_readers()) as readers:
        yield from readers


def slow(path, filters, engine=None):
    """The frames that pass each filter, by the filter itself."""
    values = FrameValues(frozenset().union(*(one.fields for one in filters)), engine)
    found = [[] for _ in filters]
    for reader in frames_of(path):
        while engine.step(reader) if engine is not None else reader.advance():
            values.take(reader.frame, engine.take() if engine is not None else ())
            for one, numbers in zip(filters, found, strict=True):
                if one.matches(values):
                    numbers.append(reader.frame.number)
    return found


def fast(path, test):
    layers, defragmenter, found = LayerPlaces(), Defragmenter(), []
    for reader in frames_of(path):
        while next_passing(reader, layers, test, defragmenter):
            found.append(reader.frame.number)
    return found


@pytest.mark.parametrize("capture", CAPTURES)
def test_a_filter_of_headers_passes_the_same_frames(repository, capture):
    filters = [one for one in compiled_filters() if header_test(one.tree) is not None]
    assert len(filters) > 100
    path = repository / "captures" / capture
    for one, expected in zip(filters, slow(path, filters), strict=True):
        assert fast(path, header_test(one.tree)) == expected, one.text


def test_a_filter_of_tls_passes_the_same_frames(repository):
    filters = [one for one in compiled_filters() if event_values(one) is not None]
    assert len(filters) > 40
    path = repository / "captures/demo.pcapng"
    engine = Engine(detailed=True, in_order=False)
    events = []
    for reader in frames_of(path):
        engine.run(reader)
        events += engine.take()
    for one, expected in zip(filters, slow(path, filters, Engine(detailed=True, in_order=False)), strict=True):
        values, found = event_values(one), []
        for frame, own in by_frame(events):
            values.take(own)
            if one.matches(values):
                found.append(frame)
        assert found == expected, one.text


@pytest.mark.parametrize(
    "text",
    [
        "tcp.port + 1 == 2",
        "ip.src[0] == 1",
        "@tcp.port == 01:bb",
        "tcp.port#1 == 443",
        'ip.src_host == "a"',
        "tcp.seq == 1",
        "len(ip) == 20",
    ],
)
def test_what_asks_for_more_has_no_fast_form(text):
    assert header_test(compile_filter(text, field_table()).tree) is None


@pytest.mark.parametrize(
    "text", ["not tls", "tls.app_data", "tls.record and tcp", "@tls.handshake.type == 01", "http", "not tls.handshake"]
)
def test_what_passes_frames_without_events_is_not_asked_from_events(text):
    compiled = compile_filter(text, field_table())
    assert event_values(compiled) is None
    assert needs_of(compiled.fields)[0] or needs_of(compiled.fields)[1]


def test_no_filter_passes_every_frame(repository):
    assert isinstance(header_test(None), HeaderTest)
    assert len(fast(repository / "captures/vlan/vlan.pcap", header_test(None))) == 22
