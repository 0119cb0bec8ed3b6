"""All fields by their layers: -T json and -T ek without -e."""

from analyzer.filters.field_layers import FieldLayers
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4, tcp


def test_layers_have_their_fields():
    layers = FieldLayers(field_table())
    values = FrameValues(layers.fields)
    values.take(filled(ethernet(ipv4(tcp()))))
    tree, bulk = layers.tree(values), layers.bulk(values)
    assert list(tree) == ["frame", "eth", "ip", "tcp"]
    assert tree["ip"]["ip.addr"] == ["192.0.2.1", "198.51.100.2"]
    assert tree["ip"]["ip.flags.df"] in ("0", "1")
    assert tree["eth"]["eth.type"] == "0x0800"
    assert bulk["eth"]["eth_eth_type"] == "2048"
    assert bulk["tcp"]["tcp_tcp_flags_syn"] in (True, False)
    assert not any("analyzer" in name for name in tree)
