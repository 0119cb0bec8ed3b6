"""The columns of -e: fields, expressions, and columns of the packet list."""

import pytest

from analyzer.filters.field_columns import FieldColumns, list_column
from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError
from analyzer.filters.frame_values import FrameValues
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, tcp


def texts(*names, words=None):
    columns = FieldColumns(names, field_table())
    values = FrameValues(columns.fields)
    values.take(filled(ethernet(ipv4(tcp()))))
    return columns.texts(values, words)


def test_a_field_has_all_its_values():
    assert texts("ip.addr", "udp.port") == [["192.0.2.1", "198.51.100.2"], []]


def test_a_field_with_a_deprecated_name_has_that_of_today():
    columns = FieldColumns(["ssl.handshake.type", "tcp.port"], field_table())
    assert columns.names == ["tls.handshake.type", "tcp.port"]


def test_an_expression_has_the_values_that_it_computes():
    assert texts("ip.src[0:2]", "@ip.src", "ip.proto + 1", "max(ip.src)") == [
        ["c0:00"], ["c0:00:02:01"], ["7"], ["192.0.2.1"],
    ]  # fmt: skip


def test_a_test_has_a_mark_in_the_packets_that_pass():
    assert texts("ip.proto == 6", "not tcp", "tcp or udp") == [["✓"], [], ["✓"]]


def test_columns_of_the_list_are_handed_in():
    assert texts("_ws.col.Info", "_ws.col.protocol", words={"info": "SYN", "protocol": "TCP"}) == [["SYN"], ["TCP"]]
    assert list_column("_ws.col.def_src") == "source"
    assert list_column("ip.src") is None


@pytest.mark.parametrize("name", ["bogus", "tcp.prot", "", "_ws.col.bogus", "vals(tcp.port)", "${ip.src}"])
def test_what_is_no_field_and_no_expression_is_refused(name):
    with pytest.raises(FilterError):
        FieldColumns([name], field_table())
