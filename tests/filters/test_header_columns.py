"""Rows of header fields that are written at once are those that the fields themselves give."""

from contextlib import closing

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.field_form import form_of
from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.field_columns import FieldColumns
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.header_columns import header_column
from analyzer.filters.header_filter import header_test
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.header_rows import ALL, ALPHABET, FIRST, LAST, HeaderRows, add_rows, put_hexadecimal, put_seconds
from analyzer.packet.header_tests import HeaderTest
from analyzer.packet.layer_places import LayerPlaces

CAPTURES = ["demo.pcapng", "vlan/vlan.pcap", "ipv6/ipv6.pcapng"]
FORMS = [
    ((), ALL),
    (("separator=,,occurrence=f,quote=d",), FIRST),
    (("separator=;,occurrence=l", "quote=s"), LAST),
    (("separator=/s,aggregator=|",), ALL),
]


def quick(path, names, form, occurrence, test=None, most=1 << 16):
    columns = tuple(header_column(field_table().get(name)) for name in names)
    quote = ord(form.quote) if form.quote else 0
    rows = HeaderRows(columns, ord(form.separator), ord(form.aggregator), quote, occurrence)
    test = test or HeaderTest()
    layers, defragmenter, found = LayerPlaces(), Defragmenter(), b""
    layers.kinds = rows.kinds() | test.kinds()
    with closing(CaptureReader([str(path)]).packet_readers()) as readers:
        for reader in readers:
            while add_rows(reader, layers, test, defragmenter, rows, most):
                found += bytes(rows.out)
                rows.out.clear()
    return (found + bytes(rows.out)).decode()


def slow(path, names, form, passes=None):
    columns = FieldColumns(names, field_table())
    fields = columns.fields if passes is None else columns.fields | passes.fields
    values, found = FrameValues(fields), ""
    with closing(CaptureReader([str(path)]).packet_readers()) as readers:
        for reader in readers:
            while reader.advance():
                values.take(reader.frame)
                if passes is None or passes.matches(values):
                    found += form.row(columns.texts(values)) + "\n"
    return found


@pytest.fixture
def captures(repository):
    return [repository / "captures" / name for name in CAPTURES]


@pytest.mark.parametrize(("settings", "occurrence"), FORMS)
def test_every_field_that_has_a_column_is_written_as_its_texts(captures, settings, occurrence):
    names = [field.name for field in field_table() if header_column(field) is not None]
    assert len(names) > 120
    form = form_of(settings)
    assert form.leaves(ALPHABET, form.aggregator)
    for path in captures[: 3 if settings == () else 1]:
        assert quick(path, names, form, occurrence) == slow(path, names, form)


def test_a_filter_chooses_the_rows_and_the_buffer_may_be_small(captures):
    compiled = compile_filter("tcp.port == 443 or ipv6", field_table())
    names = ["frame.number", "frame.time_delta", "ip.src", "ipv6.addr"]
    found = quick(captures[0], names, form_of(()), ALL, header_test(compiled.tree), 10)
    assert found == slow(captures[0], names, form_of(()), compiled)
    assert found.count("\n") > 50


@pytest.mark.parametrize("name", ["frame", "ip", "frame.time", "tcp.len", "tls.handshake.type", "frame.protocols"])
def test_what_needs_more_than_headers_has_no_column(name):
    assert header_column(field_table().get(name)) is None


@pytest.mark.parametrize("settings", [["separator=."], ["separator=1"], ["aggregator=/s,separator=/s"], ["separator=ä"]])
def test_a_separator_that_a_value_has_is_not_written_at_once(settings):
    form = form_of(settings)
    assert not form.leaves(ALPHABET, form.aggregator)


def test_numbers():
    out = bytearray()
    for value in (0, 5, -1, 1_500_000_000, -12_000_000_034, (1 << 62)):
        put_seconds(out, value)
        out += b" "
    assert out == b"0.000000000 0.000000005 -0.000000001 1.500000000 -12.000000034 4611686018.427387904 "
    out.clear()
    for value, digits in ((0, 2), (255, 2), (256, 2), (0x1BB, 4), ((1 << 62) - 1, 4)):
        put_hexadecimal(out, value, digits)
    assert out == b"0x000xff0x1000x01bb0x3fffffffffffffff"
