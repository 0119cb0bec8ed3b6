"""All fields by their layers: -T json and -T ek without -e."""

from analyzer.filters.field_layers import FieldLayers
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, ipv6, tcp


def test_layers_have_their_fields():
    layers = FieldLayers(field_table())
    values = FrameValues(layers.fields)
    values.take(filled(ethernet(ipv4(tcp()))))
    tree, bulk = layers.tree(values), layers.bulk(values)
    assert list(tree) == ["frame", "eth", "ip", "tcp"]
    assert tree["ip"]["ip.addr"] == ["192.0.2.1", "198.51.100.2"]
    assert tree["ip"]["ip.flags_tree"]["ip.flags.df"] in ("0", "1")
    assert tree["eth"]["eth.type"] == "0x0800"
    assert bulk["eth"]["eth_eth_type"] == "2048"
    assert bulk["tcp"]["tcp_tcp_flags_syn"] in (True, False)
    assert not any("analyzer" in name for name in tree)


def layers_of(frame):
    layers = FieldLayers(field_table())
    values = FrameValues(layers.fields)
    values.take(filled(frame))
    return layers.tree(values)


def test_what_belongs_to_a_field_stands_in_its_tree():
    tree = layers_of(ethernet(ipv4(tcp())))
    eth = tree["eth"]
    assert list(eth)[:4] == ["eth.dst", "eth.dst_tree", "eth.src", "eth.src_tree"]
    assert eth["eth.dst_tree"]["eth.addr"] == eth["eth.dst"]
    assert eth["eth.src_tree"]["eth.addr"] == eth["eth.src"]
    assert tree["tcp"]["tcp.flags_tree"]["tcp.flags.syn"] in ("0", "1")
    assert "tcp.time_relative" in tree["tcp"]["Timestamps"]


def test_each_option_of_tcp_has_its_kind_and_length():
    """MSS, window scale, two without meaning, and one of a kind that has no name."""
    options = b"\x02\x04\x05\xb4\x03\x03\x07\x01\x01\x1b\x03\x09"
    tree = layers_of(ethernet(ipv4(tcp(options=options))))["tcp"]["tcp.options_tree"]
    assert tree["tcp.options.mss_tree"] == {"tcp.option_kind": "2", "tcp.option_len": "4", "tcp.options.mss_val": "1460"}
    assert tree["tcp.options.wscale_tree"]["tcp.option_kind"] == "3"
    assert tree["tcp.options.nop_tree"] == {"tcp.option_kind": ["1", "1"]}
    assert (tree["tcp.option_kind"], tree["tcp.option_len"]) == ("27", "3")


def test_the_version_in_bulk_belongs_to_the_header_that_is_there():
    layers = FieldLayers(field_table())
    values = FrameValues(layers.fields)
    values.take(filled(ethernet(ipv6(tcp(options=b"\x02\x04\x05\xb4")), 0x86DD)))
    bulk = layers.bulk(values)
    assert "ip" not in bulk
    assert bulk["ipv6"]["ipv6_ip_version"] == "6"
    assert bulk["tcp"]["tcp_options_mss"] == "02:04:05:b4"


def test_the_version_of_ipv6_is_not_that_of_a_packet_of_ipv4():
    tree = layers_of(ethernet(ipv6(tcp()), 0x86DD))
    assert "ip" not in tree
    assert tree["ipv6"]["ip.version"] == "6"
