"""The fields of DNS: questions and records, compressed names, and damage of every kind."""

import random

from analyzer.filters.frame_values import FrameValues
from tests.filters.field_readings import fields_of
from tests.filters.made_packets import segment
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


QUERY = bytes.fromhex("000701000001000000000000" "0377777707" "6578616d706c65" "00" "00010001")  # fmt: skip
FRAMED = len(QUERY).to_bytes(2) + QUERY


def over_tcp(*pieces, start=100):
    """What a source finds in each of some segments; a piece of None is lost, a pair has the sequence number of its own."""
    fields = fields_of("dns.id", "dns.qry.name", "dns.length")
    values, found, at = FrameValues(fields), [], start
    for number, piece in enumerate(pieces, 1):
        if piece is None:
            at += 10
            continue
        values.take(filled(ethernet(ipv4(segment(piece, at, ports=(40000, 53)))), number))
        at += len(piece)
        found.append([list(values.values(field)) for field in fields])
    return found


def test_messages_over_tcp_are_read_where_a_segment_has_them_whole():
    (found,) = over_tcp(FRAMED + FRAMED + FRAMED[:20])
    assert found == [[7, 7], ["www.example"] * 2, [len(QUERY)] * 2]
    assert over_tcp(FRAMED[:-1]) == over_tcp(b"\0\0" * 20) == [[[], [], []]]


def test_a_message_in_several_segments_is_read_with_the_last_of_them():
    found = over_tcp(FRAMED[:1], FRAMED[1:9], FRAMED[9:] + FRAMED[:5], FRAMED[5:])
    assert [one[0] for one in found] == [[], [], [7], [7]]


def test_behind_missing_bytes_reading_goes_on_with_the_next_message():
    assert [one[0] for one in over_tcp(FRAMED[:9], None, FRAMED)] == [[], [7]]


def test_the_payload_size_of_a_sender_is_decimal_as_in_wireshark_4_6():
    assert fields_of("dns.rr.udp_payload_size")[0].base == "dec"


def test_a_response_names_its_query():
    fields = fields_of("dns.response_to", "dns.time")
    values = FrameValues(fields)
    found = []
    for number, (flags, source, destination) in enumerate(((0x0100, 40000, 53), (0x8180, 53, 40000), (0x8180, 53, 40000)), 1):
        data = message(QUESTION, flags, (1, 0, 0, 0))
        header = source.to_bytes(2) + destination.to_bytes(2) + (8 + len(data)).to_bytes(2) + b"\0\0"
        hosts = (bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
        packet = ethernet(with_addresses(ipv4(header + data, 17), *(hosts if number == 1 else hosts[::-1])))
        values.take(filled(packet, number, number * 1000))
        found.append([list(values.values(field)) for field in fields])
    assert found == [[[], []], [[1], [1000]], [[], []]]


def with_addresses(packet, source, destination):
    """The same IPv4 packet between other hosts."""
    return packet[:12] + source + destination + packet[20:]


def test_what_edns_has_in_place_of_a_class_is_read():
    option = b"\x00\x0a\x00\x02\xab\xcd"
    body = b"\x00" + (41).to_bytes(2) + (1232).to_bytes(2) + bytes((1, 0, 0x80, 0)) + len(option).to_bytes(2) + option
    data = message(QUESTION + body, 0x0120, (1, 0, 0, 1))
    names = ("dns.rr.udp_payload_size", "dns.resp.ext_rcode", "dns.resp.z.do", "dns.opt.code", "dns.opt.data", "dns.flags.ad")
    assert values_of(data, *names) == [[1232], [1], [True], [10], [b"\xab\xcd"], [True]]
    assert values_of(data, "dns.resp.class", "dns.resp.ttl") == [[], []]
