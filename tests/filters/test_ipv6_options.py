"""The options of IPv6."""

import pytest

from analyzer.filters.frame_values import FrameValues
from analyzer.filters.ipv6_options import MAX_OPTIONS
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv6

NAMES = [row["name"] for row in rows("ipv6_options") if row["type"] != "NONE"]


def values_of(options, *names):
    header = bytes((59, (len(options) + 2) // 8 - 1)) + options
    values = FrameValues(fields := fields_of(*names))
    values.take(filled(ethernet(ipv6(header, next_header=0), 0x86DD)))
    return [list(values.values(field)) for field in fields]


def test_options_have_their_values():
    options = b"\x05\x02\x00\x01" + b"\x00" + b"\x01\x01\x00" + b"\xc2\x04\x00\x01\x00\x00"
    found = values_of(options, "ipv6.opt.type", "ipv6.opt.router_alert", "ipv6.opt.padn", "ipv6.opt.jumbo")
    assert found == [[5, 0, 1, 0xC2], [1], [b"\0"], [65536]]
    assert values_of(options, "ipv6.opt.type.action", "ipv6.opt.type.change") == [[0, 0, 0, 3], [False] * 4]


@pytest.mark.parametrize("options", [b"\x05\x09\0\0\0\0", b"\x05\x01\0\0\0\0", b"\x01"])
def test_an_option_that_is_longer_than_its_header_ends_it(options):
    (alerts,) = values_of(options.ljust(6, b"\0"), "ipv6.opt.router_alert")
    assert alerts == []


def test_the_options_of_a_frame_are_bounded():
    (types,) = values_of(bytes(2046), "ipv6.opt.type")
    assert len(types) == MAX_OPTIONS


@pytest.mark.peer("tshark")
def test_they_have_the_values_that_tshark_reads(corpus):
    path = corpus / "zeek/checksums/ip6-hoa-tcp-bad-chksum.pcap"
    fields = [field for field in fields_of(*NAMES) if field.name != "ipv6.opt.padn"]
    ours = list(readings(path, fields))
    assert ours == list(tshark_readings(path, fields))
    assert any(any(one) for one in ours)
