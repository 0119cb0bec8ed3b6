"""The fields of ICMP that are no fixed place: options, checksums, and which request a reply answers."""

import random

import pytest

from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.icmp_fields import MAX_OPTIONS, _icmpv6
from analyzer.filters.value_strings import rows
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import DESTINATION, SOURCE, ethernet, ipv4

PREFIX = bytes((3, 4, 64, 0xC0)) + (86400).to_bytes(4) + (14400).to_bytes(4) + bytes(4) + bytes.fromhex("20010db8") + bytes(12)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("capture", ["zeek/checksums/ip4-icmp-good-chksum.pcap", "zeek/checksums/ip4-icmp-bad-chksum.pcap"])
def test_the_fields_have_the_values_that_tshark_reads(corpus, capture):
    path = corpus / capture
    kinds = (FieldType.UINT, FieldType.BYTES, FieldType.FRAMENUM)
    known = listed("tshark")
    fields = fields_of(*(row["name"] for row in rows("icmp_fields")))
    fields = [field for field in fields if field.type in kinds and field.name in known]
    ours, theirs = list(readings(path, fields)), list(tshark_readings(path, fields))
    assert ours == theirs
    assert any(any(one) for one in ours)


def echo(kind, number=1):
    return bytes((kind, 0, 0, 0)) + (7).to_bytes(2) + number.to_bytes(2) + b"abc"


def swapped(packet):
    return packet[:12] + DESTINATION + SOURCE + packet[20:]


def test_a_reply_names_its_request():
    fields = fields_of("icmp.resp_to", "icmp.resptime", "icmp.ident_le", "icmp.data")
    values = FrameValues(fields)
    packets = (ipv4(echo(8), 1), swapped(ipv4(echo(0), 1)), swapped(ipv4(echo(0, 2), 1)))
    found = []
    for number, packet in enumerate(packets, 1):
        values.take(filled(ethernet(packet), number, number * 2_500_000))
        found.append([list(values.values(field)) for field in fields])
    assert found == [[[], [], [0x700], [b"abc"]], [[1], [2.5], [0x700], [b"abc"]], [[], [], [0x700], [b"abc"]]]


def fields_in(message):
    found = {}
    for name, value, _ in _icmpv6(message):
        found.setdefault(name, []).append(value)
    return found


def test_options_of_neighbor_discovery_have_their_values():
    link = bytes((1, 1)) + bytes.fromhex("020000000001")
    servers = bytes((25, 5)) + bytes(2) + (600).to_bytes(4) + bytes(15) + b"\x01" + bytes(15) + b"\x02"
    found = fields_in(bytes((134,)) + bytes(15) + link + PREFIX + servers)
    assert found["icmpv6.opt.type"] == [1, 3, 25]
    assert found["icmpv6.opt.src_linkaddr"] == [bytes.fromhex("020000000001")]
    assert found["icmpv6.opt.prefix.length"] == [64]
    assert found["icmpv6.opt.prefix.flag.a"] == [True]
    assert found["icmpv6.opt.prefix.flag.r"] == [False]
    assert found["icmpv6.opt.prefix"] == [bytes.fromhex("20010db8") + bytes(12)]
    assert found["icmpv6.opt.rdnss"] == [bytes(15) + b"\x01", bytes(15) + b"\x02"]


def test_reports_have_their_records():
    records = b"".join(bytes((4, 0, 0, 0)) + bytes.fromhex("ff02") + bytes(13) + bytes((n,)) for n in range(2))
    found = fields_in(bytes((143,)) + bytes(5) + (2).to_bytes(2) + records)
    assert found["icmpv6.mldr.mar.record_type"] == [4, 4]
    assert len(found["icmpv6.mldr.mar.multicast_address"]) == 2


def test_damage_never_raises_and_options_are_bounded():
    assert len(fields_in(bytes((133,)) + bytes(7) + bytes((9, 1)) * 4 * 5000)["icmpv6.opt"]) == MAX_OPTIONS
    chance = random.Random(3)
    for _ in range(300):
        fields_in(bytes((chance.choice((133, 134, 135, 136, 137, 143)),)) + chance.randbytes(chance.randrange(7, 90)))
