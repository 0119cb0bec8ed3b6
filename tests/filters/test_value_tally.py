"""Which values a field has: counted, the most frequent first, as a filter may write them."""

from analyzer.filters.value_tally import MAX_VALUES, Tally, value_text
from tests.filters.field_readings import fields_of


def test_the_most_frequent_values_come_first():
    (port,) = fields_of("tcp.port")
    tally = Tally(port)
    assert tally.sentence() == "tcp.port: no packet has it"
    for number in (443, 443, 80, 1, 2, 3, 4, 5, 443):
        tally.take([number])
    tally.take([])
    assert tally.sentence().startswith("tcp.port: packets that have it: 9, the most frequent values: 443 (3) / 80 (1) / ")
    assert tally.sentence().count("(") == 5


def test_memory_is_bounded():
    (number,) = fields_of("frame.number")
    tally = Tally(number)
    for value in range(2 * MAX_VALUES):
        tally.take([value])
    assert tally.n_frames == 2 * MAX_VALUES
    assert tally.sentence().count("(1)") == 5


def test_a_field_without_a_value_is_only_counted():
    (flags,) = fields_of("tcp.analysis.flags")
    tally = Tally(flags)
    tally.take([None])
    assert tally.sentence() == "tcp.analysis.flags: packets that have it: 1"


def test_values_are_written_as_in_a_filter():
    names = (
        "ip.src",
        "eth.dst",
        "tcp.payload",
        "tcp.flags.syn",
        "frame.time_delta",
        "tls.handshake.type",
        "tls.handshake.version",
    )
    address, ether, octets, bit, time, kind, version = fields_of(*names)
    assert value_text(address, bytes((192, 0, 2, 1))) == "192.0.2.1"
    assert value_text(ether, bytes(6)) == "00:00:00:00:00:00"
    assert value_text(octets, b"\1\2") == "01:02"
    assert value_text(octets, bytes(100)).endswith("…")
    assert value_text(bit, True) == "True"
    assert value_text(time, 1_500_000_000) == "1.500000000"
    assert value_text(kind, 1) == "1 Client Hello"
    assert value_text(version, 0x0303) == "0x0303 TLS 1.2"
