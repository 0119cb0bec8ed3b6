"""The fields of DNS: questions and records, compressed names, and damage of every kind."""

import random

from analyzer.filters.dns_fields import _in_segment
from analyzer.filters.frame_values import FrameValues
from tests.filters.field_readings import fields_of
from tests.filters.test_frame_values import filled
from tests.packet.test_headers import ethernet, ipv4

QUESTION = b"\x03www\x07example\x00\x00\x01\x00\x01"


def message(body, flags=0x8180, counts=(1, 1, 0, 0)):
    return b"\x12\x34" + flags.to_bytes(2, "big") + b"".join(one.to_bytes(2, "big") for one in counts) + body


def record(kind, data, name=b"\xc0\x0c"):
    return name + kind.to_bytes(2, "big") + b"\x00\x01\x00\x00\x00\x3c" + len(data).to_bytes(2, "big") + data


def values_of(data, *names, port=53):
    fields = fields_of(*names)
    values = FrameValues(fields)
    header = (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(data)).to_bytes(2, "big") + b"\0\0"
    values.take(filled(ethernet(ipv4(header + data, 17))))
    return [list(values.values(field)) for field in fields]


def test_a_response_has_its_question_and_records():
    data = message(QUESTION + record(1, bytes((192, 0, 2, 7))))
    names = ("dns.id", "dns.qry.name", "dns.qry.type", "dns.resp.name", "dns.a", "dns.resp.ttl", "dns.flags.response")
    assert values_of(data, *names) == [[0x1234], ["www.example"], [1], ["www.example"], [bytes((192, 0, 2, 7))], [60], [True]]


def test_the_usual_records_are_decoded():
    body = record(15, b"\x00\x0a\x04mail\xc0\x0c") + record(16, b"\x02hi\x03you") + record(33, bytes(4) + b"\x01\xbb\xc0\x0c")
    data = message(QUESTION + body, counts=(1, 3, 0, 0))
    names = ("dns.mx.preference", "dns.mx.mail_exchange", "dns.txt", "dns.srv.port", "dns.srv.target")
    assert values_of(data, *names) == [[10], ["mail.www.example"], ["hi", "you"], [443], ["www.example"]]


def test_a_name_cannot_hide_what_it_is():
    odd = message(b"\x03a.b\x01\x00\x00\x00\x01\x00\x01", 0x0100, (1, 0, 0, 0))
    assert values_of(odd, "dns.qry.name") == [["a.b.\\000"]]
    assert values_of(message(b"\x00\x00\x02\x00\x01", 0, (1, 0, 0, 0)), "dns.qry.name") == [["<Root>"]]


def test_a_loop_of_pointers_ends():
    assert values_of(message(b"\xc0\x0c\x00\x01\x00\x01", 0, (1, 0, 0, 0)), "dns.qry.name", "dns.id") == [[], [0x1234]]


def test_other_ports_are_not_dns_and_multicast_has_its_own_protocol():
    data = message(QUESTION, 0, (1, 0, 0, 0))
    assert values_of(data, "dns", "dns.id", port=54) == [[], []]
    assert values_of(data, "dns", "mdns", port=5353) == [[], [data]]


def test_damage_never_raises():
    whole = message(QUESTION + record(6, b"\xc0\x0c\xc0\x0c" + bytes(20)) + record(28, bytes(16)), counts=(1, 2, 0, 0))
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(whole[: chance.randrange(12, len(whole))])
        data[chance.randrange(len(data))] = chance.randrange(256)
        values_of(bytes(data), "dns.qry.name", "dns.resp.name")


def test_messages_over_tcp_are_read_where_a_segment_has_them_whole():
    query = bytes.fromhex("000701000001000000000000" "0377777707" "6578616d706c65" "00" "00010001")  # fmt: skip
    framed = len(query).to_bytes(2) + query
    found = _in_segment(framed + framed + framed[:20])
    assert [one.value for one in found["dns.id"]] == [7, 7]
    assert [one.value for one in found["dns.qry.name"]] == ["www.example", "www.example"]
    assert [one.value for one in found["dns.length"]] == [len(query), len(query)]
    assert _in_segment(framed[:-1]) == {}
    assert _in_segment(b"\0\0" * 20) == {}
